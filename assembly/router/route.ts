import { Bytes } from "../bytes/bytes";
import { FilterConfigs } from "../stream/filter_configs";
import { ClusterChoice, ClusterPicker } from "./clusters";
import { HashPolicy } from "./hash_policy";
import { HeaderOps } from "./header_ops";
import { RouteInput } from "./input";
import { RouteMatch } from "./matchers";
import { RetryPolicy } from "./retry";
import { Rewrite } from "./rewrite";

/** What becomes of a request. */
export const enum RouteKind {
  /** It goes to a cluster. */
  FORWARD = 0,
  /** It is answered at once (`direct_response`). */
  DIRECT = 1,
  /** It is answered with a redirect; HTTP only. */
  REDIRECT = 2,
}

/** `direct_response`. */
export class DirectResponse {
  /**
   * @param status MOSN's code, mapped to the protocol's status by the codec
   * @param body text for the answer; may be empty
   */
  constructor(
    readonly status: i32,
    readonly body: Bytes,
  ) {}
}

/** `redirect`: what is empty stays as it was in the request. */
export class Redirect {
  constructor(
    readonly code: i32,
    readonly path: Bytes,
    readonly host: Bytes,
    readonly scheme: Bytes,
  ) {}
}

/** `request_mirror_policies`. */
export class MirrorPolicy {
  /**
   * @param choice the cluster; no labels
   * @param percent of the requests, 1 to 100
   */
  constructor(
    readonly choice: ClusterChoice,
    readonly percent: i32,
  ) {}
}

/** One route with all that belongs to it. Immutable but for the sequence of weighted clusters. */
export class Route {
  kind: RouteKind = RouteKind.FORWARD;
  /** Limit of the whole request, milliseconds; 0: none, -1: not configured. */
  timeoutMs: i32 = -1;
  /** With `RouteKind.DIRECT`. */
  direct: DirectResponse | null = null;
  /** With `RouteKind.REDIRECT`. */
  redirect: Redirect | null = null;
  mirror: MirrorPolicy | null = null;
  /** Configuration of stream filters for this route: its own, or else its virtual host's. */
  filterConfigs: FilterConfigs = new FilterConfigs();
  /** The name as bytes. */
  readonly label: Bytes;
  readonly requestOps: HeaderOps = new HeaderOps();
  readonly responseOps: HeaderOps = new HeaderOps();

  /**
   * @param name for logs: the virtual host's name and the route's place in it
   * @param picker null: the route forwards nothing
   */
  constructor(
    readonly name: string,
    readonly match: RouteMatch,
    private readonly picker: ClusterPicker | null,
    readonly retry: RetryPolicy,
    readonly rewrite: Rewrite,
    private readonly hashPolicy: HashPolicy,
  ) {
    this.label = Bytes.of(name);
  }

  /** Whether the headers of requests change. */
  // @ts-ignore: decorator
  @inline
  get hasRequestOps(): bool {
    return !this.requestOps.empty;
  }

  /** Whether the headers of responses change. */
  // @ts-ignore: decorator
  @inline
  get hasResponseOps(): bool {
    return !this.responseOps.empty;
  }

  /** Limit of one try, milliseconds; -1: none. */
  get perTryTimeoutMs(): i32 {
    return this.retry.perTryTimeoutMs;
  }

  /**
   * The cluster for a request; ask once per request, weighted clusters move on each time. Null when there is none: the
   * route does not forward, or the request names no cluster where `cluster_header` or `cluster_variable` wants it to.
   */
  pickCluster(input: RouteInput): ClusterChoice | null {
    const picker = this.picker;
    return picker === null ? null : picker.pick(input);
  }

  /** The hash of a request for consistent hashing. */
  hash(input: RouteInput): u64 {
    return this.hashPolicy.hash(input);
  }
}
