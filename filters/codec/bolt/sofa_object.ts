import { Cursor } from "../../../assembly/hessian/cursor";
import { HESSIAN_2, HESSIAN_2_DRAFT, Kind } from "../../../assembly/hessian/dialect";
import { NameReader } from "../../../assembly/hessian/names";

/** Most fields of a class that are looked at. */
const MAX_FIELDS: i32 = 64;

/**
 * Reads the beginning of an object of SOFARPC in Hessian 2 or its draft, as sofa-hessian 4 and 3 write it: classes, then
 * the values of their fields. Reads that fail return false.
 */
export abstract class SofaObjectReader extends Cursor {
  /** The string that was read last. */
  protected readonly names: NameReader = new NameReader();
  /** Fields of the class that was read last. */
  protected count: i32 = 0;

  /** Starts a stream of `length` (>= 0) bytes at `ptr`; borrowed. Definitions tell the versions apart. */
  protected start(ptr: usize, length: i32): void {
    const draft = length > 0 && HESSIAN_2.kindOf(load<u8>(ptr)) != Kind.DEFINITION;
    this.bind(draft ? HESSIAN_2_DRAFT : HESSIAN_2, ptr, length);
  }

  /** What comes next. */
  protected get kind(): Kind {
    return this.at < this.end ? this.dialect.kindOf(load<u8>(this.at)) : Kind.BAD;
  }

  /** Reads the definition of a class up to its name. */
  protected readClass(): bool {
    const kind = this.kind;
    if (kind != Kind.DEFINITION && kind != Kind.DRAFT_DEFINITION) return false;
    this.at++;
    if (kind == Kind.DEFINITION) return this.skipString();
    const next = this.readInt() ? this.names.skipUnits(this.at, this.end, this.value) : 0;
    if (next == 0) return false;
    this.at = next;
    return true;
  }

  /** Reads the rest of it: count and names of the fields, each of which `onField` gets. */
  protected readFields(): bool {
    if (!this.readInt() || this.value < 0 || this.value > MAX_FIELDS) return false;
    this.count = this.value;
    for (let i = 0; i < this.count; i++) if (!this.skipString() || !this.onField(i)) return false;
    return true;
  }

  /** The field of this number has the name in `names`; false when it may not. */
  protected abstract onField(i: i32): bool;

  /** Reads the beginning of an object; the number of its class, or -1. */
  protected readObject(): i32 {
    const kind = this.kind;
    if (kind != Kind.OBJECT && kind != Kind.OBJECT_DIRECT) return -1;
    const tag = load<u8>(this.at++) as i32;
    if (kind == Kind.OBJECT_DIRECT) return tag & 15;
    return this.readInt() ? this.value : -1;
  }

  protected skipString(): bool {
    const next = this.names.skip(this.dialect, this.at, this.end);
    if (next == 0) return false;
    this.at = next;
    return true;
  }

  /** Skips a string, or what is a tag and some bytes. */
  protected skipPlain(): bool {
    if (this.kind != Kind.FIXED) return this.skipString();
    const size = this.dialect.sizeOf(load<u8>(this.at));
    if (size > this.end - this.at) return false;
    this.at += size;
    return true;
  }
}
