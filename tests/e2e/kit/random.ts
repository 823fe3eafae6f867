/** Repeatable dice: a generator of 32-bit numbers (mulberry32), so that a failure can be run again. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** So many different 32-bit ids. */
export function randomIds(count: number, next: () => number): number[] {
  const ids = new Set<number>();
  while (ids.size < count) ids.add(next());
  return [...ids];
}

/** Bytes without a pattern. */
export function randomBytes(length: number, next: () => number): Buffer {
  const words = new Uint32Array((length + 3) >> 2);
  for (let i = 0; i < words.length; i++) words[i] = next();
  return Buffer.from(words.buffer, 0, length);
}

/** Brings the items into a random order, in place. */
export function shuffle<T>(items: T[], next: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
