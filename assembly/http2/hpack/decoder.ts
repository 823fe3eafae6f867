import { ByteBuffer, KEEP } from "../../bytes/buffer";
import { DynamicTable } from "./dynamic_table";
import { FIELD_OVERHEAD, HeaderField, MAX_HEADER_LIST, MAX_HEADERS, MAX_STRING, MAX_TABLE } from "./field";
import { decodeHuffman } from "./huffman";
import { lookupStatic, STATIC_COUNT } from "./static_table";

/** Most bytes after the first of an integer; more would pass 2^28, which nothing that is allowed needs. */
const MAX_INTEGER_BYTES: i32 = 4;

/** Receives the fields of a header block. */
export abstract class HeaderSink {
  /** One field, in the order of the block. The ranges are borrowed until the call returns. */
  abstract onHeader(name: usize, nameLength: i32, value: usize, valueLength: i32): void;
}

/**
 * Decodes the header blocks of one direction of one connection (RFC 7541), each of them and in their order.
 * It holds a dynamic table of at most the size set, and bounds count, length and sum of the fields (field.ts).
 */
export class HpackDecoder {
  /** What our SETTINGS allow the peer's encoder. */
  private allowed: i32;
  /** The peer must begin the next block by lowering its table (RFC 9113 §4.3.1). */
  private updateDue: bool = false;
  private readonly table: DynamicTable;
  private readonly field: HeaderField = new HeaderField();
  /** Room for decoded strings, used from its start for each field; it never counts bytes as its own. */
  private readonly scratch: ByteBuffer = new ByteBuffer();
  private scratchAt: usize = 0;
  // The part of the block not yet read; only within `decode`.
  private at: usize = 0;
  private end: usize = 0;
  // The string read last.
  private text: usize = 0;
  private textLength: i32 = 0;

  /** `maxTableSize` is our SETTINGS_HEADER_TABLE_SIZE sent with the preface, or 4096; at most `MAX_TABLE` counts. */
  constructor(maxTableSize: i32) {
    const size = min(max(maxTableSize, 0), MAX_TABLE);
    this.allowed = size;
    this.table = new DynamicTable(size);
  }

  /** Bytes of memory held beside the object itself. */
  get allocated(): i32 {
    return this.table.allocated + this.scratch.allocated;
  }

  /** Follows a change of our SETTINGS_HEADER_TABLE_SIZE; to be called when the peer acknowledges it. */
  setMaxTableSize(n: i32): void {
    this.allowed = min(max(n, 0), MAX_TABLE);
    this.updateDue = this.allowed < this.table.limit;
  }

  /**
   * Decodes the block of `length` bytes at `ptr` and tells `sink` its fields. False is COMPRESSION_ERROR: the state is
   * lost, and the connection must be closed; the sink may have been told some fields.
   */
  decode(ptr: usize, length: i32, sink: HeaderSink): bool {
    this.at = ptr;
    this.end = ptr + (length as usize);
    const ok = this.readTableSizes() && this.readFields(sink);
    this.scratch.reset(KEEP);
    return ok;
  }

  /** Gives the memory back. The decoder is of no further use. */
  free(): void {
    this.table.free();
    this.scratch.free();
  }

  /** Reads the dynamic table size updates at the start of a block (RFC 7541 §6.3). */
  private readTableSizes(): bool {
    while (this.at < this.end && (load<u8>(this.at) & 0xe0) == 0x20) {
      const size = this.readInteger(5);
      if (size < 0 || size > this.allowed) return false;
      this.table.resize(size);
      this.updateDue = false;
    }
    return !this.updateDue;
  }

  private readFields(sink: HeaderSink): bool {
    const field = this.field;
    let count = 0;
    let total = 0;
    while (this.at < this.end) {
      const adds = (load<u8>(this.at) & 0xc0) == 0x40;
      if (!this.readField()) return false;
      total += field.nameLength + field.valueLength + FIELD_OVERHEAD;
      if (++count > MAX_HEADERS || total > MAX_HEADER_LIST) return false;
      sink.onHeader(field.name, field.nameLength, field.value, field.valueLength);
      if (adds) this.table.add(field);
    }
    return true;
  }

  /** Reads one field representation (§6.1, §6.2) into `field`. */
  private readField(): bool {
    const first = load<u8>(this.at) as u32;
    if ((first & 0x80) != 0) return this.lookup(this.readInteger(7));
    const adds = (first & 0x40) != 0;
    // A table size is only allowed at the start of a block.
    if (!adds && (first & 0x20) != 0) return false;
    const index = this.readInteger(adds ? 6 : 4);
    if (index < 0) return false;
    this.makeRoom();
    if (index > 0) {
      if (!this.lookup(index)) return false;
      // Adding may drop the field that the name is taken from.
      if (adds && index > STATIC_COUNT) this.keepName();
    } else {
      if (!this.readString()) return false;
      this.field.name = this.text;
      this.field.nameLength = this.textLength;
    }
    if (!this.readString()) return false;
    this.field.value = this.text;
    this.field.valueLength = this.textLength;
    return true;
  }

  /** Points `field` at a field of the static or the dynamic table. */
  private lookup(index: i32): bool {
    if (index <= 0) return false;
    if (index > STATIC_COUNT) return this.table.lookup(index - STATIC_COUNT - 1, this.field);
    lookupStatic(index, this.field);
    return true;
  }

  /** Makes room in the scratch for all that one field can need: two strings, the first perhaps from the table. */
  private makeRoom(): void {
    const left = min(this.end - this.at, 2 * MAX_STRING) as i32;
    this.scratchAt = this.scratch.reserve(min((left * 8) / 5, 2 * MAX_STRING) + min(this.table.size, MAX_STRING));
  }

  private keepName(): void {
    memory.copy(this.scratchAt, this.field.name, this.field.nameLength as usize);
    this.field.name = this.scratchAt;
    this.scratchAt += this.field.nameLength as usize;
  }

  /** Reads a string literal (§5.2) into `text` and `textLength`: where it lies, or in the scratch when coded. */
  private readString(): bool {
    if (this.at >= this.end) return false;
    const coded = (load<u8>(this.at) & 0x80) != 0;
    const length = this.readInteger(7);
    if (length < 0 || length > MAX_STRING || (length as usize) > this.end - this.at) return false;
    this.text = this.at;
    this.textLength = length;
    this.at += length as usize;
    if (!coded) return true;
    const decoded = decodeHuffman(this.text, length, this.scratchAt, MAX_STRING);
    if (decoded < 0) return false;
    this.text = this.scratchAt;
    this.textLength = decoded;
    this.scratchAt += decoded as usize;
    return true;
  }

  /** Reads an integer with a prefix of `bits` bits (§5.1); -1 when it is cut or too large. There is a first byte. */
  private readInteger(bits: i32): i32 {
    const most = (1 << bits) - 1;
    let value = (load<u8>(this.at++) as i32) & most;
    if (value < most) return value;
    for (let i = 0; i < MAX_INTEGER_BYTES && this.at < this.end; i++) {
      const byte = load<u8>(this.at++) as i32;
      value += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    return -1;
  }
}
