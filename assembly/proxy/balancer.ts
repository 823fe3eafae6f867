import { randomBelow } from "../host/random";
import { LbType } from "../router/cluster_config";
import { Host } from "./host";
import { HostSet } from "./host_set";

/** Draws of the least-request balancer; MOSN's default choice_count. */
const CHOICES: i32 = 2;

/** Whether a host may get a request now. */
// @ts-ignore: decorator
@inline
function usable(host: Host, exclude: Host | null, now: i64): bool {
  return host.isUp(now) && host !== exclude;
}

/**
 * Chooses the host of one request out of `span` hosts from index `from` on (a client connection of a large cluster
 * uses only some hosts); null when none of them is up. `exclude` is the host that a retry must avoid, `hash` the value
 * of the route's hash policy. Costs O(1) for the usual kinds while all hosts are up.
 */
export function chooseHost(
  type: LbType,
  set: HostSet,
  from: i32,
  span: i32,
  hash: u64,
  exclude: Host | null,
  now: i64,
): Host | null {
  if (span <= 0) return null;
  if (span == 1) {
    const only = unchecked(set.hosts[from % set.hosts.length]);
    return usable(only, exclude, now) ? only : null;
  }
  switch (type) {
    case LbType.RANDOM: {
      const host = at(set, from, randomBelow(span));
      return usable(host, exclude, now) ? host : roundRobin(set, from, span, exclude, now);
    }
    case LbType.WEIGHTED_ROUND_ROBIN:
      return weighted(set, from, span, exclude, now);
    case LbType.LEAST_REQUEST:
      return leastRequest(set, from, span, exclude, now);
    case LbType.MAGLEV:
      return rendezvous(set, hash, exclude, now);
    default:
      return roundRobin(set, from, span, exclude, now);
  }
}

// @ts-ignore: decorator
@inline
function at(set: HostSet, from: i32, index: i32): Host {
  return unchecked(set.hosts[(from + index) % set.hosts.length]);
}

function roundRobin(set: HostSet, from: i32, span: i32, exclude: Host | null, now: i64): Host | null {
  for (let i = 0; i < span; i++) {
    const host = at(set, from, (set.next++ % (span as u32)) as i32);
    if (usable(host, exclude, now)) return host;
  }
  return null;
}

/** Smooth weighted round robin: each host gains its weight, the richest pays the sum. */
function weighted(set: HostSet, from: i32, span: i32, exclude: Host | null, now: i64): Host | null {
  let best: Host | null = null;
  let total: i32 = 0;
  for (let i = 0; i < span; i++) {
    const host = at(set, from, i);
    if (!usable(host, exclude, now)) continue;
    total += host.weight;
    host.credit += host.weight;
    if (best === null || host.credit > best.credit) best = host;
  }
  if (best !== null) best.credit -= total;
  return best;
}

function leastRequest(set: HostSet, from: i32, span: i32, exclude: Host | null, now: i64): Host | null {
  let best: Host | null = null;
  for (let i = 0; i < CHOICES; i++) {
    const host = at(set, from, randomBelow(span));
    if (usable(host, exclude, now) && (best === null || host.active < best.active)) best = host;
  }
  return best !== null ? best : roundRobin(set, from, span, exclude, now);
}

/**
 * Rendezvous hashing over all hosts: a value stays with its host whatever the order in which hosts were learned, and
 * moves only when that host goes.
 */
function rendezvous(set: HostSet, hash: u64, exclude: Host | null, now: i64): Host | null {
  let best: Host | null = null;
  let bestScore: u64 = 0;
  for (let i = 0, n = set.hosts.length; i < n; i++) {
    const host = unchecked(set.hosts[i]);
    if (!usable(host, exclude, now)) continue;
    let score = (host.hash ^ hash) * 0xff51afd7ed558ccd;
    score = (score ^ (score >> 32)) * 0xc4ceb9fe1a85ec53;
    score ^= score >> 32;
    if (best === null || score > bestScore) {
      best = host;
      bestScore = score;
    }
  }
  return best;
}
