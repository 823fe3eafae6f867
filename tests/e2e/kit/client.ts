import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { type BoltFrame, request, type RequestOptions } from "../../host/kit/bolt.ts";
import { FrameReader } from "./frame_reader.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

export interface ClientOptions {
  host?: string;
  tls?: ConnectionOptions;
}

/** A client that writes any bytes and keeps all frames it gets. */
export class RawBoltClient {
  readonly frames: BoltFrame[] = [];
  /** Everything the proxy sent, also what is no Bolt. */
  bytesRead = 0;
  /** `open`, or how the connection ended. */
  state: "open" | "fin" | "closed" | "reset" = "open";
  /** Why the bytes could not be read as Bolt. */
  garbage: string | undefined;
  private readonly reader = new FrameReader();
  private readonly byId = new Map<number, BoltFrame[]>();
  /** Who waits for the first frame with an id. */
  private readonly waiting = new Map<number, (why?: string) => void>();

  private constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => this.read(chunk));
    socket.on("end", () => (this.state = "fin"));
    socket.on("error", () => (this.state = "reset"));
    socket.on("close", () => this.onClose());
  }

  /** Connects to a port of this machine. */
  static async connect(port: number, options: ClientOptions = {}): Promise<RawBoltClient> {
    const host = options.host ?? "127.0.0.1";
    const socket = options.tls ? connectTls({ port, host, ...options.tls }) : connect({ port, host, noDelay: true });
    await new Promise<void>((done, failed) => {
      socket.once(options.tls ? "secureConnect" : "connect", done);
      socket.once("error", failed);
    });
    return new RawBoltClient(socket);
  }

  /** Writes bytes; resolves when the kernel has taken them. */
  write(bytes: Buffer): Promise<void> {
    return new Promise((done) => this.socket.write(bytes, () => done()));
  }

  /** Sends a request and waits for the answer with its id. */
  async call(id: number, options: RequestOptions = {}, ms = WAIT_MS): Promise<BoltFrame> {
    void this.write(request(id, options));
    return this.answer(id, ms);
  }

  /** Waits for the first frame with this id. */
  async answer(id: number, ms = WAIT_MS): Promise<BoltFrame> {
    if (!this.byId.has(id)) {
      if (this.socket.closed) throw new Error(`no answer ${id}; connection ${this.state}`);
      await this.arrival(id, ms);
    }
    return this.answers(id)[0];
  }

  /** All frames with this id so far. */
  answers(id: number): BoltFrame[] {
    return this.byId.get(id) ?? [];
  }

  /** Waits until so many frames have come, of any id. */
  async waitForFrames(count: number, ms = WAIT_MS): Promise<BoltFrame[]> {
    const state = () => `${this.frames.length} of ${count} frames; connection ${this.state}, ${this.garbage ?? ""}`;
    await waitUntil(() => this.frames.length >= count, ms, state);
    return this.frames;
  }

  /** Waits until the proxy has closed the connection. */
  async waitForClose(ms = WAIT_MS): Promise<void> {
    await waitUntil(
      () => this.state !== "open",
      ms,
      () => "connection open",
    );
  }

  /** Sends FIN. */
  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Stops reading: the kernel's buffers fill up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  private arrival(id: number, ms: number): Promise<void> {
    return new Promise((done, failed) => {
      const settle = (why?: string) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        const { state, frames, garbage = "" } = this;
        if (why === undefined) done();
        else failed(new Error(`no answer ${id} ${why}; connection ${state}, ${frames.length} frames, ${garbage}`));
      };
      const timer = setTimeout(() => settle(`after ${ms} ms`), ms);
      this.waiting.set(id, settle);
    });
  }

  private onClose(): void {
    if (this.state !== "reset") this.state = "closed";
    for (const settle of [...this.waiting.values()]) settle("before the close");
  }

  private read(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (this.garbage !== undefined) return;
    try {
      for (const frame of this.reader.push(chunk)) {
        this.frames.push(frame);
        const same = this.byId.get(frame.id);
        if (same) same.push(frame);
        else this.byId.set(frame.id, [frame]);
        this.waiting.get(frame.id)?.();
      }
    } catch (error) {
      this.garbage = (error as Error).message;
    }
  }
}
