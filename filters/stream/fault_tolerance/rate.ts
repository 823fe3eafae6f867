/** Bits of a double's mantissa that are cut off so that what is left times 100 is exact. */
const LOW_BITS: u64 = (1 << 27) - 1;

/**
 * A quotient as MOSN has it: rounded to two decimals as Go's "%.2f" does, which looks at the exact value of the double.
 * By zero: NaN, or infinity.
 */
export function divide(numerator: f64, denominator: f64): f64 {
  const value = numerator / denominator;
  if (!isFinite(value) || abs(value) > 1e13) return value;
  const high = reinterpret<f64>(reinterpret<u64>(value) & ~LOW_BITS);
  const below = floor(value * 100);
  // Both products are exact, and so is the difference: its sign tells which neighbour is nearer.
  const over = high * 100 - below - 0.5 + (value - high) * 100;
  if (over > 0) return (below + 1) / 100;
  if (over < 0) return below / 100;
  return (below % 2 == 0 ? below : below + 1) / 100;
}
