import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { readDecimal } from "../../../assembly/bytes/decimal";
import { View } from "../../../assembly/bytes/view";

/** What stands where a name is looked for. */
export const enum Name {
  /** Nothing that a server could take for a name. */
  NONE,
  NULL,
  /** A string in one piece, of which there is only one spelling. */
  TEXT,
  /** Something else that a server takes for a string: in pieces, overlong, in other characters, a number. */
  ODD,
}

/** What follows in a map of attachments. */
export const enum Step {
  PAIR,
  END,
  /** Nothing that can be read. */
  BROKEN,
  /** Something that a server may take for other attachments than we would. */
  AMBIGUOUS,
}

/** What the value of an attachment is. */
export const enum Kind {
  /** A string in one piece: `value` is its bytes. Until `settle` there may be another spelling of it. */
  TEXT,
  /** `print` writes its text: a number, true or false, another string. `value` is all its bytes. */
  PRINTED,
  NULL,
  OTHER,
}

/** A text longer than this is no number, bytes. */
const LONGEST_NUMBER: i32 = 64;

const scratch = new ByteBuffer();

/**
 * The body of a frame in one of the serializations that are understood, as a reader from front to back and as a writer.
 * All ranges are borrowed; one object is reused for all frames. Its time is linear in the bytes.
 */
export abstract class Body {
  /** Of the pair that was read last: its key, where that is a string (`keyed`), and its value. */
  readonly key: View = new View();
  readonly value: View = new View();
  keyed: bool = false;
  kind: Kind = Kind.OTHER;
  /** Nothing in the rest of the body depends on the pair, nor it on that. */
  plain: bool = false;
  /** Where the pair begins. */
  pairAt: usize = 0;

  /** Starts with `length` (>= 0) bytes at `ptr`. */
  abstract bind(ptr: usize, length: i32): void;
  /** Address of what is read next; within attachments that of what follows them. */
  abstract get at(): usize;
  /** Address behind the body. */
  abstract get end(): usize;
  /** Reads a name; behind NONE nothing can be read. `out` is its bytes, length 0 for all but TEXT. */
  abstract name(out: View): Name;
  /** Reads a number in place of the types of the parameters, as dubbox writes it; -2 when there is none. */
  abstract count(): i32;
  /** Reads the kind of a result, 0 to 5; -1 when there is none. */
  abstract result(): i32;
  /** Skips values; behind false nothing can be read. */
  abstract skip(count: i32): bool;
  /** Begins the attachments: PAIR, and `next` tells of the pairs; END for null and nothing. */
  abstract open(): Step;
  /** Address of the first pair that `next` will tell of. */
  abstract get inner(): usize;
  /** Reads a pair. */
  abstract next(): Step;
  /** Looks whether a value of kind TEXT has only one spelling; it is PRINTED where it has not. */
  abstract settle(): void;
  /** Address behind the pair that was read last. */
  abstract get pairEnd(): usize;
  /** Remembers where it is. */
  abstract mark(): void;
  /** Goes back to where `mark` was. */
  abstract rewind(): void;
  /** Most bytes that `print` writes. */
  abstract get printedRoom(): i32;
  /** Appends the text of a value of kind PRINTED. */
  abstract print(out: ByteBuffer): void;

  /** Appends a name; false, and nothing appended, when it is no text. */
  abstract writeName(out: ByteBuffer, ptr: usize, length: i32): bool;
  abstract writeNull(out: ByteBuffer): void;
  abstract writeResult(out: ByteBuffer, result: i32): void;
  /** Appends the beginning of attachments: that of others, or a new one for length 0. */
  abstract writeOpening(out: ByteBuffer, opening: View): void;
  /** Appends a key or a value of an attachment; false, and nothing appended, when it is no text. */
  abstract writeText(out: ByteBuffer, ptr: usize, length: i32): bool;
  /** Appends the end of the attachments that begin at offset `start` of the buffer. */
  abstract writeEnd(out: ByteBuffer, start: i32): void;

  /** The value as a whole number from 0 on; 0 for what is none. */
  number(): i64 {
    if (this.kind == Kind.TEXT) return max(readDecimal(this.value.ptr, this.value.length), 0);
    if (this.kind != Kind.PRINTED || this.value.length > LONGEST_NUMBER) return 0;
    scratch.clear();
    this.print(scratch);
    let length = 0;
    while (length < scratch.length && load<u8>(scratch.ptr + (length as usize)) != 0x2e) length++;
    return max(readDecimal(scratch.ptr, length), 0);
  }
}
