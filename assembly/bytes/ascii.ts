// Bytes as ASCII characters. All take any number: what is beyond ASCII is none of these.

/** 0 to 9. */
// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

/** a to z and A to Z. */
// @ts-ignore: decorator
@inline
export function isLetter(c: u32): bool {
  return (c | 0x20) - 0x61 < 26;
}

/** Both of these. */
export function isAlphanumeric(c: u32): bool {
  return isDigit(c) || isLetter(c);
}

/** The same character, capitals as small letters. */
// @ts-ignore: decorator
@inline
export function lowerCase(c: u32): u32 {
  return c - 0x41 < 26 ? c | 0x20 : c;
}

/** The value of a hexadecimal digit, -1 for other bytes. */
export function hexDigit(c: u32): i32 {
  if (isDigit(c)) return (c - 0x30) as i32;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? (letter as i32) + 10 : -1;
}

/** The number that `n` hexadecimal digits stand for, at most seven; -1 where one is none. */
export function readHex(ptr: usize, n: i32): i32 {
  let value = 0;
  for (let i = 0; i < n; i++) {
    const digit = hexDigit(load<u8>(ptr + (i as usize)));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

/** The hexadecimal digit of a value below 16, a capital. */
export function upperHex(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x37 + value;
}
