import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { View } from "../../../assembly/bytes/view";
import { PRINTED, printValue } from "../../../assembly/hessian/print";
import { HessianReader } from "../../../assembly/hessian/reader";
import { Tag } from "../../../assembly/hessian/tags";
import { appendString, isCanonical } from "../../../assembly/hessian/text";
import { Body, Kind, Name, Step } from "./body";

/** First byte of the kind of a result, the int 0. */
const RESULT: i32 = 0x90;

/** A body in Hessian 2. */
export class HessianBody extends Body {
  private readonly reader: HessianReader = new HessianReader();
  private valueAt: usize = 0;

  bind(ptr: usize, length: i32): void {
    this.reader.bind(ptr, length);
  }

  get at(): usize {
    return this.reader.at;
  }

  get end(): usize {
    return this.reader.end;
  }

  get inner(): usize {
    return this.reader.at;
  }

  get pairEnd(): usize {
    return this.reader.at;
  }

  mark(): void {
    this.reader.mark();
  }

  rewind(): void {
    this.reader.rewind();
  }

  /** Java reads numbers, true and false as strings where it wants one (Hessian2Input.readString). */
  name(out: View): Name {
    const reader = this.reader;
    out.set(reader.at, 0);
    if (reader.readNull()) return Name.NULL;
    if (reader.readWord(out)) {
      if (isCanonical(out.ptr, out.length)) return Name.TEXT;
      out.set(reader.at, 0);
      return Name.ODD;
    }
    if (!reader.isString && !reader.isScalar) return Name.NONE;
    return reader.skip(1) ? Name.ODD : Name.NONE;
  }

  count(): i32 {
    return this.reader.readInt() ? max(this.reader.value, -1) : -2;
  }

  result(): i32 {
    const reader = this.reader;
    return reader.readInt() && reader.value >= 0 && reader.value <= 5 ? reader.value : -1;
  }

  skip(count: i32): bool {
    return this.reader.skip(count);
  }

  /** Servers make a map of objects, too, and follow references to one. */
  open(): Step {
    const reader = this.reader;
    if (reader.done || reader.readNull()) return Step.END;
    if (reader.readMap()) return Step.PAIR;
    return reader.isPlain || !reader.skip(1) ? Step.BROKEN : Step.AMBIGUOUS;
  }

  next(): Step {
    const reader = this.reader;
    if (reader.readEnd()) return Step.END;
    this.pairAt = reader.at;
    this.keyed = reader.readWord(this.key);
    if (this.keyed) {
      if (!isCanonical(this.key.ptr, this.key.length)) return Step.AMBIGUOUS;
    } else {
      const odd = reader.isString || !reader.isPlain;
      if (!reader.skip(1)) return Step.BROKEN;
      if (odd) return Step.AMBIGUOUS;
    }
    return this.readValue() ? Step.PAIR : Step.BROKEN;
  }

  settle(): void {
    if (this.kind != Kind.TEXT || isCanonical(this.value.ptr, this.value.length)) return;
    this.kind = Kind.PRINTED;
    this.value.set(this.valueAt, (this.reader.at - this.valueAt) as i32);
  }

  private readValue(): bool {
    const reader = this.reader;
    const at = reader.at;
    if (reader.done) return false;
    this.plain = true;
    this.valueAt = at;
    if (reader.readWord(this.value)) {
      this.kind = Kind.TEXT;
      return true;
    }
    this.plain = reader.isPlain;
    if (reader.isString || reader.isScalar) this.kind = Kind.PRINTED;
    else this.kind = load<u8>(at) == Tag.NULL ? Kind.NULL : Kind.OTHER;
    if (!reader.skip(1)) return false;
    this.value.set(at, (reader.at - at) as i32);
    return true;
  }

  get printedRoom(): i32 {
    return max(this.value.length, PRINTED);
  }

  print(out: ByteBuffer): void {
    printValue(out, this.value.ptr, this.value.length);
  }

  writeName(out: ByteBuffer, ptr: usize, length: i32): bool {
    return appendString(out, ptr, length);
  }

  writeNull(out: ByteBuffer): void {
    out.appendByte(Tag.NULL);
  }

  writeResult(out: ByteBuffer, result: i32): void {
    out.appendByte(RESULT + result);
  }

  writeOpening(out: ByteBuffer, opening: View): void {
    if (opening.length > 0) out.append(opening.ptr, opening.length);
    else out.appendByte(Tag.MAP_UNTYPED);
  }

  writeText(out: ByteBuffer, ptr: usize, length: i32): bool {
    return appendString(out, ptr, length);
  }

  writeEnd(out: ByteBuffer, start: i32): void {
    out.appendByte(Tag.END);
  }
}
