import { findMarker } from "./marker.ts";
import { MORE, NO_FRAME, type Wire } from "./wire.ts";

/** What a client has sent, read by the fuzzer's own idea of the protocol: which ids may be answered, and how often. */
export class Reference {
  /** Answers that may still come, by id. */
  private readonly open = new Map<string, number>();
  /** Ids of the frames in which a marker was, by the marker's message. */
  private readonly marked = new Map<number, string[]>();
  private rest: Buffer = Buffer.alloc(0);
  /** Frames whose id the reference cannot tell: any answer may be theirs. */
  private unknown = 0;
  private partial = false;
  /** The stream went wrong: the module must not take anything after it for a request. */
  broken = false;

  constructor(private readonly wire: Wire) {}

  /** Bytes on their way to the module. */
  push(bytes: Buffer): void {
    if (this.broken) return;
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    for (;;) {
      const length = this.wire.length(this.rest);
      if (length === MORE) return;
      if (length === NO_FRAME) {
        this.broken = true;
        this.expect(this.rest);
        return;
      }
      const whole = length <= this.rest.length;
      const frame = whole ? this.rest.subarray(0, length) : this.rest;
      // A frame that is too large is answered before it is there.
      if (!this.partial) this.expect(frame);
      this.partial = !whole;
      if (!whole) return;
      this.mark(frame);
      this.rest = this.rest.subarray(length);
    }
  }

  private expect(frame: Buffer): void {
    const id = this.wire.id(frame);
    if (id === null) this.unknown++;
    else this.open.set(id, (this.open.get(id) ?? 0) + 1);
  }

  private mark(frame: Buffer): void {
    const marker = findMarker(frame, false);
    if (marker === null) return;
    const id = this.wire.id(frame) ?? "?";
    const ids = this.marked.get(marker.message);
    if (ids === undefined) this.marked.set(marker.message, [id]);
    else ids.push(id);
  }

  /** Takes an answer with this id into account; what is wrong with it, "" if nothing. */
  answered(id: string | null, message: number | null): string {
    const ids = message === null ? undefined : this.marked.get(message);
    if (message !== null && id !== null && ids?.includes(id) !== true && ids?.includes("?") !== true) {
      return `the answer to message ${message} has id ${id}, it was asked with ${ids?.join() ?? "none"}`;
    }
    const left = id === null ? 0 : (this.open.get(id) ?? 0);
    if (left > 0) this.open.set(id ?? "", left - 1);
    else if (this.unknown > 0) this.unknown--;
    else return `an answer with id ${id}, which was not asked or is answered already`;
    return "";
  }
}
