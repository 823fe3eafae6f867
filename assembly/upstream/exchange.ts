import { Timer } from "../host/timers";
import { CloseReason } from "../tunnel/tunnel_stream";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Host } from "./host";
import { UpstreamConnection } from "./upstream_connection";

/**
 * A call that is sent on a server connection, and what becomes of it there: a response, a response that cannot be used, or
 * the loss of the connection. As a timer it is the call's whole timeout.
 */
export abstract class Exchange extends Timer {
  /** Its id towards the server, one of its `Traffic`; 0: it has none. */
  id: u32 = 0;
  /** It expects no response: it is finished once its bytes are on an open connection. */
  oneway: bool = false;

  /** The server connection that it is on, its neighbours there, and its place in the bytes for the server. */
  upstream: UpstreamConnection | null = null;
  previous: Exchange | null = null;
  next: Exchange | null = null;
  start: u64 = 0;
  length: i32 = 0;
  /** The host that it was sent to last. */
  triedHost: Host | null = null;

  /** Its response has come, on the connection that it is on. */
  abstract onResponse(codec: Codec, frame: Frame, from: UpstreamConnection): void;

  /** Its response has come and cannot be used; `frame.error` says why. */
  abstract onBadResponse(frame: Frame): void;

  /** The connection that it is on is gone. It must leave the connection: go to another one, or finish. */
  abstract onLost(from: UpstreamConnection, reason: CloseReason): void;

  /** It is over, and nobody is told: its connection, its id and what it holds are given back. */
  abstract finish(): void;

  /** Drops what it keeps for another try, because memory is short. */
  dropCopy(): void {}
}
