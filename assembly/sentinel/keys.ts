import { Bytes } from "../bytes/bytes";
import { siphash24 } from "../bytes/hash";

const PREFIX: u64 = 0x2e776f6c662e656d; // the bytes "me.flow."
const K0: u64 = 0x6d6f652e666c6f77;
const K1: u64 = 0x7265636f72642e31;

/** A hash of a text for identities and keys: the same in all workers. */
export function identify(text: string, seed: u64 = 0): u64 {
  const bytes = Bytes.of(text);
  return siphash24(K0 ^ seed, K1, bytes.ptr, bytes.length);
}

/** The key of a record: "me.flow.", the hash of what it belongs to, its number. */
export function recordKey(owner: u64, index: i32): Bytes {
  const key = new StaticArray<u8>(20);
  const at = changetype<usize>(key);
  store<u64>(at, PREFIX);
  store<u64>(at, owner, 8);
  store<i32>(at, index, 16);
  return Bytes.copy(at, 20);
}
