// The Huffman code of HPACK (RFC 7541 §5.2, Appendix B). It is canonical: the codes of one length are consecutive in
// the order of their symbols, so the lengths are all that has to be written down.
import { load32be } from "../../bytes/memory";

/** Symbols with a code; the last is EOS, which never occurs in a string. */
const SYMBOLS: i32 = 257;
const EOS: u32 = 256;
const LONGEST: i32 = 30;
/** Codes of up to so many bits are looked up at once; no code has 9 bits. */
const FAST_BITS: i32 = 8;

/** Length of each symbol's code in bits. */
const LENGTHS = memory.data<u8>([
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
]);

/** For the next 8 bits: length << 8 | symbol of the code that they begin with, 0 when it is longer. */
const FAST = memory.data(2 << FAST_BITS, 2);
/** Symbols in the order of their codes. */
const ORDER = memory.data(2 * SYMBOLS, 2);
// For each length: its first code and the first code after it, both moved to the top of 32 bits, and the place of the
// first symbol in ORDER.
const FIRST = memory.data(4 * (LONGEST + 1), 4);
const AFTER = memory.data(4 * (LONGEST + 1), 4);
const PLACE = memory.data(2 * (LONGEST + 1), 2);

let built = false;

/** Fills the tables from LENGTHS. */
function build(): void {
  built = true;
  let code: u64 = 0;
  let place: i32 = 0;
  for (let length = 1; length <= LONGEST; length++) {
    const shift = 32 - length;
    store<u32>(FIRST + ((length as usize) << 2), (code << shift) as u32);
    store<u16>(PLACE + ((length as usize) << 1), place as u16);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if ((load<u8>(LENGTHS + (symbol as usize)) as i32) != length) continue;
      store<u16>(ORDER + ((place++ as usize) << 1), symbol as u16);
      if (length <= FAST_BITS) fillFast(code as u32, length, symbol);
      code++;
    }
    store<u32>(AFTER + ((length as usize) << 2), (code << shift) as u32);
    code <<= 1;
  }
}

function fillFast(code: u32, length: i32, symbol: i32): void {
  const spare = FAST_BITS - length;
  const from = (code << spare) as usize;
  const entry = (length << 8) | symbol;
  for (let i: usize = 0; i < (1 as usize) << spare; i++) store<u16>(FAST + ((from + i) << 1), entry as u16);
}

/** Length << 16 | symbol of the code of more than 8 bits at the top of `window`. */
function longCode(window: u32): u32 {
  let length = FAST_BITS + 1;
  while (length < LONGEST && window >= load<u32>(AFTER + ((length as usize) << 2))) length++;
  const nth = (window - load<u32>(FIRST + ((length as usize) << 2))) >> (32 - length);
  const place = (load<u16>(PLACE + ((length as usize) << 1)) as u32) + nth;
  return ((length as u32) << 16) | (load<u16>(ORDER + ((place as usize) << 1)) as u32);
}

/**
 * Decodes a Huffman-coded string of `length` bytes to `target`. Returns the count of bytes written, or -1 when they
 * pass `capacity`, or the string has the EOS symbol, more than 7 bits of padding, or padding other than ones.
 * The ranges must not overlap. `length * 8 / 5` bytes of capacity hold any string.
 */
export function decodeHuffman(source: usize, length: i32, target: usize, capacity: i32): i32 {
  if (!built) build();
  const end = source + (length as usize);
  let at = source;
  let to = target;
  const full = target + (capacity as usize);
  // The next `have` bits of input are at the top of `bits`; below them are zeros.
  let bits: u64 = 0;
  let have: i32 = 0;
  while (true) {
    if (have <= 32 && end - at >= 4) {
      bits |= (load32be(at) as u64) << (32 - have);
      have += 32;
      at += 4;
    } else {
      for (; have <= 56 && at < end; have += 8) bits |= (load<u8>(at++) as u64) << (56 - have);
    }
    if (have == 0) break;
    // Behind the end come ones, which never complete a code: that is what the padding is made of.
    let window = (bits >> 32) as u32;
    if (have < 32) window |= (0xffffffff as u32) >> have;
    let code: u32 = load<u16>(FAST + ((window >> (32 - FAST_BITS)) << 1));
    code = code != 0 ? ((code >> 8) << 16) | (code & 0xff) : longCode(window);
    const used = (code >> 16) as i32;
    if (used > have) break;
    const symbol = code & 0xffff;
    if (symbol == EOS || to == full) return -1;
    store<u8>(to++, symbol as u8);
    bits <<= used;
    have -= used;
  }
  const padded = have == 0 || (have < 8 && bits >> (64 - have) == ((1 as u64) << have) - 1);
  return padded ? ((to - target) as i32) : -1;
}
