import hpack from "hpack.js";

/** Headers in wire order. */
export type HeaderList = [name: string, value: string][];

const DEFAULT_TABLE_SIZE = 4096;
const STATIC_ENTRIES = 61;

/** What blocks mean that neither use nor change the dynamic table, by their bytes: tests open very many streams. */
const decoded = new Map<string, HeaderList>();
/** The same the other way, by mode and headers. */
const encoded = new Map<string, Buffer>();
const MOST_KEPT = 1000;

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MOST_KEPT) map.clear();
  map.set(key, value);
}

/** Decodes the header blocks of one connection (RFC 7541); throws on a malformed block. */
export class HpackDecoder {
  private readonly table = hpack.table.create({ maxSize: DEFAULT_TABLE_SIZE });

  decode(block: Uint8Array): HeaderList {
    const key = Buffer.from(block.buffer, block.byteOffset, block.length).toString("latin1");
    const known = decoded.get(key);
    if (known !== undefined) return known;
    const bits = hpack.decoder.create();
    const headers: HeaderList = [];
    let alone = true;
    bits.push(Buffer.from(block));
    while (!bits.isEmpty()) {
      if (bits.decodeBit() === 1) {
        const index = bits.decodeInt();
        const { name, value } = this.table.lookup(index);
        alone &&= index <= STATIC_ENTRIES;
        headers.push([name, value]);
        continue;
      }
      const indexed = bits.decodeBit() === 1;
      if (!indexed && bits.decodeBit() === 1) {
        if (headers.length > 0) throw new Error("table size update after the first header");
        this.table.updateSize(bits.decodeInt());
        alone = false;
        continue;
      }
      if (!indexed) bits.decodeBit(); // never indexed: means nothing here
      const index = bits.decodeInt();
      const name = index === 0 ? text(bits.decodeStr()) : this.table.lookup(index).name;
      const value = text(bits.decodeStr());
      if (indexed) this.table.add(name, value, name.length, value.length);
      alone &&= !indexed && index <= STATIC_ENTRIES;
      headers.push([name, value]);
    }
    if (alone) keep(decoded, key, headers);
    return headers;
  }
}

/** How values are written: as Envoy does (whatever is shorter), or one form always. */
export type HuffmanMode = "shorter" | "always" | "never";

/** Encodes the header blocks of one connection as Envoy does: static table, dynamic table where the peer allows one. */
export class HpackEncoder {
  private readonly table = hpack.table.create({ maxSize: DEFAULT_TABLE_SIZE });
  private tableSize = DEFAULT_TABLE_SIZE;
  private sizeChanged = false;

  constructor(private readonly huffman: HuffmanMode) {}

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setTableSize(size: number): void {
    const limited = Math.min(size, DEFAULT_TABLE_SIZE);
    this.sizeChanged ||= limited !== this.tableSize;
    this.tableSize = limited;
    this.table.updateSize(limited);
  }

  encode(headers: HeaderList): Buffer {
    if (this.tableSize > 0) return this.render(headers);
    const key = JSON.stringify([this.huffman, this.sizeChanged, headers]);
    const block = encoded.get(key) ?? this.render(headers);
    if (!encoded.has(key)) keep(encoded, key, block);
    this.sizeChanged = false;
    return block;
  }

  private render(headers: HeaderList): Buffer {
    const bits = hpack.encoder.create();
    if (this.sizeChanged) {
      bits.encodeBits(1, 3);
      bits.encodeInt(this.tableSize);
      this.sizeChanged = false;
    }
    for (const [name, value] of headers) {
      const index = this.table.reverseLookup(name, value);
      bits.encodeBit(index > 0 ? 1 : 0);
      if (index > 0) {
        bits.encodeInt(index);
        continue;
      }
      const indexed = this.tableSize > 0;
      bits.encodeBit(indexed ? 1 : 0);
      if (indexed) this.table.add(name, value, name.length, value.length);
      else bits.encodeBits(0, 2);
      bits.encodeInt(-index);
      if (index === 0) this.string(bits, name);
      this.string(bits, value);
    }
    return Buffer.concat(bits.render());
  }

  private string(bits: ReturnType<typeof hpack.encoder.create>, value: string): void {
    const bytes = Buffer.from(value, "latin1");
    const coded = Math.ceil(bytes.reduce((sum, byte) => sum + hpack.huffman.encode[byte][0], 0) / 8);
    bits.encodeStr(bytes, this.huffman === "always" || (this.huffman === "shorter" && coded < bytes.length));
  }
}

function text(bytes: number[]): string {
  return Buffer.from(bytes).toString("latin1");
}
