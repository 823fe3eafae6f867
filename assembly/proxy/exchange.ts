// MOSN's request state machine (mosn-semantics.md §1.3): receive, match a route, choose a host, send; then answer,
// retry or time out. The stream filters' phases have their places in it, marked below.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { LbType } from "../router/cluster_config";
import { Route, RouteKind } from "../router/route";
import { CloseReason, UpstreamState } from "../tunnel/upstream";
import { Code } from "../xprotocol/code";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { answerReasonOf, codeOf as badFrameCode } from "./bad_frame";
import { Connection } from "./connection";
import { Request } from "./request";
import { CallStats } from "./stats";
import { Server } from "./server";

/** Timeout of a request when neither the route nor the frame sets one, ms (MOSN's). */
const DEFAULT_TIMEOUT_MS: i64 = 60000;

const GLOBAL_TIMEOUT = Bytes.of("x-mosn-global-timeout");
const TRY_TIMEOUT = Bytes.of("x-mosn-try-timeout");

// Readable reasons of local replies.
const NO_ROUTE = Bytes.of("no route matches");
const NAMELESS_CLUSTER = Bytes.of("the route names no cluster");
const CLUSTER_OVERFLOW = Bytes.of("too many requests to the cluster");
const PENDING_OVERFLOW = Bytes.of("too many requests wait for a connection to the cluster");
const NO_CONNECTION = Bytes.of("no connection to the cluster can be opened");
const CONNECTION_OVERFLOW = Bytes.of("too many requests on this connection");
const NO_REDIRECT = Bytes.of("the route redirects, which this protocol cannot");
const TIMED_OUT = Bytes.of("timeout");
const NO_CLUSTER = Bytes.of("no such cluster");
const REFUSED = Bytes.of("connection refused");
const CONNECT_TIMEOUT = Bytes.of("connect timeout");
const SERVER_CLOSED = Bytes.of("the server closed the connection");
const SERVER_RESET = Bytes.of("the connection to the server was reset");
const NOT_OPENED = Bytes.of("the connection to the server was not opened");

const service = new View();
const method = new View();

/** A request or one-way request has come from the client. */
export function beginRequest(connection: Connection, frame: Frame): void {
  const codec = frame.codec;
  if (codec === null) return;
  const root = connection.root;
  const oneway = frame.kind == FrameKind.ONEWAY;
  const protocol = root.protocol(codec);
  if (oneway) protocol.oneway.add(1);
  protocol.requests.add(1);
  frame.service(service);
  frame.method(method);
  const call = root.calls.ofMethod(service, method);
  call.requests.add(1);

  // BeforeRoute filters: here.
  const input = root.input.bind(connection, codec, frame, null);
  const route = root.router.match(input);
  if (route === null) {
    refuse(connection, codec, frame, call, Code.ROUTER_UNAVAILABLE, NO_ROUTE);
    return;
  }
  // AfterRoute filters: here.
  if (route.kind != RouteKind.FORWARD) {
    answerDirectly(connection, codec, frame, call, route);
    return;
  }
  const destination = root.destination(route.pickCluster(input));
  if (destination === null) {
    refuse(connection, codec, frame, call, Code.ROUTER_UNAVAILABLE, NAMELESS_CLUSTER);
    return;
  }
  const cluster = destination.cluster;
  cluster.stats.requests.add(1);
  if (full(cluster.active, cluster.config.maxRequests)) {
    cluster.stats.errors.add(1);
    refuse(connection, codec, frame, call, Code.UPSTREAM_OVERFLOW, CLUSTER_OVERFLOW);
    return;
  }
  const hash = cluster.config.lbType == LbType.MAGLEV ? route.hash(input) : 0;
  const server = connection.pool(destination).pick(hash, null, root.now());
  if (server === null) {
    cluster.stats.errors.add(1);
    refuse(connection, codec, frame, call, Code.NO_HEALTH_UPSTREAM, NO_CONNECTION);
    return;
  }
  if (server.state == UpstreamState.OPENING && full(cluster.pending, cluster.config.maxPendingRequests)) {
    cluster.stats.errors.add(1);
    refuse(connection, codec, frame, call, Code.UPSTREAM_OVERFLOW, PENDING_OVERFLOW);
    return;
  }
  // AfterChooseHost filters: here.
  if (oneway && server.state == UpstreamState.OPEN) {
    write(server, codec, frame, route, connection, 1);
    return;
  }
  const request = root.requestPool.take();
  request.id = connection.requests.add(request);
  if (request.id == 0) {
    root.requestPool.give(request);
    cluster.stats.errors.add(1);
    refuse(connection, codec, frame, call, Code.UPSTREAM_OVERFLOW, CONNECTION_OVERFLOW);
    return;
  }
  request.connection = connection;
  request.codec = codec;
  request.protocol = protocol;
  request.call = call;
  request.route = route;
  request.destination = destination;
  request.cluster = cluster;
  request.clientId = frame.id;
  request.aux = frame.aux;
  request.oneway = oneway;
  request.hash = hash;
  cluster.active++;
  protocol.active.add(1);
  setTimeouts(request, route, frame);
  send(request, server, frame, route);
}

/** The route forwards nothing: it names an answer, or a redirect, which RPC cannot express (as in MOSN, an error). */
function answerDirectly(connection: Connection, codec: Codec, frame: Frame, call: CallStats, route: Route): void {
  const direct = route.direct;
  if (direct !== null) refuse(connection, codec, frame, call, direct.status, direct.body);
  else refuse(connection, codec, frame, call, Code.INTERNAL_ERROR, NO_REDIRECT);
}

/**
 * Sets the whole timeout and that of a try: the frame's own wins over the headers x-mosn-global-timeout and
 * x-mosn-try-timeout, and they over the route (mosn-semantics.md §1.5). Headers are looked at only where they count.
 */
function setTimeouts(request: Request, route: Route, frame: Frame): void {
  const connection = request.connection;
  if (connection === null) return;
  const root = connection.root;
  const routed = route.timeoutMs;
  let timeout: i64 = routed >= 0 ? (routed as i64) : DEFAULT_TIMEOUT_MS;
  if (frame.timeout > 0) timeout = frame.timeout as i64;
  else timeout = root.input.milliseconds(GLOBAL_TIMEOUT, timeout);
  // 0: the route wants none.
  if (timeout > 0) root.setTimer(request, root.now() + timeout, true);
  let perTry: i64 = max(route.perTryTimeoutMs, 0) as i64;
  if (route.retry.retryOn) perTry = root.input.milliseconds(TRY_TIMEOUT, perTry);
  request.tryTimeout = timeout == 0 || perTry < timeout ? (perTry as i32) : 0;
  request.retriesLeft = route.retry.numRetries;
}

/** Writes a request to a server connection: its frame with the request's id, and the route's header changes. */
function send(request: Request, server: Server, frame: Frame, route: Route | null): void {
  const connection = request.connection;
  const codec = request.codec;
  if (connection === null || codec === null) return;
  request.start = server.position;
  request.length = write(server, codec, frame, route, connection, request.id);
  request.triedHost = server.host;
  server.attach(request);
  if (route !== null && route.retry.retryOn && !request.oneway) keepCopy(request, server);
  if (request.tryTimeout > 0) {
    connection.root.setTimer(request.tryTimer, connection.root.now() + (request.tryTimeout as i64), true);
  }
}

/** Appends a frame to a server connection's queue; returns its length there. */
function write(server: Server, codec: Codec, frame: Frame, route: Route | null, connection: Connection, id: u32): i32 {
  const queue = server.queue;
  const before = queue.length;
  let written = false;
  if (route !== null && route.hasRequestOps) {
    const headers = connection.root.input.headers;
    if (headers !== null) {
      route.requestOps.apply(headers, connection.root.input);
      const content = frame.ptr + (frame.contentOffset as usize);
      if (headers.changed) written = codec.encode(frame, headers, content, frame.contentLength, id, queue);
    }
  }
  if (!written) codec.copy(frame, id, queue);
  const length = queue.length - before;
  server.codec = codec;
  server.like = frame.aux;
  server.tunnel.wrote(server, length);
  return length;
}

/** Keeps a request's bytes for a retry after they were sent, while the connection's memory allows. */
function keepCopy(request: Request, server: Server): void {
  const connection = request.connection;
  if (connection === null || request.copy.length > 0) return;
  if (connection.keptBytes + request.length > connection.root.maxConnectionBytes) return;
  connection.keptBytes += request.length;
  request.copy.append(server.at(request.start), request.length);
}

/** A response has come from a server. */
export function onResponse(connection: Connection, server: Server, frame: Frame): void {
  const root = connection.root;
  const codec = frame.codec;
  const request = connection.requests.find(frame.id);
  if (codec === null) return;
  if (request === null || request.server !== server || request.oneway) {
    root.protocol(codec).lateResponses.add(1);
    return;
  }
  const code = codec.toCode(frame.status);
  const route = request.route;
  // BeforeSend filters: here.
  if (route !== null && code != Code.SUCCESS && route.retry.retriesCode(code) && mayRetry(request)) {
    if (retry(request, request.copy.ptr, request.copy.length, true)) return;
  }
  const out = connection.toClient;
  let written = false;
  if (route !== null && route.hasResponseOps) {
    const headers = root.input.bind(connection, codec, frame, server).headers;
    if (headers !== null) {
      route.responseOps.apply(headers, root.input);
      const content = frame.ptr + (frame.contentOffset as usize);
      if (headers.changed) written = codec.encode(frame, headers, content, frame.contentLength, request.clientId, out);
    }
  }
  if (!written) codec.copy(frame, request.clientId, out);
  count(request, code < 500);
  const protocol = request.protocol;
  if (protocol !== null) protocol.responses.add(1);
  connection.finish(request);
}

/** A server's response cannot be used: its request fails. It was carried out: there is no other try. */
export function onBadResponse(connection: Connection, server: Server, frame: Frame): void {
  const request = connection.requests.find(frame.id);
  if (request === null || request.server !== server || request.oneway) return;
  fail(request, badFrameCode(frame.error), answerReasonOf(frame.error));
}

/** The server connection that a request was on is gone: another try, or an answer. */
export function onLostRequest(request: Request, server: Server, reason: CloseReason, now: i64): void {
  const connection = request.connection;
  const route = request.route;
  if (connection === null) return;
  const unsent = request.start >= server.committed;
  const opening = reason != CloseReason.REMOTE && reason != CloseReason.RESET;
  const again = unsent ? reason != CloseReason.NO_CLUSTER : route !== null && route.retry.retryOn && !opening;
  if (again && mayRetry(request)) {
    const kept = request.copy.length > 0;
    const ptr = kept ? request.copy.ptr : unsent ? server.at(request.start) : 0;
    if (retry(request, ptr, request.length, !unsent)) return;
  }
  fail(request, codeOf(reason), reasonText(reason, server.refusal));
}

/** Whether a limit is reached; 0 is none. */
// @ts-ignore: decorator
@inline
function full(count: i32, limit: u32): bool {
  return limit > 0 && (count as u32) >= limit;
}

function mayRetry(request: Request): bool {
  const cluster = request.cluster;
  if (request.retriesLeft <= 0 || cluster === null) return false;
  return !full(cluster.retries, cluster.config.maxRetries);
}

/**
 * Sends a request again, its bytes from `ptr`: to another host where there is one. False when there are no bytes, or no
 * connection to send them on.
 */
function retry(request: Request, ptr: usize, length: i32, sent: bool): bool {
  const connection = request.connection;
  const codec = request.codec;
  const destination = request.destination;
  if (connection === null || codec === null || destination === null || length <= 0) return false;
  const root = connection.root;
  request.retriesLeft--;
  const cluster = request.cluster;
  if (cluster !== null && !request.retried) cluster.retries++;
  request.retried = true;
  const old = request.server;
  const tried = request.triedHost;
  if (old !== null) old.detach(request);
  const server = connection.pool(destination).pick(request.hash, tried, root.now());
  if (server === null) return false;
  // An answer to the try before must not be taken for one to this.
  connection.requests.release(request.id);
  request.id = connection.requests.add(request);
  const frame = root.retryFrame;
  if (request.id == 0 || codec.decode(ptr, length, Peer.CLIENT, i32.MAX_VALUE, frame) != Decoded.FRAME) return false;
  const protocol = request.protocol;
  if (protocol !== null) protocol.retries.add(1);
  root.cancelTimer(request.tryTimer);
  send(request, server, frame, null);
  connection.schedule();
  return true;
}

/** The whole timeout of a request has passed. */
export function onRequestTimeout(request: Request, now: i64): void {
  const protocol = request.protocol;
  if (protocol !== null) protocol.timeouts.add(1);
  fail(request, Code.TIMEOUT, TIMED_OUT);
}

/** The timeout of one try has passed: another try if the route says so, else the same as the whole timeout. */
export function onTryTimeout(request: Request, now: i64): void {
  const route = request.route;
  if (route !== null && route.retry.retryOn && mayRetry(request)) {
    if (retry(request, request.copy.ptr, request.copy.length, true)) return;
  }
  onRequestTimeout(request, now);
}

/** Answers a request that failed, and forgets it. */
function fail(request: Request, code: i32, reason: Bytes): void {
  const connection = request.connection;
  const codec = request.codec;
  if (connection === null) return;
  count(request, false);
  if (codec !== null && !request.oneway) writeReply(connection, codec, request.clientId, request.aux, code, reason);
  connection.finish(request);
}

/** Answers a request that never became one of ours. */
function refuse(connection: Connection, codec: Codec, frame: Frame, call: CallStats, code: i32, reason: Bytes): void {
  call.errors.add(1);
  if (frame.kind == FrameKind.REQUEST) writeReply(connection, codec, frame.id, frame.aux, code, reason);
}

/** Writes a local reply with MOSN's code and a readable reason to the client (MOSN's hijack). */
export function writeReply(connection: Connection, codec: Codec, id: u64, aux: u64, code: i32, reason: Bytes): void {
  connection.root.protocol(codec).localReplies.add(1);
  codec.reply(id, aux, codec.toStatus(code), reason.ptr, reason.length, connection.toClient);
  connection.wroteClient();
}

function count(request: Request, ok: bool): void {
  const call = request.call;
  const cluster = request.cluster;
  if (call !== null) (ok ? call.ok : call.errors).add(1);
  if (cluster !== null) (ok ? cluster.stats.ok : cluster.stats.errors).add(1);
}

/** MOSN's code for what became of the connection (mosn-semantics.md §1.4). */
function codeOf(reason: CloseReason): i32 {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return Code.ROUTER_UNAVAILABLE;
    case CloseReason.REMOTE:
      return Code.INTERNAL_ERROR;
    default:
      return Code.NO_HEALTH_UPSTREAM;
  }
}

function reasonText(reason: CloseReason, refusal: Bytes): Bytes {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return NO_CLUSTER;
    case CloseReason.REFUSED:
      return refusal.length > 0 ? refusal : REFUSED;
    case CloseReason.OPEN_TIMEOUT:
      return CONNECT_TIMEOUT;
    case CloseReason.REMOTE:
      return SERVER_CLOSED;
    case CloseReason.RESET:
      return SERVER_RESET;
    default:
      return NOT_OPENED;
  }
}
