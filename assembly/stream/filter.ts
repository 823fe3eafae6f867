import { ObjectReader } from "../config/object";
import { View } from "../bytes/view";
import { StreamHandler } from "./handler";
import { FilterMetric } from "./metrics";
import { FilterStatus, Phase } from "./phase";
import { FilterPlugin } from "./plugin";

/** Answer of `FilterConfig.admits`. */
export const enum Admission {
  GRANTED = 0,
  DENIED = 1,
  /** It cannot tell: the client is denied, and a failure counted. */
  UNDECIDED = 2,
}

/** A filter's configuration, parsed once; each filter has a subclass of its own. Immutable. */
export abstract class FilterConfig {
  /** Of a type with `needsRequestBody`: false when bodies do not matter with this configuration after all. */
  get readsRequestBody(): bool {
    return true;
  }

  /** Of a type with `needsResponseBody`: the same for responses. */
  get readsResponseBody(): bool {
    return true;
  }

  /**
   * On RPC: whether changes to headers must not be lost, since a request as it came could say what only this filter may
   * say: as with `strict_changes` such a message is refused.
   */
  get needsChanges(): bool {
    return false;
  }

  /** The plugin begins to run its filters with this configuration; not called for those of routes. */
  begin(plugin: FilterPlugin): void {}

  /** A new connection goes by this configuration: on RPC, where Envoy decides that when it comes. */
  onConnection(): void {}

  /**
   * On RPC: whether a client may use its connection for what is no request and so comes to no filter: heartbeats, and bytes
   * of no known protocol for the cluster of `fallback`. Asked once for a connection, when the first of them comes.
   * @param address the client's, "IP:PORT", as the connection has it
   * @param raw whether it is for bytes of no known protocol, which reach a server; heartbeats reach none
   */
  admits(address: View, raw: bool): Admission {
    return Admission.GRANTED;
  }

  /** The plugin ends: what counts in gauges, or is set elsewhere, goes. */
  end(): void {}
}

/**
 * A MOSN stream filter in one request: it is told of the phases that its type names. Filters are reused for one request
 * after the other: `onDestroy` drops what belongs to the last one. It never traps and keeps no range that it was lent.
 */
export abstract class StreamFilter {
  /** The request, in one of the phases before it is sent. */
  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    return FilterStatus.CONTINUE;
  }

  /** The response, before the client gets it (MOSN's Append): STOP or TERMINATION, or else CONTINUE. */
  append(handler: StreamHandler): FilterStatus {
    return FilterStatus.CONTINUE;
  }

  /** What the filter waited for is over: the status that it owed. */
  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    return FilterStatus.CONTINUE;
  }

  /** The request is over, with or without a response. */
  onLog(handler: StreamHandler): void {}

  /** Forget this request. Also called while the filter waits: then it never resumes. */
  onDestroy(): void {}
}

/** Roots of the module that run stream filters: bits. */
export const enum FilterRoots {
  /** The proxy of RPC. */
  PROXY = 1,
  /** Envoy's HTTP filter. */
  HTTP = 2,
  ALL = 3,
}

/** A kind of stream filter: what `type` in the configuration names. */
export abstract class FilterType {
  /** Whether its filters look at bodies of requests. HTTP holds those requests until they are complete. */
  needsRequestBody: bool = false;
  /** The same for responses. */
  needsResponseBody: bool = false;
  /** Whether its filters protect: where they cannot decide, the request is refused. */
  protective: bool = false;
  /** Whether its filters may set labels: on HTTP a client's own headers `x-moe-*` then have to go before. */
  setsLabels: bool = true;
  /** How often its filters could not do their work. */
  readonly failures: FilterMetric;
  /** Where its filters mean something; elsewhere a configuration that names the type is refused. */
  roots: FilterRoots = FilterRoots.ALL;
  /** What to use there instead: a part of the sentence that refuses it; may be empty. */
  instead: string = "";

  /**
   * @param name MOSN's name
   * @param phases bits of the phases it runs in (`bit`); `parse` may add some
   * @param perRoute whether routes may have a configuration of their own for it (`per_filter_config`)
   */
  constructor(
    readonly name: string,
    public phases: u32,
    readonly perRoute: bool,
  ) {
    this.failures = FilterMetric.counter(name, "failures");
  }

  /** Reads the configuration; what is wrong is noted in the reader's errors, and then the result is not used. */
  abstract parse(from: ObjectReader): FilterConfig;

  /** The same for a root of the module, for types whose configuration is not the same on all. */
  parseFor(from: ObjectReader, root: FilterRoots): FilterConfig {
    return this.parse(from);
  }

  /** A filter for requests; it is used for many, one after the other. */
  abstract create(config: FilterConfig): StreamFilter;
}
