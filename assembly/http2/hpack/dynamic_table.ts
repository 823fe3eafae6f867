import { ByteBuffer } from "../../bytes/buffer";
import { FIELD_OVERHEAD, HeaderField } from "./field";

/** Bytes of a record: where the name begins, counted from the first byte ever added; lengths of name and value. */
const RECORD: i32 = 12;

/**
 * The dynamic table of a decoder (RFC 7541 §2.3.2, §4): a queue of fields, the newest first in the numbering, the
 * oldest first to go. It owns its bytes; a table of size 0 takes no memory.
 */
export class DynamicTable {
  private capacity: i32;
  private used: i32 = 0;
  private readonly text: ByteBuffer = new ByteBuffer();
  private readonly records: ByteBuffer = new ByteBuffer();
  /** How many bytes of text were ever dropped; wraps. */
  private dropped: u32 = 0;
  private added: u32 = 0;

  constructor(capacity: i32) {
    this.capacity = capacity;
  }

  /** Largest size now, bytes. */
  get limit(): i32 {
    return this.capacity;
  }

  /** Size as RFC 7541 §4.1 counts it. */
  get size(): i32 {
    return this.used;
  }

  get count(): i32 {
    return this.records.length / RECORD;
  }

  /** Bytes of memory held beside the object itself. */
  get allocated(): i32 {
    return this.text.allocated + this.records.allocated;
  }

  /** Changes the largest size and drops what no longer fits. */
  resize(capacity: i32): void {
    this.capacity = capacity;
    this.evict(capacity);
    if (capacity == 0) this.free();
  }

  /**
   * Adds a copy of `field` after dropping the oldest ones in its way; one larger than the table empties it (§4.4).
   * The ranges must not lie in the table.
   */
  add(field: HeaderField): void {
    const length = field.nameLength + field.valueLength;
    const size = length + FIELD_OVERHEAD;
    if (size > this.capacity) {
      this.evict(0);
      return;
    }
    this.evict(this.capacity - size);
    const record = this.records.reserve(RECORD);
    store<u32>(record, this.added);
    store<i32>(record + 4, field.nameLength);
    store<i32>(record + 8, field.valueLength);
    this.records.commit(RECORD);
    this.text.append(field.name, field.nameLength);
    this.text.append(field.value, field.valueLength);
    this.added += length as u32;
    this.used += size;
  }

  /** Points `field` at the `index`th newest field, from 0; valid until the next change. False when there is none. */
  lookup(index: i32, field: HeaderField): bool {
    if (index < 0 || index >= this.count) return false;
    const record = this.records.ptr + ((this.records.length - (index + 1) * RECORD) as usize);
    field.name = this.text.ptr + ((load<u32>(record) - this.dropped) as usize);
    field.nameLength = load<i32>(record + 4);
    field.value = field.name + (field.nameLength as usize);
    field.valueLength = load<i32>(record + 8);
    return true;
  }

  /** Empties the table and gives the memory back. */
  free(): void {
    this.evict(0);
    this.text.free();
    this.records.free();
  }

  /** Drops the oldest fields until the size is at most `most`. */
  private evict(most: i32): void {
    while (this.used > most && this.records.length > 0) {
      const record = this.records.ptr;
      const length = load<i32>(record + 4) + load<i32>(record + 8);
      this.records.consume(RECORD);
      this.text.consume(length);
      this.dropped += length as u32;
      this.used -= length + FIELD_OVERHEAD;
    }
  }
}
