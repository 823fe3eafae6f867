import { hashBytes } from "../../../assembly/bytes/hash";

/** SipHash-1-3 of the bytes 0, 1, 2, … by their number, under the key of the published vectors, which the runner gives. */
const VECTORS: u64[] = [
  12370263754033579228, 14552427766023178899, 9424797079400076365, 10085823154776569851, 14948950610250269480,
  16067107544691325799, 14199052826081960615, 15245385783003124032, 3931806377309739662, 2712449776846519780,
  8781603583133944191, 8124802424143463250, 8692937602970737058, 3490138030451851175, 6943038873169124660,
  15213397504630561110, 14722228812742953830, 11309216583640668172, 10375229887248328254, 17446837090697968924,
  13897034530651168832, 13371939351752472644, 9222944995288319790, 5934071401310241059, 17610392524184394892,
  5029774389061290361, 4196851155228758949, 12186115305811884853, 18089812925126332429, 9860979604149363188,
  6057079635794323043, 2553784116283822524, 9301476309570401805,
];

const room: usize = heap.alloc(64);

/** A step that hashes without a key have in common: a word is mixed in, and the state multiplied and folded. */
function step(state: u64, word: u64): u64 {
  const h = (state ^ word) * 0xff51afd7ed558ccd;
  return h ^ (h >> 32);
}

describe("hashBytes", () => {
  test("is SipHash-1-3 under the VM's key, wherever the bytes are", () => {
    for (let offset: usize = 0; offset < 8; offset++) {
      for (let n = 0; n < VECTORS.length; n++) {
        const at = room + offset;
        for (let i = 0; i < 48; i++) store<u8>(room + (i as usize), 0xee);
        for (let i = 0; i < n; i++) store<u8>(at + (i as usize), i as u8);
        expect(hashBytes(at, n)).toBe(VECTORS[n]);
      }
    }
  });

  test("is another one with each tweak", () => {
    memory.fill(room, 7, 16);
    const seen = new Set<u64>();
    for (let tweak: u64 = 0; tweak < 1000; tweak++) seen.add(hashBytes(room, 16, tweak));
    expect(seen.size).toBe(1000);
  });

  test("spreads names that all have one hash where there is no key", () => {
    // What a peer can compute: for each first word the second one that leads to the same state.
    const names = 10000;
    const seed: u64 = 0x9e3779b97f4a7c15 ^ 16;
    const target = step(seed, 0);
    const hashes = new Set<u64>();
    const slots = new StaticArray<i32>(16384);
    let most = 0;
    for (let i = 0; i < names; i++) {
      const first = (i as u64) * 0x0123456789abcdef;
      const second = step(seed, first) ^ target;
      expect(step(step(seed, first), second)).toBe(step(target, 0));
      store<u64>(room, first);
      store<u64>(room, second, 8);
      const hash = hashBytes(room, 16);
      hashes.add(hash);
      most = max(most, ++slots[(hash & 16383) as i32]);
    }
    expect(hashes.size).toBe(names);
    expect(most).toBeLessThan(10);
  });
});
