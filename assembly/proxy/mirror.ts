// Mirrored requests: copies for the cluster of their route's mirror policy (docs/reference/mosn.md#mirror), on server
// connections of their own. Their bytes count apart, so that nothing that becomes of them holds up a client.
import { noteGarbage } from "../abi/dispatch";
import { Spares } from "../bytes/spares";
import { Metric } from "../host/metrics";
import { CloseReason, StreamState } from "../tunnel/tunnel_stream";
import { Cluster, isFull } from "../upstream/cluster";
import { Exchange } from "../upstream/exchange";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Client } from "./client";
import { DEFAULT_TIMEOUT_MS } from "./config";
import { hashOf } from "./hash";
import { Request } from "./request";
import { writeRequest } from "./send";
import { timeoutOf } from "./timeouts";

/** Mirrored requests of one client that may wait for their answers. */
const MAX_COPIES: i32 = 8192;
/** Part of a client's memory that unsent mirrored requests may take: a quarter. */
const MEMORY_SHIFT: i32 = 2;
/** Mirrored requests kept for reuse. */
const KEEP: i32 = 4096;

/** A mirrored request: its answer is counted, and goes nowhere. */
class MirroredRequest extends Exchange {
  constructor(
    public client: Client,
    public cluster: Cluster,
  ) {
    super();
  }

  onResponse(codec: Codec, frame: Frame, from: UpstreamConnection): void {
    this.end(this.client.services.mirrorStats.responses);
  }

  onBadResponse(frame: Frame): void {
    this.end(this.client.services.mirrorStats.responses);
  }

  /** It goes nowhere else. */
  onLost(from: UpstreamConnection, reason: CloseReason): void {
    this.end(this.client.services.mirrorStats.lost);
  }

  onTimer(now: i64): void {
    this.end(this.client.services.mirrorStats.timeouts);
  }

  private end(count: Metric): void {
    count.add(1);
    this.finish();
  }

  finish(): void {
    const client = this.client;
    const services = client.services;
    services.cancelTimer(this);
    const upstream = this.upstream;
    if (upstream !== null) upstream.detach(this);
    client.mirrors.exchanges.release(this.id);
    services.mirrorStats.active.add(-1);
    services.shares.used--;
    this.cluster.active--;
    this.client = client.nobody;
    this.triedHost = null;
    if (!spares.keep(this)) noteGarbage(1);
    client.finished();
  }
}

const spares = new Spares<MirroredRequest>(KEEP);

/** Mirrors a request whose frame is at hand, with the changes made so far: so many times, or with 0 once to each host. */
export function mirrorRequest(request: Request, copies: i32): void {
  const stream = request.stream;
  const route = request.route;
  if (stream === null || route === null) return;
  const policy = route.mirror;
  if (policy === null) return;
  const client = request.client;
  const services = client.services;
  const destination = services.destinations.mirror(policy.choice);
  const now = services.now();
  if (destination === null || destination.restUntil > now) {
    services.mirrorStats.dropped.add(max(copies, 1));
    return;
  }
  const pool = client.pools.to(destination, client.mirrors);
  const timeout = timeoutOf(services, route);
  if (copies == 0 && pool.spread > 0) {
    for (let i = 0, n = pool.spread; i < n; i++) {
      const host = pool.hostAt(i, now);
      if (host !== null) sendCopy(request, stream.frame, pool.of(host), timeout);
    }
    return;
  }
  const hash = hashOf(services.input, route, destination.cluster);
  for (let i = 0, n = max(copies, 1); i < n; i++) sendCopy(request, stream.frame, pool.pick(hash, null, now), timeout);
}

/** Sends one copy, or counts that it was dropped. */
function sendCopy(request: Request, frame: Frame, to: UpstreamConnection | null, timeout: i64): void {
  if (to !== null && write(request, frame, to, timeout)) return;
  request.client.services.mirrorStats.dropped.add(1);
}

/** Writes one copy; false when there is no room for it, or its changes cannot be expressed. */
function write(request: Request, frame: Frame, to: UpstreamConnection, timeout: i64): bool {
  const client = request.client;
  const services = client.services;
  const cluster = to.destination.cluster;
  const exchanges = client.mirrors.exchanges;
  if (!hasRoom(client, cluster, to, frame.length)) return false;
  services.shares.used++;
  if (!services.shares.spares(exchanges.count)) {
    services.shares.used--;
    return false;
  }
  const kept = spares.take();
  const copy = kept === null ? new MirroredRequest(client, cluster) : kept;
  const id = exchanges.add(copy);
  const start = to.position;
  const before = to.queue.length;
  if (id == 0 || !writeRequest(request, frame, id, true, to)) {
    exchanges.release(id);
    spares.keep(copy);
    services.shares.used--;
    return false;
  }
  copy.id = id;
  copy.client = client;
  copy.cluster = cluster;
  copy.oneway = request.oneway;
  copy.start = start;
  copy.length = to.queue.length - before;
  cluster.active++;
  to.wrote(request.codec, frame.aux, copy.length);
  to.attach(copy);
  services.mirrorStats.requests.add(1);
  services.mirrorStats.active.add(1);
  services.setTimer(copy, services.now() + (timeout > 0 ? timeout : DEFAULT_TIMEOUT_MS), false);
  if (copy.oneway && to.state == StreamState.OPEN) copy.finish();
  return true;
}

function hasRoom(client: Client, cluster: Cluster, to: UpstreamConnection, length: i32): bool {
  const config = cluster.config;
  if (client.mirrors.exchanges.count >= MAX_COPIES || isFull(cluster.active, config.maxRequests)) return false;
  if (to.state == StreamState.OPENING && isFull(cluster.pending, config.maxPendingRequests)) return false;
  const most = client.services.config.maxConnectionBytes >> MEMORY_SHIFT;
  return length <= most - client.owner.tunnel.secondary.backlog && client.mayKeep(length);
}
