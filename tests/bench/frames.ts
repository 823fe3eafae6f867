// Streams of frames, of any protocol.

/** `count` copies of a frame, back to back. */
export function repeated(frame: Buffer, count: number): Buffer {
  return Buffer.alloc(frame.length * count, frame);
}

/** Cuts a stream of frames at their lengths; of each frame it looks at the fixed header only. */
export class FrameWalker {
  private readonly partial: Buffer;
  private have = 0;
  private left = 0;

  /**
   * `fixed`: size of the fixed header. `rest`: how many bytes follow the header at an offset. `onHeader` gets each complete header (bytes and offset, valid during the call),
   * `onFrame` follows when the frame's last byte is there.
   */
  constructor(
    private readonly fixed: number,
    private readonly rest: (bytes: Buffer, at: number, fixed: number) => number,
    private readonly onHeader: (bytes: Buffer, at: number) => void,
    private readonly onFrame: () => void,
  ) {
    this.partial = Buffer.alloc(fixed);
  }

  /** Takes the next `length` bytes of the stream. */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.left > 0) {
        const step = Math.min(this.left, length - at);
        at += step;
        this.left -= step;
        if (this.left === 0) this.onFrame();
      } else if (this.have === 0 && length - at >= this.fixed) {
        this.begin(bytes, at);
        at += this.fixed;
      } else {
        const step = Math.min(this.fixed - this.have, length - at);
        bytes.copy(this.partial, this.have, at, at + step);
        at += step;
        this.have += step;
        if (this.have === this.fixed) {
          this.have = 0;
          this.begin(this.partial, 0);
        }
      }
    }
  }

  private begin(bytes: Buffer, at: number): void {
    this.onHeader(bytes, at);
    this.left = this.rest(bytes, at, this.fixed);
    if (this.left === 0) this.onFrame();
  }
}
