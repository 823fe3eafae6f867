import { HeaderList, MAX_PAIRS } from "../../../assembly/message/list";
import { Reader, Type } from "./jce";

/** Fields of both packets; the others of a RequestPacket. */
export const enum Tag {
  VERSION = 1,
  PACKET_TYPE = 2,
  MESSAGE_TYPE = 3,
  ID = 4,
  SERVANT = 5,
  FUNC = 6,
  BUFFER = 7,
  TIMEOUT = 8,
  CONTEXT = 9,
  STATUS = 10,
}

/** Fields of a ResponsePacket that are elsewhere. */
export const enum ResponseTag {
  ID = 3,
  MESSAGE_TYPE = 4,
  RET = 5,
  BUFFER = 6,
  STATUS = 7,
  DESC = 8,
}

/** Behind the length of the frame. */
export const STRUCT_AT: i32 = 4;
/** Tags that a packet may have a field for; of a ResponsePacket the last is the context's. */
const TAGS: i32 = 11;

/**
 * Where the fields of a packet lie: a reused description, offsets are relative to the frame. Fields are in the order of
 * their tags, or the packet is broken: peers stop looking for a tag at the first that is higher.
 */
export class Packet {
  /** Whether it is a RequestPacket, by its structure. */
  request: bool = false;
  private ptr: usize = 0;
  private present: u32 = 0;
  private readonly starts: StaticArray<i32> = new StaticArray<i32>(TAGS);
  private readonly ends: StaticArray<i32> = new StaticArray<i32>(TAGS);
  /** Integers, and counts of maps. */
  private readonly values: StaticArray<i32> = new StaticArray<i32>(TAGS);
  /** Texts and bytes, and the pairs of maps. */
  private readonly offsets: StaticArray<i32> = new StaticArray<i32>(TAGS);
  private readonly lengths: StaticArray<i32> = new StaticArray<i32>(TAGS);
  private readonly reader: Reader = new Reader();
  /** Tag of the last field read. */
  private last: i32 = 0;
  /** Pairs of all maps. */
  private mapped: i32 = 0;
  /** Bits of the fields that should be maps of strings and are something else. */
  private opaque: u32 = 0;

  /**
   * Reads the fields up to the one that tells request and response apart, which are enough to answer; false when they
   * are not all in the `length` bytes at `ptr`, or are not those of a packet.
   */
  identify(ptr: usize, length: i32): bool {
    const reader = this.reader;
    this.ptr = ptr;
    this.present = 0;
    this.last = this.mapped = 0;
    this.opaque = 0;
    memory.fill(changetype<usize>(this.values), 0, (TAGS as usize) << 2);
    reader.start(ptr + (STRUCT_AT as usize), ptr + (length as usize));
    while (true) {
      const start = this.here;
      if (!reader.head() || !this.begin(start)) return false;
      if (this.last == Tag.SERVANT) break;
      if (this.last > Tag.SERVANT || !reader.integer() || !this.keepValue(reader.value)) return false;
      this.finish();
    }
    this.request = reader.type == Type.STRING1 || reader.type == Type.STRING4;
    const response = reader.type <= Type.INT || reader.type == Type.ZERO;
    return (this.request || response) && this.has(this.idTag);
  }

  /**
   * Reads the rest of an identified packet; false when that is broken, or a field is missing: what comes from there on then
   * counts as absent. What is behind the last field that peers know is not looked at.
   */
  readRest(): bool {
    const reader = this.reader;
    const last = this.request ? Tag.STATUS : Tag.CONTEXT;
    let broken = this.last;
    let end = this.start(broken);
    let good = this.value();
    while (good) {
      this.finish();
      end = this.here;
      broken = this.last + 1;
      if (this.last >= last || reader.done || !reader.head()) break;
      good = this.begin(end);
      if (!good || this.last > last) continue;
      broken = this.last;
      good = this.value();
    }
    for (let tag = broken; tag < TAGS; tag++) this.setRange(tag, end, end);
    return good && this.has(this.bufferTag) && (!this.request || this.has(Tag.FUNC));
  }

  // @ts-ignore: decorator
  @inline
  private get here(): i32 {
    return (this.reader.at - this.ptr) as i32;
  }

  /** Notes where the field starts whose head has been read; false when its tag comes too late. */
  private begin(start: i32): bool {
    const tag = this.reader.tag as i32;
    if (tag <= this.last) return false;
    for (let absent = this.last + 1; absent < min(tag, TAGS); absent++) this.setRange(absent, start, start);
    this.last = tag;
    if (tag < TAGS) this.setRange(tag, start, start);
    return true;
  }

  /** Notes where the field ends that has been read. */
  private finish(): void {
    if (this.last >= TAGS) return;
    this.present |= 1 << this.last;
    unchecked((this.ends[this.last] = this.here));
  }

  /** Reads the value of a field from the fifth on, behind its head. */
  private value(): bool {
    const reader = this.reader;
    const tag = this.last;
    if (tag == this.bufferTag) return reader.bytes() && this.keepRange();
    if (tag == Tag.CONTEXT || tag == this.statusTag) return this.map();
    if (this.request) {
      if (tag == Tag.SERVANT || tag == Tag.FUNC) return reader.text() && this.keepRange();
      if (tag == Tag.TIMEOUT && reader.integer()) return this.keepValue(reader.value);
    } else {
      if (tag == ResponseTag.RET) return reader.integer() && this.keepValue(reader.value);
      if (tag == ResponseTag.DESC) return reader.text() && this.keepRange();
    }
    return reader.skip();
  }

  private keepRange(): bool {
    unchecked((this.offsets[this.last] = (this.reader.ptr - this.ptr) as i32));
    unchecked((this.lengths[this.last] = this.reader.length));
    return true;
  }

  private keepValue(value: i32): bool {
    unchecked((this.values[this.last] = value));
    return true;
  }

  /** Reads a map of strings, or what is none at all: a part of one nobody reads alike. */
  private map(): bool {
    const reader = this.reader;
    if (reader.type != Type.MAP) return this.keepOpaque();
    const at = reader.at;
    if (!reader.count()) return false;
    const count = reader.value;
    if (count < 0 || count > MAX_PAIRS - this.mapped) return false;
    this.mapped += count;
    const pairs = this.here;
    for (let i = 0; i < count; i++) {
      if (!reader.head() || reader.tag != 0) return false;
      const keyIsText = reader.isText;
      if (keyIsText ? !reader.text() : !reader.skip()) return false;
      if (!reader.head() || reader.tag != 1) return false;
      if (keyIsText && reader.isText) {
        if (!reader.text()) return false;
        continue;
      }
      if (i > 0) return false;
      reader.at = at;
      reader.type = Type.MAP;
      return this.keepOpaque();
    }
    unchecked((this.offsets[this.last] = pairs));
    return this.keepValue(count);
  }

  /** The field is there, and has no pairs. */
  private keepOpaque(): bool {
    this.opaque |= 1 << this.last;
    return this.reader.skip();
  }

  private setRange(tag: i32, start: i32, end: i32): void {
    unchecked((this.starts[tag] = start));
    unchecked((this.ends[tag] = end));
  }

  /** Appends the pairs of a map field, where there is one; the ranges are borrowed. */
  pairs(tag: i32, to: HeaderList): void {
    if (!this.has(tag) || this.isOpaque(tag)) return;
    const reader = this.reader;
    const count = this.valueOf(tag);
    reader.start(this.ptr + (this.offset(tag) as usize), this.ptr + (this.end(tag) as usize));
    for (let i = 0; i < count; i++) {
      if (!reader.head() || !reader.text()) return;
      const key = reader.ptr;
      const keyLength = reader.length;
      if (!reader.head() || !reader.text()) return;
      if (!to.append(key, keyLength, reader.ptr, reader.length)) return;
    }
  }

  get idTag(): i32 {
    return this.request ? Tag.ID : ResponseTag.ID;
  }

  get messageTypeTag(): i32 {
    return this.request ? Tag.MESSAGE_TYPE : ResponseTag.MESSAGE_TYPE;
  }

  get bufferTag(): i32 {
    return this.request ? Tag.BUFFER : ResponseTag.BUFFER;
  }

  get statusTag(): i32 {
    return this.request ? Tag.STATUS : ResponseTag.STATUS;
  }

  /** Whether the packet has a field with this tag. */
  has(tag: i32): bool {
    return ((this.present >> tag) & 1) != 0;
  }

  /** Whether the field should be a map of strings and is something else, so that it cannot be changed. */
  isOpaque(tag: i32): bool {
    return ((this.opaque >> tag) & 1) != 0;
  }

  /** Where a field starts, or would. */
  start(tag: i32): i32 {
    return unchecked(this.starts[tag]);
  }

  /** Behind a field; where it starts if there is none. */
  end(tag: i32): i32 {
    return unchecked(this.ends[tag]);
  }

  /** An integer, 0 where there is none; the count of a map. */
  valueOf(tag: i32): i32 {
    return unchecked(this.values[tag]);
  }

  /** Where a text or the bytes of a vector are; only of a field that is there. */
  offset(tag: i32): i32 {
    return unchecked(this.offsets[tag]);
  }

  length(tag: i32): i32 {
    return unchecked(this.lengths[tag]);
  }

  /** Type of an integer field on the wire. */
  typeOf(tag: i32): Type {
    return (load<u8>(this.ptr + (this.start(tag) as usize)) & 15) as Type;
  }
}
