import { CloseType } from "./abi.ts";
import type { ClientSide, Connection } from "./connection.ts";
import type { EventLoop } from "./loop.ts";

/** The client end of a downstream connection. */
export class Client implements ClientSide {
  private parts: Buffer[] = [];
  private ended: CloseType | null = null;
  /** Called with each piece of data; the pieces are kept as well. */
  onData: (bytes: Buffer) => void = () => {};

  /** Set by the host once the connection exists. */
  connection!: Connection;

  constructor(private readonly loop: EventLoop) {}

  /** Sends bytes in one segment; by the time it returns, Envoy has done all it will do without time passing. */
  write(bytes: Uint8Array): void {
    this.loop.enter(() => this.connection.receive(bytes));
  }

  /** Sends a FIN. */
  fin(): void {
    this.loop.enter(() => this.connection.receiveEnd(false));
  }

  /** Sends an RST. */
  rst(): void {
    this.loop.enter(() => this.connection.receiveEnd(true));
  }

  /** Stops reading: what is sent to the client stays in Envoy's write buffer. */
  pause(): void {
    this.loop.enter(() => this.connection.setClientReads(false));
  }

  resume(): void {
    this.loop.enter(() => this.connection.setClientReads(true));
  }

  /** Everything received and not taken. */
  received(): Buffer {
    if (this.parts.length > 1) this.parts = [Buffer.concat(this.parts)];
    return this.parts[0] ?? Buffer.alloc(0);
  }

  /** Everything received since the last `take`. */
  take(): Buffer {
    const bytes = this.received();
    this.parts = [];
    return bytes;
  }

  /** Who closed the connection (`CloseType.Local`: Envoy); null while it is open. */
  get closed(): "local" | "remote" | null {
    if (this.ended === null) return null;
    return this.ended === CloseType.Local ? "local" : "remote";
  }

  onBytes(bytes: Buffer): void {
    this.parts.push(bytes);
    this.onData(bytes);
  }

  onClose(type: CloseType): void {
    this.ended = type;
  }
}
