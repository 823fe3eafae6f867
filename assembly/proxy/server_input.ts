import { ByteBuffer } from "../bytes/buffer";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Connection } from "./connection";
import { Patience } from "./frame_watch";
import { LARGE } from "./memory";

/** Memory that is kept between frames, bytes. */
const KEEP: i32 = 4096;
/** How often a frame may ask for more out of one piece of data before it gets all. */
const MOST_TRIES: i32 = 4;

/** Longer frames than this are refused for their length, which tells what they are before they are whole. */
const NOTHING: i32 = 1;

const described = new Frame();

/** The frame of a server whose rest has not come. */
export class ServerInput {
  readonly bytes: ByteBuffer = new ByteBuffer();
  /** Bytes that it needs to be whole, or to tell how many that are; 0: not known. */
  need: i32 = 0;
  /** How long it has not come. */
  readonly patience: Patience = new Patience();
  /** Bytes that are counted in the client's connection. */
  private counted: i32 = 0;

  constructor(private readonly connection: Connection) {}

  /** Bytes there are. */
  get length(): i32 {
    return this.bytes.length;
  }

  /** Adds all of a range. */
  add(ptr: usize, length: i32): void {
    if (this.bytes.length == 0) this.patience.restart();
    this.bytes.append(ptr, length, this.need);
  }

  /**
   * Adds what the frame lacks of a range, and no more: what follows it can be read where it lies.
   * @param tries how often it has asked: a codec that cannot tell the length may ask for little again and again
   * @returns the bytes that were taken
   */
  take(ptr: usize, length: i32, tries: i32): i32 {
    const lacks = this.need - this.bytes.length;
    const n = lacks > 0 && tries < MOST_TRIES ? min(lacks, length) : length;
    this.add(ptr, n);
    return n;
  }

  /** Drops bytes that were dealt with. */
  consume(n: i32): void {
    if (n > 0) this.patience.restart();
    this.bytes.consume(n);
    if (this.bytes.length == 0) this.bytes.reset(KEEP);
  }

  /** Whether it is large, and the client's connection has no room for more. */
  get isTooMuch(): bool {
    return this.bytes.length >= LARGE && !this.connection.share.mayGather;
  }

  /** What there is says of the frame: its kind, id and length; null when that is not enough. Reused, borrowed. */
  describe(codec: Codec | null): Frame | null {
    const bytes = this.bytes;
    if (codec === null || bytes.length == 0) return null;
    if (codec.decode(bytes.ptr, bytes.length, Peer.SERVER, NOTHING, described) != Decoded.ERROR) return null;
    return described.answerable && described.length > bytes.length ? described : null;
  }

  /** Has the client's connection know how much there is. */
  settle(): void {
    const now = this.bytes.length;
    this.connection.share.gathered += now - this.counted;
    this.counted = now;
  }

  /** Drops all and gives the memory back. */
  free(): void {
    this.bytes.free();
    this.need = 0;
    this.settle();
  }
}
