import { Bytes } from "../../../assembly/bytes/bytes";
import { byteAt, bytesEqual, load16be, load32be, store32be } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";

// The header block is a run of pairs: key length, key, value length, value; lengths are u32, without a count of pairs.
// A negative length is Java's null: such a pair is there but says nothing. sofa-rpc reads it so, and never writes it.

const SERVICE: Bytes = Bytes.of("service");
const TARGET_SERVICE: Bytes = Bytes.of("sofa_head_target_service");
const METHOD: Bytes = Bytes.of("sofa_head_method_name");
const GENERIC_TYPE: Bytes = Bytes.of("sofa_head_generic_type");

/** The walk over a block: where the next pair is, and where the block ends. */
let next: usize = 0;
let end: usize = 0;
/** The pair that `nextPair` found. */
let key: usize = 0;
let keyLength: i32 = 0;
let value: usize = 0;
let valueLength: i32 = 0;

/** Begins with the header block of `frame`. */
// @ts-ignore: decorator
@inline
function beginPairs(frame: Frame): void {
  next = frame.ptr + (frame.headerOffset as usize);
  end = next + (frame.headerLength as usize);
}

/** Goes to the next pair without a null in it; false behind the last one, and where the block is no run of pairs. */
// @ts-ignore: decorator
@inline
function nextPair(): bool {
  let at = next;
  let found = false;
  while (!found && at < end) {
    at = readPair(at, end);
    if (at == 0) break;
    found = keyLength >= 0 && valueLength >= 0;
  }
  next = at;
  return found;
}

/** Whether the walk, which is over, was stopped by what is no pair. */
// @ts-ignore: decorator
@inline
function pairsBroken(): bool {
  return next == 0;
}

/** Reads the pair at `at`, before `end`; returns where the next one starts, or 0 when it does not fit. */
// @ts-ignore: decorator
@inline
function readPair(at: usize, end: usize): usize {
  if (end - at < 4) return 0;
  keyLength = load32be(at) as i32;
  key = at + 4;
  let next = key;
  if (keyLength >= 0) {
    if (end - next < (keyLength as usize)) return 0;
    next += keyLength as usize;
  }
  if (end - next < 4) return 0;
  valueLength = load32be(next) as i32;
  value = next + 4;
  if (valueLength < 0) return value;
  return end - value < (valueLength as usize) ? 0 : value + (valueLength as usize);
}

/** A value of the block that says something of the call. */
export class Named extends View {
  /** Whether there is one that is not null. */
  present: bool = false;

  clear(): void {
    this.present = false;
    this.set(0, 0);
  }

  /** Whether there is one with more than white space in it. */
  get says(): bool {
    return this.present && !isBlank(this.ptr, this.length);
  }

  /** Whether both have the same bytes. */
  same(other: View): bool {
    return bytesEqual(this.ptr, this.length, other.ptr, other.length);
  }
}

/** What the header block of a request says of the call. Of a key that is there twice the last value counts, as in Java. */
export class BlockNames {
  readonly service: Named = new Named();
  readonly target: Named = new Named();
  readonly method: Named = new Named();
  readonly generic: Named = new Named();

  /** Reads them from `frame`; false, and there are none, when the block is no run of pairs. */
  read(frame: Frame): bool {
    this.clear();
    beginPairs(frame);
    while (nextPair()) {
      const named = this.find();
      if (named === null) continue;
      named.present = true;
      named.set(value, valueLength);
    }
    if (!pairsBroken()) return true;
    this.clear();
    return false;
  }

  /** What the key of the pair names that `nextPair` found. */
  private find(): Named | null {
    switch (keyLength) {
      case 7:
        return SERVICE.equals(key, keyLength) ? this.service : null;
      case 24:
        return TARGET_SERVICE.equals(key, keyLength) ? this.target : null;
      case 21:
        return METHOD.equals(key, keyLength) ? this.method : null;
      case 22:
        return GENERIC_TYPE.equals(key, keyLength) ? this.generic : null;
      default:
        return null;
    }
  }

  private clear(): void {
    this.service.clear();
    this.target.clear();
    this.method.clear();
    this.generic.clear();
  }
}

/** Whether there is nothing but white space, as Java's Character.isWhitespace has it: such a name is none to SOFARPC. */
function isBlank(ptr: usize, length: i32): bool {
  for (let i = 0; i < length;) {
    const byte = byteAt(ptr, i);
    if (byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x1c && byte <= 0x1f)) {
      i++;
      continue;
    }
    if (byte < 0xe1 || byte > 0xe3 || length - i < 3 || !isWideSpace(load24be(ptr + (i as usize)))) return false;
    i += 3;
  }
  return true;
}

/** Whether these three bytes of UTF-8 are a space: U+1680, U+2000 to U+200A but for U+2007, U+2028, U+2029, U+205F, U+3000. */
function isWideSpace(bytes: u32): bool {
  if (bytes >= 0xe28080 && bytes <= 0xe2808a) return bytes != 0xe28087;
  return bytes == 0xe19a80 || bytes == 0xe280a8 || bytes == 0xe280a9 || bytes == 0xe2819f || bytes == 0xe38080;
}

// @ts-ignore: decorator
@inline
function load24be(ptr: usize): u32 {
  return (load16be(ptr) << 8) | byteAt(ptr, 2);
}

/** Whether the value that counts of this header of `frame` is `wanted`; false where the block cannot be read. */
export function hasHeader(frame: Frame, name: Bytes, wanted: Bytes): bool {
  let found = false;
  beginPairs(frame);
  while (nextPair()) {
    if (name.equals(key, keyLength)) found = wanted.equals(value, valueLength);
  }
  return found && !pairsBroken();
}

/** Keeps the last value that it gets. */
class LastValue extends HeaderVisitor {
  found: bool = false;
  readonly value: View = new View();

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.found = true;
    this.value.set(value, valueLength);
    return true;
  }
}

/**
 * The header block of a Bolt frame. A pair with a null in it counts as absent, and of a key that is there twice the last
 * value is what `get` gives, as peers put the pairs into a map. A block that is no run of pairs has no headers.
 */
export class BoltHeaders extends HeaderList {
  /** Whether the block is a run of pairs, so that it can be written anew. */
  readable: bool = true;
  /** Whether something was to be removed of a block that is not. */
  private unread: bool = false;
  private readonly last: LastValue = new LastValue();

  /** Reads the headers of `frame`. */
  bind(frame: Frame): void {
    this.clear();
    this.readable = true;
    this.unread = false;
    beginPairs(frame);
    while (nextPair()) {
      if (!this.append(key, keyLength, value, valueLength)) return;
    }
    if (!pairsBroken()) return;
    this.clear();
    this.readable = false;
  }

  get(key: usize, keyLength: i32, out: View): bool {
    const last = this.last;
    last.found = false;
    this.forEachOf(key, keyLength, last);
    if (last.found) out.set(last.value.ptr, last.value.length);
    return last.found;
  }

  get changed(): bool {
    return this.unread || super.changed;
  }

  /** With the service goes `sofa_head_target_service`, where there is one: SOFARPC writes the same in both. */
  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const isService = SERVICE.equals(key, keyLength);
    super.set(key, keyLength, value, valueLength);
    const view = this.last.value;
    if (!isService || !super.get(TARGET_SERVICE.ptr, TARGET_SERVICE.length, view)) return;
    // From where it is now: `value` may have been a view of the own bytes, which have moved.
    if (super.get(SERVICE.ptr, SERVICE.length, view)) {
      super.set(TARGET_SERVICE.ptr, TARGET_SERVICE.length, view.ptr, view.length);
    }
  }

  /** Of a block that cannot be read nobody knows what is in it: the change is one that cannot be expressed. */
  remove(key: usize, keyLength: i32): i32 {
    if (!this.readable) this.unread = true;
    return super.remove(key, keyLength);
  }
}

/** Adds up the length that headers take as a block. */
export class BlockSize extends HeaderVisitor {
  bytes: i64 = 0;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.bytes += 8 + (keyLength as i64) + (valueLength as i64);
    return true;
  }
}

/** Writes headers as a block to `at`, which has room for what `BlockSize` found. */
export class BlockWriter extends HeaderVisitor {
  at: usize = 0;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.put(key, keyLength);
    this.put(value, valueLength);
    return true;
  }

  private put(ptr: usize, length: i32): void {
    store32be(this.at, length as u32);
    memory.copy(this.at + 4, ptr, length as usize);
    this.at += 4 + (length as usize);
  }
}
