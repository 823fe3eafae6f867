import { Bytes } from "../../../assembly/bytes/bytes";
import { load32be, store32be } from "../../../assembly/bytes/memory";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderVisitor } from "../../../assembly/xprotocol/headers";
import { HeaderList } from "../../../assembly/xprotocol/list";

// The header block is a run of pairs: key length, key, value length, value; lengths are u32, without a count of pairs.
// A length of -1 is Java's null: such a pair is there but says nothing. sofa-rpc reads it so, and never writes it.

const NULL: i32 = -1;

const SERVICE: Bytes = Bytes.of("service");
const TARGET_SERVICE: Bytes = Bytes.of("sofa_head_target_service");
const METHOD: Bytes = Bytes.of("sofa_head_method_name");

/** The pair that `nextPair` found: addresses and lengths, NULL for a null. */
let key: usize = 0;
let keyLength: i32 = 0;
let value: usize = 0;
let valueLength: i32 = 0;

/** Reads the pair at `at`, before `end`; returns where the next one starts, or 0 when it does not fit. */
// @ts-ignore: decorator
@inline
function nextPair(at: usize, end: usize): usize {
  if (end - at < 4) return 0;
  keyLength = load32be(at) as i32;
  key = at + 4;
  let next = key;
  if (keyLength != NULL) {
    if (end - next < (keyLength as usize)) return 0;
    next += keyLength as usize;
  }
  if (end - next < 4) return 0;
  valueLength = load32be(next) as i32;
  value = next + 4;
  if (valueLength == NULL) return value;
  return end - value < (valueLength as usize) ? 0 : value + (valueLength as usize);
}

/** Whether the header block of `frame` fills exactly its length. */
export function validate(frame: Frame): bool {
  let at = frame.ptr + (frame.headerOffset as usize);
  const end = at + (frame.headerLength as usize);
  while (at < end) {
    at = nextPair(at, end);
    if (at == 0) return false;
  }
  return true;
}

/**
 * Like `validate`, and notes the service and method of a request: the first value that is not empty of header
 * `service`, else of `sofa_head_target_service`; and of `sofa_head_method_name`.
 */
export function validateRequest(frame: Frame): bool {
  let at = frame.ptr + (frame.headerOffset as usize);
  const end = at + (frame.headerLength as usize);
  let named = false;
  while (at < end) {
    at = nextPair(at, end);
    if (at == 0) return false;
    if (valueLength <= 0) continue;
    if (keyLength == 7) {
      if (!named && SERVICE.equals(key, keyLength)) {
        named = true;
        frame.serviceOffset = (value - frame.ptr) as i32;
        frame.serviceLength = valueLength;
      }
    } else if (keyLength == 24) {
      if (frame.serviceLength == 0 && TARGET_SERVICE.equals(key, keyLength)) {
        frame.serviceOffset = (value - frame.ptr) as i32;
        frame.serviceLength = valueLength;
      }
    } else if (keyLength == 21) {
      if (frame.methodLength == 0 && METHOD.equals(key, keyLength)) {
        frame.methodOffset = (value - frame.ptr) as i32;
        frame.methodLength = valueLength;
      }
    }
  }
  return true;
}

/** Whether the validated header block of `frame` has a header with this value. */
export function hasHeader(frame: Frame, name: Bytes, wanted: Bytes): bool {
  let at = frame.ptr + (frame.headerOffset as usize);
  const end = at + (frame.headerLength as usize);
  while (at < end) {
    at = nextPair(at, end);
    if (at == 0) return false;
    if (keyLength == name.length && name.equals(key, keyLength)) return wanted.equals(value, max(valueLength, 0));
  }
  return false;
}

/** The header block of a Bolt frame; a pair with a null in it counts as absent. */
export class BoltHeaders extends HeaderList {
  /** Reads the headers of `frame`, whose block has been validated. */
  bind(frame: Frame): void {
    this.clear();
    let at = frame.ptr + (frame.headerOffset as usize);
    const end = at + (frame.headerLength as usize);
    while (at < end) {
      at = nextPair(at, end);
      if (at == 0) return;
      if (keyLength == NULL || valueLength == NULL) continue;
      if (!this.append(key, keyLength, value, valueLength)) return;
    }
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
