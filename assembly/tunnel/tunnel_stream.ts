import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { ReceiveWindow, SendWindow } from "../http2/flow";

/** The life of a stream. */
export const enum StreamState {
  /** CONNECT sent, not answered. What is written goes out at once, and is kept in case the answer is a refusal. */
  OPENING = 0,
  OPEN = 1,
  /** We have ended it, or given up on it; what still comes is dropped. */
  ENDING = 2,
  CLOSED = 3,
}

/** Why a stream ended or never began. */
export const enum CloseReason {
  /** CONNECT refused: no healthy host, connection refused, connect timeout; `TunnelStream.refusal` says which. */
  REFUSED = 0,
  /** CONNECT refused because Envoy has no such cluster. */
  NO_CLUSTER = 1,
  /** Reset before the server saw anything (REFUSED_STREAM). */
  NOT_OPENED = 2,
  /** No answer to CONNECT in time. */
  OPEN_TIMEOUT = 3,
  /** The server closed the connection. */
  REMOTE = 4,
  RESET = 5,
}

/** What a server may send ahead on one stream, bytes. */
export const STREAM_WINDOW: i32 = 1 << 20;

/**
 * One upstream connection: a CONNECT stream through the switchboard. Subclasses say what to do with its events; they
 * run inside host callbacks, mostly on_upstream_data, so they queue and never push (docs/reference/envoy.md#pushing).
 */
export abstract class TunnelStream {
  state: StreamState = StreamState.OPENING;
  /** HTTP/2 stream id; 0 before it is opened. */
  streamId: u32 = 0;
  /** Address of the server as the switchboard told it ("IP:PORT"), and what pins another connection to it. */
  address: Bytes = Bytes.EMPTY;
  pin: Bytes = Bytes.EMPTY;
  /** Why CONNECT was refused, as Envoy puts it. */
  refusal: Bytes = Bytes.EMPTY;

  /**
   * It must not hold the others back: its bytes count apart (`SecondaryStreams.backlog`), go out last, and have only a
   * part of the connection's window. To be set before it is opened.
   */
  secondary: bool = false;

  /** Bytes for the server that are not surely on their way: kept ones (while OPENING), then unsent ones. */
  readonly queue: ByteBuffer = new ByteBuffer();
  /** Bytes at the front of `queue` that were sent and are kept. */
  private kept: i32 = 0;
  /** Place of the front of `queue` in the byte stream to the server. */
  private origin: u64 = 0;
  window: SendWindow = new SendWindow(0);
  readonly receive: ReceiveWindow = new ReceiveWindow(STREAM_WINDOW);
  /** WINDOW_UPDATE due for this stream, bytes; and whether it is in the tunnel's list of those with something to say. */
  grant: i32 = 0;
  dirty: bool = false;
  /** END_STREAM is to follow the queue; has been sent; has come. */
  ending: bool = false;
  ended: bool = false;
  remoteEnded: bool = false;

  /** CONNECT succeeded: `address` and `pin` are known. */
  abstract onOpen(): void;
  /** Bytes from the server, borrowed. */
  abstract onData(ptr: usize, length: i32): void;
  /** It is over; called once, and not for one that we closed. */
  abstract onClose(reason: CloseReason): void;

  /** Bytes not yet sent. */
  get unsent(): i32 {
    return this.queue.length - this.kept;
  }

  /** Place in the byte stream of the next byte to be written. */
  get position(): u64 {
    return this.origin + (this.queue.length as u64);
  }

  /** Place before which bytes may have reached the server. */
  get committed(): u64 {
    return this.origin;
  }

  /** Address of the byte at a place that is not committed; valid until the next write. */
  at(place: u64): usize {
    return this.queue.ptr + ((place - this.origin) as usize);
  }

  /** Counts `n` unsent bytes as sent. */
  advance(n: i32): void {
    if (this.state == StreamState.OPENING) {
      this.kept += n;
      return;
    }
    this.consume(n);
  }

  /** The answer came: nothing that was sent is kept any longer. */
  release(): void {
    const n = this.kept;
    this.kept = 0;
    this.consume(n);
  }

  private consume(n: i32): void {
    this.queue.consume(n);
    this.origin += n as u64;
    if (this.queue.length == 0) this.queue.reset(KEEP);
  }

  /** Gives the memory back. */
  free(): void {
    this.queue.free();
    this.kept = 0;
  }
}
