/** Headers as a test writes them. */
export type HeaderInit = Record<string, string> | readonly (readonly [string, string])[];

/** A header or trailer map with Envoy's semantics: names in lower case, one name may have several values. */
export class HeaderMap {
  private pairs: [string, string][] = [];

  /** @param encoding of its texts on their way to the guest; `latin1` for bytes that are no UTF-8 */
  constructor(
    init: HeaderInit = [],
    private readonly encoding: "utf8" | "latin1" = "utf8",
  ) {
    const entries = Array.isArray(init) ? (init as [string, string][]) : Object.entries(init);
    for (const [name, value] of entries) this.add(name, value);
  }

  /** The first value; null: there is none. */
  get(name: string): string | null {
    return this.pairs.find(([key]) => key === name.toLowerCase())?.[1] ?? null;
  }

  /** All values of a name. */
  all(name: string): string[] {
    return this.pairs.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  }

  add(name: string, value: string): void {
    this.pairs.push([name.toLowerCase(), value]);
  }

  /** Leaves one value, behind all others of its kind: Envoy's setCopy removes and adds. Pseudo-headers stay in front. */
  set(name: string, value: string): void {
    const key = name.toLowerCase();
    this.remove(key);
    const end = key.startsWith(":") ? this.pairs.findIndex(([other]) => !other.startsWith(":")) : -1;
    this.pairs.splice(end < 0 ? this.pairs.length : end, 0, [key, value]);
  }

  /** A text of the map as the guest gets it. */
  bytes(text: string): Buffer {
    return Buffer.from(text, this.encoding);
  }

  remove(name: string): void {
    this.pairs = this.pairs.filter(([key]) => key !== name.toLowerCase());
  }

  get entries(): readonly (readonly [string, string])[] {
    return this.pairs;
  }

  /** Bytes of all names and values. */
  get byteSize(): number {
    const { encoding } = this;
    const size = (text: string) => Buffer.byteLength(text, encoding);
    return this.pairs.reduce((sum, [key, value]) => sum + size(key) + size(value), 0);
  }

  /** The ABI's form: a count, the lengths of each name and value, then each with a zero behind it; nothing for none. */
  toBytes(): Buffer {
    if (this.pairs.length === 0) return Buffer.alloc(0);
    const words: number[] = [this.pairs.length];
    const texts: Buffer[] = [];
    for (const text of this.pairs.flat()) {
      const bytes = this.bytes(text);
      words.push(bytes.length);
      texts.push(bytes, Buffer.alloc(1));
    }
    const head = Buffer.alloc(4 * words.length);
    words.forEach((word, i) => head.writeUInt32LE(word, 4 * i));
    return Buffer.concat([head, ...texts]);
  }

  /** Pairs in the ABI's form; null where the bytes are none. */
  static fromBytes(bytes: Buffer): HeaderMap | null {
    const map = new HeaderMap();
    if (bytes.length === 0) return map;
    if (bytes.length < 4) return null;
    const count = bytes.readUInt32LE(0);
    let at = 4 + 8 * count;
    if (count > 1024 || at > bytes.length) return null;
    const text = (word: number): string | null => {
      const end = at + bytes.readUInt32LE(4 * word);
      const value = end < bytes.length ? bytes.toString("utf8", at, end) : null;
      at = end + 1;
      return value;
    };
    for (let i = 0; i < count; i++) {
      const [name, value] = [text(1 + 2 * i), text(2 + 2 * i)];
      if (name === null || value === null) return null;
      map.add(name, value);
    }
    return map;
  }
}
