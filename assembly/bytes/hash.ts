/** A fast 32-bit hash of `n` bytes for tables inside one VM; not stable across versions, not for untrusted flooding. */
export function hashBytes(ptr: usize, n: i32, seed: u64 = 0x9e3779b97f4a7c15): u32 {
  const K: u64 = 0xff51afd7ed558ccd;
  let h: u64 = seed ^ (n as u64);
  let at = ptr;
  let left = n;
  for (; left >= 8; left -= 8, at += 8) {
    h = (h ^ load<u64>(at)) * K;
    h ^= h >> 32;
  }
  let tail: u64 = 0;
  if (left >= 4) {
    tail = load<u32>(at) as u64;
    at += 4;
    left -= 4;
  }
  for (; left > 0; left--, at++) tail = (tail << 8) | (load<u8>(at) as u64);
  h = (h ^ tail) * K;
  h ^= h >> 29;
  h *= 0x9fb21c651e98df25;
  return (h ^ (h >> 32)) as u32;
}

/** SipHash-2-4 of `n` bytes under the 128-bit key (k0, k1); MOSN's hash of header hash policies. */
export function siphash24(k0: u64, k1: u64, ptr: usize, n: i32): u64 {
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  const whole = n & ~7;
  for (let i = 0; i <= whole; i += 8) {
    let m: u64;
    if (i < whole) {
      m = load<u64>(ptr + (i as usize));
    } else {
      m = (n as u64) << 56;
      for (let j = whole; j < n; j++) m |= (load<u8>(ptr + (j as usize)) as u64) << (8 * (j - whole));
    }
    v3 ^= m;
    for (let r = 0; r < 2; r++) {
      v0 += v1;
      v1 = rotl<u64>(v1, 13) ^ v0;
      v0 = rotl<u64>(v0, 32);
      v2 += v3;
      v3 = rotl<u64>(v3, 16) ^ v2;
      v0 += v3;
      v3 = rotl<u64>(v3, 21) ^ v0;
      v2 += v1;
      v1 = rotl<u64>(v1, 17) ^ v2;
      v2 = rotl<u64>(v2, 32);
    }
    v0 ^= m;
  }
  v2 ^= 0xff;
  for (let r = 0; r < 4; r++) {
    v0 += v1;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v0 = rotl<u64>(v0, 32);
    v2 += v3;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v2 = rotl<u64>(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
