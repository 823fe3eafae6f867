import { Bytes } from "../bytes/bytes";
import { load16be } from "../bytes/memory";
import { View } from "../bytes/view";
import { behind, CANNOT, KEY_OR_END, UNTIL_END, VALUE } from "./container";
import { Cursor } from "./cursor";
import { Dialect, DraftTag, Kind } from "./dialect";
import { NameReader } from "./names";
import { MAX_CLASSES, MAX_DEPTH } from "./reader";
import { fieldOf, Holder, holderOf, isAsRead, markOf, Role, ROLE_SHIFT } from "./roles";
import { Tag } from "./tags";

/** Says which classes may be. */
export abstract class ClassCheck {
  /** Whether the class of this name may be; the bytes are borrowed. */
  abstract allows(ptr: usize, length: i32): bool;
}

/** What a walk found. */
export const enum Verdict {
  /** All of it was read, and every class may be. */
  ALLOWED,
  /** `ClassWalk.name` may not be. */
  DENIED,
  /** It is not Hessian, or beyond the bounds, or it could mean another thing to a server. */
  UNREADABLE,
  /** Its arguments are in another serialization (Dubbo's generic calls "nativejava", "gson", "protobuf-json"). */
  OTHER,
}

/** Where strings name classes: bits. */
export const enum NamesIn {
  NOTHING = 0,
  /** Lists called `methodArgSigs`: sofa-rpc reads the arguments as these classes. */
  SIGNATURES = 1,
  /**
   * The key `class` of a map, also of one that is written as an object: Dubbo's generic calls make such objects. `generic`
   * among the attachments says how the arguments are read.
   */
  MAPS = 2,
}

// What is special in a container: bits, negative; or, above zero, a field's mark (`markOf`).
const CLOSED: i32 = 1;
const NAMES: i32 = 2;
/** How many values are left at a mark. */
const MARK_AT: i32 = (1 << ROLE_SHIFT) - 1;

const METHOD_ARG_SIGS = Bytes.of("methodArgSigs");
const CLASS = Bytes.of("class");
const GENERIC = Bytes.of("generic");

/**
 * Walks over a whole stream of Hessian 2 and asks about every class that it names: definitions (used or not), types of
 * maps and lists, and strings that make servers load classes. Nothing is instantiated; the time is linear in the bytes,
 * and references are bounded, not followed. It reads more strictly than any server: what a server could take for
 * something else is unreadable. One object is reused for all streams.
 */
export class ClassWalk extends Cursor {
  /** What was denied; valid until the next walk. */
  readonly name: View = new View();
  private readonly text: NameReader = new NameReader();
  private check: ClassCheck | null = null;
  private names: NamesIn = NamesIn.NOTHING;
  private denied: bool = false;
  private objects: i32 = 0;
  private types: i32 = 0;
  private classes: i32 = 0;
  /** Of each class the count of its fields, and the mark of the one with a role; 0: it has no such field. */
  private readonly fields: StaticArray<i32> = new StaticArray<i32>(MAX_CLASSES);
  private readonly marks: StaticArray<i32> = new StaticArray<i32>(MAX_CLASSES);
  private readonly outerLeft: StaticArray<i32> = new StaticArray<i32>(MAX_DEPTH);
  private readonly outerMark: StaticArray<i32> = new StaticArray<i32>(MAX_DEPTH);
  private innerMark: i32 = 0;

  /**
   * Walks over `length` (>= 0) bytes at `ptr`, borrowed, which are values up to their end.
   * @param types which of the outermost values lists names of classes; below 0: none
   */
  walk(dialect: Dialect, ptr: usize, length: i32, names: NamesIn, check: ClassCheck, types: i32 = -1): Verdict {
    this.bind(dialect, ptr, length);
    this.check = check;
    this.names = names;
    this.denied = false;
    this.objects = this.types = this.classes = 0;
    // Each value takes a byte, so that so many never come.
    const counted = types >= 0 && length < MARK_AT;
    const verdict = counted
      ? this.values(dialect, MARK_AT, markOf(Role.SIGNATURES, MARK_AT - types))
      : this.values(dialect, UNTIL_END, 0);
    this.check = null;
    if (this.denied) return Verdict.DENIED;
    return verdict;
  }

  private values(dialect: Dialect, left: i32, mark: i32): Verdict {
    let depth = 0;
    let role = Role.NONE;
    let defined = false;
    while (true) {
      while (left == 0) {
        // The stream itself has no length: there is an outer container.
        if (isSet(mark, CLOSED) && !this.readEnd()) return Verdict.UNREADABLE;
        depth--;
        left = unchecked(this.outerLeft[depth]);
        mark = unchecked(this.outerMark[depth]);
      }
      if (this.at >= this.end) return depth == 0 && !defined ? Verdict.ALLOWED : Verdict.UNREADABLE;
      if (mark > 0 && left == (mark & MARK_AT)) role = mark >> ROLE_SHIFT;
      else if (isSet(mark, NAMES)) role = Role.SIGNATURE;
      const tag = load<u8>(this.at) as i32;
      const kind = dialect.kindOf(tag);
      if (kind <= Kind.FIXED) {
        const size = dialect.sizeOf(tag);
        // Of what is no value it is 0. A null may be anywhere.
        if (size - 1 >= this.end - this.at || (role >= Role.SIGNATURES && tag != Tag.NULL)) return Verdict.UNREADABLE;
        this.at += size;
      } else if (kind <= Kind.STRING_CHUNK) {
        const next = this.text.skip(dialect, this.at, this.end);
        if (next == 0 || role == Role.SIGNATURES) return Verdict.UNREADABLE;
        this.at = next;
        if (role != Role.NONE) {
          if (role == Role.GENERIC && !(this.text.read() && isAsRead(this.text.name))) return Verdict.OTHER;
          if (role != Role.GENERIC && !this.allowed(role)) return Verdict.DENIED;
        } else if (left == KEY_OR_END && this.names != NamesIn.NOTHING) {
          left = VALUE;
          role = this.roleOfValue(depth);
          continue;
        }
      } else if (kind == Kind.END) {
        if (depth == 0 || (left != UNTIL_END && left != KEY_OR_END)) return Verdict.UNREADABLE;
        this.at++;
        left = 0;
        continue;
      } else if (kind == Kind.DEFINITION || kind == Kind.DRAFT_DEFINITION) {
        // It comes before the value that needs it; it is none itself.
        if (!this.define(dialect, kind)) return Verdict.UNREADABLE;
        defined = true;
        continue;
      } else {
        const inner = this.open(dialect, kind, tag, role);
        if (inner == CANNOT) return Verdict.UNREADABLE;
        left = behind(left);
        if (inner != 0 || this.innerMark != 0) {
          if (depth == MAX_DEPTH) return Verdict.UNREADABLE;
          unchecked((this.outerLeft[depth] = left));
          unchecked((this.outerMark[depth] = mark));
          depth++;
          left = inner;
          mark = this.innerMark;
        }
        role = Role.NONE;
        defined = false;
        continue;
      }
      left = behind(left);
      role = Role.NONE;
      defined = false;
    }
  }

  /** What the value behind the key is that was just read; attachments are not within anything else. */
  private roleOfValue(depth: i32): Role {
    const text = this.text;
    if ((this.names & NamesIn.SIGNATURES) != 0) return text.is(METHOD_ARG_SIGS) ? Role.SIGNATURES : Role.NONE;
    if (text.is(CLASS)) return Role.CLASS;
    return depth == 1 && text.is(GENERIC) ? Role.GENERIC : Role.NONE;
  }

  /** What the values of the field are whose name was just read. */
  private roleOfField(holder: Holder): Role {
    const text = this.text;
    const named = fieldOf(holder);
    if (named !== null && text.is(named)) return holder == Holder.BEAN ? Role.BEAN : Role.CLASS;
    if ((this.names & NamesIn.SIGNATURES) != 0 && text.is(METHOD_ARG_SIGS)) return Role.SIGNATURES;
    // A class that servers do not have, and each map, is read as a map with the fields for keys.
    return (this.names & NamesIn.MAPS) != 0 && text.is(CLASS) ? Role.CLASS : Role.NONE;
  }

  /** Whether the string that was read last is the name of a class that may be; of an array, its values' class. */
  private allowed(role: Role = Role.NONE): bool {
    const text = this.text;
    const check = this.check;
    const whole = text.read();
    let ptr = text.name.ptr;
    let length = text.name.length;
    let isArray = false;
    while (length > 0 && load<u8>(ptr) == 0x5b) {
      isArray = true; // '[': Hessian's and the JVM's
      ptr++;
      length--;
    }
    if (isArray && length == 1 && isPrimitive(load<u8>(ptr))) return true;
    if (isArray && length > 2 && load<u8>(ptr) == 0x4c && load<u8>(ptr + ((length - 1) as usize)) == 0x3b) {
      ptr++; // 'L' to ';': the JVM's
      length -= 2;
    }
    while (length >= 2 && load16be(ptr + ((length - 2) as usize)) == 0x5b5d) length -= 2; // "[]": sofa-rpc's
    this.name.set(ptr, length);
    // Without a name it is as if there were no type.
    this.denied = !whole || check === null || (length > 0 && !check.allows(ptr, length));
    // A bean that stands for a class names it somewhere else.
    if (role == Role.BEAN && holderOf(this.name) != Holder.NONE) this.denied = true;
    return !this.denied;
  }

  /** Reads a value up to what it contains, and returns what that is: 0 for nothing, CANNOT when it cannot be read. */
  private open(dialect: Dialect, kind: Kind, tag: i32, role: Role): i32 {
    this.innerMark = 0;
    if (kind <= Kind.BINARY_CHUNK) return role < Role.SIGNATURES && this.skipBinary() ? 0 : CANNOT;
    const isList =
      (kind >= Kind.LIST_VARIABLE && kind <= Kind.LIST_DIRECT_UNTYPED) ||
      kind == Kind.DRAFT_LIST ||
      kind == Kind.DRAFT_LIST_TYPED;
    // Names of classes are strings in a list here, and not somewhere that a reference points to.
    if (role == Role.SIGNATURE || (role == Role.SIGNATURES && !isList)) return CANNOT;
    const left = this.head(dialect, kind, tag);
    if (left != CANNOT && role == Role.SIGNATURES) this.innerMark -= NAMES;
    return left;
  }

  private head(dialect: Dialect, kind: Kind, tag: i32): i32 {
    this.at++;
    switch (kind) {
      case Kind.MAP:
        return this.type(dialect) ? this.container(KEY_OR_END) : CANNOT;
      case Kind.MAP_UNTYPED:
        return this.container(KEY_OR_END);
      case Kind.LIST_VARIABLE:
        return this.type(dialect) ? this.container(UNTIL_END) : CANNOT;
      case Kind.LIST_VARIABLE_UNTYPED:
        return this.container(UNTIL_END);
      case Kind.LIST:
        return this.type(dialect) && this.readInt() ? this.list(this.value) : CANNOT;
      case Kind.LIST_UNTYPED:
        return this.readInt() ? this.list(this.value) : CANNOT;
      case Kind.LIST_DIRECT:
        return this.type(dialect) ? this.list(tag & 7) : CANNOT;
      case Kind.LIST_DIRECT_UNTYPED:
        return this.list(tag & 7);
      case Kind.OBJECT:
        return this.readInt() ? this.object(this.value) : CANNOT;
      case Kind.OBJECT_DIRECT:
        return this.object(tag & 15);
      case Kind.REFERENCE:
        return this.readInt() ? this.reference(this.value) : CANNOT;
      default:
        return this.draftHead(kind);
    }
  }

  private draftHead(kind: Kind): i32 {
    switch (kind) {
      case Kind.DRAFT_MAP:
        return this.draftType() ? this.container(KEY_OR_END) : CANNOT;
      case Kind.DRAFT_LIST:
        return this.draftType() ? this.draftList() : CANNOT;
      case Kind.DRAFT_LIST_TYPED:
        return this.readInt() && this.value >= 0 && this.value < this.types && this.readInt()
          ? this.list(this.value)
          : CANNOT;
      case Kind.DRAFT_REFERENCE:
        return this.readBytes(4) ? this.reference(this.value) : CANNOT;
      case Kind.DRAFT_REFERENCE_BYTE:
        return this.readBytes(1) ? this.reference(this.value) : CANNOT;
      case Kind.DRAFT_REFERENCE_SHORT:
        return this.readBytes(2) ? this.reference(this.value) : CANNOT;
      default:
        return CANNOT;
    }
  }

  private container(left: i32): i32 {
    this.objects++;
    return left;
  }

  /** A list with a length, which is refused at once when there cannot be so many values. */
  private list(length: i32): i32 {
    return length >= 0 && (length as usize) <= this.end - this.at ? this.container(length) : CANNOT;
  }

  /** The draft's list: with a length its end follows the values all the same. */
  private draftList(): i32 {
    if (this.at >= this.end) return CANNOT;
    const tag = load<u8>(this.at) as i32;
    if (tag != DraftTag.LENGTH && tag != DraftTag.LENGTH_BYTE) return this.container(UNTIL_END);
    this.at++;
    if (!this.readBytes(tag == DraftTag.LENGTH ? 4 : 1)) return CANNOT;
    this.innerMark = -CLOSED;
    return this.list(this.value);
  }

  private object(index: i32): i32 {
    if (index < 0 || index >= this.classes) return CANNOT;
    this.objects++;
    this.innerMark = unchecked(this.marks[index]);
    return unchecked(this.fields[index]);
  }

  private reference(index: i32): i32 {
    return index >= 0 && index < this.objects ? 0 : CANNOT;
  }

  /** Reads a type: a name, or the number of an earlier one. */
  private type(dialect: Dialect): bool {
    if (this.readInt()) return this.value >= 0 && this.value < this.types;
    const next = this.text.skip(dialect, this.at, this.end);
    if (next == 0) return false;
    this.at = next;
    this.types++;
    return this.typeAllowed();
  }

  /** Whether a map or a list may be of the type that was read: not of what is known by its fields. */
  private typeAllowed(): bool {
    return this.allowed() && (holderOf(this.name) == Holder.NONE || load<u8>(this.text.name.ptr) == 0x5b);
  }

  /** Reads a type of the draft; there may be none. */
  private draftType(): bool {
    if (this.at >= this.end) return false;
    const tag = load<u8>(this.at) as i32;
    if (tag == DraftTag.TYPE_REFERENCE || tag == DraftTag.TYPE_REFERENCE_TRUE) {
      this.at++;
      return this.readInt() && this.value >= 0 && this.value < this.types;
    }
    if (tag != DraftTag.TYPE) return true;
    this.at++;
    if (!this.readBytes(2)) return false;
    const next = this.text.skipUnits(this.at, this.end, this.value);
    if (next == 0) return false;
    this.at = next;
    this.types++;
    return this.typeAllowed();
  }

  /** Reads the definition of a class: its name, and the count and names of its fields. */
  private define(dialect: Dialect, kind: Kind): bool {
    this.at++;
    if (this.classes == MAX_CLASSES) return false;
    let next: usize = 0;
    if (kind == Kind.DEFINITION) next = this.text.skip(dialect, this.at, this.end);
    else if (this.readInt()) next = this.text.skipUnits(this.at, this.end, this.value);
    if (next == 0) return false;
    this.at = next;
    if (!this.allowed() || !this.readInt()) return false;
    const count = this.value;
    if (count < 0 || (count as usize) > this.end - this.at) return false;
    const holder = holderOf(this.name);
    let mark = 0;
    for (let i = 0; i < count; i++) {
      next = this.text.skip(dialect, this.at, this.end);
      if (next == 0) return false;
      this.at = next;
      const role = this.roleOfField(holder);
      if (role == Role.NONE) continue;
      // Which of two counts is for the server to decide.
      if (mark != 0) return false;
      mark = markOf(role, count - i);
    }
    unchecked((this.fields[this.classes] = count));
    unchecked((this.marks[this.classes] = mark));
    this.classes++;
    return true;
  }
}

/** Whether a container is marked so. */
// @ts-ignore: decorator
@inline
function isSet(mark: i32, bit: i32): bool {
  return mark < 0 && (-mark & bit) != 0;
}

/** Whether the JVM names a primitive type so: Z B C D F I J S. */
function isPrimitive(letter: u8): bool {
  const place = letter - 0x41;
  return place < 26 && ((0x0204032e >> (place as u32)) & 1) != 0;
}
