import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { load16be, load32be, load64be, store32be } from "../../../assembly/bytes/memory";
import { appendDecimal, appendDouble } from "../../../assembly/bytes/numbers";
import { decodeRune, encodeRune, INVALID_RUNE } from "../../../assembly/bytes/utf8";
import { View } from "../../../assembly/bytes/view";
import { Body, Kind, Name, Step } from "./body";
import { allowValues, appendInt, intEnd, Jsonb, lastInt, scalarEnd, stringEnd, typeEnd, valueEnd } from "./jsonb";

/** Length before each value of the body, bytes. */
const PREFIX: i32 = 4;
/** Most bytes of the text of a number, true or false. */
const PRINTED: i32 = 32;
const NOT_ASCII: u64 = 0x8080808080808080;

const TRUE = Bytes.of("true");
const FALSE = Bytes.of("false");

/** A body in fastjson2's JSONB: before each value its length, u32. */
export class JsonbBody extends Body {
  private place: usize = 0;
  private limit: usize = 0;
  /** The place within the map of attachments, and its end. */
  private pair: usize = 0;
  private pairsEnd: usize = 0;
  private markedPlace: usize = 0;
  private markedPair: usize = 0;

  bind(ptr: usize, length: i32): void {
    allowValues();
    this.place = ptr;
    this.limit = ptr + (length as usize);
  }

  get at(): usize {
    return this.place;
  }

  get end(): usize {
    return this.limit;
  }

  get inner(): usize {
    return this.pair;
  }

  get pairEnd(): usize {
    return this.pair;
  }

  mark(): void {
    this.markedPlace = this.place;
    this.markedPair = this.pair;
  }

  rewind(): void {
    this.place = this.markedPlace;
    this.pair = this.markedPair;
  }

  /** Goes over a value and its length; returns the address of the value, 0 when it is not there. */
  private enter(): usize {
    const room = this.limit - this.place;
    if (room < (PREFIX as usize)) return 0;
    const length = load32be(this.place) as usize;
    if (length > room - (PREFIX as usize)) return 0;
    const from = this.place + (PREFIX as usize);
    this.place = from + length;
    return from;
  }

  /** Servers make a string of all that is no container. */
  name(out: View): Name {
    out.set(this.place, 0);
    const at = this.enter();
    if (at == 0) return Name.NONE;
    const end = this.place;
    if (at == end || (load<u8>(at) == Jsonb.NULL && at + 1 == end)) return Name.NULL;
    const tag = load<u8>(at) as i32;
    if (tag == Jsonb.OBJECT || (tag >= Jsonb.ARRAY_FIX && tag <= Jsonb.OBJECT_END)) return Name.NONE;
    if (stringEnd(at, end) == end && isUtf8(tag, end - (lastInt() as usize), lastInt())) {
      out.set(end - (lastInt() as usize), lastInt());
      return Name.TEXT;
    }
    return Name.ODD;
  }

  count(): i32 {
    return -2;
  }

  result(): i32 {
    const at = this.enter();
    if (at == 0 || at == this.place) return -1;
    const tag = load<u8>(at) as i32;
    if (at + 1 == this.place && tag <= 5) return tag;
    return at + 2 == this.place && tag == Jsonb.INT8 && load<u8>(at, 1) <= 5 ? (load<u8>(at, 1) as i32) : -1;
  }

  skip(count: i32): bool {
    for (let i = 0; i < count; i++) if (this.enter() == 0) return false;
    return true;
  }

  open(): Step {
    if (this.place == this.limit) return Step.END;
    let at = this.enter();
    if (at == 0) return Step.BROKEN;
    const end = this.place;
    if (at == end || (load<u8>(at) == Jsonb.NULL && at + 1 == end)) return Step.END;
    if (load<u8>(at) == Jsonb.TYPED) {
      at = typeEnd(at + 1, end);
      if (at == 0 || at >= end) return Step.BROKEN;
    }
    if (load<u8>(at) != Jsonb.OBJECT) return scalarEnd(at, end) == end ? Step.BROKEN : Step.AMBIGUOUS;
    this.pair = at + 1;
    this.pairsEnd = end;
    return Step.PAIR;
  }

  next(): Step {
    const at = this.pair;
    const end = this.pairsEnd;
    if (at >= end) return Step.BROKEN;
    this.pairAt = at;
    const tag = load<u8>(at) as i32;
    if (tag == Jsonb.OBJECT_END) return at + 1 == end ? Step.END : Step.AMBIGUOUS;
    this.keyed = tag != Jsonb.NULL;
    let behind = at + 1;
    if (this.keyed) {
      behind = stringEnd(at, end);
      if (behind == 0) return scalarEnd(at, end) == 0 && tag < Jsonb.SYMBOL ? Step.BROKEN : Step.AMBIGUOUS;
      const length = lastInt();
      const text = behind - (length as usize);
      this.keyed = isUtf8(tag, text, length);
      if (!this.keyed && !isForeign(tag, text, length)) return Step.AMBIGUOUS;
      this.key.set(text, length);
    }
    return this.readValue(behind, end) ? Step.PAIR : Step.BROKEN;
  }

  settle(): void {}

  private readValue(at: usize, end: usize): bool {
    if (at >= end) return false;
    const tag = load<u8>(at) as i32;
    const text = stringEnd(at, end);
    this.plain = true;
    if (text != 0) {
      const length = lastInt();
      this.pair = text;
      this.kind = tag == Jsonb.GB18030 || tag == Jsonb.UTF16 ? Kind.OTHER : Kind.PRINTED;
      this.value.set(at, (text - at) as i32);
      if (!isUtf8(tag, text - (length as usize), length)) return true;
      this.kind = Kind.TEXT;
      this.value.set(text - (length as usize), length);
      return true;
    }
    const behind = valueEnd(at, end);
    if (behind == 0) return false;
    this.pair = behind;
    this.value.set(at, (behind - at) as i32);
    this.kind = tag == Jsonb.NULL ? Kind.NULL : isPrinted(tag) ? Kind.PRINTED : Kind.OTHER;
    this.plain = this.kind != Kind.OTHER;
    return true;
  }

  /** A byte that is no character becomes three. */
  get printedRoom(): i32 {
    return max(this.value.length * 3, PRINTED);
  }

  print(out: ByteBuffer): void {
    const at = this.value.ptr;
    const tag = load<u8>(at) as i32;
    const end = stringEnd(at, at + (this.value.length as usize));
    if (end != 0) printString(out, tag, end - (lastInt() as usize), lastInt());
    else printNumber(out, tag, at);
  }

  writeName(out: ByteBuffer, ptr: usize, length: i32): bool {
    const start = out.length;
    store32be(out.reserve(PREFIX), 0);
    out.commit(PREFIX);
    if (!this.writeText(out, ptr, length)) {
      out.truncate(start);
      return false;
    }
    this.prefix(out, start);
    return true;
  }

  writeNull(out: ByteBuffer): void {
    const at = out.reserve(PREFIX + 1);
    store32be(at, 1);
    store<u8>(at, Jsonb.NULL as u8, 4);
    out.commit(PREFIX + 1);
  }

  writeResult(out: ByteBuffer, result: i32): void {
    const at = out.reserve(PREFIX + 2);
    store32be(at, 2);
    store<u8>(at, Jsonb.INT8 as u8, 4);
    store<u8>(at, result as u8, 5);
    out.commit(PREFIX + 2);
  }

  /** The length comes with the end. */
  writeOpening(out: ByteBuffer, opening: View): void {
    if (opening.length > 0) {
      out.append(opening.ptr, opening.length);
      return;
    }
    store32be(out.reserve(PREFIX), 0);
    out.commit(PREFIX);
    out.appendByte(Jsonb.OBJECT);
  }

  writeText(out: ByteBuffer, ptr: usize, length: i32): bool {
    const ascii = isAscii(ptr, length);
    if (!ascii && !isUtf8(Jsonb.UTF8, ptr, length)) return false;
    if (ascii && length < Jsonb.ASCII - Jsonb.ASCII_FIX) {
      out.appendByte(Jsonb.ASCII_FIX + length);
    } else {
      out.appendByte(ascii ? Jsonb.ASCII : Jsonb.UTF8);
      appendInt(out, length);
    }
    out.append(ptr, length);
    return true;
  }

  writeEnd(out: ByteBuffer, start: i32): void {
    out.appendByte(Jsonb.OBJECT_END);
    this.prefix(out, start);
  }

  /** Writes the length of the value that begins at offset `start` and ends here. */
  private prefix(out: ByteBuffer, start: i32): void {
    store32be(out.ptr + (start as usize), out.length - start - PREFIX);
  }
}

function isAscii(ptr: usize, length: i32): bool {
  const end = ptr + (length as usize);
  while (ptr < end) {
    if (end - ptr >= 8) {
      if ((load<u64>(ptr) & NOT_ASCII) != 0) return false;
      ptr += 8;
    } else if (load<u8>(ptr++) >= 0x80) return false;
  }
  return true;
}

/** Whether the characters of a string with this tag are as they would be in UTF-8. */
function isUtf8(tag: i32, ptr: usize, length: i32): bool {
  if (tag > Jsonb.UTF8) return length == 0;
  if (isAscii(ptr, length)) return true;
  if (tag != Jsonb.UTF8) return false;
  const end = ptr + (length as usize);
  while (ptr < end) {
    const rune = decodeRune(ptr, (end - ptr) as i32);
    if (rune == INVALID_RUNE) return false;
    ptr += (rune & 7) as usize;
  }
  return true;
}

/** Whether a string that is not as in UTF-8 is certainly no ASCII: no name that anybody looks for. */
function isForeign(tag: i32, ptr: usize, length: i32): bool {
  if (tag <= Jsonb.ASCII) return true;
  if (tag != Jsonb.UTF16LE && tag != Jsonb.UTF16BE) return false;
  for (let i = 0; i < length - 1; i += 2) if (unitAt(ptr + (i as usize), tag) >= 0x80) return true;
  return false;
}

/** Appends characters as UTF-8, U+FFFD for what is none. */
function printString(out: ByteBuffer, tag: i32, ptr: usize, length: i32): void {
  const wide = tag == Jsonb.UTF16LE || tag == Jsonb.UTF16BE;
  const start = out.reserve(length * 3);
  const end = ptr + (length as usize);
  let to = start;
  while (ptr < end) {
    let rune = load<u8>(ptr) as u32;
    if (tag == Jsonb.UTF8) {
      const decoded = decodeRune(ptr, (end - ptr) as i32);
      rune = decoded >> 3;
      ptr += (decoded & 7) as usize;
    } else if (!wide) ptr++;
    else {
      if (end - ptr < 2) break;
      rune = unitAt(ptr, tag);
      ptr += 2;
      if (rune - 0xd800 < 0x400 && end - ptr >= 2 && unitAt(ptr, tag) - 0xdc00 < 0x400) {
        rune = 0x10000 + ((rune - 0xd800) << 10) + (unitAt(ptr, tag) - 0xdc00);
        ptr += 2;
      } else if (rune - 0xd800 < 0x800) rune = 0xfffd;
    }
    to += encodeRune(rune, to) as usize;
  }
  out.commit((to - start) as i32);
}

// @ts-ignore: decorator
@inline
function unitAt(ptr: usize, tag: i32): u32 {
  return tag == Jsonb.UTF16LE ? (load<u16>(ptr) as u32) : load16be(ptr);
}

/** Whether `printNumber` has a text for a value. */
function isPrinted(tag: i32): bool {
  if (tag <= Jsonb.INT || tag >= Jsonb.INT16) return true;
  return tag >= Jsonb.FALSE && tag <= Jsonb.FLOAT && tag != Jsonb.FLOAT_INT && tag != Jsonb.DOUBLE_LONG;
}

function printNumber(out: ByteBuffer, tag: i32, at: usize): void {
  switch (tag) {
    case Jsonb.TRUE:
      out.append(TRUE.ptr, TRUE.length);
      break;
    case Jsonb.FALSE:
      out.append(FALSE.ptr, FALSE.length);
      break;
    case Jsonb.DOUBLE_ZERO:
    case Jsonb.DOUBLE_ONE:
      appendDouble(out, (tag - Jsonb.DOUBLE_ZERO) as f64);
      break;
    case Jsonb.DOUBLE:
      appendDouble(out, reinterpret<f64>(load64be(at + 1)));
      break;
    case Jsonb.FLOAT:
      appendDouble(out, reinterpret<f32>(load32be(at + 1)) as f64);
      break;
    default:
      appendDecimal(out, wholeAt(tag, at));
  }
}

/** The whole number at `at`, all of whose bytes are there. */
function wholeAt(tag: i32, at: usize): i64 {
  if (tag == Jsonb.INT8) return load<i8>(at, 1) as i64;
  if (tag == Jsonb.INT16) return load16be(at + 1) as i16 as i64;
  if (tag == Jsonb.INT64) return load64be(at + 1) as i64;
  if (tag == Jsonb.INT64_INT) return load32be(at + 1) as i32 as i64;
  if (tag <= Jsonb.INT || tag >= Jsonb.INT_NUM_MIN) {
    intEnd(at, at + 5);
    return lastInt() as i64;
  }
  if (tag >= Jsonb.LONG_NUM) return (tag - 0xe0) as i64;
  if (tag >= Jsonb.LONG_BYTE) return (((tag - 0xd0) << 8) + (load<u8>(at, 1) as i32)) as i64;
  return (((tag - 0xc4) << 16) + (load16be(at + 1) as i32)) as i64;
}
