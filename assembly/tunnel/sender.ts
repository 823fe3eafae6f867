import { ByteBuffer } from "../bytes/buffer";
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW } from "../http2/constants";
import { SendWindow } from "../http2/flow";
import { FrameHandler } from "../http2/parser";
import { appendData, appendWindowUpdate } from "../http2/writer";
import { SecondaryUpstreams } from "./secondary";
import { Upstream, UpstreamState } from "./upstream";

/** Memory the output keeps between pushes, bytes. */
const KEEP: i32 = 65536;

/** The half of a tunnel that sends: bytes of upstreams become DATA frames in `out`, as far as windows allow. */
export abstract class TunnelSender extends FrameHandler {
  /** Frames for the switchboard, complete but for what `flush` adds. */
  readonly out: ByteBuffer = new ByteBuffer();
  /** Bytes that upstreams have written and that are not sent. */
  backlog: i32 = 0;
  /** Upstreams that must not hold the others back: `backlog` has not their bytes. */
  readonly secondary: SecondaryUpstreams = new SecondaryUpstreams();
  /** Whether something waits that should go out without waiting for the client's next bytes. */
  urgent: bool = false;
  /** What may be under way to a server that does not read, bytes. */
  streamWindow: i32 = DEFAULT_WINDOW;

  protected maxFrame: i32 = DEFAULT_MAX_FRAME;
  protected readonly window: SendWindow = new SendWindow(DEFAULT_WINDOW);
  private readonly dirty: Upstream[] = [];

  /** Forgets an upstream that is over on both sides. */
  protected abstract forget(upstream: Upstream): void;

  /** Says that `n` bytes have been added to the upstream's queue. */
  // @ts-ignore: decorator
  @inline
  wrote(upstream: Upstream, n: i32): void {
    this.count(upstream, n);
    if (!upstream.dirty) this.mark(upstream);
  }

  // @ts-ignore: decorator
  @inline
  protected count(upstream: Upstream, n: i32): void {
    if (upstream.secondary) this.secondary.backlog += n;
    else this.backlog += n;
  }

  protected mark(upstream: Upstream): void {
    if (upstream.dirty) return;
    upstream.dirty = true;
    (upstream.secondary ? this.secondary.dirty : this.dirty).push(upstream);
  }

  /** Moves what the windows allow from the upstreams' queues to `out`. */
  flush(): void {
    this.flushAll(this.dirty);
    // The end of one makes room for others.
    for (let pass = 0; pass < 2 && this.secondary.dirty.length > 0; pass++) this.flushAll(this.secondary.dirty);
    this.urgent = false;
  }

  private flushAll(dirty: Upstream[]): void {
    const n = dirty.length;
    for (let i = 0; i < n; i++) {
      const upstream = unchecked(dirty[i]);
      upstream.dirty = false;
      this.flushUpstream(upstream);
    }
    if (dirty.length == n) dirty.length = 0;
    else dirty.splice(0, n);
  }

  private flushUpstream(upstream: Upstream): void {
    if (upstream.state == UpstreamState.CLOSED) return;
    // Also after our end: the server must be able to write all it has, or it never ends.
    if (upstream.grant > 0) {
      appendWindowUpdate(this.out, upstream.streamId, upstream.grant);
      upstream.grant = 0;
    }
    if (upstream.ended) return;
    let left = upstream.unsent;
    while (left > 0) {
      let n = min(min(left, this.maxFrame), min(upstream.window.available, this.window.available));
      if (upstream.secondary) n = min(n, this.secondary.room(this.streamWindow));
      if (n <= 0) return;
      appendData(this.out, upstream.streamId, false, upstream.queue.ptr + (upstream.queue.length - left), n);
      upstream.window.sent(n);
      this.window.sent(n);
      this.count(upstream, -n);
      upstream.advance(n);
      left -= n;
    }
    if (upstream.ending) {
      upstream.ended = true;
      appendData(this.out, upstream.streamId, true, 0, 0);
      if (upstream.remoteEnded) this.forget(upstream);
    }
  }

  /** Bytes of the backlog that the windows let out now. */
  sendable(): i32 {
    let total = 0;
    for (let i = 0, n = this.dirty.length; i < n; i++) {
      const upstream = unchecked(this.dirty[i]);
      total += max(0, min(upstream.unsent, upstream.window.available));
    }
    return min(total, this.window.available);
  }

  /** Empties `out` after its bytes have been handed over. */
  pushed(): void {
    this.out.reset(KEEP);
  }

  protected resumeSecondary(): void {
    for (let i = 0, n = this.secondary.all.length; i < n; i++) this.resume(unchecked(this.secondary.all[i]));
  }

  /** Sends on what a window held back. */
  protected resume(upstream: Upstream): void {
    if (upstream.unsent == 0) return;
    this.mark(upstream);
    this.urgent = true;
  }
}
