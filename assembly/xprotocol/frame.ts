import { View } from "../bytes/view";
import { Codec, Decoded } from "./codec";

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
  /** Memory is short for what is gathered of it: the proxy's own finding, no codec's. */
  NO_ROOM = 5,
  /** Two readers would take it for different calls: rules would judge another one than the server carries out. */
  AMBIGUOUS = 6,
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
  /** Length of the whole frame, bytes: the next one starts behind it; 0 where that is not known, and with `MORE`. */
  length: i32 = 0;
  /** Header block as the codec defines it. */
  headerOffset: i32 = 0;
  headerLength: i32 = 0;
  /**
   * The content alone: what filters see as the body. Where headers lie behind it and finding them costs (a response of
   * Dubbo), it takes them in until the codec's `headers` have been asked for.
   */
  contentOffset: i32 = 0;
  contentLength: i32 = 0;
  /** The service that a request names; length 0: it names none. Not for frames with an error. */
  serviceOffset: i32 = 0;
  serviceLength: i32 = 0;
  /** The method that a request names; length 0: it names none. Not for frames with an error. */
  methodOffset: i32 = 0;
  methodLength: i32 = 0;
  /**
   * A generic call: the protocol's own field for the method names what carries the call out, and `method` is the one
   * that is meant.
   */
  generic: bool = false;
  /**
   * What the codec needs, beside the id, to answer this request when the frame itself is gone (version, serialization
   * and such). Opaque to everybody else; kept with the request and handed back to `Codec.reply`.
   */
  aux: u64 = 0;
  /** Of a response: the `aux` of its request, for `Codec.encode`; 0 where that is not known. The proxy sets it. */
  requestAux: u64 = 0;
  /** With `Decoded.ERROR`: why. With `Decoded.MORE`: NONE. */
  error: FrameError = FrameError.NONE;
  /**
   * With `Decoded.ERROR`: whether `kind`, `id` and `aux` are right all the same, so that this request can be answered
   * (or the request that this response belongs to). A different matter is where the next frame starts: behind
   * `length` bytes, of which some may not have arrived yet (TOO_LARGE); with `length` 0 nobody knows, and the
   * connection has to be closed once the answer is written.
   */
  answerable: bool = false;
  /** With `Decoded.MORE`: bytes the whole frame will take, when known, else the least number needed to go on. */
  need: i32 = 0;

  /** For codecs: forgets the last frame; the one at `ptr` is of `codec`. */
  begin(codec: Codec, ptr: usize): void {
    this.codec = codec;
    this.kind = FrameKind.REQUEST;
    this.id = 0;
    this.timeout = 0;
    this.status = 0;
    this.ptr = ptr;
    this.length = 0;
    this.headerOffset = this.headerLength = 0;
    this.contentOffset = this.contentLength = 0;
    this.serviceOffset = this.serviceLength = 0;
    this.methodOffset = this.methodLength = 0;
    this.generic = false;
    this.aux = this.requestAux = 0;
    this.error = FrameError.NONE;
    this.answerable = false;
    this.need = 0;
  }

  /** For codecs: the frame takes at least `need` bytes. */
  more(need: i32): Decoded {
    this.need = need;
    return Decoded.MORE;
  }

  /** For codecs: refuses the frame. */
  fail(error: FrameError, answerable: bool): Decoded {
    this.error = error;
    this.answerable = answerable;
    return Decoded.ERROR;
  }

  /** Points `out` at the service that a request names; false where it names none. */
  service(out: View): bool {
    out.set(this.ptr + (this.serviceOffset as usize), this.serviceLength);
    return this.serviceLength > 0;
  }

  /** Points `out` at the method that a request names; false where it names none. */
  method(out: View): bool {
    out.set(this.ptr + (this.methodOffset as usize), this.methodLength);
    return this.methodLength > 0;
  }
}
