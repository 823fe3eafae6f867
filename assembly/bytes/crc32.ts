// CRC-32 of IEEE 802.3 (zlib's, java.util.zip.CRC32's), reflected: bit 31 of a word is the coefficient of x^0.

const POLYNOMIAL: u32 = 0xedb88320;

/** Slicing tables: entry 256 k + b is the CRC of byte b followed by k zero bytes. */
const TABLE: StaticArray<u32> = slicingTable();
/** x^(8 * 2^k) modulo the polynomial. */
const ZERO_BYTES: StaticArray<u32> = zeroBytesTable();

function slicingTable(): StaticArray<u32> {
  const table = new StaticArray<u32>(8 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b as u32;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    unchecked((table[b] = crc));
  }
  for (let i = 256; i < 8 * 256; i++) {
    const before = unchecked(table[i - 256]);
    unchecked((table[i] = (before >> 8) ^ table[before & 0xff]));
  }
  return table;
}

function zeroBytesTable(): StaticArray<u32> {
  const table = new StaticArray<u32>(32);
  let power: u32 = 1 << 23; // x^8
  for (let k = 0; k < 32; k++) {
    unchecked((table[k] = power));
    power = multiply(power, power);
  }
  return table;
}

/** Product of two polynomials modulo the CRC's. */
function multiply(a: u32, b: u32): u32 {
  let product: u32 = 0;
  for (; a != 0; a <<= 1) {
    product ^= b & (0 - (a >> 31));
    b = (b >> 1) ^ (POLYNOMIAL & (0 - (b & 1)));
  }
  return product;
}

// @ts-ignore: decorator
@inline
function entry(table: i32, byte: u32): u32 {
  return load<u32>(changetype<usize>(TABLE) + (((table << 8) as usize) << 2) + ((byte as usize) << 2));
}

// @ts-ignore: decorator
@inline
function fourBytes(word: u32, zeros: i32): u32 {
  return (
    entry(zeros + 3, word & 0xff) ^
    entry(zeros + 2, (word >> 8) & 0xff) ^
    entry(zeros + 1, (word >> 16) & 0xff) ^
    entry(zeros, word >> 24)
  );
}

/** CRC-32 of `n` bytes at `ptr`; `crc` is that of the bytes before them. */
export function crc32(ptr: usize, n: i32, crc: u32 = 0): u32 {
  crc = ~crc;
  for (; n >= 8; n -= 8, ptr += 8) crc = fourBytes(load<u32>(ptr) ^ crc, 4) ^ fourBytes(load<u32>(ptr, 4), 0);
  for (; n > 0; n--, ptr++) crc = (crc >> 8) ^ entry(0, (crc ^ load<u8>(ptr)) & 0xff);
  return ~crc;
}

/**
 * The CRC-32 of a message in which four bytes were replaced, without reading it: `before` and `after` are those bytes
 * as `load<u32>` gives them, `behind` is the count of bytes of the message behind them, `crc` its CRC until now.
 */
export function crc32Replace(crc: u32, before: u32, after: u32, behind: i32): u32 {
  let change = fourBytes(before ^ after, 0);
  for (let k = 0; behind > 0; behind >>= 1, k++) {
    if ((behind & 1) != 0) change = multiply(unchecked(ZERO_BYTES[k]), change);
  }
  return crc ^ change;
}
