import type { NetBuffer } from "./buffer.ts";

/** What the last filter of the chain may do with its connection. */
export interface TerminalConnection {
  readonly open: boolean;
  /** A property of the connection, which a filter has set as an object of its filter state; null without. */
  property(path: string): Buffer | null;
  /** Sends bytes, which nobody changes any more, to the client, through the write filters. */
  write(data: Buffer, end?: boolean): void;
  /** Whether the client takes its bytes so slowly that the write buffer is over its limit. */
  readonly aboveWriteLimit: boolean;
  /** Closes once the write buffer is empty (Envoy: FlushWrite). */
  flushAndClose(): void;
}

/** The terminal network filter behind the wasm filter: Envoy's HCM or tcp_proxy, or a test's own. */
export interface Terminal {
  onNewConnection(connection: TerminalConnection): void;
  /** Takes what it wants from the connection's read buffer; called with at least one byte or the end. */
  onData(buffer: NetBuffer, end: boolean): void;
  /** The write buffer fell below half of its limit again. */
  onBelowWriteLimit(): void;
  onClose(): void;
}

/** A terminal filter for tests of plain byte streams: keeps what it gets, sends what the test says. */
export class ByteTerminal implements Terminal {
  connection: TerminalConnection | null = null;
  private parts: Buffer[] = [];

  /** @param onBytes called with each piece of data */
  constructor(private readonly onBytes: (bytes: Buffer, terminal: ByteTerminal) => void = () => {}) {}

  get received(): Buffer {
    return Buffer.concat(this.parts);
  }

  write(bytes: Uint8Array): void {
    this.connection?.write(Buffer.from(bytes));
  }

  onNewConnection(connection: TerminalConnection): void {
    this.connection = connection;
  }

  onData(buffer: NetBuffer): void {
    const bytes = buffer.take();
    this.parts.push(bytes);
    this.onBytes(bytes, this);
  }

  onBelowWriteLimit(): void {}

  onClose(): void {
    this.connection = null;
  }
}
