// MOSN's request state machine, its second half: responses, losses, timeouts and local replies.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { FilterStatus, ResponseFlag } from "../stream/phase";
import { CloseReason } from "../tunnel/tunnel_stream";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { writeChanged } from "./changes";
import { Held } from "./held_frame";
import { codeOf, flagOf, reasonOf, writeReplyText } from "./reply";
import { Request, Stage } from "./request";
import { retryLost, retryStatus, retryTimeout } from "./retry";
import { RpcStream } from "./rpc_stream";

// Readable reasons of local replies.
const TIMED_OUT = Bytes.of("timeout");
const NOT_HELD = Bytes.of("too many bytes are held by filters");
const INEXPRESSIBLE = Bytes.of("the response's changed headers do not fit into the protocol");

const body = new View();

/** The response to a request has come on its server connection. */
export function onResponse(request: Request, codec: Codec, frame: Frame, from: UpstreamConnection): void {
  frame.requestAux = request.aux;
  const stream = request.stream;
  if (stream === null) {
    if (!retryStatus(request, codec.toCode(frame.status))) writeResponse(request, codec, frame, from);
    return;
  }
  const client = request.client;
  client.services.input.bind(client.info, codec, frame, from);
  deliver(request, stream, stream.sendResponse(codec, frame, from));
}

/** The filters of a response, or of a local reply, are through, or hold it. */
export function deliver(request: Request, stream: RpcStream, status: FilterStatus): void {
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
    stream.responseBody(body);
    reply(request, stream.responseCode, body.ptr, body.length);
    return;
  }
  const from = stream.upstream;
  const codec = stream.frame.codec;
  if (from === null || codec === null) return;
  if (retryStatus(request, stream.responseCode)) stream.sent();
  else writeResponse(request, codec, stream.frame, from);
}

/** Writes a server's response to the client, with the changes of the route and of the filters. */
function writeResponse(request: Request, codec: Codec, frame: Frame, from: UpstreamConnection): void {
  if (!appendResponse(request, codec, frame, from)) {
    reply(request, Code.INTERNAL_ERROR, INEXPRESSIBLE.ptr, INEXPRESSIBLE.length);
    return;
  }
  request.client.output.wrote();
  count(request, !isFailure(request, codec, frame));
  request.protocol.responses.add(1);
  request.finish();
}

/** Whether a response of a server counts as an error. */
// @ts-ignore: decorator
@inline
function isFailure(request: Request, codec: Codec, frame: Frame): bool {
  if (codec.toCode(frame.status) >= 500) return true;
  return request.client.services.config.exceptionsAreErrors && codec.isException(frame);
}

/** Appends the response for the client, the same bytes where nothing is changed; false: it is refused for its changes. */
function appendResponse(request: Request, codec: Codec, frame: Frame, from: UpstreamConnection): bool {
  const client = request.client;
  const out = client.output.bytes;
  const route = request.route;
  const stream = request.stream;
  const ops = route !== null && route.hasResponseOps;
  if (ops || stream !== null) {
    const input = client.services.input;
    if (stream === null) input.bind(client.info, codec, frame, from);
    const headers = ops || input.knownHeaders !== null ? input.headers : null;
    if (headers !== null && ops && route !== null) route.responseOps.apply(headers, input);
    body.set(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
    if (stream !== null) stream.responseBody(body);
    const newBody = stream !== null && stream.bodyChanged;
    if (newBody || (headers !== null && headers.changed)) {
      return writeChanged(client, codec, frame, body, newBody, request.clientId, out);
    }
  }
  codec.copy(frame, request.clientId, out);
  return true;
}

/** The server connection that a request was on is gone: another try, or an answer. */
export function onLost(request: Request, from: UpstreamConnection, reason: CloseReason): void {
  if (!retryLost(request, from, reason)) fail(request, codeOf(reason), reasonOf(reason, from), flagOf(reason));
}

/** The whole timeout of a request has passed. */
export function onTimeout(request: Request): void {
  request.protocol.timeouts.add(1);
  const stream = request.stream;
  if (stream !== null) stream.gaveUp = request.impatient;
  fail(request, Code.TIMEOUT, TIMED_OUT, ResponseFlag.UPSTREAM_REQUEST_TIMEOUT);
}

/** The timeout of one try has passed: another try if the route says so, else the same as the whole timeout. */
export function onTryTimeout(request: Request): void {
  if (retryTimeout(request)) return;
  request.impatient = request.impatientTry;
  onTimeout(request);
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
  answer(request, stream);
}

/** Sends the answer that a filter, or a failure, has set (MOSN's hijack): through the filters of responses. */
export function answer(request: Request, stream: RpcStream): void {
  const upstream = request.upstream;
  if (upstream !== null) upstream.detach(request);
  request.stage = Stage.ANSWERED;
  deliver(request, stream, stream.sendLocal());
}

/** Writes a local reply that has been through the filters, where the client expects one. */
function reply(request: Request, code: i32, reason: usize, length: i32): void {
  count(request, false);
  if (!request.oneway) {
    writeReplyText(request.client, request.codec, request.clientId, request.aux, code, reason, length);
  }
  request.finish();
}

/** Ends a request without an answer (MOSN's termination). */
export function abandon(request: Request): void {
  count(request, false);
  request.finish();
}

function count(request: Request, ok: bool): void {
  const call = request.call;
  const cluster = request.cluster;
  (ok ? call.ok : call.errors).add(1);
  if (ok && request.unplaced != 0) request.client.services.methods.prove(request.unplaced);
  if (cluster !== null) (ok ? cluster.stats.ok : cluster.stats.errors).add(1);
}
