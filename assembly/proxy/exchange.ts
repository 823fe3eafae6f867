// MOSN's request state machine (docs/reference/mosn.md#request), its first half: receive, match a route, choose a host, send.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { random } from "../host/random";
import { enterContext } from "../host/stream";
import { LbType } from "../upstream/cluster_config";
import { Route, RouteKind } from "../router/route";
import { FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { StreamState } from "../tunnel/tunnel_stream";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { writeChanged } from "./changes";
import { Cluster } from "../upstream/cluster";
import { Connection } from "./connection";
import { Held } from "./held_frame";
import { lacksMemory, LARGE_IF_FULL, OUT_OF_MEMORY } from "./memory";
import { Request, Stage } from "./request";
import { abandon, answer, deliver, fail, writeReply } from "./respond";
import { ProxyRoot } from "./root";
import { Server } from "./server";
import { setTimeouts } from "./timeouts";

/** Times that filters may have the route matched or the host chosen again (MOSN's). */
const MAX_PASSES: i32 = 10;

// Readable reasons of local replies.
const NO_ROUTE = Bytes.of("no route matches");
const NAMELESS_CLUSTER = Bytes.of("the route names no cluster");
const CLUSTER_OVERFLOW = Bytes.of("too many requests to the cluster");
const PENDING_OVERFLOW = Bytes.of("too many requests wait for a connection to the cluster");
const NO_CONNECTION = Bytes.of("no connection to the cluster can be opened");
const CONNECTION_OVERFLOW = Bytes.of("too many requests on this connection");
const WORKER_OVERFLOW = Bytes.of("too many requests in this worker");
const NO_REDIRECT = Bytes.of("the route redirects, which this protocol cannot");
const TOO_MUCH_HELD = Bytes.of("too many bytes are held by filters");
const INEXPRESSIBLE = Bytes.of("the changed headers do not fit into the protocol");
const RESTLESS = Bytes.of("filters ask for another route or host without end");

const service = new View();
const method = new View();
const body = new View();

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
  const call = root.methods.of(service, method);
  call.requests.add(1);

  const request = root.requestPool.take();
  const reason = addRequest(connection, request, frame.length);
  if (reason !== null) {
    root.requestPool.give(request);
    call.errors.add(1);
    if (!oneway) writeReply(connection, codec, frame.id, frame.aux, Code.UPSTREAM_OVERFLOW, reason);
    return;
  }
  request.connection = connection;
  request.codec = codec;
  request.protocol = protocol;
  request.call = call;
  request.unplaced = root.methods.unplaced;
  request.clientId = frame.id;
  request.aux = frame.aux;
  request.oneway = oneway;
  request.stage = Stage.BEFORE_ROUTE;
  protocol.active.add(1);
  root.input.bind(connection, codec, frame, null);
  if (root.chains.empty) request.stream = null;
  else root.beginStream(request, frame);
  advance(request, frame);
}

/** Gives a request its id; or returns why there is no room for another one. */
function addRequest(connection: Connection, request: Request, length: i32): Bytes | null {
  if (!connection.root.requestPool.shares.allows(connection.requests.count)) return WORKER_OVERFLOW;
  if (lacksMemory(max(length, LARGE_IF_FULL))) return OUT_OF_MEMORY;
  request.id = connection.requests.add(request);
  return request.id == 0 ? CONNECTION_OVERFLOW : null;
}

/** Takes a request on from the stage it is in, until it is sent, answered or held. */
export function advance(request: Request, frame: Frame): void {
  for (let pass = 0; pass < MAX_PASSES;) {
    let phase = Phase.BEFORE_ROUTE;
    switch (request.stage) {
      case Stage.BEFORE_ROUTE:
        break;
      case Stage.MATCH_ROUTE: {
        const connection = request.connection;
        if (connection === null) return;
        matchRoute(request, connection);
        pass++;
        phase = Phase.AFTER_ROUTE;
        break;
      }
      case Stage.CHOOSE_HOST:
        if (!chooseHost(request)) return;
        pass++;
        phase = Phase.AFTER_CHOOSE_HOST;
        break;
      default:
        sendFirst(request, frame);
        return;
    }
    const stream = request.stream;
    if (stream === null) {
      request.stage++;
      continue;
    }
    if (!settle(request, stream.receive(phase), phase)) return;
  }
  fail(request, Code.INTERNAL_ERROR, RESTLESS, 0);
}

/** Finds the route, and which cluster it means for this request. */
function matchRoute(request: Request, connection: Connection): void {
  const root = connection.root;
  const route = root.router.match(root.input);
  if (route === null && root.router.failed) root.undecided();
  request.route = route;
  request.choice = route === null ? null : route.pickCluster(root.input);
}

/** A filter that held the request gives its status: the request goes on, or its response does. */
export function resume(request: Request): void {
  const stream = request.stream;
  const connection = request.connection;
  if (stream === null || connection === null) return;
  const phase = stream.phase;
  enterContext(connection.id);
  const status = stream.resume();
  if (phase == Phase.BEFORE_SEND) {
    deliver(request, status);
    return;
  }
  if (settle(request, status, phase)) advance(request, stream.frame);
  connection.schedule();
}

/** Does what the filters of a phase want; false when the request does not go on now. */
function settle(request: Request, status: FilterStatus, phase: Phase): bool {
  const stream = request.stream;
  if (stream === null) return false;
  if (status == FilterStatus.TERMINATION) {
    abandon(request);
    return false;
  }
  if (stream.answered) {
    answer(request);
    return false;
  }
  if (status == FilterStatus.WAIT) {
    const held = stream.hold();
    if (held == Held.NO_ROOM) fail(request, Code.UPSTREAM_OVERFLOW, TOO_MUCH_HELD, ResponseFlag.UPSTREAM_OVERFLOW);
    else if (held == Held.REFUSED) fail(request, Code.INTERNAL_ERROR, INEXPRESSIBLE, 0);
    return false;
  }
  if (status == FilterStatus.REMATCH_ROUTE && phase == Phase.AFTER_ROUTE) request.stage = Stage.MATCH_ROUTE;
  else if (status == FilterStatus.RECHOOSE_HOST && phase == Phase.AFTER_CHOOSE_HOST) request.stage = Stage.CHOOSE_HOST;
  else request.stage++;
  return true;
}

/** MOSN's ChooseHost: what the route says, then the cluster's limits, then a server connection. */
function chooseHost(request: Request): bool {
  const connection = request.connection;
  const route = request.route;
  if (connection === null) return false;
  const root = connection.root;
  if (route === null) return refuse(request, Code.ROUTER_UNAVAILABLE, NO_ROUTE, ResponseFlag.NO_ROUTE_FOUND);
  if (route.kind != RouteKind.FORWARD) return answerDirectly(request, route);
  if (request.destination === null) {
    const stream = request.stream;
    const choice = request.choice;
    const labelled = stream !== null && stream.labels.count > 0;
    const found = labelled && stream !== null ? root.labelled(choice, stream.labels) : root.destination(choice);
    if (found === null) {
      let reason = NAMELESS_CLUSTER;
      if (choice !== null && choice.forbidden) {
        root.forbiddenCluster(connection, choice);
        reason = choice.unknownText;
      }
      return refuse(request, Code.ROUTER_UNAVAILABLE, reason, ResponseFlag.NO_ROUTE_FOUND);
    }
    request.destination = found;
    found.cluster.stats.requests.add(1);
    if (full(found.cluster.active, found.cluster.config.maxRequests)) {
      found.cluster.stats.errors.add(1);
      return refuse(request, Code.UPSTREAM_OVERFLOW, CLUSTER_OVERFLOW, ResponseFlag.UPSTREAM_OVERFLOW);
    }
    found.cluster.active++;
    request.cluster = found.cluster;
    request.hash = hashOf(root, route, found.cluster);
  }
  const destination = request.destination;
  if (destination === null) return false;
  const cluster = destination.cluster;
  const server = connection.pools.to(destination).pick(request.hash, null, root.now());
  if (server === null) {
    return refuse(request, Code.NO_HEALTH_UPSTREAM, NO_CONNECTION, ResponseFlag.NO_HEALTHY_UPSTREAM);
  }
  if (server.state == StreamState.OPENING && full(cluster.pending, cluster.config.maxPendingRequests)) {
    return refuse(request, Code.UPSTREAM_OVERFLOW, PENDING_OVERFLOW, ResponseFlag.UPSTREAM_OVERFLOW);
  }
  request.chosen = server;
  return true;
}

function refuse(request: Request, code: i32, reason: Bytes, flag: ResponseFlag): bool {
  fail(request, code, reason, flag);
  return false;
}

/** The route forwards nothing: it names an answer, or a redirect, which RPC cannot express (as in MOSN, an error). */
function answerDirectly(request: Request, route: Route): bool {
  const direct = route.direct;
  if (direct === null) return refuse(request, Code.INTERNAL_ERROR, NO_REDIRECT, 0);
  return refuse(request, direct.status, direct.body, 0);
}

/** Whether a limit is reached; 0 is none. */
// @ts-ignore: decorator
@inline
export function full(count: i32, limit: u32): bool {
  return limit > 0 && (count as u32) >= limit;
}

/**
 * What a consistent hash goes by for the request that the root's input is bound to; 0 where the cluster does not hash.
 * A request that nothing tells from others goes anywhere: not all of those to one host.
 */
export function hashOf(root: ProxyRoot, route: Route, cluster: Cluster): u64 {
  if (cluster.config.lbType != LbType.MAGLEV) return 0;
  const hash = route.hash(root.input);
  return hash != 0 ? hash : random();
}

/** Sends a request for the first time: with what the route and the filters change. */
function sendFirst(request: Request, frame: Frame): void {
  const connection = request.connection;
  const route = request.route;
  const server = request.chosen;
  if (connection === null || server === null) return;
  request.chosen = null;
  if (!server.usable) {
    // A filter held the request, and the connection has gone meanwhile.
    request.stage = Stage.CHOOSE_HOST;
    advance(request, frame);
    return;
  }
  if (route !== null) setTimeouts(request, route, connection.root);
  const headers = connection.root.input.knownHeaders;
  if (route !== null && route.hasRequestOps) {
    const all = connection.root.input.headers;
    if (all !== null) route.requestOps.apply(all, connection.root.input);
  }
  const stream = request.stream;
  const newBody = stream !== null && stream.bodyChanged;
  if (!send(request, server, frame, newBody || headers !== null || (route !== null && route.hasRequestOps))) {
    fail(request, Code.INTERNAL_ERROR, INEXPRESSIBLE, 0);
    return;
  }
  if (stream !== null) stream.sent();
  if (request.oneway && server.state == StreamState.OPEN) connection.finish(request);
}

/**
 * Writes a request to a server connection under its id; `changed`: its headers or body may not be the frame's. False,
 * and nothing written, when it is refused for its changes.
 */
export function send(request: Request, server: Server, frame: Frame, changed: bool): bool {
  const connection = request.connection;
  const codec = request.codec;
  const route = request.route;
  if (connection === null || codec === null) return false;
  request.start = server.position;
  const queue = server.queue;
  const before = queue.length;
  if (!writeRequest(request, codec, frame, request.id, changed, server)) return false;
  request.length = queue.length - before;
  server.wrote(codec, frame.aux, request.length);
  request.triedHost = server.host;
  server.attach(request);
  if (route !== null && route.retry.retryOn && !request.oneway) keepCopy(request, server);
  if (request.tryTimeout > 0) {
    connection.root.setTimer(request.tryTimer, connection.root.now() + (request.tryTimeout as i64), true);
  }
  return true;
}

/** Appends a request to a server's queue under an id; see `send`. */
export function writeRequest(
  request: Request,
  codec: Codec,
  frame: Frame,
  id: u32,
  changed: bool,
  server: Server,
): bool {
  if (changed && hasChanges(request)) return writeChanges(request, codec, frame, id, server);
  codec.copy(frame, id, server.queue);
  return true;
}

/** Whether headers or body of a request differ from its frame. */
function hasChanges(request: Request): bool {
  const connection = request.connection;
  const stream = request.stream;
  if (stream !== null && stream.bodyChanged) return true;
  if (connection === null) return false;
  const headers = connection.root.input.knownHeaders;
  return headers !== null && headers.changed;
}

/** Appends a request whose headers or body have changed; false when it is refused for that. */
function writeChanges(request: Request, codec: Codec, frame: Frame, id: u32, server: Server): bool {
  const connection = request.connection;
  if (connection === null) return false;
  const stream = request.stream;
  const newBody = stream !== null && stream.bodyChanged;
  body.set(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
  if (stream !== null) stream.requestBody(body);
  return writeChanged(connection, codec, frame, body, newBody, id, server.queue, server.secondary);
}

/** Keeps a request's bytes for a retry after they were sent, while the connection's memory allows. */
function keepCopy(request: Request, server: Server): void {
  const connection = request.connection;
  if (connection === null || request.copy.length > 0) return;
  if (!connection.mayKeep(request.length)) return;
  connection.keptBytes += request.length;
  request.copy.append(server.at(request.start), request.length);
}
