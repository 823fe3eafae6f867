// What the first byte of a value means, as tables: of Hessian 2.0 as it was finished (Dubbo's hessian-lite, sofa-hessian 4)
// and of its draft (sofa-hessian 3, which sofa-rpc 5 writes). Read in Hessian2Input and Hessian2Constants of each.
import { sizeOf } from "./tags";

/** What a value is. Those of a list, map or object say how its head is read. */
export const enum Kind {
  BAD = 0,
  /** The tag tells the whole length. */
  FIXED,
  STRING_DIRECT,
  /** The two low bits of the tag and a byte are its length. */
  STRING_SHORT,
  STRING,
  /** More of the string follows. */
  STRING_CHUNK,
  BINARY_DIRECT,
  BINARY_SHORT,
  BINARY,
  BINARY_CHUNK,
  /** Type, key and value until the end. */
  MAP,
  MAP_UNTYPED,
  /** Type, values until the end. */
  LIST_VARIABLE,
  LIST_VARIABLE_UNTYPED,
  /** Type, length, values. */
  LIST,
  LIST_UNTYPED,
  /** The same with the length in the tag. */
  LIST_DIRECT,
  LIST_DIRECT_UNTYPED,
  /** Of a class: name, count of fields, their names. */
  DEFINITION,
  /** Number of its class, fields. */
  OBJECT,
  OBJECT_DIRECT,
  REFERENCE,
  END,
  /** Of the draft: a type or none, then key and value until the end. */
  DRAFT_MAP,
  /** A type or none, a length or none, values, the end. */
  DRAFT_LIST,
  /** The number of its type, length, values. */
  DRAFT_LIST_TYPED,
  /** As DEFINITION, but the name's length is an int. */
  DRAFT_DEFINITION,
  DRAFT_REFERENCE,
  DRAFT_REFERENCE_BYTE,
  DRAFT_REFERENCE_SHORT,
}

/** Tags inside the heads of the draft's maps and lists. */
export const enum DraftTag {
  TYPE = 0x74, // 't'
  TYPE_REFERENCE = 0x75, // 'u'
  TYPE_REFERENCE_TRUE = 0x54, // 'T'; read so, never written
  LENGTH = 0x6c, // 'l'
  LENGTH_BYTE = 0x6e, // 'n'
}

/** A version of Hessian 2: for each tag what it is, and the length of what is FIXED or BINARY_DIRECT. */
export class Dialect {
  private readonly kinds: StaticArray<u8> = new StaticArray<u8>(256);
  private readonly sizes: StaticArray<u8> = new StaticArray<u8>(256);

  // @ts-ignore: decorator
  @inline
  kindOf(tag: i32): Kind {
    return unchecked(this.kinds[tag & 0xff]) as Kind;
  }

  /** Bytes. */
  // @ts-ignore: decorator
  @inline
  sizeOf(tag: i32): usize {
    return unchecked(this.sizes[tag & 0xff]) as usize;
  }

  /** Tags from `first` to `last` are of this kind. */
  set(first: i32, last: i32, kind: Kind, size: i32 = 0): void {
    for (let tag = first; tag <= last; tag++) {
      this.kinds[tag] = kind as u8;
      this.sizes[tag] = size as u8;
    }
  }
}

/** What both have in common. */
function common(): Dialect {
  const dialect = new Dialect();
  dialect.set(0x00, 0x1f, Kind.STRING_DIRECT);
  for (let tag = 0x20; tag < 0x30; tag++) dialect.set(tag, tag, Kind.BINARY_DIRECT, tag - 0x1f);
  for (let tag = 0x30; tag < 0x100; tag++) {
    // Ints and longs in their compact forms.
    if (tag < 0x80 && (tag < 0x38 || tag > 0x3f)) continue;
    dialect.set(tag, tag, Kind.FIXED, sizeOf(tag) as i32);
  }
  dialect.set(0x42, 0x42, Kind.BINARY); // 'B'
  dialect.set(0x44, 0x44, Kind.FIXED, 9); // 'D' double
  dialect.set(0x46, 0x46, Kind.FIXED, 1); // 'F'
  dialect.set(0x49, 0x49, Kind.FIXED, 5); // 'I'
  dialect.set(0x4c, 0x4c, Kind.FIXED, 9); // 'L'
  dialect.set(0x4e, 0x4e, Kind.FIXED, 1); // 'N'
  dialect.set(0x53, 0x53, Kind.STRING); // 'S'
  dialect.set(0x54, 0x54, Kind.FIXED, 1); // 'T'
  return dialect;
}

function finished(): Dialect {
  const dialect = common();
  dialect.set(0x30, 0x33, Kind.STRING_SHORT);
  dialect.set(0x34, 0x37, Kind.BINARY_SHORT);
  dialect.set(0x41, 0x41, Kind.BINARY_CHUNK); // 'A'
  dialect.set(0x43, 0x43, Kind.DEFINITION); // 'C'
  dialect.set(0x48, 0x48, Kind.MAP_UNTYPED); // 'H'
  dialect.set(0x4a, 0x4a, Kind.FIXED, 9); // date, milliseconds
  dialect.set(0x4b, 0x4b, Kind.FIXED, 5); // date, minutes
  dialect.set(0x4d, 0x4d, Kind.MAP); // 'M'
  dialect.set(0x4f, 0x4f, Kind.OBJECT); // 'O'
  dialect.set(0x51, 0x51, Kind.REFERENCE); // 'Q'
  dialect.set(0x52, 0x52, Kind.STRING_CHUNK); // 'R'
  dialect.set(0x55, 0x55, Kind.LIST_VARIABLE); // 'U'
  dialect.set(0x56, 0x56, Kind.LIST); // 'V'
  dialect.set(0x57, 0x57, Kind.LIST_VARIABLE_UNTYPED); // 'W'
  dialect.set(0x58, 0x58, Kind.LIST_UNTYPED); // 'X'
  dialect.set(0x5a, 0x5a, Kind.END); // 'Z'
  for (let tag = 0x59; tag < 0x60; tag++) {
    // Long of 32 bits, doubles.
    if (tag != 0x5a) dialect.set(tag, tag, Kind.FIXED, sizeOf(tag) as i32);
  }
  dialect.set(0x60, 0x6f, Kind.OBJECT_DIRECT);
  dialect.set(0x70, 0x77, Kind.LIST_DIRECT);
  dialect.set(0x78, 0x7f, Kind.LIST_DIRECT_UNTYPED);
  return dialect;
}

/** Without 'r' (remote objects) and 'x', 'X' (XML), which nobody should send. */
function draft(): Dialect {
  const dialect = common();
  dialect.set(0x4a, 0x4a, Kind.DRAFT_REFERENCE_BYTE); // 'J'
  dialect.set(0x4b, 0x4b, Kind.DRAFT_REFERENCE_SHORT); // 'K'
  dialect.set(0x4d, 0x4d, Kind.DRAFT_MAP); // 'M'
  dialect.set(0x4f, 0x4f, Kind.DRAFT_DEFINITION); // 'O'
  dialect.set(0x52, 0x52, Kind.DRAFT_REFERENCE); // 'R'
  dialect.set(0x56, 0x56, Kind.DRAFT_LIST); // 'V'
  dialect.set(0x62, 0x62, Kind.BINARY_CHUNK); // 'b'
  dialect.set(0x64, 0x64, Kind.FIXED, 9); // 'd' date
  dialect.set(0x67, 0x68, Kind.FIXED, 1); // 0.0, 1.0
  dialect.set(0x69, 0x69, Kind.FIXED, 2); // double as a byte
  dialect.set(0x6a, 0x6a, Kind.FIXED, 3); // double as a short
  dialect.set(0x6b, 0x6b, Kind.FIXED, 5); // double as a float
  dialect.set(0x6f, 0x6f, Kind.OBJECT); // 'o'
  dialect.set(0x73, 0x73, Kind.STRING_CHUNK); // 's'
  dialect.set(0x76, 0x76, Kind.DRAFT_LIST_TYPED); // 'v'
  dialect.set(0x77, 0x77, Kind.FIXED, 5); // 'w' long of 32 bits
  dialect.set(0x7a, 0x7a, Kind.END); // 'z'
  return dialect;
}

/** Hessian 2.0. */
export const HESSIAN_2: Dialect = finished();
/** Its draft, of sofa-hessian 3. */
export const HESSIAN_2_DRAFT: Dialect = draft();
