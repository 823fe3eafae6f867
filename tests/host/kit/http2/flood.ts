import { ErrorCode, Flag, type Frame, FrameType, Http2Error } from "./frames.ts";

/** RST_STREAMs after which Envoy 1.40 closed the connection, seen by experiment (docs/reference/envoy.md#resets). */
const MAX_EARLY_RESETS = 250;
const MAX_RESETS = 1000;
const MAX_EMPTY_FRAMES = 1;
const WINDOW_UPDATES_PER_DATA = 10;

/** Envoy's protections against floods of cheap frames (its ProtocolConstraints, with their defaults). */
export class FloodGuard {
  /** RST_STREAMs from the module for unanswered streams younger than one second. */
  earlyResets = 0;
  resets = 0;
  private streams = 0;
  private sent = 0;
  private windowUpdates = 0;
  private priorities = 0;
  private emptyFrames = 0;

  opened(): void {
    this.streams++;
  }

  sentData(): void {
    this.sent++;
  }

  reset(early: boolean): void {
    this.resets++;
    if (early) this.earlyResets++;
    if (this.earlyResets > MAX_EARLY_RESETS || this.resets > MAX_RESETS) refuse("too many RST_STREAM frames");
  }

  received(frame: Frame): void {
    if (frame.type === FrameType.WINDOW_UPDATE) this.windowUpdates++;
    if (frame.type === FrameType.PRIORITY) this.priorities++;
    const carries: number[] = [FrameType.DATA, FrameType.HEADERS, FrameType.CONTINUATION];
    if (carries.includes(frame.type)) {
      const empty = frame.payload.length === 0 && (frame.flags & Flag.END_STREAM) === 0;
      this.emptyFrames = empty ? this.emptyFrames + 1 : 0;
    }
    if (this.emptyFrames > MAX_EMPTY_FRAMES) refuse("too many frames with an empty payload");
    if (this.priorities > 100 * (1 + this.streams)) refuse("too many PRIORITY frames");
    if (this.windowUpdates > 5 + 2 * (this.streams + WINDOW_UPDATES_PER_DATA * this.sent)) {
      refuse("too many WINDOW_UPDATE frames");
    }
  }
}

function refuse(message: string): never {
  throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, message);
}
