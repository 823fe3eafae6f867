// This VM's secret key of hashes.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
declare function random_get(at: usize, size: u32): u32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
declare function clock_time_get(clock: u32, precision: u64, time: usize): u32;

/** 128 random bits; where the host refuses them (a restriction of capabilities), two clocks are better than nothing. */
function draw(): usize {
  const at = heap.alloc(16);
  if (random_get(at, 16) == 0) return at;
  store<u64>(at, 0);
  store<u64>(at, 0, 8);
  clock_time_get(0, 0, at);
  clock_time_get(1, 0, at + 8);
  return at;
}

const drawn = draw();

/** The key, never to be shown: drawn when the VM starts, before any hash is taken. */
export const SECRET0: u64 = load<u64>(drawn);
export const SECRET1: u64 = load<u64>(drawn, 8);
