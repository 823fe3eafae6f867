import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { answerReasonOf, codeOf } from "../upstream/bad_frame";
import { lacksMemory, LARGE_IF_FULL } from "../upstream/memory";
import { CallStats } from "../upstream/stats";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { CloseReason } from "../tunnel/tunnel_stream";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { Client } from "./client";
import { advance, resume } from "./forward";
import { mirrorRequest } from "./mirror";
import { OUT_OF_MEMORY, writeReply } from "./reply";
import { Request, spares, Stage } from "./request";
import { fail, onLost, onResponse, onTimeout, onTryTimeout } from "./respond";
import { RpcStream } from "./rpc_stream";
import { ProtocolStats } from "./stats";

const CONNECTION_OVERFLOW = Bytes.of("too many requests on this connection");
const WORKER_OVERFLOW = Bytes.of("too many requests in this worker");

const service = new View();
const method = new View();

/** A request with the rules that move it: what `Request` leaves open leads up to them. */
export class ClientRequest extends Request {
  onResponse(codec: Codec, frame: Frame, from: UpstreamConnection): void {
    onResponse(this, codec, frame, from);
  }

  /** It was carried out: there is no other try. */
  onBadResponse(frame: Frame): void {
    fail(this, codeOf(frame.error), answerReasonOf(frame.error), 0);
  }

  onLost(from: UpstreamConnection, reason: CloseReason): void {
    onLost(this, from, reason);
  }

  onTimer(now: i64): void {
    onTimeout(this);
  }

  onTryTimeout(): void {
    onTryTimeout(this);
  }

  resume(): void {
    resume(this);
  }

  fail(code: i32, reason: Bytes): void {
    fail(this, code, reason, 0);
  }

  mirror(copies: i32): void {
    mirrorRequest(this, copies);
  }
}

/** A request or one-way request has come from the client. */
export function beginRequest(client: Client, codec: Codec, frame: Frame): void {
  const services = client.services;
  const oneway = frame.kind == FrameKind.ONEWAY;
  const protocol = services.protocol(codec);
  if (oneway) protocol.oneway.add(1);
  protocol.requests.add(1);
  frame.service(service);
  frame.method(method);
  const call = services.methods.of(service, method);
  call.requests.add(1);

  services.shares.used++;
  let reason = overflow(client, frame.length);
  const request = reason === null ? take(client, codec, protocol, call) : null;
  if (request === null) {
    services.shares.used--;
    call.errors.add(1);
    if (!oneway) {
      if (reason === null) reason = CONNECTION_OVERFLOW;
      writeReply(client, codec, frame.id, frame.aux, Code.UPSTREAM_OVERFLOW, reason);
    }
    return;
  }
  request.unplaced = services.methods.unplaced;
  request.clientId = frame.id;
  request.aux = frame.aux;
  request.oneway = oneway;
  request.stage = Stage.BEFORE_ROUTE;
  protocol.active.add(1);
  services.input.bind(client.info, codec, frame, null);
  if (services.chains.empty) request.stream = null;
  else beginStream(request, frame);
  advance(request, frame);
}

/** Why there is no room for another request, which is counted already; null: there is. */
function overflow(client: Client, length: i32): Bytes | null {
  if (!client.services.shares.allows(client.requests.exchanges.count)) return WORKER_OVERFLOW;
  return lacksMemory(max(length, LARGE_IF_FULL)) ? OUT_OF_MEMORY : null;
}

/** A request with an id; null when the client has too many. */
function take(client: Client, codec: Codec, protocol: ProtocolStats, call: CallStats): Request | null {
  let request = spares.take();
  if (request === null) request = new ClientRequest(client, codec, protocol, call);
  const id = client.requests.exchanges.add(request);
  if (id == 0) {
    spares.keep(request);
    return null;
  }
  request.id = id;
  request.client = client;
  request.codec = codec;
  request.protocol = protocol;
  request.call = call;
  return request;
}

/** Gives a request its filters. */
function beginStream(request: Request, frame: Frame): void {
  const services = request.client.services;
  let stream = request.stream;
  if (stream === null) {
    stream = new RpcStream(request, services.filterMetrics);
    request.stream = stream;
  }
  stream.begin(frame, services.chains);
}
