// MOSN's request state machine (docs/reference/mosn.md#request), its first half: match a route, choose a host, send.
import { Bytes } from "../bytes/bytes";
import { enterContext } from "../host/stream";
import { Route, RouteKind } from "../router/route";
import { FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { StreamState } from "../tunnel/tunnel_stream";
import { isFull } from "../upstream/cluster";
import { Code } from "../message/code";
import { Frame } from "../xprotocol/frame";
import { hashOf } from "./hash";
import { Held } from "./held_frame";
import { Request, Stage } from "./request";
import { abandon, answer, deliver, fail } from "./respond";
import { RpcStream } from "./rpc_stream";
import { send } from "./send";
import { setTimeouts } from "./timeouts";

/** Times that filters may have the route matched or the host chosen again (MOSN's). */
const MAX_PASSES: i32 = 10;

// Readable reasons of local replies.
const NO_ROUTE = Bytes.of("no route matches");
const NAMELESS_CLUSTER = Bytes.of("the route names no cluster");
const CLUSTER_OVERFLOW = Bytes.of("too many requests to the cluster");
const PENDING_OVERFLOW = Bytes.of("too many requests wait for a connection to the cluster");
const NO_CONNECTION = Bytes.of("no connection to the cluster can be opened");
const NO_REDIRECT = Bytes.of("the route redirects, which this protocol cannot");
const TOO_MUCH_HELD = Bytes.of("too many bytes are held by filters");
const INEXPRESSIBLE = Bytes.of("the changed headers do not fit into the protocol");
const TOO_MANY_PASSES = Bytes.of("filters ask for another route or host without end");

/** Takes a request on from the stage it is in, until it is sent, answered or held. */
export function advance(request: Request, frame: Frame): void {
  for (let pass = 0; pass < MAX_PASSES;) {
    let phase = Phase.BEFORE_ROUTE;
    switch (request.stage) {
      case Stage.BEFORE_ROUTE:
        break;
      case Stage.MATCH_ROUTE:
        matchRoute(request);
        pass++;
        phase = Phase.AFTER_ROUTE;
        break;
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
    if (!settle(request, stream, stream.receive(phase), phase)) return;
  }
  fail(request, Code.INTERNAL_ERROR, TOO_MANY_PASSES, 0);
}

/** Finds the route, and which cluster it means for this request. */
function matchRoute(request: Request): void {
  const services = request.client.services;
  const router = services.config.router;
  const input = services.input;
  const route = router.match(input);
  if (route === null && router.failed) services.undecidedRoutes.add(1);
  request.route = route;
  request.choice = route === null ? null : route.pickCluster(input);
}

/** A filter that held the request gives its status: the request goes on, or its response does. */
export function resume(request: Request): void {
  const stream = request.stream;
  const client = request.client;
  if (stream === null) return;
  const phase = stream.phase;
  enterContext(client.info.context);
  const status = stream.resume();
  if (phase == Phase.BEFORE_SEND) {
    deliver(request, stream, status);
    return;
  }
  if (settle(request, stream, status, phase)) advance(request, stream.frame);
  client.owner.schedule();
}

/** Does what the filters of a phase want; false when the request does not go on now. */
function settle(request: Request, stream: RpcStream, status: FilterStatus, phase: Phase): bool {
  if (status == FilterStatus.TERMINATION) {
    abandon(request);
    return false;
  }
  if (stream.answered) {
    answer(request, stream);
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
  const client = request.client;
  const services = client.services;
  const route = request.route;
  if (route === null) return refuse(request, Code.ROUTER_UNAVAILABLE, NO_ROUTE, ResponseFlag.NO_ROUTE_FOUND);
  if (route.kind != RouteKind.FORWARD) return answerDirectly(request, route);
  if (request.destination === null && !chooseDestination(request, route)) return false;
  const destination = request.destination;
  if (destination === null) return false;
  const cluster = destination.cluster;
  const to = client.pools.to(destination, client.requests).pick(request.hash, null, services.now());
  if (to === null) {
    return refuse(request, Code.NO_HEALTH_UPSTREAM, NO_CONNECTION, ResponseFlag.NO_HEALTHY_UPSTREAM);
  }
  if (to.state == StreamState.OPENING && isFull(cluster.pending, cluster.config.maxPendingRequests)) {
    return refuse(request, Code.UPSTREAM_OVERFLOW, PENDING_OVERFLOW, ResponseFlag.UPSTREAM_OVERFLOW);
  }
  request.chosen = to;
  return true;
}

/** Finds where the route leads, within the cluster's limits; false when the request has been answered. */
function chooseDestination(request: Request, route: Route): bool {
  const services = request.client.services;
  const stream = request.stream;
  const choice = request.choice;
  const destinations = services.destinations;
  const labelled = stream !== null && stream.labels.count > 0;
  const found = labelled && stream !== null ? destinations.labelled(choice, stream.labels) : destinations.of(choice);
  if (found === null) {
    let reason = NAMELESS_CLUSTER;
    if (choice !== null && choice.forbidden) {
      services.clients.forbiddenCluster(request.client.info, choice, services.now());
      reason = choice.unknownText;
    }
    return refuse(request, Code.ROUTER_UNAVAILABLE, reason, ResponseFlag.NO_ROUTE_FOUND);
  }
  const cluster = found.cluster;
  request.destination = found;
  cluster.stats.requests.add(1);
  if (isFull(cluster.active, cluster.config.maxRequests)) {
    cluster.stats.errors.add(1);
    return refuse(request, Code.UPSTREAM_OVERFLOW, CLUSTER_OVERFLOW, ResponseFlag.UPSTREAM_OVERFLOW);
  }
  cluster.active++;
  request.cluster = cluster;
  request.hash = hashOf(services.input, route, cluster);
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

/** Sends a request for the first time: with what the route and the filters change. */
function sendFirst(request: Request, frame: Frame): void {
  const services = request.client.services;
  const route = request.route;
  const to = request.chosen;
  if (to === null) return;
  request.chosen = null;
  if (!to.usable) {
    // A filter held the request, and the connection has gone meanwhile.
    request.stage = Stage.CHOOSE_HOST;
    advance(request, frame);
    return;
  }
  if (route !== null) setTimeouts(request, route, services);
  const input = services.input;
  const ops = route !== null && route.hasRequestOps;
  const known = input.knownHeaders !== null;
  if (route !== null && ops) {
    const headers = input.headers;
    if (headers !== null) route.requestOps.apply(headers, input);
  }
  const stream = request.stream;
  const newBody = stream !== null && stream.bodyChanged;
  if (!send(request, to, frame, newBody || known || ops)) {
    fail(request, Code.INTERNAL_ERROR, INEXPRESSIBLE, 0);
    return;
  }
  if (stream !== null) stream.sent();
  if (request.oneway && to.state == StreamState.OPEN) request.finish();
}
