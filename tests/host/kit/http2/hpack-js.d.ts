declare module "hpack.js" {
  interface TableEntry {
    name: string;
    value: string;
    nameSize: number;
  }
  interface Table {
    lookup(index: number): TableEntry;
    reverseLookup(name: string, value: string): number;
    add(name: string, value: string, nameSize: number, valueSize: number): void;
    updateSize(size: number): void;
  }
  interface Decoder {
    push(chunk: Uint8Array): void;
    isEmpty(): boolean;
    decodeBit(): number;
    decodeInt(): number;
    decodeStr(): number[];
  }
  interface Encoder {
    encodeBit(bit: number): void;
    encodeBits(bits: number, length: number): void;
    encodeInt(value: number): void;
    encodeStr(value: ArrayLike<number>, huffman: boolean): void;
    render(): Uint8Array[];
  }
  const hpack: {
    table: { create(options: { maxSize: number }): Table };
    decoder: { create(): Decoder };
    encoder: { create(): Encoder };
    huffman: { encode: [length: number, code: number][] };
  };
  export default hpack;
}
