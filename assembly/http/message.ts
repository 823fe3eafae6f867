import { BufferType, HeaderMapType } from "../abi/types";
import { ByteBuffer, KEEP, memoryIsShort } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { DECIMAL_ROOM, writeDecimal } from "../bytes/decimal";
import { View } from "../bytes/view";
import { appendBuffer, replaceBuffer } from "../host/buffers";
import { HttpHeaders } from "./headers";

const CONTENT_LENGTH = Bytes.of("content-length");

const digits: usize = heap.alloc(DECIMAL_ROOM);
const view = new View();

/** What there is of a body. */
const enum BodyState {
  /** The message has none. */
  NONE,
  /** Not all of it is here. */
  COMING,
  /** All of it is in the host's buffer. */
  COMPLETE,
}

/** The request or the response of an HTTP stream, as its filters see it: headers, body, trailers. Reused. */
export class HttpMessage {
  readonly headers: HttpHeaders;
  readonly trailers: HttpHeaders;
  private state: BodyState = BodyState.NONE;
  /** Bytes of the body in the host's buffer, and whether any were to gather there. */
  private size: i32 = 0;
  private gathers: bool = false;
  /** The body as the host gave it, or what replaces it. */
  private readonly copy: ByteBuffer = new ByteBuffer();
  private known: bool = false;
  /** The body is replaced while it comes, and whether the new one is in its place already. */
  private replaces: bool = false;
  private placed: bool = false;
  /** Its trailers are here, and not gone on. */
  hasTrailers: bool = false;
  /** Nobody waited for all of its body. */
  isCut: bool = false;

  constructor(
    headers: HeaderMapType,
    trailers: HeaderMapType,
    private readonly buffer: BufferType,
  ) {
    this.headers = new HttpHeaders(headers);
    this.trailers = new HttpHeaders(trailers);
  }

  /** The headers of a message are here; `ended`: it has no body. */
  begin(ended: bool): void {
    this.headers.begin(true);
    this.trailers.begin(false);
    this.state = ended ? BodyState.NONE : BodyState.COMING;
    this.size = 0;
    this.gathers = false;
    this.copy.reset(KEEP);
    this.known = false;
    this.replaces = false;
    this.placed = false;
    this.hasTrailers = false;
    this.isCut = false;
  }

  /** Forgets the message. */
  end(): void {
    this.begin(true);
    this.headers.begin(false);
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.headers.allocated + this.trailers.allocated + this.copy.allocated;
  }

  /** Gives all memory back. */
  free(): void {
    this.headers.free();
    this.trailers.free();
    this.copy.free();
  }

  /** The body is known before it comes: that of a local reply. */
  know(ptr: usize, length: i32): void {
    this.copy.clear();
    this.copy.append(ptr, length);
    this.known = true;
  }

  /** Whether the body is not all here. */
  get lacksBody(): bool {
    return this.state == BodyState.COMING && !this.known;
  }

  /** `size` bytes of the body have gathered in the host's buffer; `ended`: that is all. */
  gathered(size: i32, ended: bool): void {
    this.size = size;
    this.gathers = true;
    if (ended) this.ended();
  }

  /** What has gathered is the whole body. */
  ended(): void {
    this.state = BodyState.COMPLETE;
    if (this.replaces) this.place();
    this.replaces = false;
  }

  /**
   * The message goes on. False while a part of its body has gathered and more is to come: then it goes on with the next
   * piece. Envoy before 1.40 loses that piece when the host is told to go on before.
   */
  release(): bool {
    this.headers.writable = false;
    return !this.gathers || this.state != BodyState.COMING;
  }

  /** The message goes on, and nobody asks for its body again: the copy goes, unless the body is yet to be replaced by it. */
  forgetBody(): void {
    if (this.replaces || !this.known) return;
    this.copy.reset(KEEP);
    this.known = false;
  }

  /** Nothing of the message goes on: the copy goes. */
  dropBody(): void {
    this.copy.free();
    this.known = false;
    this.replaces = false;
  }

  /** Whether the whole body is here, and there is no memory for a copy of it. */
  get lacksMemory(): bool {
    return this.size > KEEP && memoryIsShort();
  }

  /** Nobody waits for the body any more: it counts as empty where it has not come. */
  pass(): void {
    if (this.state != BodyState.COMING) return;
    this.state = BodyState.NONE;
    this.isCut = true;
  }

  /**
   * A piece of the body goes on to the next filter: with another body in the place of the first. Returns the bytes that
   * are in the host's buffer then.
   */
  piece(size: i32): i32 {
    if (!this.replaces) return size;
    this.size = size;
    if (!this.placed) this.place();
    else if (replaceBuffer(this.buffer, size, 0, 0)) this.size = 0;
    return this.size;
  }

  private place(): void {
    if (!replaceBuffer(this.buffer, this.size, this.copy.ptr, this.copy.length)) this.headers.lost++;
    this.placed = true;
    this.size = this.copy.length;
  }

  /** Points `out` at the body, empty where it is not here; borrowed until it changes. */
  body(out: View): void {
    if (!this.known && this.state == BodyState.COMPLETE) {
      this.copy.clear();
      this.known = appendBuffer(this.buffer, this.size, this.copy);
    }
    if (this.known) out.set(this.copy.ptr, this.copy.length);
    else out.set(0, 0);
  }

  /** Replaces the body; the message's length goes with it. Where that is too late the change is lost. */
  setBody(ptr: usize, length: i32): void {
    if (this.state == BodyState.NONE || !this.setLength(length)) {
      this.headers.lost++;
      return;
    }
    // The range may be a part of the copy.
    this.copy.clear();
    this.copy.append(ptr, length);
    this.known = true;
    if (this.state == BodyState.COMPLETE) this.place();
    else this.replaces = true;
  }

  /** Makes `content-length` tell the new length; false when it tells another one and cannot be changed. */
  private setLength(length: i32): bool {
    const headers = this.headers;
    if (!headers.find(CONTENT_LENGTH, view)) return true;
    const end = digits + (DECIMAL_ROOM as usize);
    const text = writeDecimal(end, length);
    const size = (end - text) as i32;
    if (headers.writable) {
      const lost = headers.lost;
      headers.set(CONTENT_LENGTH.ptr, CONTENT_LENGTH.length, text, size);
      return headers.lost == lost;
    }
    return view.length == size && memory.compare(view.ptr, text, view.length) == 0;
  }
}
