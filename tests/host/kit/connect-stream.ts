import { NetBuffer } from "./buffer.ts";
import { ErrorCode } from "./http2/frames.ts";
import type { HeaderList } from "./http2/hpack.ts";

/** What a stream needs of its connection; the switchboard implements it. */
export interface StreamOwner {
  /** Runs as an event of its own, or at once where the loop is idle. */
  act(action: () => void): void;
  sendHeaders(stream: ConnectStream, headers: HeaderList, end?: boolean): void;
  sendReset(stream: ConnectStream, code: ErrorCode): void;
  /** Sends what the windows allow of the stream's queue. */
  pump(stream: ConnectStream): void;
  /** Gives back receive window for bytes that are on their way to the upstream. */
  consumed(stream: ConnectStream, length: number): void;
  /** Bytes on their way to an upstream above which no more window is given back. */
  readonly upstreamBufferLimit: number;
}

/** How the switchboard answers a CONNECT that found its upstream. */
export interface AcceptOptions {
  /** `x-moe-host`: the upstream's address. */
  host?: string;
  /** `x-moe-pin`, as the stateful_session filter would send it. */
  pin?: string;
  headers?: Record<string, string>;
  /** Answer inside the dispatch of the request; real upstream connections always take an event or more. */
  now?: boolean;
}

/** How the switchboard refuses a CONNECT. */
export interface RefuseOptions {
  body?: string;
  /** RST_STREAM that follows, because the request never ended. */
  code?: ErrorCode;
  /** Answer inside the dispatch of the request, as for "no healthy upstream". */
  now?: boolean;
}

/**
 * One CONNECT stream as its upstream sees it: test code answers the request, then reads and writes the bytes of the
 * upstream connection. Its calls are events: inside a callback they happen after it.
 */
export class ConnectStream {
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the cluster asked for. */
  readonly cluster: string;
  readonly authority: string;
  /** Called with each piece of data the upstream takes. */
  onData: (bytes: Buffer) => void = () => {};
  /** The module ended its side: the upstream sees a FIN. By default it closes too. */
  onEnd: () => void = () => this.end();
  /** The module reset the stream, or the client's connection is gone (code null). */
  onReset: (code: ErrorCode | null) => void = () => {};

  /** Bytes that may still be received; the owner keeps it. */
  receiveWindow: number;
  /** Bytes that may still be sent; the owner keeps it. */
  sendWindow: number;
  /** Bytes taken and not yet given back to the window. */
  unacknowledged = 0;
  /** Bytes received whose window is held back, because too many are on their way. */
  private held = 0;
  readonly queue = new NetBuffer();
  endQueued = false;
  headersSent = false;
  /** RST_STREAM to follow the end of the upstream's side while the module's is open. */
  afterEnd = ErrorCode.NO_ERROR;
  localEnded = false;
  remoteEnded = false;
  /** Code of the RST_STREAM that either side sent, null: none. */
  resetCode: ErrorCode | null = null;
  closed = false;

  private parts: Buffer[] = [];
  private readonly backlog = new NetBuffer();
  private paused = false;
  private connected = false;
  private endSeen = false;

  constructor(
    private readonly owner: StreamOwner,
    readonly id: number,
    list: HeaderList,
    windows: { receive: number; send: number },
    /** Virtual milliseconds when the request came. */
    readonly openedAt: number,
  ) {
    this.headers = Object.fromEntries(list);
    this.authority = this.headers[":authority"] ?? "";
    this.cluster = this.headers["x-moe-cluster"] ?? this.authority;
    this.receiveWindow = windows.receive;
    this.sendWindow = windows.send;
  }

  /** The host that the module asked for; null: any. */
  get pin(): string | null {
    return this.headers["x-moe-pin"] ?? null;
  }

  /** The upstream connection stands: answers 200. */
  accept(options: AcceptOptions = {}): void {
    const extra: HeaderList = Object.entries(options.headers ?? {});
    if (options.host !== undefined) extra.push(["x-moe-host", options.host]);
    if (options.pin !== undefined) extra.push(["x-moe-pin", options.pin]);
    this.act(options.now, () => {
      this.connected = true;
      this.owner.sendHeaders(this, [[":status", "200"], ...extra, DATE]);
      this.drainBacklog();
    });
  }

  /** No upstream connection: answers with an error status and resets the stream, as Envoy's router and HCM do. */
  refuse(status = 503, options: RefuseOptions = {}): void {
    const body =
      options.body ??
      "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
    const text: HeaderList = [
      ["content-length", `${body.length}`],
      ["content-type", "text/plain"],
    ];
    this.act(options.now, () => {
      this.afterEnd = options.code ?? ErrorCode.CONNECT_ERROR;
      this.owner.sendHeaders(this, [[":status", `${status}`], ...(body === "" ? [] : text), DATE], body === "");
      this.queue.append(Buffer.from(body));
      this.endQueued = true;
      this.owner.pump(this);
    });
  }

  /** The cluster has no healthy host: Envoy answers inside the dispatch of the request. */
  refuseUnhealthy(): void {
    this.refuse(503, { body: "no healthy upstream", code: ErrorCode.NO_ERROR, now: true });
  }

  /** There is no such cluster (cluster_not_found_response_code): inside the dispatch, too. */
  refuseUnknown(): void {
    this.refuse(404, { body: "", code: ErrorCode.NO_ERROR, now: true });
  }

  /** Bytes from the upstream; they wait for the windows. */
  write(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    this.act(false, () => {
      this.queue.append(copy);
      this.owner.pump(this);
    });
  }

  /** The upstream closes: END_STREAM once everything is sent. */
  end(): void {
    this.act(false, () => {
      this.endQueued = true;
      this.owner.pump(this);
    });
  }

  /** The upstream connection breaks. */
  reset(code = ErrorCode.CONNECT_ERROR): void {
    this.act(false, () => this.owner.sendReset(this, code));
  }

  /** The upstream stops reading: received bytes stay unacknowledged. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.act(false, () => this.drainBacklog());
  }

  private drainBacklog(): void {
    const ready = this.connected && !this.paused;
    const bytes = ready ? this.backlog.take() : Buffer.alloc(0);
    if (this.backlog.length <= this.owner.upstreamBufferLimit) {
      this.owner.consumed(this, this.held);
      this.held = 0;
    }
    if (!ready) return;
    if (bytes.length > 0) {
      this.parts.push(bytes);
      this.onData(bytes);
    }
    if (this.remoteEnded && !this.endSeen) {
      this.endSeen = true;
      this.onEnd();
    }
  }

  /** Everything the upstream has taken so far, or since the last `take`. */
  get received(): Buffer {
    return Buffer.concat(this.parts);
  }

  take(): Buffer {
    const bytes = this.received;
    this.parts = [];
    return bytes;
  }

  /** Bytes that arrived before the answer, or while paused: no upstream has seen them. */
  get waiting(): number {
    return this.backlog.length;
  }

  /** Data or the end arrived from the module (the owner calls this): it waits for the upstream to be there and read. */
  deliver(bytes: Buffer): void {
    this.backlog.append(bytes);
    this.held += bytes.length;
    this.drainBacklog();
  }

  private act(now: boolean | undefined, action: () => void): void {
    if (now !== true) this.owner.act(() => this.guarded(action));
    else this.guarded(action);
  }

  private guarded(action: () => void): void {
    if (!this.closed) action();
  }
}

/** What every answer of Envoy carries. */
const DATE: HeaderList[number] = ["date", "Tue, 14 Nov 2023 22:13:20 GMT"];
