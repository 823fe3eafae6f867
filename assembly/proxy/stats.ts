import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { bytesEqual } from "../bytes/memory";
import { View } from "../bytes/view";
import { Metric, Metrics } from "../host/metrics";

/** Most methods and most clusters that have numbers of their own; the rest count as `other`. */
const MAX_METHODS: i32 = 512;
const MAX_CLUSTERS: i32 = 256;
/** Slots of the hash table of methods; a power of two above twice MAX_METHODS. */
const TABLE: i32 = 2048;
/** Longest part of a name that goes into a metric's name, bytes. */
const MAX_NAME: i32 = 200;

/** Numbers of one protocol: `moe.PROTOCOL.*`. */
export class ProtocolStats {
  readonly requests: Metric;
  readonly responses: Metric;
  readonly oneway: Metric;
  readonly heartbeats: Metric;
  readonly decodeErrors: Metric;
  readonly localReplies: Metric;
  readonly active: Metric;
  readonly retries: Metric;
  readonly timeouts: Metric;
  readonly lateResponses: Metric;
  readonly serverRequests: Metric;

  constructor(metrics: Metrics, protocol: string) {
    const prefix = `moe.${protocol}.`;
    this.requests = metrics.counter(prefix + "requests");
    this.responses = metrics.counter(prefix + "responses");
    this.oneway = metrics.counter(prefix + "oneway");
    this.heartbeats = metrics.counter(prefix + "heartbeats");
    this.decodeErrors = metrics.counter(prefix + "decode_errors");
    this.localReplies = metrics.counter(prefix + "local_replies");
    this.active = metrics.gauge(prefix + "active");
    this.retries = metrics.counter(prefix + "retries");
    this.timeouts = metrics.counter(prefix + "timeouts");
    this.lateResponses = metrics.counter(prefix + "late_responses");
    this.serverRequests = metrics.counter(prefix + "server_requests");
  }
}

/** Numbers of one method of one service, or of one cluster. */
export class CallStats {
  readonly requests: Metric;
  /** Answers of a server with a status that maps to a code below 500. */
  readonly ok: Metric;
  /** Answers of a server with another status, and local replies. */
  readonly errors: Metric;

  constructor(metrics: Metrics, prefix: string) {
    this.requests = metrics.counter(prefix + "requests");
    this.ok = metrics.counter(prefix + "ok");
    this.errors = metrics.counter(prefix + "errors");
  }
}

class MethodEntry {
  constructor(
    readonly service: Bytes,
    readonly method: Bytes,
    readonly stats: CallStats,
  ) {}

  // @ts-ignore: decorator
  @inline
  is(service: View, method: View): bool {
    return (
      bytesEqual(this.service.ptr, this.service.length, service.ptr, service.length) &&
      bytesEqual(this.method.ptr, this.method.length, method.ptr, method.length)
    );
  }
}

/** The numbers by service and method, and by cluster; bounded. */
export class CallStatsTable {
  private readonly table: StaticArray<MethodEntry | null> = new StaticArray<MethodEntry | null>(TABLE);
  private methods: i32 = 0;
  private clusters: i32 = 0;
  private last: MethodEntry | null = null;
  private otherMethod: CallStats | null = null;
  private otherCluster: CallStats | null = null;

  constructor(private readonly metrics: Metrics) {}

  /** The numbers `moe.service.SERVICE.method.METHOD.*`. */
  ofMethod(service: View, method: View): CallStats {
    const last = this.last;
    if (last !== null && last.is(service, method)) return last.stats;
    let slot = hashBytes(service.ptr, service.length) ^ hashBytes(method.ptr, method.length, 1);
    for (let i = 0; i < TABLE; i++, slot++) {
      const entry = unchecked(this.table[slot & (TABLE - 1)]);
      if (entry === null) break;
      if (!entry.is(service, method)) continue;
      this.last = entry;
      return entry.stats;
    }
    return this.methods < MAX_METHODS ? this.addMethod(slot, service, method) : this.other();
  }

  private addMethod(slot: u32, service: View, method: View): CallStats {
    const prefix = `moe.service.${metricName(service)}.method.${metricName(method)}.`;
    const entry = new MethodEntry(
      Bytes.copy(service.ptr, service.length),
      Bytes.copy(method.ptr, method.length),
      new CallStats(this.metrics, prefix),
    );
    unchecked((this.table[slot & (TABLE - 1)] = entry));
    this.methods++;
    return entry.stats;
  }

  private other(): CallStats {
    let stats = this.otherMethod;
    if (stats === null) {
      stats = new CallStats(this.metrics, "moe.service.other.method.other.");
      this.otherMethod = stats;
    }
    return stats;
  }

  /** New numbers `moe.cluster.CLUSTER.*`, to be asked for once a cluster. */
  ofCluster(name: Bytes): CallStats {
    if (this.clusters < MAX_CLUSTERS) {
      this.clusters++;
      const view = new View();
      view.set(name.ptr, name.length);
      return new CallStats(this.metrics, `moe.cluster.${metricName(view)}.`);
    }
    let stats = this.otherCluster;
    if (stats === null) {
      stats = new CallStats(this.metrics, "moe.cluster.other.");
      this.otherCluster = stats;
    }
    return stats;
  }
}

/** A name from the wire as part of a metric's name: printable ASCII without spaces, bounded, never empty. */
function metricName(name: View): string {
  const length = min(name.length, MAX_NAME);
  if (length <= 0) return "unknown";
  const text = new StaticArray<u8>(length);
  for (let i = 0; i < length; i++) {
    const c = load<u8>(name.ptr + (i as usize));
    unchecked((text[i] = c > 0x20 && c < 0x7f ? c : 0x5f));
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(text), length);
}
