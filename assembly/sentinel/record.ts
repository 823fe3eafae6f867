import { noteGarbage } from "../abi/dispatch";
import { SharedRecord } from "./store";

/** Version of the records' layout: what has another one is begun anew. */
const VERSION: u32 = 2;
/** version, number of sections, hash of the layout. */
const HEADER: i32 = 16;
/** identity and size before each section. */
const SECTION: i32 = 8;
/** A record that would grow beyond drops the sections of rules that are gone, bytes. */
const MAX_RECORD: i32 = 4096;

/** A part of a record: the state of one rule, or the counts of the resource. */
export class Section {
  /** Where it begins in the record that was located last; from the record's first byte. */
  offset: i32 = 0;

  /**
   * @param identity tells it from the others of the record, and is the same in all workers and after a restart of rules
   * @param size bytes, a multiple of 8
   */
  constructor(
    readonly identity: u32,
    readonly size: i32,
  ) {}
}

/**
 * The layout of a resource's record: sections by identity, so that workers with other rules find theirs, and rules that
 * stay keep their state when others come and go. Sections of rules that are gone stay until there is no room.
 */
export class Layout {
  readonly sections: Section[] = [];
  /** The layout that the sections' offsets are for; 0: none. */
  private located: u32 = 0;

  /** The section of that identity; added when there is none yet. */
  add(identity: u32, size: i32): Section {
    for (let i = 0; i < this.sections.length; i++) {
      if (this.sections[i].identity == identity) return this.sections[i];
    }
    const section = new Section(identity, size);
    this.sections.push(section);
    this.located = 0;
    return section;
  }

  /** Finds the sections in a record that was just read, and adds those that it lacks, of zeros. */
  locate(record: SharedRecord): void {
    const valid = record.length >= HEADER && load<u32>(record.ptr) == VERSION;
    if (valid && this.located != 0 && load<u32>(record.ptr, 8) == this.located) return;
    if (!valid || !this.findAll(record)) this.rebuild(record, valid);
    this.located = load<u32>(record.ptr, 8);
  }

  /**
   * Makes zeros of what a record, as it was read, has for sections that none of the layouts knows: their rules are gone.
   * False: there is nothing.
   */
  static clear(record: SharedRecord, layouts: Layout[]): bool {
    let cleared: bool = false;
    if (record.length < HEADER || load<u32>(record.ptr) != VERSION) return false;
    for (let at = HEADER; at + SECTION <= record.length;) {
      const identity = load<u32>(record.ptr + (at as usize));
      const size = load<i32>(record.ptr + (at as usize), 4);
      if (size < 0 || size > record.length - at - SECTION) break;
      if (!isKnown(identity, layouts)) {
        memory.fill(record.ptr + ((at + SECTION) as usize), 0, size as usize);
        cleared = true;
      }
      at += SECTION + size;
    }
    return cleared;
  }

  /** Finds all sections; false when one is not there. */
  private findAll(record: SharedRecord): bool {
    let found = 0;
    for (let at = HEADER; at + SECTION <= record.length;) {
      const section = this.find(load<u32>(record.ptr + (at as usize)));
      const size = load<i32>(record.ptr + (at as usize), 4);
      if (size < 0 || size > record.length - at - SECTION) return false;
      if (section !== null && section.size == size) {
        section.offset = at + SECTION;
        found++;
      }
      at += SECTION + size;
    }
    return found == this.sections.length;
  }

  /** The section of that identity; null: there is none. */
  find(identity: u32): Section | null {
    for (let i = 0; i < this.sections.length; i++) {
      if (unchecked(this.sections[i]).identity == identity) return unchecked(this.sections[i]);
    }
    return null;
  }

  /** Writes the record anew: our sections with what was known of them, then the others while there is room. */
  private rebuild(record: SharedRecord, valid: bool): void {
    const old = new SharedRecord(record.key);
    if (valid) {
      old.resize(record.length);
      memory.copy(old.ptr, record.ptr, record.length as usize);
    }
    record.length = 0;
    record.resize(HEADER);
    store<u32>(record.ptr, VERSION);
    for (let i = 0; i < this.sections.length; i++) {
      const section = unchecked(this.sections[i]);
      section.offset = append(record, section.identity, section.size);
    }
    for (let at = HEADER; at + SECTION <= old.length;) {
      const from = old.ptr + (at as usize);
      const size = load<i32>(from, 4);
      if (size < 0 || size > old.length - at - SECTION) break;
      this.keep(record, load<u32>(from), from + SECTION, size);
      at += SECTION + size;
    }
    noteGarbage(2);
    store<u32>(record.ptr, fingerprint(record), 8);
  }

  private keep(record: SharedRecord, identity: u32, from: usize, size: i32): void {
    const own = this.find(identity);
    let offset = own !== null ? own.offset : 0;
    if (own !== null && own.size != size) return;
    if (own === null) {
      if (record.length + SECTION + size > MAX_RECORD) return;
      offset = append(record, identity, size);
    }
    memory.copy(record.ptr + (offset as usize), from, size as usize);
  }
}

function isKnown(identity: u32, layouts: Layout[]): bool {
  for (let i = 0; i < layouts.length; i++) if (layouts[i].find(identity) !== null) return true;
  return false;
}

/** Adds a section of zeros; where it begins. */
function append(record: SharedRecord, identity: u32, size: i32): i32 {
  const at = record.length;
  record.resize(at + SECTION + size);
  store<u32>(record.ptr + (at as usize), identity);
  store<i32>(record.ptr + (at as usize), size, 4);
  return at + SECTION;
}

/** Tells layouts apart: never 0. */
function fingerprint(record: SharedRecord): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let at = HEADER; at + SECTION <= record.length;) {
    const size = load<i32>(record.ptr + (at as usize), 4);
    hash = (hash ^ load<u32>(record.ptr + (at as usize))) * 0x01000193;
    hash = (hash ^ (size as u32)) * 0x01000193;
    at += SECTION + size;
  }
  return hash | 1;
}
