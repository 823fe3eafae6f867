/** Objects that are not in use and are kept for reuse, up to a number of them. */
export class Spares<T> {
  private readonly kept: T[] = [];

  /** @param most how many are kept */
  constructor(private readonly most: i32) {}

  /** The object that was kept last; null: there is none. It is no longer one of these. */
  take(): T | null {
    const kept = this.kept;
    return kept.length > 0 ? kept.pop() : null;
  }

  /** Keeps an object that nobody uses; false: there are enough, so that it is garbage. */
  keep(object: T): bool {
    const kept = this.kept;
    if (kept.length >= this.most) return false;
    kept.push(object);
    return true;
  }
}
