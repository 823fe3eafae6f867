import { SECRET0, SECRET1 } from "./secret";

/** What SipHash's last rounds begin with. */
const LAST: u64 = 0xff;

/**
 * A hash of `n` bytes for tables inside one VM: SipHash-1-3 under this VM's secret key, so that peers who choose the names
 * cannot choose where in a table they meet. Hashes that only mix in a seed (FNV, Murmur, XXH32, multiply and fold) have
 * collisions that hold for every seed; this one has none that are known. It differs between VMs and between runs.
 * @param tweak another one of 2^64 such hashes: the hash of a name before this one, or what the name belongs to
 */
export function hashBytes(ptr: usize, n: i32, tweak: u64 = 0): u64 {
  return sipHash(1, 3, SECRET0, SECRET1 ^ tweak, ptr, n as usize);
}

/** SipHash-2-4 of `n` bytes under the 128-bit key (k0, k1); MOSN's hash of header hash policies. */
export function siphash24(k0: u64, k1: u64, ptr: usize, n: i32): u64 {
  return sipHash(2, 4, k0, k1, ptr, n as usize);
}

/** SipHash with one or two `rounds` for each word, and `last` ones behind the words; both are constants. A step is one round. */
// @ts-ignore: decorator
@inline
function sipHash(rounds: i32, last: i32, k0: u64, k1: u64, ptr: usize, length: usize): u64 {
  const step = (8 / rounds) as usize;
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  let m: u64 = 0;
  const whole = length & ~7;
  const end = whole + 8 + step * (last as usize);
  for (let at: usize = 0; at < end; at += step) {
    if (rounds == 1 || (at & 7) == 0) {
      m = 0;
      if (at < whole) m = load<u64>(ptr + at);
      else if (at == whole) m = lastWord(ptr, length);
      else if (at == whole + 8) v2 ^= LAST;
      v3 ^= m;
    }
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
    if (rounds == 1 || (at & 7) != 0) v0 ^= m;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The bytes after the last whole word, and the length in the highest byte. */
// @ts-ignore: decorator
@inline
function lastWord(ptr: usize, n: usize): u64 {
  const rest = n & 7;
  const length = (n as u64) << 56;
  if (rest == 0) return length;
  if (n >= 8) return length | (load<u64>(ptr + n - 8) >> ((64 - 8 * rest) as u64));
  if (n >= 4) return length | (load<u32>(ptr) as u64) | ((load<u32>(ptr + n - 4) as u64) << ((8 * (n - 4)) as u64));
  const middle = (load<u8>(ptr + (n >> 1)) as u64) << ((8 * (n >> 1)) as u64);
  return length | (load<u8>(ptr) as u64) | middle | ((load<u8>(ptr + n - 1) as u64) << ((8 * (n - 1)) as u64));
}
