/** A set of instructions in the order of their preference: a sparse set, cleared in no time. */
export class Threads {
  size: i32 = 0;
  dense: StaticArray<u32> = new StaticArray<u32>(0);
  private sparse: StaticArray<u32> = new StaticArray<u32>(0);
  /** Captured places of each instruction's thread, `slots` for each. */
  places: StaticArray<i32> = new StaticArray<i32>(0);

  grow(programLength: i32, places: i32): void {
    if (this.dense.length < programLength) {
      this.dense = new StaticArray<u32>(programLength);
      this.sparse = new StaticArray<u32>(programLength);
    }
    if (this.places.length < places) this.places = new StaticArray<i32>(places);
  }

  // @ts-ignore: decorator
  @inline
  has(pc: u32): bool {
    const at = unchecked(this.sparse[pc]);
    return at < (this.size as u32) && unchecked(this.dense[at]) == pc;
  }

  // @ts-ignore: decorator
  @inline
  add(pc: u32): void {
    unchecked((this.sparse[pc] = this.size as u32));
    unchecked((this.dense[this.size] = pc));
    this.size++;
  }
}
