/**
 * A borrowed range of bytes: it owns nothing and is valid only as long as the memory it points to.
 * One View is reused for many look-ups; copy what must outlive the call (see `Bytes.copy`).
 */
export class View {
  ptr: usize = 0;
  length: i32 = 0;

  /** Points this view at `length` bytes from `ptr`. */
  set(ptr: usize, length: i32): void {
    this.ptr = ptr;
    this.length = length;
  }
}
