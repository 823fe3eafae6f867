import { Bytes } from "../../../assembly/bytes/bytes";

const DOT: u8 = 0x2e;
/** FNV-1a, which can be read off at every dot on the way. */
const BASIS: u32 = 0x811c9dc5;
const PRIME: u32 = 0x01000193;

/**
 * Names of classes, and packages ("com.example.*": all classes in it and in those below it). Asking takes time linear in
 * the name's length, however many there are.
 */
export class ClassSet {
  /** Indexes of the texts that are no pattern. */
  readonly wrong: i32[];
  /** Names, and packages with their last dot. */
  private readonly slots: StaticArray<Bytes | null>;
  private readonly mask: u32;
  private hasPackages: bool = false;

  constructor(patterns: string[]) {
    const wrong: i32[] = [];
    this.wrong = wrong;
    let size = 4;
    while (size < 2 * patterns.length) size <<= 1;
    this.slots = new StaticArray<Bytes | null>(size);
    this.mask = size - 1;
    for (let i = 0; i < patterns.length; i++) {
      const isPackage = patterns[i].endsWith(".*");
      const bytes = Bytes.of(isPackage ? patterns[i].substring(0, patterns[i].length - 1) : patterns[i]);
      if (!isName(bytes, isPackage)) {
        wrong.push(i);
        continue;
      }
      if (isPackage) this.hasPackages = true;
      this.add(bytes);
    }
  }

  private add(bytes: Bytes): void {
    let slot = hashOf(bytes.ptr, bytes.length) & this.mask;
    for (let i: u32 = 0; i <= this.mask; i++, slot = (slot + 1) & this.mask) {
      const other = unchecked(this.slots[slot]);
      if (other !== null && !other.equals(bytes.ptr, bytes.length)) continue;
      unchecked((this.slots[slot] = bytes));
      return;
    }
  }

  /** Whether the class of this name is one of them. */
  has(ptr: usize, length: i32): bool {
    let hash = BASIS;
    for (let i = 0; i < length; i++) {
      const byte = load<u8>(ptr + (i as usize));
      hash = (hash ^ byte) * PRIME;
      if (byte == DOT && this.hasPackages && this.find(hash, ptr, i + 1)) return true;
    }
    return this.find(hash, ptr, length);
  }

  private find(hash: u32, ptr: usize, length: i32): bool {
    let slot = hash & this.mask;
    for (let i: u32 = 0; i <= this.mask; i++, slot = (slot + 1) & this.mask) {
      const bytes = unchecked(this.slots[slot]);
      if (bytes === null) return false;
      if (bytes.equals(ptr, length)) return true;
    }
    return false;
  }
}

function hashOf(ptr: usize, length: i32): u32 {
  let hash = BASIS;
  for (let i = 0; i < length; i++) hash = (hash ^ load<u8>(ptr + (i as usize))) * PRIME;
  return hash;
}

/** Whether these are words with dots between them (and behind the last, of a package), in which a class's name can be. */
function isName(bytes: Bytes, isPackage: bool): bool {
  let before = DOT;
  for (let i = 0; i < bytes.length; i++) {
    const byte = load<u8>(bytes.ptr + (i as usize));
    if (byte == DOT ? before == DOT : !isWord(byte)) return false;
    before = byte;
  }
  return bytes.length > 0 && (before == DOT) == isPackage;
}

/** Letters, digits, '$', '_' and what is not ASCII. */
function isWord(byte: u8): bool {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isDigit || isLetter || byte == 0x24 || byte == 0x5f || byte >= 0x80;
}
