import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { Frame } from "./frame";
import { Headers } from "../message/headers";
import { Payload, Serialization } from "../message/payload";

/** Answer of `Codec.detect`. */
export const enum Detected {
  NO = 0,
  YES = 1,
  /** The bytes so far fit; more are needed to tell. */
  MORE = 2,
}

/** Answer of `Codec.decode`. */
export const enum Decoded {
  FRAME = 0,
  MORE = 1,
  ERROR = 2,
}

/** Where bytes come from: MOSN's downstream (a client) or upstream (a server). */
export const enum Peer {
  CLIENT = 0,
  SERVER = 1,
}

// Why a change cannot be expressed, for the log.
/** The frame has no headers that could change, or none that can be read. */
export const NO_PLACE = Bytes.of("the frame has no place for headers");
/** The block of the headers has a length field, or a name or value one of its own, that is too short. */
export const HEADERS_TOO_LONG = Bytes.of("the headers are longer than the protocol allows");
/** `Headers.incomplete`. */
export const INCOMPLETE = Bytes.of("there are too many headers, or too many changes of them");
/** The whole would be longer than it may be. */
export const FRAME_TOO_LONG = Bytes.of("the frame is longer than max_frame_bytes");
/** What shows as a header is a field of the frame that has to stay as it is, or to stay there. */
export const FIXED_FIELD = Bytes.of("a fixed field of the frame cannot be changed or removed");
/** The protocol has text only, in UTF-8. */
export const NOT_TEXT = Bytes.of("a name or value is not UTF-8");
const INEXPRESSIBLE = Bytes.of("the changes do not fit into the protocol");

/**
 * The contract between the proxy and a protocol (MOSN's XProtocol). A codec is stateless but for scratch objects: one
 * instance serves every connection of the VM. No method traps, whatever the bytes. All ranges are borrowed.
 */
export abstract class Codec {
  /** The name as bytes. */
  readonly label: Bytes;
  /** Longest frame that `encode` may write, bytes. The caller sets it: codecs are shared by proxies with different limits. */
  maxLength: i32 = i32.MAX_VALUE;
  /** Why `encode` said false the last time: for the log. */
  refusal: Bytes = INEXPRESSIBLE;

  /**
   * @param name MOSN's protocol name, used in configuration and statistics
   * @param idBits width of the request id on the wire, 16 to 64
   */
  constructor(
    readonly name: string,
    readonly idBits: i32,
  ) {
    this.label = Bytes.of(name);
  }

  /** Whether a connection whose first `length` (> 0) bytes are at `ptr` speaks this protocol. */
  abstract detect(ptr: usize, length: i32): Detected;

  /**
   * Describes the frame at `ptr` in `frame`; reads at most `length` (>= 0) bytes, and needs them only until it returns
   * and for as long as the caller uses the frame. `MORE` until the frame is whole, except that what cannot become a
   * frame is refused as soon as it is seen: bytes of another protocol, and a total beyond `maxLength` (TOO_LARGE).
   * Everything else that is wrong is reported once the frame is whole, so that decoding can go on behind it.
   * Sets `frame.codec`, and every other field that its kind has. The header block is validated, not copied.
   *
   * `peer` is for protocols that need it to tell kinds apart. Both kinds are good in both directions as far as a codec
   * knows: servers send requests to clients too, and clients their responses; whether one was asked for is the
   * proxy's to judge.
   */
  abstract decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded;

  /**
   * Writes `id` into the copy of the whole, unchanged `frame` that lies at `at`, and mends whatever checksum covers
   * it. The bits of `id` above `idBits` are dropped. Where ids have no fixed width, one that does not fit is not
   * written: `copy` is for those.
   */
  abstract setId(at: usize, frame: Frame, id: u64): void;

  /**
   * Appends the whole, unchanged `frame` with `id` to `out`, which is not the memory it lies in; returns the length of
   * the copy. Codecs whose ids have no fixed width override this: their copies may be longer than the frame.
   */
  copy(frame: Frame, id: u64, out: ByteBuffer): i32 {
    const at = out.reserve(frame.length);
    memory.copy(at, frame.ptr, frame.length as usize);
    this.setId(at, frame, id);
    out.commit(frame.length);
    return frame.length;
  }

  /** The frame's headers, as on the wire; the object is reused: asking again, for any frame, drops its changes. */
  abstract headers(frame: Frame): Headers;

  /**
   * Appends `frame` to `out` with `id`, the headers of `headers` (what `this.headers(frame)` gave) and the
   * `contentLength` bytes at `content` as its content: all lengths and checksums are new, every other field is kept.
   * Neither the frame nor the content is in the memory of `out`.
   * False, and nothing appended, when the result cannot be expressed (a header block beyond its length field), or would
   * be longer than `maxLength` and than the frame was; `refusal` then says why.
   */
  abstract encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool;

  /** For codecs: whether so many bytes are more than `encode` may write instead of a frame. */
  protected exceeds(bytes: i64, frame: Frame): bool {
    return bytes > (max(this.maxLength, frame.length) as i64);
  }

  /** For codecs: what `encode` returns when it has appended nothing, for this reason. */
  protected cannot(why: Bytes): bool {
    this.refusal = why;
    return false;
  }

  /**
   * Describes what the frame, a request or a response, carries for the application: what a peer deserializes. The
   * `contentLength` bytes at `content` are its content, the frame's own or what a filter made of it. Overridden where
   * there may be Hessian in it.
   */
  payload(frame: Frame, content: usize, contentLength: i32, out: Payload): void {
    out.begin(contentLength > 0 ? Serialization.OTHER : Serialization.NONE);
  }

  /**
   * Whether a response whose status is no failure of the server (`toCode` gives less than 500) says that the call ended
   * with an exception or an error of the application: for filters that count those as failures. It looks at a bounded
   * part of the frame, changes nothing, and is false where it cannot tell. Overridden where responses can say so.
   */
  isException(frame: Frame): bool {
    return false;
  }

  /** Whether the protocol has heartbeats that the proxy may send to servers. */
  get hasHeartbeat(): bool {
    return true;
  }

  /**
   * Appends a heartbeat request with `id`; `like` is the `aux` of a request on that connection (0: any). Nothing is
   * appended by a protocol without heartbeats.
   */
  abstract heartbeat(id: u64, like: u64, out: ByteBuffer): void;

  /** Appends the acknowledgement of the heartbeat with this id and `aux`. */
  abstract heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void;

  /**
   * Appends a local reply (MOSN's hijack) to the request with this id and `aux`: `status` is the protocol's own,
   * `reason` is readable UTF-8, carried where the protocol has room for it and cut when it is long.
   */
  abstract reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void;

  /** Appends a go-away; false, and nothing appended, where the protocol has none. */
  goAway(id: u64, out: ByteBuffer): bool {
    return false;
  }

  /** The protocol's status for one of MOSN's codes (`Code`): one that peers know, whatever the code. */
  abstract toStatus(code: i32): i32;

  /** MOSN's code for the protocol's status: for retry rules and statistics. */
  abstract toCode(status: i32): i32;
}
