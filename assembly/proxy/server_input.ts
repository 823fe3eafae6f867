import { ByteBuffer } from "../bytes/buffer";
import { Connection } from "./connection";
import { lacksMemory, LARGE } from "./memory";

/** Memory that is kept between frames, bytes. */
const KEEP: i32 = 4096;
/** How often a frame may ask for more out of one piece of data before it gets all. */
const MOST_TRIES: i32 = 4;

/** The frame of a server whose rest has not come. */
export class ServerInput {
  readonly bytes: ByteBuffer = new ByteBuffer();
  /** Bytes that it needs to be whole, or to tell how many that are; 0: not known. */
  need: i32 = 0;
  /** Bytes that are counted in the client's connection. */
  private counted: i32 = 0;

  constructor(private readonly connection: Connection) {}

  /** Bytes there are. */
  get length(): i32 {
    return this.bytes.length;
  }

  /** Adds all of a range. */
  add(ptr: usize, length: i32): void {
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
    this.bytes.consume(n);
    if (this.bytes.length == 0) this.bytes.reset(KEEP);
  }

  /** Whether it is large, and memory is short. */
  get isTooMuch(): bool {
    const length = this.bytes.length;
    return lacksMemory(length) || (length >= LARGE && !this.connection.mayGather);
  }

  /** Has the client's connection know how much there is. */
  settle(): void {
    const now = this.bytes.length;
    this.connection.gathered += now - this.counted;
    this.counted = now;
  }

  /** Drops all and gives the memory back. */
  free(): void {
    this.bytes.free();
    this.need = 0;
    this.settle();
  }
}
