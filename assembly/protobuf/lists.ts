// Repeated fields. Their memory is kept for the next message, up to a bound.
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { View } from "../bytes/view";
import { Message } from "./message";

const KEEP_MESSAGES: i32 = 16;

/** A repeated field of numbers. */
export class NumberList<T> {
  private readonly items: ByteBuffer = new ByteBuffer();

  get length(): i32 {
    return this.items.length / (sizeof<T>() as i32);
  }

  /** The number at `index`; 0 where there is none. */
  get(index: i32): T {
    if (index < 0 || index >= this.length) return 0 as T;
    return load<T>(this.items.ptr + (index as usize) * sizeof<T>());
  }

  add(value: T): void {
    store<T>(this.items.reserve(sizeof<T>() as i32), value);
    this.items.commit(sizeof<T>() as i32);
  }

  clear(): void {
    this.items.reset(KEEP);
  }

  free(): void {
    this.items.free();
  }
}

/** A repeated field of strings or bytes, borrowed. */
export class ViewList {
  private readonly items: ByteBuffer = new ByteBuffer();

  get length(): i32 {
    return this.items.length >> 3;
  }

  /** Points `out` at the bytes at `index`, at nothing where there are none. */
  get(index: i32, out: View): void {
    if (index < 0 || index >= this.length) {
      out.set(0, 0);
      return;
    }
    const at = this.items.ptr + ((index as usize) << 3);
    out.set(load<u32>(at) as usize, load<i32>(at, 4));
  }

  add(ptr: usize, length: i32): void {
    const at = this.items.reserve(8);
    store<u32>(at, ptr as u32);
    store<i32>(at, length, 4);
    this.items.commit(8);
  }

  clear(): void {
    this.items.reset(KEEP);
  }

  free(): void {
    this.items.free();
  }
}

/** A repeated field of messages, which are the list's own. */
export class MessageList<T extends Message> {
  private items: T[] = [];
  private count: i32 = 0;

  get length(): i32 {
    return this.count;
  }

  /** The message at `index`; null where there is none. */
  get(index: i32): T | null {
    return index >= 0 && index < this.count ? unchecked(this.items[index]) : null;
  }

  /** Adds a message and returns it, empty. */
  add(): T {
    if (this.count == this.items.length) this.items.push(instantiate<T>());
    const item = unchecked(this.items[this.count++]);
    item.clear();
    return item;
  }

  clear(): void {
    this.count = 0;
    if (this.items.length > KEEP_MESSAGES) this.free();
  }

  /** The messages are left to the collector. */
  free(): void {
    for (let i = 0; i < this.items.length; i++) unchecked(this.items[i]).free();
    this.items = [];
    this.count = 0;
  }
}
