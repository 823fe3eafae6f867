// Who holds the memory of the VM: while it is short, the client connection that holds most gives some up, so that it is
// never a small request of another one that is refused. All plugins of a VM have one list.
import { bufferMemory, MEMORY_HIGH, memoryIsShort } from "./buffer";

/** Who holds less than 4 KiB is not looked at; and how many classes of twice as much each there are. */
const LEAST_SHIFT: i32 = 12;
const CLASSES: i32 = 20;
const NO_CLASS: i32 = -1;
/** Holdings of the highest class that are compared. */
const COMPARED: i32 = 256;
/** So much less than short is memory to be afterwards, so that it is not short again with the next bytes. */
const EASE: u64 = 16 << 20;
/** Most times that something is given up in one callback. */
const MOST: i32 = 1024;

const lists: StaticArray<Holding | null> = new StaticArray<Holding | null>(CLASSES);
/** Bytes of what has been given up, and is about to end. */
let leaving: u64 = 0;
/** What is given up may call back: then nothing more is. */
let relieving: bool = false;

/** What a client connection holds of the VM's memory. */
export abstract class Holding {
  /** Bytes. */
  bytes: i32 = 0;
  private level: i32 = NO_CLASS;
  private next: Holding | null = null;
  private previous: Holding | null = null;
  private left: i32 = 0;

  /**
   * Memory is short, and nobody holds more: gives up a good part, and calls `update`, or `leave`. Where nothing more can
   * be had of it, it calls `leave`. The host's effective context may be another one after it.
   */
  abstract giveUp(): void;

  /** It holds so many bytes now. */
  // @ts-ignore: decorator
  @inline
  update(bytes: i32): void {
    this.bytes = bytes;
    const level = classOf(bytes);
    if (level != this.level && this.left == 0) this.move(level);
  }

  /** It has been given up: what it holds goes as soon as it is closed. */
  leave(): void {
    this.move(NO_CLASS);
    this.left = max(this.bytes, 1);
    leaving += this.left as u64;
  }

  /** It holds nothing any more. */
  end(): void {
    this.move(NO_CLASS);
    leaving -= this.left as u64;
    this.left = 0;
    this.bytes = 0;
  }

  private move(level: i32): void {
    if (level == this.level) return;
    const next = this.next;
    const previous = this.previous;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else if (this.level != NO_CLASS) unchecked((lists[this.level] = next));
    this.level = level;
    this.next = this.previous = null;
    if (level == NO_CLASS) return;
    const first = unchecked(lists[level]);
    this.next = first;
    if (first !== null) first.previous = this;
    unchecked((lists[level] = this));
  }

  /** The one that holds most; null when none holds much. Among very many of about as much it is one of them. */
  static largest(): Holding | null {
    for (let level = CLASSES - 1; level >= 0; level--) {
      const first = unchecked(lists[level]);
      if (first !== null) return first.largestFrom();
    }
    return null;
  }

  private largestFrom(): Holding {
    let best: Holding = this;
    let one = this.next;
    for (let left = COMPARED; one !== null && left > 0; left--) {
      if (one.bytes > best.bytes) best = one;
      one = one.next;
    }
    return best;
  }
}

// @ts-ignore: decorator
@inline
function classOf(bytes: i32): i32 {
  const units = bytes >> LEAST_SHIFT;
  return units <= 0 ? NO_CLASS : 31 - clz<i32>(units);
}

/**
 * Has those who hold most give something up while memory is short. To be called where no connection's bytes are in use;
 * the host's effective context may be another one after it.
 * @param most times that something is given up
 */
export function relieve(most: i32 = MOST): void {
  if (relieving) return;
  relieving = true;
  for (let i = 0; i < most && memoryIsShort(); i++) {
    if (bufferMemory() - leaving < MEMORY_HIGH - EASE) break;
    const holding = Holding.largest();
    if (holding === null) break;
    holding.giveUp();
  }
  relieving = false;
}

/** `bytes` more are held by what has been given up and is about to end, or fewer once it has. */
export function countLeaving(bytes: i32): void {
  leaving += bytes as u64;
}
