// MOSN's regulator: counts calls and exceptions of each host, and at the end of each window ejects hosts that stand out
// (docs/reference/mosn.md#fault_tolerance).
import { noteGarbage } from "../../../assembly/abi/dispatch";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetric } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { UpstreamHost } from "../../../assembly/stream/upstream_host";
import { FaultToleranceConfig } from "./config";
import { divide } from "./rate";

/** Windows without a call after which a host is forgotten (MOSN's MAX_NO_INVOKE_CYCLE). */
const MAX_IDLE_WINDOWS: i32 = 6;
/** Hosts that are judged in one VM, of all clusters. */
const MAX_HOSTS: i32 = 8192;

const EJECTIONS = FilterMetric.counter("fault_tolerance", "ejections");
const EJECTED = FilterMetric.gauge("fault_tolerance", "ejected");

/** Calls of one host since the last window that counted. */
export class HostStat {
  calls: i64 = 0;
  exceptions: i64 = 0;
  /** Those of the calls that were there when the last window ended. */
  seen: i64 = 0;
  /** Windows in a row without a new call. */
  idle: i32 = 0;
  /** When it was ejected, ms; only while it is. */
  ejectedAt: i64 = 0;
  /** Whether it counts in the window that is being looked at. */
  measured: bool = false;

  constructor(readonly host: UpstreamHost) {}
}

/** The hosts of one cluster. As a timer it is the end of the window. */
export class ClusterModel extends Timer {
  /** Those that were called lately, and those that are ejected. */
  readonly stats: HostStat[] = [];
  private readonly byHost: Map<UpstreamHost, HostStat> = new Map<UpstreamHost, HostStat>();
  ejected: i32 = 0;

  constructor(
    private readonly regulator: Regulator,
    readonly config: FaultToleranceConfig,
    readonly cluster: Bytes,
  ) {
    super();
  }

  /** Counts a call of a host; false when there are too many hosts. */
  call(host: UpstreamHost, isException: bool): bool {
    let stat: HostStat;
    if (this.byHost.has(host)) stat = this.byHost.get(host);
    else {
      if (this.regulator.hosts >= MAX_HOSTS) return false;
      stat = new HostStat(host);
      this.byHost.set(host, stat);
      this.stats.push(stat);
      this.regulator.hosts++;
    }
    stat.calls++;
    if (isException) stat.exceptions++;
    return true;
  }

  onTimer(now: i64): void {
    this.measure(now);
    this.regulator.windowEnded(this);
  }

  /** The end of a window at `now`, ms. */
  measure(now: i64): void {
    this.choose(now);
    const config = this.config;
    let calls: i64 = 0;
    let exceptions: i64 = 0;
    for (let i = 0; i < this.stats.length; i++) {
      const stat = this.stats[i];
      if (!stat.measured || stat.calls < config.leastWindowCount) continue;
      calls += stat.calls;
      exceptions += stat.exceptions;
    }
    // Nothing to compare with: the counts go on into the next window.
    if (calls == 0) return;
    let worst = this.worst(calls, exceptions);
    while (worst !== null && this.mayEject) {
      this.eject(worst, now);
      worst = this.worst(calls, exceptions);
    }
    for (let i = 0; i < this.stats.length; i++) {
      const stat = this.stats[i];
      if (stat.measured) stat.calls = stat.exceptions = stat.seen = 0;
    }
  }

  /** Which hosts count in this window. Those whose time is over recover; those that nobody calls are forgotten. */
  private choose(now: i64): void {
    let kept = 0;
    for (let i = 0; i < this.stats.length; i++) {
      const stat = this.stats[i];
      const ejected = stat.host.ejected;
      if (ejected && now - stat.ejectedAt >= this.config.recoverTime) this.recover(stat);
      stat.measured = !ejected && stat.calls > 0;
      stat.idle = ejected || stat.calls != stat.seen ? 0 : stat.idle + 1;
      stat.seen = stat.calls;
      if (stat.idle >= MAX_IDLE_WINDOWS) {
        this.byHost.delete(stat.host);
        this.regulator.hosts--;
        noteGarbage(1);
        continue;
      }
      this.stats[kept++] = stat;
    }
    this.stats.length = kept;
  }

  /** The host with the highest rate of those that are to be ejected; null: none. */
  private worst(calls: i64, exceptions: i64): HostStat | null {
    let worst: HostStat | null = null;
    let most: f64 = 0;
    for (let i = 0; i < this.stats.length; i++) {
      const stat = this.stats[i];
      if (!stat.measured || stat.host.ejected || stat.calls < this.config.leastWindowCount) continue;
      const rate = (stat.exceptions as f64) / (stat.calls as f64);
      if (worst !== null && rate <= most) continue;
      if (!this.standsOut(stat, calls, exceptions) && !this.standsOutOfFew(stat, calls, exceptions)) continue;
      worst = stat;
      most = rate;
    }
    return worst;
  }

  /** MOSN's rule: the host's rate is so many times the average of all, its own calls among them. */
  private standsOut(stat: HostStat, calls: i64, exceptions: i64): bool {
    const average = divide(exceptions as f64, calls as f64);
    const rate = divide(stat.exceptions as f64, stat.calls as f64);
    return divide(rate, average) >= this.config.exceptionRateMultiple;
  }

  /**
   * Where the host has so large a part of the calls that MOSN's rule is out of its reach even if the others never fail:
   * its rate is high, and so many times the average of the others.
   */
  private standsOutOfFew(stat: HostStat, calls: i64, exceptions: i64): bool {
    const config = this.config;
    const least = config.fewHostsExceptionRate;
    const own = stat.calls as f64;
    const others = (calls - stat.calls) as f64;
    if (least <= 0 || others <= 0 || (calls as f64) >= config.exceptionRateMultiple * own) return false;
    const rate = (stat.exceptions as f64) / own;
    const average = ((exceptions - stat.exceptions) as f64) / others;
    return rate >= least && rate >= config.exceptionRateMultiple * average;
  }

  /** Whether one more may be ejected: never the last one that is known. */
  private get mayEject(): bool {
    const config = this.config;
    const hosts = this.stats.length;
    const next = this.ejected + 1;
    if ((next as i64) > config.maxIpCount || next >= hosts) return false;
    return config.maxIpRatio == 0 || (next as f64) <= config.maxIpRatio * (hosts as f64) + 1e-9;
  }

  private eject(stat: HostStat, now: i64): void {
    stat.host.ejected = true;
    stat.ejectedAt = now;
    this.ejected++;
    this.regulator.count(1);
  }

  private recover(stat: HostStat): void {
    stat.host.ejected = false;
    stat.calls = stat.exceptions = stat.seen = 0;
    stat.idle = 0;
    this.ejected--;
    this.regulator.count(-1);
  }

  /** Lets all hosts go. */
  end(): void {
    for (let i = 0; i < this.stats.length; i++) if (this.stats[i].host.ejected) this.recover(this.stats[i]);
    this.regulator.hosts -= this.stats.length;
    this.stats.length = 0;
    this.byHost.clear();
  }
}

/** The clusters of one filter in one VM. Those that nobody calls cost nothing. */
export class Regulator {
  private readonly models: Map<Bytes, ClusterModel> = new Map<Bytes, ClusterModel>();
  private plugin: FilterPlugin | null = null;
  private config: FaultToleranceConfig | null = null;
  /** Hosts of all clusters. */
  hosts: i32 = 0;

  /** Begins to count, and to eject. */
  begin(config: FaultToleranceConfig, plugin: FilterPlugin): void {
    this.config = config;
    this.plugin = plugin;
  }

  /** Counts a call of a host; false when it cannot be counted. */
  call(host: UpstreamHost, isException: bool): bool {
    const key = host.cluster;
    if (this.models.has(key)) return this.models.get(key).call(host, isException);
    const plugin = this.plugin;
    const config = this.config;
    if (plugin === null || config === null) return false;
    const model = new ClusterModel(this, config, key);
    if (!model.call(host, isException)) return false;
    this.models.set(key, model);
    plugin.setTimer(model, config.timeWindow);
    return true;
  }

  /** The next window of a cluster begins, if there is anything to look at. */
  windowEnded(model: ClusterModel): void {
    const plugin = this.plugin;
    if (model.stats.length > 0 && plugin !== null) plugin.setTimer(model, model.config.timeWindow);
    else {
      this.models.delete(model.cluster);
      noteGarbage(8);
    }
  }

  /** A host was ejected (1), or let go (-1). */
  count(change: i32): void {
    const plugin = this.plugin;
    if (plugin === null) return;
    plugin.metrics.count(EJECTED, change);
    if (change > 0) plugin.metrics.count(EJECTIONS, change);
  }

  end(): void {
    const models = this.models.values();
    const plugin = this.plugin;
    for (let i = 0; i < models.length; i++) {
      models[i].end();
      if (plugin !== null) plugin.cancelTimer(models[i]);
    }
    this.models.clear();
    this.plugin = null;
  }
}
