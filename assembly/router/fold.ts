import { lowerCase } from "../bytes/ascii";
import { Bytes } from "../bytes/bytes";

/** Whether two byte ranges are the same but for the case of ASCII letters. */
export function equalsFold(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  if (aLength != bLength) return false;
  for (let i: usize = 0; i < (aLength as usize); i++) {
    if (lowerCase(load<u8>(a + i)) != lowerCase(load<u8>(b + i))) return false;
  }
  return true;
}

/** Keys numbered in the order of their adding, and found without regard to the case of ASCII letters. */
export class FoldTable {
  private readonly keys: Bytes[] = [];
  /** Open addressing: numbers + 1, 0 where free; a power of two, at most half full. */
  private slots: StaticArray<i32> = new StaticArray<i32>(8);

  get size(): i32 {
    return this.keys.length;
  }

  /** The number of a key; -1 when it is not there. */
  find(ptr: usize, length: i32): i32 {
    const mask = this.slots.length - 1;
    for (let at = hashFold(ptr, length) & mask; ; at = (at + 1) & mask) {
      const number = unchecked(this.slots[at]) - 1;
      if (number < 0) return -1;
      const key = unchecked(this.keys[number]);
      if (equalsFold(key.ptr, key.length, ptr, length)) return number;
    }
    return -1;
  }

  /** Adds a key that is not there; returns its number. */
  add(key: Bytes): i32 {
    this.keys.push(key);
    if (this.keys.length * 2 > this.slots.length) {
      this.slots = new StaticArray<i32>(this.slots.length * 2);
      for (let i = 0; i < this.keys.length; i++) this.place(i);
    } else this.place(this.keys.length - 1);
    return this.keys.length - 1;
  }

  private place(number: i32): void {
    const key = this.keys[number];
    const mask = this.slots.length - 1;
    let at = hashFold(key.ptr, key.length) & mask;
    while (this.slots[at] != 0) at = (at + 1) & mask;
    this.slots[at] = number + 1;
  }
}

/** FNV-1a over the lower-case bytes. */
function hashFold(ptr: usize, length: i32): i32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: usize = 0; i < (length as usize); i++) hash = (hash ^ lowerCase(load<u8>(ptr + i))) * 0x01000193;
  return ((hash ^ (hash >> 15)) & 0x7fffffff) as i32;
}
