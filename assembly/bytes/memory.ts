// Raw memory access in network byte order. Callers pass ranges that they have checked.

/** The byte `i` behind `ptr`. */
// @ts-ignore: decorator
@inline
export function byteAt(ptr: usize, i: i32): u32 {
  return load<u8>(ptr + (i as usize)) as u32;
}

/** Reads an unsigned 16-bit big-endian integer at `ptr`. */
// @ts-ignore: decorator
@inline
export function load16be(ptr: usize): u32 {
  return bswap<u16>(load<u16>(ptr)) as u32;
}

/** Reads an unsigned 32-bit big-endian integer at `ptr`. */
// @ts-ignore: decorator
@inline
export function load32be(ptr: usize): u32 {
  return bswap<u32>(load<u32>(ptr));
}

/** Reads an unsigned 64-bit big-endian integer at `ptr`. */
// @ts-ignore: decorator
@inline
export function load64be(ptr: usize): u64 {
  return bswap<u64>(load<u64>(ptr));
}

/** Writes the low 16 bits of `value` at `ptr`, big-endian. */
// @ts-ignore: decorator
@inline
export function store16be(ptr: usize, value: u32): void {
  store<u16>(ptr, bswap<u16>(value as u16));
}

/** Writes `value` at `ptr`, big-endian. */
// @ts-ignore: decorator
@inline
export function store32be(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap<u32>(value));
}

/** Writes `value` at `ptr`, big-endian. */
// @ts-ignore: decorator
@inline
export function store64be(ptr: usize, value: u64): void {
  store<u64>(ptr, bswap<u64>(value));
}

/** Whether two byte ranges hold the same bytes. */
// @ts-ignore: decorator
@inline
export function bytesEqual(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength == bLength && sameBytes(a, b, aLength as usize);
}

/** memory.compare goes byte by byte unless both sides are aligned alike, which names in frames never are. */
function sameBytes(a: usize, b: usize, n: usize): bool {
  if (n >= 8) {
    const last = n - 8;
    for (let i: usize = 0; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
    return load<u64>(a + last) == load<u64>(b + last);
  }
  if (n >= 4) return load<u32>(a) == load<u32>(b) && load<u32>(a + n - 4) == load<u32>(b + n - 4);
  for (let i: usize = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}
