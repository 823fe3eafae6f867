import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { LARGE } from "./memory";
import { Owner } from "./owner";
import { Patience } from "./patience";

/** How often a frame may ask for more out of one piece of data before it gets all. */
const MOST_TRIES: i32 = 4;

/** A limit that every frame is beyond: what is refused for its length says what it is before it is whole. */
const NO_LENGTH: i32 = 1;

const described = new Frame();

/** Gathers the frame of a server whose rest has not come. */
export class FrameAssembler {
  readonly bytes: ByteBuffer = new ByteBuffer();
  /** Bytes that the frame needs to be whole, or to tell its length; 0: not known. */
  need: i32 = 0;
  /** How long the rest has been missing. */
  readonly patience: Patience = new Patience();
  /** Bytes that are counted in the owner. */
  private counted: i32 = 0;

  constructor(private readonly owner: Owner) {}

  /** Bytes that are there. */
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

  /** Whether it is large, and the owner has no room for more. */
  get isTooMuch(): bool {
    return this.bytes.length >= LARGE && !this.owner.mayGather;
  }

  /** What is known of the frame: kind, id and length; null when too little of it is there. Reused, borrowed. */
  describe(codec: Codec | null): Frame | null {
    const bytes = this.bytes;
    if (codec === null || bytes.length == 0) return null;
    if (codec.decode(bytes.ptr, bytes.length, Peer.SERVER, NO_LENGTH, described) != Decoded.ERROR) return null;
    return described.answerable && described.length > bytes.length ? described : null;
  }

  /** Counts in the owner how much there is. */
  settle(): void {
    const now = this.bytes.length;
    this.owner.gathered += now - this.counted;
    this.counted = now;
  }

  /** Drops all and gives the memory back. */
  free(): void {
    this.bytes.free();
    this.need = 0;
    this.settle();
  }
}
