import { HeaderMapType } from "../abi/types";
import { lowerCase } from "../bytes/ascii";
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { addHeader, appendPairs, removeHeader, setHeader } from "../host/header_map";
import { PairReader } from "../host/pairs";
import { Headers, HeaderVisitor } from "../message/headers";
import { HeaderList } from "../message/list";

const HOST = Bytes.of("host");
const AUTHORITY = Bytes.of(":authority");
/** What the name of a label gets in front as a header. */
export const LABEL_PREFIX = Bytes.of("x-moe-");

/** Lower case of the key that was asked for last. */
const lower = new ByteBuffer();
const name = new View();
const removed = new View();
const pairs = new PairReader();

/**
 * A header or trailer map of the current HTTP stream: read from the host once, when somebody asks, and kept; changes go
 * to the host at once. Names are compared in lower case, and "host" is HTTP/2's ":authority", as Envoy has it.
 */
export class HttpHeaders extends Headers {
  private readonly list: HeaderList = new HeaderList();
  private readonly block: ByteBuffer = new ByteBuffer();
  private loaded: bool = false;
  /** Whether the message is still here: otherwise changes are lost. */
  writable: bool = false;
  /** Changes that were lost because they came too late, or that HTTP cannot carry. */
  lost: i32 = 0;

  constructor(private readonly map: HeaderMapType) {
    super();
  }

  /** Forgets the message; `writable`: the next one is here. */
  begin(writable: bool): void {
    if (this.loaded) {
      this.list.clear();
      this.block.reset(KEEP);
    }
    this.loaded = false;
    this.writable = writable;
    this.lost = 0;
  }

  /** Reads all headers, while the host has them: to be asked later. */
  load(): void {
    if (this.loaded) return;
    this.loaded = true;
    appendPairs(this.map, this.block);
    this.parse();
    if (this.map == HeaderMapType.REQUEST_HEADERS && this.writable) this.dropLabels();
  }

  /** Headers `x-moe-*` are labels that filters set (`HttpStream.applyChanges`): those that a client sends go. */
  private dropLabels(): void {
    pairs.begin(this.block.ptr, this.block.length);
    while (pairs.next()) {
      if (pairs.keyLength < LABEL_PREFIX.length || !LABEL_PREFIX.equals(pairs.key, LABEL_PREFIX.length)) continue;
      // A name that repeats goes at once.
      if (this.list.remove(pairs.key, pairs.keyLength) > 0) removeHeader(this.map, pairs.key, pairs.keyLength);
    }
  }

  /** The message goes on: its headers are kept for those who ask later, and change no more. */
  freeze(): void {
    this.load();
    this.writable = false;
  }

  private parse(): void {
    pairs.begin(this.block.ptr, this.block.length);
    while (pairs.next()) {
      if (!this.list.append(pairs.key, pairs.keyLength, pairs.value, pairs.valueLength)) return;
    }
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.list.allocated + this.block.allocated;
  }

  /** Gives all memory back. */
  free(): void {
    this.list.free();
    this.block.free();
    this.loaded = false;
  }

  get changed(): bool {
    return this.list.changed;
  }

  /** Never: the host has them all. */
  get incomplete(): bool {
    return false;
  }

  get(key: usize, keyLength: i32, out: View): bool {
    this.load();
    canonical(key, keyLength);
    return this.list.get(name.ptr, name.length, out);
  }

  /** The first value of a header with a name in lower case. */
  find(key: Bytes, out: View): bool {
    this.load();
    return this.list.get(key.ptr, key.length, out);
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    canonical(key, keyLength);
    if (!this.takes(value, valueLength)) return;
    if (!setHeader(this.map, name.ptr, name.length, value, valueLength)) this.lost++;
    else this.list.set(name.ptr, name.length, value, valueLength);
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    canonical(key, keyLength);
    if (!this.takes(value, valueLength)) return;
    if (!addHeader(this.map, name.ptr, name.length, value, valueLength)) this.lost++;
    else this.list.add(name.ptr, name.length, value, valueLength);
  }

  remove(key: usize, keyLength: i32): i32 {
    this.load();
    canonical(key, keyLength);
    if (!this.list.get(name.ptr, name.length, removed)) return 0;
    if (!this.writable || !removeHeader(this.map, name.ptr, name.length)) {
      this.lost++;
      return 0;
    }
    return this.list.remove(name.ptr, name.length);
  }

  forEach(visitor: HeaderVisitor): void {
    this.load();
    this.list.forEach(visitor);
  }

  forEachOf(key: usize, keyLength: i32, visitor: HeaderVisitor): void {
    this.load();
    canonical(key, keyLength);
    this.list.forEachOf(name.ptr, name.length, visitor);
  }

  /** Whether `name` can be given this value: what would end a line of HTTP/1 can be no part of one. */
  private takes(value: usize, length: i32): bool {
    this.load();
    let good = this.writable && isName() && this.list.fits(name.length, length);
    for (let i = 0; i < length; i++) {
      const c = load<u8>(value + (i as usize));
      if (c == 0x0d || c == 0x0a || c == 0) good = false;
    }
    if (!good) this.lost++;
    return good;
  }
}

/** Whether `name` is visible ASCII without a colon but in front, where HTTP/2's own names have one. */
function isName(): bool {
  for (let i = 0; i < name.length; i++) {
    const c = load<u8>(name.ptr + (i as usize));
    if (c <= 0x20 || c >= 0x7f || (c == 0x3a && i > 0)) return false;
  }
  return name.length > 0;
}

/** Points `name` at the key as Envoy spells it. */
function canonical(key: usize, length: i32): void {
  name.set(key, length);
  for (let i = 0; i < length; i++) {
    const c = load<u8>(key + (i as usize));
    if (c < 0x41 || c > 0x5a) continue;
    toLower(key, length);
    break;
  }
  if (HOST.equals(name.ptr, name.length)) name.set(AUTHORITY.ptr, AUTHORITY.length);
}

function toLower(key: usize, length: i32): void {
  lower.reset(KEEP);
  const at = lower.reserve(length);
  for (let i = 0; i < length; i++) {
    const c = load<u8>(key + (i as usize));
    store<u8>(at + (i as usize), lowerCase(c));
  }
  name.set(at, length);
}
