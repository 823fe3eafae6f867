// MOSN's request state machine, its second half: responses, further tries, timeouts and local replies.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { FilterStatus, ResponseFlag } from "../stream/phase";
import { CloseReason } from "../tunnel/tunnel_stream";
import { Code } from "../message/code";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { answerReasonOf, codeOf as badFrameCode } from "../upstream/bad_frame";
import { writeChanged } from "./changes";
import { Cluster } from "../upstream/cluster";
import { Connection } from "./connection";
import { send } from "./exchange";
import { Held } from "./held_frame";
import { onMirrorLost, onMirrorTimeout } from "./mirror";
import { Request, Stage } from "./request";
import { Server } from "./server";

// Readable reasons of local replies.
const TIMED_OUT = Bytes.of("timeout");
const REFUSED = Bytes.of("connection refused");
const CONNECT_TIMEOUT = Bytes.of("connect timeout");
const SERVER_CLOSED = Bytes.of("the server closed the connection");
const SERVER_RESET = Bytes.of("the connection to the server was reset");
const NOT_HELD = Bytes.of("too many bytes are held by filters");
const INEXPRESSIBLE = Bytes.of("the response's changed headers do not fit into the protocol");
const NOT_OPENED = Bytes.of("the connection to the server was not opened");

/** Why a request is tried again. */
const enum Retry {
  /** None of it was sent: that costs no server anything, and to refuse it would fail calls that another host can take. */
  UNSENT,
  /** It was sent, and the route has such requests tried again. */
  SENT,
  /** It was sent, and a timeout that its caller chose is over: a server may still be at work on it. */
  CALLER,
}

const body = new View();

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
  frame.requestAux = request.aux;
  const stream = request.stream;
  if (stream === null) {
    if (!retryStatus(request, codec.toCode(frame.status))) writeResponse(request, frame, server);
    return;
  }
  root.input.bind(connection, codec, frame, server);
  deliver(request, stream.sendResponse(frame, server));
}

/** The filters of a response, or of a local reply, are through, or hold it. */
export function deliver(request: Request, status: FilterStatus): void {
  const stream = request.stream;
  if (stream === null) return;
  if (status == FilterStatus.WAIT && !stream.answered) {
    const held = stream.hold();
    if (held == Held.NO_ROOM) fail(request, Code.UPSTREAM_OVERFLOW, NOT_HELD, ResponseFlag.UPSTREAM_OVERFLOW);
    else if (held == Held.REFUSED) fail(request, Code.INTERNAL_ERROR, INEXPRESSIBLE, 0);
    return;
  }
  if (status == FilterStatus.TERMINATION) {
    abandon(request);
    return;
  }
  if (stream.answered || stream.isLocal) {
    writeLocal(request, stream.responseCode);
    return;
  }
  const server = stream.server;
  if (server === null) return;
  if (retryStatus(request, stream.responseCode)) stream.sent();
  else writeResponse(request, stream.frame, server);
}

/** Tries again where the route wants that for responses with this code. */
function retryStatus(request: Request, code: i32): bool {
  const route = request.route;
  if (route === null || code == Code.SUCCESS || !route.retry.retriesCode(code)) return false;
  // The server is done with this try.
  const cluster = request.cluster;
  if (request.budgetedTry && cluster !== null) {
    request.budgetedTry = false;
    request.budgeted--;
    cluster.countTries(-1);
  }
  return mayRetry(request, Retry.SENT) && retry(request, request.copy.ptr, request.copy.length, Retry.SENT);
}

/** Writes a server's response to the client, with the changes of the route and of the filters. */
function writeResponse(request: Request, frame: Frame, server: Server): void {
  const connection = request.connection;
  const codec = frame.codec;
  if (connection === null || codec === null) return;
  if (!appendResponse(request, connection, codec, frame, server)) {
    reply(request, Code.INTERNAL_ERROR, INEXPRESSIBLE.ptr, INEXPRESSIBLE.length);
    return;
  }
  connection.wroteClient();
  count(request, !isFailure(connection, codec, frame));
  const protocol = request.protocol;
  if (protocol !== null) protocol.responses.add(1);
  connection.finish(request);
}

/** Whether a response of a server counts as an error. */
// @ts-ignore: decorator
@inline
function isFailure(connection: Connection, codec: Codec, frame: Frame): bool {
  return codec.toCode(frame.status) >= 500 || (connection.root.exceptionsAreErrors && codec.isException(frame));
}

/** Appends the response for the client, the same bytes where nothing is changed; false: it is refused for its changes. */
function appendResponse(request: Request, connection: Connection, codec: Codec, frame: Frame, server: Server): bool {
  const route = request.route;
  const stream = request.stream;
  const root = connection.root;
  const ops = route !== null && route.hasResponseOps;
  if (ops || stream !== null) {
    if (stream === null) root.input.bind(connection, codec, frame, server);
    const headers = ops || root.input.knownHeaders !== null ? root.input.headers : null;
    if (headers !== null && ops && route !== null) route.responseOps.apply(headers, root.input);
    body.set(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
    if (stream !== null) stream.responseBody(body);
    const newBody = stream !== null && stream.bodyChanged;
    if (newBody || (headers !== null && headers.changed)) {
      return writeChanged(connection, codec, frame, body, newBody, request.clientId, connection.toClient);
    }
  }
  codec.copy(frame, request.clientId, connection.toClient);
  return true;
}

/** A server's response cannot be used: its request fails. It was carried out: there is no other try. */
export function onBadResponse(connection: Connection, server: Server, frame: Frame): void {
  const request = connection.requests.find(frame.id);
  if (request === null || request.server !== server || request.oneway) return;
  fail(request, badFrameCode(frame.error), answerReasonOf(frame.error), 0);
}

/** The server connection that a request was on is gone: another try, or an answer. */
export function onLostRequest(request: Request, server: Server, reason: CloseReason, now: i64): void {
  if (request.mirror) {
    onMirrorLost(request);
    return;
  }
  const route = request.route;
  const unsent = request.start >= server.committed;
  const opening = reason != CloseReason.REMOTE && reason != CloseReason.RESET;
  const again = unsent ? reason != CloseReason.NO_CLUSTER : route !== null && route.retry.retryOn && !opening;
  const cause = unsent ? Retry.UNSENT : Retry.SENT;
  if (again && mayRetry(request, cause)) {
    const kept = request.copy.length > 0;
    const ptr = kept ? request.copy.ptr : unsent ? server.at(request.start) : 0;
    if (ptr != 0 && retry(request, ptr, request.length, cause)) return;
  }
  fail(request, codeOf(reason), reasonText(reason, server), flagOf(reason));
}

/** Whether a request may be tried again; `cause`: which budget of its cluster that is in. */
function mayRetry(request: Request, cause: Retry): bool {
  const cluster = request.cluster;
  if (request.retriesLeft <= 0 || cluster === null) return false;
  const limit = cluster.config.maxRetries;
  const budgeted = isBudgeted(cluster, cause);
  const full = limit > 0 && (cluster.retries as u32) >= limit;
  if (!full && (!budgeted || cluster.mayTry)) return true;
  const protocol = request.protocol;
  if (protocol !== null) protocol.retryOverflow.add(1);
  return false;
}

function isBudgeted(cluster: Cluster, cause: Retry): bool {
  return cause == Retry.CALLER || (cause == Retry.SENT && cluster.config.budgetsAll);
}

/**
 * Sends a request again, its bytes from `ptr`: to another host where there is one. False when there are no bytes, or no
 * connection to send them on.
 */
function retry(request: Request, ptr: usize, length: i32, cause: Retry): bool {
  const connection = request.connection;
  const codec = request.codec;
  const destination = request.destination;
  if (connection === null || codec === null || destination === null || length <= 0) return false;
  const root = connection.root;
  if (!resumeTimeout(request, connection)) return false;
  request.retriesLeft--;
  const cluster = request.cluster;
  if (cluster !== null && !request.retried) cluster.retries++;
  request.retried = true;
  request.budgetedTry = cluster !== null && isBudgeted(cluster, cause);
  if (request.budgetedTry && cluster !== null) {
    request.budgeted++;
    cluster.countTries(1);
  }
  const old = request.server;
  if (old !== null) old.detach(request);
  const server = connection.pools.to(destination).pick(request.hash, request.triedHost, root.now());
  if (server === null) return false;
  // An answer to the try before must not be taken for one to this.
  connection.requests.release(request.id);
  request.id = connection.requests.add(request);
  const frame = root.retryFrame;
  if (request.id == 0 || codec.decode(ptr, length, Peer.CLIENT, i32.MAX_VALUE, frame) != Decoded.FRAME) return false;
  const protocol = request.protocol;
  if (protocol !== null) protocol.retries.add(1);
  root.cancelTimer(request.tryTimer);
  send(request, server, frame, false);
  connection.schedule();
  return true;
}

/** Sets the whole timeout again after a filter has held a response; false when that took too long for another try. */
function resumeTimeout(request: Request, connection: Connection): bool {
  if (request.slot >= 0 || request.deadline == 0) return true;
  const root = connection.root;
  if (request.deadline <= root.now()) return false;
  root.setTimer(request, request.deadline, true);
  return true;
}

/** The whole timeout of a request has passed. */
export function onRequestTimeout(request: Request, now: i64): void {
  if (request.mirror) {
    onMirrorTimeout(request);
    return;
  }
  const protocol = request.protocol;
  if (protocol !== null) protocol.timeouts.add(1);
  const stream = request.stream;
  if (stream !== null) stream.gaveUp = request.impatient;
  fail(request, Code.TIMEOUT, TIMED_OUT, ResponseFlag.UPSTREAM_REQUEST_TIMEOUT);
}

/** The timeout of one try has passed: another try if the route says so, else the same as the whole timeout. */
export function onTryTimeout(request: Request, now: i64): void {
  const route = request.route;
  const cause = request.ownTry ? Retry.CALLER : Retry.SENT;
  if (route !== null && route.retry.retryOn && mayRetry(request, cause)) {
    if (retry(request, request.copy.ptr, request.copy.length, cause)) return;
  }
  request.impatient = request.impatientTry;
  onRequestTimeout(request, now);
}

/** Answers a request that failed with MOSN's code; the filters of responses see the answer. */
export function fail(request: Request, code: i32, reason: Bytes, flag: u32): void {
  const stream = request.stream;
  if (stream === null) {
    reply(request, code, reason.ptr, reason.length);
    return;
  }
  stream.flags |= flag;
  stream.setAnswer(code, reason);
  answer(request);
}

/** Sends the answer that a filter, or a failure, has set (MOSN's hijack): through the filters of responses. */
export function answer(request: Request): void {
  const stream = request.stream;
  const connection = request.connection;
  if (stream === null || connection === null) return;
  const server = request.server;
  if (server !== null) server.detach(request);
  request.stage = Stage.ANSWERED;
  deliver(request, stream.sendLocal());
}

/** Writes a local reply that has been through the filters. */
function writeLocal(request: Request, code: i32): void {
  const stream = request.stream;
  if (stream === null) return;
  stream.responseBody(body);
  reply(request, code, body.ptr, body.length);
}

function reply(request: Request, code: i32, reason: usize, length: i32): void {
  const connection = request.connection;
  const codec = request.codec;
  if (connection === null) return;
  count(request, false);
  if (codec !== null && !request.oneway) {
    writeReplyText(connection, codec, request.clientId, request.aux, code, reason, length);
  }
  connection.finish(request);
}

/** Ends a request without an answer (MOSN's termination). */
export function abandon(request: Request): void {
  const connection = request.connection;
  count(request, false);
  if (connection !== null) connection.finish(request);
}

/** Writes a local reply with MOSN's code and a readable reason to the client (MOSN's hijack). */
export function writeReply(connection: Connection, codec: Codec, id: u64, aux: u64, code: i32, reason: Bytes): void {
  writeReplyText(connection, codec, id, aux, code, reason.ptr, reason.length);
}

function writeReplyText(
  connection: Connection,
  codec: Codec,
  id: u64,
  aux: u64,
  code: i32,
  reason: usize,
  length: i32,
): void {
  connection.root.protocol(codec).localReplies.add(1);
  codec.reply(id, aux, codec.toStatus(code), reason, length, connection.toClient);
  connection.wroteClient();
}

function count(request: Request, ok: bool): void {
  const call = request.call;
  const cluster = request.cluster;
  const connection = request.connection;
  if (call !== null) (ok ? call.ok : call.errors).add(1);
  if (ok && request.unplaced != 0 && connection !== null) connection.root.methods.prove(request.unplaced);
  if (cluster !== null) (ok ? cluster.stats.ok : cluster.stats.errors).add(1);
}

/** MOSN's code for what became of the connection (docs/reference/mosn.md#codes). */
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

function flagOf(reason: CloseReason): u32 {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return ResponseFlag.NO_ROUTE_FOUND;
    case CloseReason.REMOTE:
      return ResponseFlag.UPSTREAM_CONNECTION_TERMINATION;
    case CloseReason.RESET:
      return ResponseFlag.UPSTREAM_REMOTE_RESET;
    default:
      return ResponseFlag.UPSTREAM_CONNECTION_FAILURE;
  }
}

function reasonText(reason: CloseReason, server: Server): Bytes {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return server.pool.destination.cluster.unknownText;
    case CloseReason.REFUSED:
      return server.refusal.length > 0 ? server.refusal : REFUSED;
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
