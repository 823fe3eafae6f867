import { Host } from "../host";

/** The hosts that one request may go to. Reused for one request after the other. */
export class Candidates {
  /** Hosts there are; a client connection of a large cluster uses only `count` of them, from index `from` on. */
  hosts: Host[] = [];
  from: i32 = 0;
  count: i32 = 0;
  /** Value of the route's hash policy. */
  hash: u64 = 0;
  /** The host that a retry must avoid. */
  exclude: Host | null = null;
  /** The module's time, ms. */
  now: i64 = 0;

  /** One of the `count` hosts. */
  // @ts-ignore: decorator
  @inline
  at(index: i32): Host {
    return unchecked(this.hosts[(this.from + index) % this.hosts.length]);
  }

  /** Whether a host may get the request now. */
  // @ts-ignore: decorator
  @inline
  mayGet(host: Host): bool {
    return host.isUp(this.now) && host !== this.exclude;
  }
}

/** Chooses the host of each request of one cluster, or of one subset of it, and keeps what it needs for that. */
export abstract class Balancer {
  /** The host of a request; null when none may get it. There is at least one candidate. Allocates nothing. */
  abstract choose(from: Candidates): Host | null;
}
