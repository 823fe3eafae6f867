import { Codec, Decoded, Detected, Peer } from "./codec";
import { Frame, FrameError } from "./frame";

/** No protocol needs more bytes than this to be told apart; a peer whose bytes still fit none is refused. */
const DETECT_BYTES: i32 = 64;

/** An ordered choice of codecs, tried on the first bytes of a connection. */
export class CodecList {
  /** The codec found by the last `detect` that answered YES. */
  found: Codec | null = null;

  constructor(readonly codecs: Codec[]) {}

  /** Whether the codec is one of the choice. */
  has(codec: Codec): bool {
    return this.codecs.includes(codec);
  }

  /**
   * Describes a frame of a connection that speaks the protocol of `codec`, as its `decode` does. One that `codec` hands
   * over to another codec, as Bolt's versions do, is no frame where that one is not of the choice.
   */
  decode(codec: Codec, ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    const decoded = codec.decode(ptr, length, peer, maxLength, frame);
    const found = frame.codec;
    if (found === null || found === codec || this.has(found)) return decoded;
    frame.begin(codec, ptr);
    return frame.fail(FrameError.MALFORMED, false);
  }

  /**
   * Tells the protocol of the `length` bytes at `ptr`, MOSN's way: the first codec that says YES is `found`; else MORE
   * if any codec could still say so and fewer than 64 bytes are there; else NO.
   */
  detect(ptr: usize, length: i32): Detected {
    this.found = null;
    if (length <= 0) return Detected.MORE;
    let maybe = false;
    for (let i = 0; i < this.codecs.length; i++) {
      const codec = unchecked(this.codecs[i]);
      const answer = codec.detect(ptr, length);
      if (answer == Detected.YES) {
        this.found = codec;
        return Detected.YES;
      }
      if (answer == Detected.MORE) maybe = true;
    }
    return maybe && length < DETECT_BYTES ? Detected.MORE : Detected.NO;
  }
}

/** The codecs that are compiled in, by MOSN's protocol names, in the order in which they were registered. */
export class CodecRegistry {
  private readonly codecs: Codec[] = [];

  /** Adds a codec; false, and nothing added, when its name is taken. */
  register(codec: Codec): bool {
    if (this.find(codec.name) !== null) return false;
    this.codecs.push(codec);
    return true;
  }

  /** The codec of that name, or null. */
  find(name: string): Codec | null {
    for (let i = 0; i < this.codecs.length; i++) {
      const codec = unchecked(this.codecs[i]);
      if (codec.name == name) return codec;
    }
    return null;
  }

  /** The names of all codecs, for messages. */
  get names(): string[] {
    const names = new Array<string>();
    for (let i = 0; i < this.codecs.length; i++) names.push(unchecked(this.codecs[i]).name);
    return names;
  }

  /** All codecs. */
  all(): CodecList {
    return new CodecList(this.codecs.slice());
  }

  /** The named codecs, in the order of the names; null when a name is unknown (see `find`) or there is none. */
  select(names: string[]): CodecList | null {
    const chosen = new Array<Codec>();
    for (let i = 0; i < names.length; i++) {
      const codec = this.find(unchecked(names[i]));
      if (codec === null) return null;
      if (!chosen.includes(codec)) chosen.push(codec);
    }
    return chosen.length > 0 ? new CodecList(chosen) : null;
  }
}
