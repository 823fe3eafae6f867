import { ByteBuffer, KEEP_LARGE } from "../bytes/buffer";
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW } from "../http2/constants";
import { SendWindow } from "../http2/flow";
import { FrameHandler } from "../http2/parser";
import { appendData, appendWindowUpdate } from "../http2/writer";
import { SecondaryStreams } from "./secondary_streams";
import { StreamState, TunnelStream } from "./tunnel_stream";

/** The half of a tunnel that sends: bytes of streams become DATA frames in `out`, as far as windows allow. */
export abstract class TunnelSender extends FrameHandler {
  /** Frames for the switchboard; `flush` adds the last ones. */
  readonly out: ByteBuffer = new ByteBuffer();
  /** Bytes that streams have written and that are not sent. */
  backlog: i32 = 0;
  /** Streams that must not hold the others back; their bytes are not counted in `backlog`. */
  readonly secondary: SecondaryStreams = new SecondaryStreams();
  /** Whether something waits that should go out without waiting for the client's next bytes. */
  urgent: bool = false;
  /** What may be under way to a server that does not read, bytes. */
  streamWindow: i32 = DEFAULT_WINDOW;

  protected maxFrame: i32 = DEFAULT_MAX_FRAME;
  protected readonly window: SendWindow = new SendWindow(DEFAULT_WINDOW);
  private readonly dirty: TunnelStream[] = [];

  /** Forgets a stream that is over on both sides. */
  protected abstract forget(stream: TunnelStream): void;

  /** Says that `n` bytes have been added to the stream's queue. */
  // @ts-ignore: decorator
  @inline
  wrote(stream: TunnelStream, n: i32): void {
    this.count(stream, n);
    if (!stream.dirty) this.mark(stream);
  }

  // @ts-ignore: decorator
  @inline
  protected count(stream: TunnelStream, n: i32): void {
    if (stream.secondary) this.secondary.backlog += n;
    else this.backlog += n;
  }

  protected mark(stream: TunnelStream): void {
    if (stream.dirty) return;
    stream.dirty = true;
    (stream.secondary ? this.secondary.dirty : this.dirty).push(stream);
  }

  /** Moves what the windows allow from the streams' queues to `out`. */
  flush(): void {
    this.flushAll(this.dirty);
    // The end of one makes room for others.
    for (let pass = 0; pass < 2 && this.secondary.dirty.length > 0; pass++) this.flushAll(this.secondary.dirty);
    this.urgent = false;
  }

  private flushAll(dirty: TunnelStream[]): void {
    const n = dirty.length;
    for (let i = 0; i < n; i++) {
      const stream = unchecked(dirty[i]);
      stream.dirty = false;
      this.flushStream(stream);
    }
    if (dirty.length == n) dirty.length = 0;
    else dirty.splice(0, n);
  }

  private flushStream(stream: TunnelStream): void {
    if (stream.state == StreamState.CLOSED) return;
    // Also after our end: the server must be able to write all it has, or it never ends.
    if (stream.grant > 0) {
      appendWindowUpdate(this.out, stream.streamId, stream.grant);
      stream.grant = 0;
    }
    if (stream.ended) return;
    let left = stream.unsent;
    while (left > 0) {
      let n = min(min(left, this.maxFrame), min(stream.window.available, this.window.available));
      if (stream.secondary) n = min(n, this.secondary.room(this.streamWindow));
      if (n <= 0) return;
      appendData(this.out, stream.streamId, false, stream.queue.ptr + (stream.queue.length - left), n);
      stream.window.sent(n);
      this.window.sent(n);
      this.count(stream, -n);
      stream.advance(n);
      left -= n;
    }
    if (stream.ending) {
      stream.ended = true;
      appendData(this.out, stream.streamId, true, 0, 0);
      if (stream.remoteEnded) this.forget(stream);
    }
  }

  /** Bytes of the backlog that the windows let out now. */
  sendable(): i32 {
    let total = 0;
    for (let i = 0, n = this.dirty.length; i < n; i++) {
      const stream = unchecked(this.dirty[i]);
      total += max(0, min(stream.unsent, stream.window.available));
    }
    return min(total, this.window.available);
  }

  /** Empties `out` after its bytes have been handed over. */
  pushed(): void {
    this.out.reset(KEEP_LARGE);
  }

  protected resumeSecondary(): void {
    for (let i = 0, n = this.secondary.all.length; i < n; i++) this.resume(unchecked(this.secondary.all[i]));
  }

  /** Sends on what a window held back. */
  protected resume(stream: TunnelStream): void {
    if (stream.unsent == 0) return;
    this.mark(stream);
    this.urgent = true;
  }
}
