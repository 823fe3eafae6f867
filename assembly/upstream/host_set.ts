import { Bytes } from "../bytes/bytes";
import { canonicalEndpoint } from "../config/ip_text";
import { ConnectTarget } from "../tunnel/connect";
import { Balancer, Candidates } from "./balancing/balancer";
import { newBalancer } from "./balancing/balancers";
import { ClusterConfig } from "./cluster_config";
import { Host } from "./host";
import { HostRecords } from "./host_records";

/** Most hosts that are remembered for one set; more are still reached, by connections that Envoy balances. */
const MAX_HOSTS: i32 = 1024;
/** Time between two searches for new hosts, ms. */
const SEARCH_INTERVAL_MS: i64 = 10000;
/** A host that has failed for so long is forgotten; a search finds it again when it is back, ms. */
const FORGET_AFTER_MS: i64 = 60000;
/** Connections that may find nothing new before a search ends, however many hosts are known. */
const MAX_REPEATS: i32 = 16;

const candidates = new Candidates();

/**
 * The hosts of a cluster, or of one subset of it, that this VM has learned. Envoy does not tell wasm which hosts a
 * cluster has; but an unpinned CONNECT goes where its load balancing sends it, and the answer names the host. A search
 * is a row of such connections that lasts as long as they find new hosts.
 */
export class HostSet {
  readonly hosts: Host[] = [];
  /** Whether a connection of a search is being opened, by whichever client connection. */
  searching: bool = false;
  private nextSearch: i64 = 0;
  private repeats: i32 = 0;
  private readonly balancer: Balancer;

  constructor(
    readonly target: ConnectTarget,
    private readonly config: ClusterConfig,
    private readonly records: HostRecords,
  ) {
    this.balancer = newBalancer(config.lbType);
  }

  /**
   * The host of a request out of `span` hosts from index `from` on; null when none may get it.
   * @param hash value of the route's hash policy
   * @param exclude the host that a retry must avoid
   * @param now the module's time, ms
   */
  choose(from: i32, span: i32, hash: u64, exclude: Host | null, now: i64): Host | null {
    if (span <= 0) return null;
    candidates.hosts = this.hosts;
    candidates.from = from;
    candidates.count = span;
    candidates.hash = hash;
    candidates.exclude = exclude;
    candidates.now = now;
    if (span > 1) return this.balancer.choose(candidates);
    const only = candidates.at(0);
    return candidates.mayGet(only) ? only : null;
  }

  /** Whether another connection should be opened to look for hosts. */
  wantsSearch(now: i64): bool {
    return !this.searching && now >= this.nextSearch && this.hosts.length < MAX_HOSTS;
  }

  /** An unpinned connection was refused: there is nothing to find for now. */
  searchFailed(now: i64): void {
    this.nextSearch = now + SEARCH_INTERVAL_MS;
  }

  /** An unpinned connection reached a host: takes note of it, and returns it. Null when there are too many. */
  learn(text: Bytes, pin: Bytes, now: i64): Host | null {
    const address = canonicalEndpoint(text);
    const known = this.find(address);
    if (known !== null) {
      known.pin = pin;
      known.up();
      // Round robin comes past each host once; random balancing needs some luck.
      if (++this.repeats > min(this.hosts.length, MAX_REPEATS)) {
        this.repeats = 0;
        this.nextSearch = now + SEARCH_INTERVAL_MS;
        this.forgetLost(now);
      }
      return known;
    }
    this.repeats = 0;
    if (this.hosts.length >= MAX_HOSTS) return null;
    const host = new Host(this.records.of(address), pin, this.weightOf(address));
    this.hosts.push(host);
    return host;
  }

  /** The host that a pin leads to, if it is known. */
  findPin(pin: Bytes): Host | null {
    for (let i = 0, n = this.hosts.length; i < n; i++) {
      const host = unchecked(this.hosts[i]);
      if (host.pin.length > 0 && host.pin.equals(pin.ptr, pin.length)) return host;
    }
    return null;
  }

  /** Whether any host that is known may get a request. */
  hasUp(now: i64): bool {
    for (let i = 0, n = this.hosts.length; i < n; i++) if (unchecked(this.hosts[i]).isUp(now)) return true;
    return false;
  }

  /** The configured weight of a host; 1 when there is none. */
  private weightOf(address: Bytes): i32 {
    const hosts = this.config.weightedHosts;
    for (let i = 0; i < hosts.length; i++) {
      if (hosts[i].equals(address.ptr, address.length)) return this.config.hostWeights[i] as i32;
    }
    return 1;
  }

  private find(address: Bytes): Host | null {
    for (let i = 0, n = this.hosts.length; i < n; i++) {
      const host = unchecked(this.hosts[i]);
      if (host.address.equals(address.ptr, address.length)) return host;
    }
    return null;
  }

  private forgetLost(now: i64): void {
    for (let i = this.hosts.length - 1; i >= 0; i--) {
      const host = unchecked(this.hosts[i]);
      if (host.failures > 0 && now - host.failingSince > FORGET_AFTER_MS) this.hosts.splice(i, 1);
    }
  }
}
