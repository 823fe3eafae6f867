// Local replies: what the proxy itself answers a client.
import { Bytes } from "../bytes/bytes";
import { CloseReason } from "../tunnel/tunnel_stream";
import { ResponseFlag } from "../stream/phase";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Client } from "./client";

/** Why a request, or a frame that would have to be gathered, is refused while memory is short. */
export const OUT_OF_MEMORY = Bytes.of("out of buffer memory");

// Readable reasons for what became of a server connection.
const REFUSED = Bytes.of("connection refused");
const CONNECT_TIMEOUT = Bytes.of("connect timeout");
const SERVER_CLOSED = Bytes.of("the server closed the connection");
const SERVER_RESET = Bytes.of("the connection to the server was reset");
const NOT_OPENED = Bytes.of("the connection to the server was not opened");

/** Writes a local reply with MOSN's code and a readable reason to the client (MOSN's hijack). */
export function writeReply(client: Client, codec: Codec, id: u64, aux: u64, code: i32, reason: Bytes): void {
  writeReplyText(client, codec, id, aux, code, reason.ptr, reason.length);
}

/** The same with the reason as a range. */
export function writeReplyText(
  client: Client,
  codec: Codec,
  id: u64,
  aux: u64,
  code: i32,
  reason: usize,
  length: i32,
): void {
  client.services.protocol(codec).localReplies.add(1);
  codec.reply(id, aux, codec.toStatus(code), reason, length, client.output.bytes);
  client.output.wrote();
}

/** MOSN's code for what became of the connection (docs/reference/mosn.md#codes). */
export function codeOf(reason: CloseReason): i32 {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return Code.ROUTER_UNAVAILABLE;
    case CloseReason.REMOTE:
      return Code.INTERNAL_ERROR;
    default:
      return Code.NO_HEALTH_UPSTREAM;
  }
}

/** MOSN's response flag for the same. */
export function flagOf(reason: CloseReason): u32 {
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

/** A readable reason for the same. */
export function reasonOf(reason: CloseReason, connection: UpstreamConnection): Bytes {
  switch (reason) {
    case CloseReason.NO_CLUSTER:
      return connection.destination.cluster.unknownText;
    case CloseReason.REFUSED:
      return connection.refusal.length > 0 ? connection.refusal : REFUSED;
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
