import { Bytes } from "../bytes/bytes";
import { siphash24 } from "../bytes/hash";
import { UpstreamHost } from "../stream/upstream_host";

/** How long a host that could not be reached is left out at first, and at most, ms. */
const FIRST_BACKOFF_MS: i64 = 250;
const MAX_BACKOFF_MS: i64 = 5000;
/** How long a host that sent a go-away gets no new requests, ms: Dubbo servers stop within 10 s. */
const LEAVING_MS: i64 = 10000;

/** A server of a cluster, learned from the connections that Envoy's load balancing opened; one VM's view of it. */
export class Host {
  /** Requests of this VM that wait for its answer. */
  active: i32 = 0;
  /** Left out until this time, ms. */
  downUntil: i64 = 0;
  /** It is going away and gets no requests until this time, ms, though it may still accept connections. */
  private leavingUntil: i64 = 0;
  /** Connections in a row that could not be opened. */
  failures: i32 = 0;
  /** When its first failure in that row was, ms. */
  failingSince: i64 = 0;
  /** State of the smooth weighted round robin. */
  credit: i32 = 0;
  /** Hash of the address, the same in every worker. */
  readonly hash: u64;

  /**
   * @param record it as filters see it
   * @param pin what makes the switchboard choose this host
   */
  constructor(
    readonly record: UpstreamHost,
    public pin: Bytes,
    readonly weight: i32,
  ) {
    const address = record.address;
    this.hash = siphash24(0, 0, address.ptr, address.length);
  }

  /** "IP:PORT", as the switchboard tells it. */
  get address(): Bytes {
    return this.record.address;
  }

  /** Whether it may get a request. */
  // @ts-ignore: decorator
  @inline
  isUp(now: i64): bool {
    return this.downUntil <= now && this.leavingUntil <= now && !this.record.ejected;
  }

  /** It sent a go-away: Dubbo servers that stop answer what they have read, but close new connections at once. */
  leave(now: i64): void {
    this.leavingUntil = now + LEAVING_MS;
  }

  /** A connection to it was opened. */
  up(): void {
    this.failures = 0;
    this.downUntil = 0;
  }

  /** A connection to it could not be opened: leave it out for a while, longer each time. */
  down(now: i64): void {
    if (this.failures == 0) this.failingSince = now;
    this.downUntil = now + min(FIRST_BACKOFF_MS << min(this.failures, 5), MAX_BACKOFF_MS);
    this.failures++;
  }
}
