import { Codec } from "./codec";

/** What a frame is, seen from the proxy. */
export const enum FrameKind {
  /** A call that expects a response. */
  REQUEST = 0,
  /** A call that expects none. */
  ONEWAY = 1,
  RESPONSE = 2,
  /** A heartbeat request; its sender expects an acknowledgement. */
  HEARTBEAT = 3,
  HEARTBEAT_ACK = 4,
  /** The sender wants no new requests on this connection. */
  GOAWAY = 5,
}

/** Why a frame was refused. */
export const enum FrameError {
  NONE = 0,
  /** The bytes are not of this protocol, or of a command that it does not know. */
  MALFORMED = 1,
  /** A length is beyond the configured maximum. */
  TOO_LARGE = 2,
  /** The header block contradicts its own lengths. */
  HEADERS = 3,
  CHECKSUM = 4,
}

/**
 * One decoded frame: a reused description of bytes that lie in somebody else's memory, valid until the callback that
 * decoded it returns. The offsets are relative to `ptr`.
 */
export class Frame {
  /** The codec that understands this frame: with mixed versions on one connection not always the detected one. */
  codec: Codec | null = null;
  kind: FrameKind = FrameKind.REQUEST;
  /** Request id, zero-extended to 64 bits. */
  id: u64 = 0;
  /** Timeout that the request itself carries, milliseconds; 0 or less: none. */
  timeout: i32 = 0;
  /** The protocol's own status; responses only. */
  status: i32 = 0;
  /** Address of the whole frame. */
  ptr: usize = 0;
  /** Length of the whole frame, bytes; 0 where it is not known. */
  length: i32 = 0;
  /** Header block as the codec defines it. */
  headerOffset: i32 = 0;
  headerLength: i32 = 0;
  /** The content alone: what filters see as the body. */
  contentOffset: i32 = 0;
  contentLength: i32 = 0;
  /**
   * What the codec needs, beside the id, to answer this request when the frame itself is gone (version, serialization
   * and such). Opaque to everybody else; kept with the request and handed back to `Codec.reply`.
   */
  aux: u64 = 0;
  /** With `Decoded.ERROR`: why. With `Decoded.MORE`: NONE. */
  error: FrameError = FrameError.NONE;
  /**
   * With `Decoded.ERROR`: whether `kind`, `id`, `aux` and `length` are right all the same, so that this request can be
   * answered and the next frame be found; else the connection has to be closed.
   */
  answerable: bool = false;
  /** With `Decoded.MORE`: bytes the whole frame will take, when known, else the least number needed to go on. */
  need: i32 = 0;
}
