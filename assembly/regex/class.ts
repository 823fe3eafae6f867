/** The largest code point. */
export const MAX_RUNE: u32 = 0x10ffff;

/** A set of characters while a pattern is read: inclusive ranges, in any order until `normalise`. */
export class CharClass {
  lows: u32[] = [];
  highs: u32[] = [];

  add(low: u32, high: u32): void {
    this.lows.push(low);
    this.highs.push(high);
  }

  /**
   * Adds the range with the other cases of its letters. False where that needs more than ASCII's letters and their
   * two look-alikes (U+017F, U+212A): the tables for the rest of Unicode are not here.
   */
  addFolded(low: u32, high: u32): bool {
    this.add(low, high);
    if (high >= 0x80) return low == high && this.addLookAlike(low);
    this.addShifted(max<u32>(low, 0x41), min<u32>(high, 0x5a), 0x20);
    this.addShifted(max<u32>(low, 0x61), min<u32>(high, 0x7a), -0x20);
    if (has(low, high, 0x6b) || has(low, high, 0x4b)) this.add(0x212a, 0x212a);
    if (has(low, high, 0x73) || has(low, high, 0x53)) this.add(0x17f, 0x17f);
    return true;
  }

  private addShifted(low: u32, high: u32, by: i32): void {
    if (low <= high) this.add(low + by, high + by);
  }

  private addLookAlike(rune: u32): bool {
    if (rune != 0x212a && rune != 0x17f) return false;
    const lower: u32 = rune == 0x212a ? 0x6b : 0x73;
    return this.addFolded(lower, lower);
  }

  addAll(other: CharClass): void {
    for (let i = 0; i < other.lows.length; i++) this.add(other.lows[i], other.highs[i]);
  }

  /** Sorts and merges the ranges. */
  normalise(): void {
    const order: u64[] = [];
    for (let i = 0; i < this.lows.length; i++) order.push(((this.lows[i] as u64) << 32) | (this.highs[i] as u64));
    order.sort((a: u64, b: u64) => (a < b ? -1 : a > b ? 1 : 0));
    this.lows = [];
    this.highs = [];
    for (let i = 0; i < order.length; i++) {
      const low = (order[i] >> 32) as u32;
      const high = order[i] as u32;
      const last = this.highs.length - 1;
      if (last < 0 || low > this.highs[last] + 1) this.add(low, high);
      else if (high > this.highs[last]) this.highs[last] = high;
    }
  }

  /** The characters that are not in this class. */
  negated(): CharClass {
    this.normalise();
    const out = new CharClass();
    let next: u32 = 0;
    for (let i = 0; i < this.lows.length; i++) {
      if (this.lows[i] > next) out.add(next, this.lows[i] - 1);
      next = this.highs[i] + 1;
    }
    if (next <= MAX_RUNE) out.add(next, MAX_RUNE);
    return out;
  }

  /** The class for matching. */
  compile(): CharSet {
    this.normalise();
    return new CharSet(StaticArray.fromArray<u32>(this.lows), StaticArray.fromArray<u32>(this.highs));
  }
}

function has(low: u32, high: u32, rune: u32): bool {
  return low <= rune && rune <= high;
}

/** A set of characters as the matcher tests it. */
export class CharSet {
  /** One bit for each of the 128 ASCII characters. */
  private first: u64 = 0;
  private second: u64 = 0;

  /** The ranges are sorted and apart. */
  constructor(
    private readonly lows: StaticArray<u32>,
    private readonly highs: StaticArray<u32>,
  ) {
    for (let i = 0; i < lows.length; i++) {
      for (let rune = lows[i]; rune <= highs[i] && rune < 128; rune++) {
        if (rune < 64) this.first |= (1 as u64) << rune;
        else this.second |= (1 as u64) << (rune - 64);
      }
    }
  }

  has(rune: u32): bool {
    if (rune < 64) return ((this.first >> rune) & 1) != 0;
    if (rune < 128) return ((this.second >> (rune - 64)) & 1) != 0;
    let from = 0;
    let to = this.lows.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (unchecked(this.lows[middle]) > rune) to = middle;
      else from = middle + 1;
    }
    return from > 0 && rune <= unchecked(this.highs[from - 1]);
  }
}

/** The class of \d, \s or \w (`letter` in lower case): ASCII only, as in RE2. */
export function perlClass(letter: u32): CharClass {
  const out = new CharClass();
  if (letter == 0x64) {
    out.add(0x30, 0x39);
  } else if (letter == 0x73) {
    out.add(0x09, 0x0a);
    out.add(0x0c, 0x0d);
    out.add(0x20, 0x20);
  } else {
    out.add(0x30, 0x39);
    out.add(0x41, 0x5a);
    out.add(0x5f, 0x5f);
    out.add(0x61, 0x7a);
  }
  return out;
}

/** Pairs of inclusive bounds. */
const POSIX_NAMES: string[] = [
  "alnum",
  "alpha",
  "ascii",
  "blank",
  "cntrl",
  "digit",
  "graph",
  "lower",
  "print",
  "punct",
  "space",
  "upper",
  "word",
  "xdigit",
];
const POSIX_RANGES: string[] = [
  "09AZaz",
  "AZaz",
  "\0\x7f",
  "\t\t  ",
  "\0\x1f\x7f\x7f",
  "09",
  "!~",
  "az",
  " ~",
  "!/:@[`{~",
  "\t\r  ",
  "AZ",
  "09AZ__az",
  "09AFaf",
];

/** The class of [:name:]; null when there is none. */
export function posixClass(name: string): CharClass | null {
  const index = POSIX_NAMES.indexOf(name);
  if (index < 0) return null;
  const ranges = POSIX_RANGES[index];
  const out = new CharClass();
  for (let i = 0; i + 1 < ranges.length; i += 2) out.add(ranges.charCodeAt(i), ranges.charCodeAt(i + 1));
  return out;
}
