// Raw memory access in network byte order. Callers pass ranges that they have checked.

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
  return aLength == bLength && memory.compare(a, b, aLength as usize) == 0;
}
