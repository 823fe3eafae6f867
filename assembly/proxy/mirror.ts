// Copies of requests for the cluster of their route's mirror policy (docs/reference/mosn.md#mirror): exchanges of their own, on
// server connections of their own. Their bytes count apart, so that nothing that becomes of them holds up a client.
import { Bytes } from "../bytes/bytes";
import { Metric } from "../host/metrics";
import { StreamState } from "../tunnel/tunnel_stream";
import { Code } from "../message/code";
import { Frame, FrameKind } from "../xprotocol/frame";
import { Cluster, Destination } from "../upstream/cluster";
import { Connection } from "./connection";
import { full, hashOf, writeRequest } from "./exchange";
import { refusePush } from "./push";
import { Request } from "./request";
import { RpcStream } from "./rpc_stream";
import { Server } from "./server";
import { DEFAULT_TIMEOUT_MS, timeoutOf } from "./timeouts";

/** Copies of one client connection that may wait for their answers. */
const MAX_COPIES: i32 = 8192;
/** Part of a connection's memory that unsent copies may take: a quarter. */
const MEMORY_SHIFT: i32 = 2;
/** How long nothing is sent to a mirror cluster that no connection reaches, ms. */
const REST_MS: i64 = 1000;

const NOBODY = Bytes.of("requests are mirrored here: nobody answers");

/** Sends copies of a request whose frame is at hand, with the changes made so far: so many, or with 0 one to each host. */
export function mirrorRequest(request: Request, stream: RpcStream, copies: i32): void {
  const connection = request.connection;
  const route = request.route;
  if (connection === null || route === null) return;
  const policy = route.mirror;
  if (policy === null) return;
  const root = connection.root;
  const destination = root.mirrorDestination(policy.choice);
  const now = root.now();
  if (destination === null || destination.restUntil > now) {
    root.mirrorStats.dropped.add(max(copies, 1));
    return;
  }
  const pool = connection.pools.to(destination);
  const timeout = timeoutOf(root, route);
  if (copies == 0 && pool.spread > 0) {
    for (let i = 0, n = pool.spread; i < n; i++) {
      const host = pool.hostAt(i, now);
      if (host !== null) sendCopy(request, stream, pool.of(host), timeout);
    }
    return;
  }
  const hash = hashOf(root, route, destination.cluster);
  for (let i = 0, n = max(copies, 1); i < n; i++) sendCopy(request, stream, pool.pick(hash, null, now), timeout);
}

/** Sends one copy, or counts that it was dropped. */
function sendCopy(request: Request, stream: RpcStream, server: Server | null, timeout: i64): void {
  const connection = request.connection;
  if (connection === null || (server !== null && write(request, stream, server, timeout))) return;
  connection.root.mirrorStats.dropped.add(1);
}

/** Writes one copy; false when there is no room for it. */
function write(request: Request, stream: RpcStream, server: Server, timeout: i64): bool {
  const connection = request.connection;
  const codec = request.codec;
  if (connection === null || codec === null) return false;
  const root = connection.root;
  const frame = stream.frame;
  const cluster = server.pool.destination.cluster;
  if (!hasRoom(connection, cluster, server, frame.length)) return false;
  const copy = root.requestPool.take();
  copy.mirror = true;
  copy.oneway = request.oneway;
  copy.id = root.requestPool.shares.spares(connection.mirrors.count) ? connection.mirrors.add(copy) : 0;
  const before = server.queue.length;
  copy.start = server.position;
  if (copy.id == 0 || !writeRequest(request, codec, frame, copy.id, true, server)) {
    if (copy.id != 0) connection.mirrors.release(copy.id);
    root.requestPool.give(copy);
    return false;
  }
  copy.length = server.queue.length - before;
  copy.connection = connection;
  copy.codec = codec;
  copy.cluster = cluster;
  cluster.active++;
  server.wrote(codec, frame.aux, copy.length);
  server.attach(copy);
  root.mirrorStats.requests.add(1);
  root.mirrorStats.active.add(1);
  root.setTimer(copy, root.now() + (timeout > 0 ? timeout : DEFAULT_TIMEOUT_MS), false);
  if (copy.oneway && server.state == StreamState.OPEN) connection.finish(copy);
  return true;
}

function hasRoom(connection: Connection, cluster: Cluster, server: Server, length: i32): bool {
  const config = cluster.config;
  if (connection.mirrors.count >= MAX_COPIES || full(cluster.active, config.maxRequests)) return false;
  if (server.state == StreamState.OPENING && full(cluster.pending, config.maxPendingRequests)) return false;
  const most = connection.root.maxConnectionBytes >> MEMORY_SHIFT;
  return length <= most - connection.tunnel.secondary.backlog && connection.mayKeep(length);
}

/** A frame has come from a server that gets copies: answers are counted, requests have nobody to go to. */
export function onMirrorFrame(connection: Connection, server: Server, frame: Frame): void {
  if (frame.kind == FrameKind.REQUEST) {
    refusePush(server, frame, Code.NO_HEALTH_UPSTREAM, NOBODY);
    return;
  }
  if (frame.kind != FrameKind.RESPONSE) return;
  const copy = connection.mirrors.find(frame.id);
  if (copy === null || copy.server !== server || copy.oneway) return;
  endCopy(copy, connection.root.mirrorStats.responses);
}

/** No answer to a copy has come in time. */
export function onMirrorTimeout(copy: Request): void {
  const connection = copy.connection;
  if (connection !== null) endCopy(copy, connection.root.mirrorStats.timeouts);
}

/** The connection of a copy is gone. It goes nowhere else. */
export function onMirrorLost(copy: Request): void {
  const connection = copy.connection;
  if (connection !== null) endCopy(copy, connection.root.mirrorStats.lost);
}

function endCopy(copy: Request, count: Metric): void {
  const connection = copy.connection;
  count.add(1);
  if (connection !== null) connection.finish(copy);
}

/** A connection for copies could not be opened: where no other host is up, the next one is tried only after a while. */
export function restMirror(destination: Destination, now: i64): void {
  if (!destination.set.hasUp(now)) destination.restUntil = now + REST_MS;
}
