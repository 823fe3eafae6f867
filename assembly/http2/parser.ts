import { ByteBuffer, KEEP_SMALL } from "../bytes/buffer";
import { load16be, load32be, load64be } from "../bytes/memory";
import {
  DEFAULT_MAX_FRAME,
  Flags,
  FRAME_HEADER,
  FrameType,
  H2Code,
  MAX_FRAME_LIMIT,
  MAX_WINDOW,
  SettingId,
  STREAM_MASK,
} from "./constants";

/** Largest header block over HEADERS and its CONTINUATIONs, bytes. */
export const MAX_HEADER_BLOCK: i32 = 65536;
/** Most CONTINUATION frames of one header block. */
export const MAX_CONTINUATIONS: i32 = 32;

/**
 * What a `FrameParser` tells. Ranges are borrowed until the call returns. A callback must not call `feed`; it may set
 * `stopped`, after which the parser tells nothing more and drops the rest of the input, and then also `free` it.
 */
export abstract class FrameHandler {
  /** Set to end parsing for good. */
  stopped: bool = false;

  /** A piece of the payload of a DATA frame, never empty, without padding; any number of times for each frame. */
  abstract onData(stream: u32, ptr: usize, length: i32): void;
  /** The end of a DATA frame; `frameLength` is what counts for flow control: payload with padding. */
  abstract onDataEnd(stream: u32, frameLength: i32, endStream: bool): void;
  /** A whole header block, still compressed; each must be decoded, or the decoder's state is lost. */
  abstract onHeaders(stream: u32, blockPtr: usize, blockLength: i32, endStream: bool): void;
  /** RST_STREAM with an `H2Code` or an unknown code. */
  abstract onRstStream(stream: u32, code: u32): void;
  /** One entry of SETTINGS, also with an unknown id; values with a range are in it. */
  abstract onSetting(id: u32, value: u32): void;
  /** The end of a SETTINGS frame, which must be acknowledged. */
  abstract onSettingsEnd(): void;
  /** The peer has taken over our SETTINGS. */
  abstract onSettingsAck(): void;
  /** PING, to be answered, or with `ack` the answer to ours. */
  abstract onPing(ack: bool, opaque: u64): void;
  /** GOAWAY: streams of ours above `lastStream` were not handled. */
  abstract onGoAway(lastStream: u32, code: u32): void;
  /** WINDOW_UPDATE of a stream, or of the connection when `stream` is 0; `increment` is not 0. */
  abstract onWindowUpdate(stream: u32, increment: u32): void;
}

/**
 * The client's end of RFC 9113 §4 to §6: cuts what a server sends into frames, checks them, and tells a handler.
 * Whole frames are read where they lie, DATA goes on as it arrives, other cut frames are gathered. Memory stays below
 * one frame of 16,384 bytes, the largest that we allow, plus one header block. Stream states and windows are the
 * handler's. Stream errors are reported as errors of the connection, as §5.4.1 allows.
 */
export class FrameParser {
  private error: H2Code = H2Code.NO_ERROR;
  private settingsSeen: bool = false;
  // The input not yet read; only within `feed`.
  private at: usize = 0;
  private end: usize = 0;
  // The frame whose payload is awaited.
  private inPayload: bool = false;
  private type: u32 = 0;
  private flags: u32 = 0;
  private stream: u32 = 0;
  private length: i32 = 0;
  // How much of a DATA frame (or, as padding, of an unknown one) is to come.
  private padLengthDue: bool = false;
  private dataLeft: i32 = 0;
  private padLeft: i32 = 0;
  // A cut frame header, or a cut payload.
  private readonly partial: ByteBuffer = new ByteBuffer();
  // A header block that awaits CONTINUATION; blockStream is 0 when there is none.
  private readonly block: ByteBuffer = new ByteBuffer();
  private blockStream: u32 = 0;
  private blockEndsStream: bool = false;
  private continuations: i32 = 0;

  /** Bytes of memory held beside the object itself. */
  get allocated(): i32 {
    return this.partial.allocated + this.block.allocated;
  }

  /**
   * Reads the next `length` bytes of the connection. Returns NO_ERROR, or the code of the connection error that they
   * are; the same again for all later input.
   */
  feed(ptr: usize, length: i32, handler: FrameHandler): H2Code {
    this.at = ptr;
    this.end = ptr + (length as usize);
    while (this.at < this.end && this.error == H2Code.NO_ERROR && !handler.stopped) {
      // The payload is looked at in the same round as its header: it may be empty.
      if (this.inPayload || this.readHeader()) this.readPayload(handler);
    }
    return this.error;
  }

  /** Gives the memory back. The parser is of no further use. */
  free(): void {
    this.partial.free();
    this.block.free();
  }

  /** Reads a frame header. False when it is not complete or not right. */
  private readHeader(): bool {
    let header = this.at;
    if (this.partial.length == 0 && this.end - header >= (FRAME_HEADER as usize)) {
      this.at = header + FRAME_HEADER;
    } else {
      this.gather(FRAME_HEADER);
      if (this.partial.length < FRAME_HEADER) return false;
      header = this.partial.ptr;
      this.partial.clear();
    }
    const word = load32be(header);
    this.length = (word >> 8) as i32;
    this.type = word & 0xff;
    this.flags = load<u8>(header + 4) as u32;
    this.stream = load32be(header + 5) & STREAM_MASK;
    this.error = this.checkHeader();
    if (this.error != H2Code.NO_ERROR) return false;
    this.inPayload = true;
    this.beginData();
    return true;
  }

  /** Appends input to the gathered bytes until they are `wanted`, or the input ends. */
  private gather(wanted: i32): void {
    const n = min((wanted - this.partial.length) as usize, this.end - this.at);
    this.partial.append(this.at, n as i32);
    this.at += n;
  }

  /** What can be told to be wrong from a frame header alone. */
  private checkHeader(): H2Code {
    const type = this.type;
    const stream = this.stream;
    if (this.length > DEFAULT_MAX_FRAME) return H2Code.FRAME_SIZE_ERROR;
    if ((type == FrameType.CONTINUATION) != (this.blockStream != 0)) return H2Code.PROTOCOL_ERROR;
    if (!this.settingsSeen && (type != FrameType.SETTINGS || (this.flags & Flags.ACK) != 0)) {
      return H2Code.PROTOCOL_ERROR;
    }
    switch (type) {
      case FrameType.DATA:
      case FrameType.HEADERS:
      case FrameType.RST_STREAM:
        // Push is disabled, so all streams are the client's and odd (§5.1.1).
        if ((stream & 1) == 0) return H2Code.PROTOCOL_ERROR;
        break;
      case FrameType.WINDOW_UPDATE:
        if (stream != 0 && (stream & 1) == 0) return H2Code.PROTOCOL_ERROR;
        break;
      case FrameType.CONTINUATION:
        if (stream != this.blockStream) return H2Code.PROTOCOL_ERROR;
        break;
      case FrameType.PRIORITY:
        if (stream == 0) return H2Code.PROTOCOL_ERROR;
        break;
      case FrameType.SETTINGS:
      case FrameType.PING:
      case FrameType.GOAWAY:
        if (stream != 0) return H2Code.PROTOCOL_ERROR;
        break;
      case FrameType.PUSH_PROMISE:
        return H2Code.PROTOCOL_ERROR;
      default:
        return H2Code.NO_ERROR;
    }
    return this.lengthFits() ? H2Code.NO_ERROR : H2Code.FRAME_SIZE_ERROR;
  }

  private lengthFits(): bool {
    const length = this.length;
    switch (this.type) {
      case FrameType.PRIORITY:
        return length == 5;
      case FrameType.RST_STREAM:
      case FrameType.WINDOW_UPDATE:
        return length == 4;
      case FrameType.SETTINGS:
        return (this.flags & Flags.ACK) != 0 ? length == 0 : length % 6 == 0;
      case FrameType.PING:
        return length == 8;
      case FrameType.GOAWAY:
        return length >= 8;
      case FrameType.DATA:
        return (this.flags & Flags.PADDED) == 0 || length > 0;
      default:
        return true;
    }
  }

  /** Sets what is to come of a frame that is read as it arrives. */
  private beginData(): void {
    const isData = this.type == FrameType.DATA;
    this.padLengthDue = isData && (this.flags & Flags.PADDED) != 0;
    this.dataLeft = isData ? this.length : 0;
    this.padLeft = isData ? 0 : this.length;
  }

  /** Reads the payload of the current frame as far as the input goes. */
  private readPayload(handler: FrameHandler): void {
    if (this.type == FrameType.DATA || this.type > (FrameType.CONTINUATION as u32)) {
      this.readData(handler);
      return;
    }
    let payload = this.at;
    const whole = this.partial.length == 0 && this.end - payload >= (this.length as usize);
    if (whole) {
      this.at = payload + (this.length as usize);
    } else {
      this.gather(this.length);
      if (this.partial.length < this.length) return;
      payload = this.partial.ptr;
    }
    this.inPayload = false;
    this.error = this.readFrame(payload, handler);
    if (!whole) this.partial.reset(KEEP_SMALL);
  }

  private readData(handler: FrameHandler): void {
    if (this.padLengthDue) {
      if (this.at == this.end) return;
      this.padLeft = load<u8>(this.at++) as i32;
      this.padLengthDue = false;
      this.dataLeft = this.length - 1 - this.padLeft;
      if (this.dataLeft < 0) {
        this.error = H2Code.PROTOCOL_ERROR;
        return;
      }
    }
    const ptr = this.at;
    const n = min(this.dataLeft as usize, this.end - ptr) as i32;
    this.dataLeft -= n;
    const padding = min(this.padLeft as usize, this.end - ptr - (n as usize)) as i32;
    this.padLeft -= padding;
    this.at = ptr + ((n + padding) as usize);
    const isData = this.type == FrameType.DATA;
    if (isData && n > 0) {
      handler.onData(this.stream, ptr, n);
      if (handler.stopped) return;
    }
    if (this.dataLeft > 0 || this.padLeft > 0) return;
    this.inPayload = false;
    if (isData) handler.onDataEnd(this.stream, this.length, (this.flags & Flags.END_STREAM) != 0);
  }

  /** Reads a whole frame that is neither DATA nor unknown. */
  private readFrame(payload: usize, handler: FrameHandler): H2Code {
    switch (this.type) {
      case FrameType.HEADERS:
        return this.readHeaders(payload, handler);
      case FrameType.CONTINUATION:
        if (++this.continuations > MAX_CONTINUATIONS) return H2Code.ENHANCE_YOUR_CALM;
        return this.addFragment(payload, this.length, handler);
      case FrameType.RST_STREAM:
        handler.onRstStream(this.stream, load32be(payload));
        break;
      case FrameType.SETTINGS:
        return this.readSettings(payload, handler);
      case FrameType.PING:
        handler.onPing((this.flags & Flags.ACK) != 0, load64be(payload));
        break;
      case FrameType.GOAWAY:
        handler.onGoAway(load32be(payload) & STREAM_MASK, load32be(payload + 4));
        break;
      case FrameType.WINDOW_UPDATE: {
        const increment = load32be(payload) & STREAM_MASK;
        if (increment == 0) return H2Code.PROTOCOL_ERROR;
        handler.onWindowUpdate(this.stream, increment);
        break;
      }
    }
    return H2Code.NO_ERROR;
  }

  private readHeaders(payload: usize, handler: FrameHandler): H2Code {
    const padded = (this.flags & Flags.PADDED) != 0;
    const skip = (padded ? 1 : 0) + ((this.flags & Flags.PRIORITY) != 0 ? 5 : 0);
    if (this.length < skip) return H2Code.FRAME_SIZE_ERROR;
    const padding = padded ? (load<u8>(payload) as i32) : 0;
    const length = this.length - skip - padding;
    if (length < 0) return H2Code.PROTOCOL_ERROR;
    this.blockStream = this.stream;
    this.blockEndsStream = (this.flags & Flags.END_STREAM) != 0;
    this.continuations = 0;
    return this.addFragment(payload + (skip as usize), length, handler);
  }

  /** Adds to the header block and tells it once it is whole; in one fragment it needs no copy. */
  private addFragment(fragment: usize, length: i32, handler: FrameHandler): H2Code {
    const last = (this.flags & Flags.END_HEADERS) != 0;
    const whole = last && this.block.length == 0;
    if (!whole) {
      if (length > MAX_HEADER_BLOCK - this.block.length) return H2Code.ENHANCE_YOUR_CALM;
      this.block.append(fragment, length);
      if (!last) return H2Code.NO_ERROR;
    }
    this.blockStream = 0;
    const ptr = whole ? fragment : this.block.ptr;
    handler.onHeaders(this.stream, ptr, whole ? length : this.block.length, this.blockEndsStream);
    this.block.reset(KEEP_SMALL);
    return H2Code.NO_ERROR;
  }

  private readSettings(payload: usize, handler: FrameHandler): H2Code {
    this.settingsSeen = true;
    if ((this.flags & Flags.ACK) != 0) {
      handler.onSettingsAck();
      return H2Code.NO_ERROR;
    }
    for (let i = 0; i < this.length; i += 6) {
      const id = load16be(payload + (i as usize));
      const value = load32be(payload + (i as usize) + 2);
      const error = checkSetting(id, value);
      if (error != H2Code.NO_ERROR) return error;
      handler.onSetting(id, value);
      if (handler.stopped) return H2Code.NO_ERROR;
    }
    handler.onSettingsEnd();
    return H2Code.NO_ERROR;
  }
}

/** The ranges of RFC 9113 §6.5.2 and RFC 8441 §3, for what a server may say. */
function checkSetting(id: u32, value: u32): H2Code {
  switch (id) {
    case SettingId.ENABLE_PUSH:
      return value == 0 ? H2Code.NO_ERROR : H2Code.PROTOCOL_ERROR;
    case SettingId.INITIAL_WINDOW_SIZE:
      return value <= (MAX_WINDOW as u32) ? H2Code.NO_ERROR : H2Code.FLOW_CONTROL_ERROR;
    case SettingId.MAX_FRAME_SIZE:
      return value >= (DEFAULT_MAX_FRAME as u32) && value <= (MAX_FRAME_LIMIT as u32)
        ? H2Code.NO_ERROR
        : H2Code.PROTOCOL_ERROR;
    case SettingId.ENABLE_CONNECT_PROTOCOL:
      return value <= 1 ? H2Code.NO_ERROR : H2Code.PROTOCOL_ERROR;
    default:
      return H2Code.NO_ERROR;
  }
}
