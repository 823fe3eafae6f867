import { CloseType, FilterStatus } from "./abi.ts";
import { NetBuffer } from "./buffer.ts";
import type { RootContext } from "./context.ts";
import { NetworkContext } from "./network-context.ts";
import type { Properties } from "./properties.ts";
import type { Terminal, TerminalConnection } from "./terminal.ts";

/** Most that one read of a socket takes (Envoy reserves eight slices of 16 KiB). */
const READ_SIZE = 128 * 1024;

/** What a connection tells its client. */
export interface ClientSide {
  /** Bytes that reached the client's socket. */
  onBytes(bytes: Buffer): void;
  onClose(type: CloseType): void;
}

/**
 * A downstream connection with its filter chain: the wasm filter, then a terminal filter. After Envoy's ConnectionImpl
 * and FilterManagerImpl, without half close: the client's FIN is a full close, as with an HCM.
 */
export class Connection implements TerminalConnection {
  readonly context: NetworkContext;
  /** The buffer that filters see; what they leave stays. */
  readonly readBuffer = new NetBuffer(() => this.onReadBufferChange());
  /** Bytes in the kernel that Envoy has not read. */
  readonly unread = new NetBuffer();
  private readonly writeBuffer = new NetBuffer();
  private state: "open" | "closing" | "closed" = "open";
  private finReceived = false;
  private readDisabled = false;
  private aboveWrite = false;
  private flushPosted = false;
  private clientReads = true;
  private terminalReady = false;
  /** Calls into the terminal filter, or writes by it, that have not returned. */
  private terminalBusy = 0;

  constructor(
    readonly id: number,
    private readonly root: RootContext,
    private readonly terminal: Terminal,
    private readonly client: ClientSide,
    /** per_connection_buffer_limit_bytes; 0: none. */
    private readonly limit: number,
    properties: Properties,
  ) {
    this.context = new NetworkContext(root, this, properties);
  }

  get open(): boolean {
    return this.state === "open";
  }

  property(path: string): Buffer | null {
    return this.context.properties.get(path);
  }

  get aboveWriteLimit(): boolean {
    return this.aboveWrite;
  }

  /** Initialises the filters: the terminal one only when the wasm filter lets the connection pass. */
  start(): void {
    if (this.context.onNewConnection() === FilterStatus.Continue && this.open) this.startTerminal();
  }

  private startTerminal(): void {
    if (this.terminalReady) return;
    this.terminalReady = true;
    this.terminal.onNewConnection(this);
  }

  /** Bytes from the client arrive in the kernel. */
  receive(bytes: Uint8Array): void {
    if (this.state === "closed") return;
    this.unread.append(Buffer.from(bytes));
    this.readReady();
  }

  /** The client's FIN (or RST) arrives. */
  receiveEnd(reset: boolean): void {
    this.finReceived = true;
    // Envoy watches for a close while reading is disabled, too; then, and on a reset, unread bytes are lost.
    if (reset || this.readDisabled) this.closeSocket(CloseType.Remote);
    else this.readReady();
  }

  private readReady(): void {
    if (!this.open || this.readDisabled) return;
    while (this.unread.length > 0 && !this.readDisabled) {
      this.readBuffer.append(this.unread.take(READ_SIZE));
      if (this.limit > 0 && this.readBuffer.length >= this.limit) break;
    }
    if (this.readBuffer.length > 0) this.onRead();
    if (!this.open) return;
    // A FIN is seen even while reading is disabled; what was not read is lost.
    if (this.finReceived && (this.readDisabled || this.unread.length === 0)) this.closeSocket(CloseType.Remote);
    else if (this.unread.length > 0) this.root.vm.services.loop.post(() => this.readReady());
  }

  private onRead(): void {
    const status = this.context.onData(this.readBuffer, false);
    if (status === FilterStatus.Continue) this.passOn();
  }

  /** `continueReading` of the filter callbacks: hands the whole read buffer to the terminal filter. */
  continueReading(): void {
    this.passOn();
  }

  private passOn(): void {
    if (!this.open) return;
    this.startTerminal();
    if (!this.open || this.readBuffer.length === 0) return;
    if (this.terminalBusy > 0) {
      const message = `connection ${this.id}: data handed to the terminal filter while it is working: Envoy crashes`;
      throw this.root.vm.services.fault("reentrant", message);
    }
    this.busy(() => this.terminal.onData(this.readBuffer, false));
  }

  private busy(action: () => void): void {
    this.terminalBusy++;
    try {
      action();
    } finally {
      this.terminalBusy--;
    }
  }

  private onReadBufferChange(): void {
    if (this.limit === 0) return;
    const { length } = this.readBuffer;
    if (!this.readDisabled && length > this.limit) this.readDisabled = true;
    else if (this.readDisabled && length <= this.limit / 2) {
      this.readDisabled = false;
      this.root.vm.services.loop.post(() => this.readReady());
    }
  }

  write(data: Buffer, end = false): void {
    if (!this.open) return;
    const buffer = new NetBuffer();
    buffer.append(data);
    this.busy(() => {
      if (this.context.onWrite(buffer, end) !== FilterStatus.Continue || !this.open) return;
      this.writeBuffer.append(buffer.take());
      if (this.limit > 0 && this.writeBuffer.length > this.limit) this.aboveWrite = true;
      this.postFlush();
    });
  }

  private postFlush(): void {
    if (this.flushPosted || this.writeBuffer.length === 0) return;
    this.flushPosted = true;
    this.root.vm.services.loop.post(() => {
      this.flushPosted = false;
      this.flush();
    });
  }

  private flush(): void {
    if (!this.clientReads || this.state === "closed") return;
    const bytes = this.writeBuffer.take();
    if (bytes.length > 0) this.client.onBytes(bytes);
    if (this.state === "closing") return this.closeSocket(CloseType.Local);
    if (!this.aboveWrite) return;
    this.aboveWrite = false;
    this.busy(() => this.terminal.onBelowWriteLimit());
  }

  /** Whether the client takes what is sent to it. */
  setClientReads(reads: boolean): void {
    this.clientReads = reads;
    if (reads) this.flush();
  }

  flushAndClose(): void {
    if (!this.open) return;
    if (this.writeBuffer.length === 0) return this.closeSocket(CloseType.Local);
    this.state = "closing";
    this.postFlush();
  }

  private closeSocket(type: CloseType): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.client.onClose(type);
    this.context.onClose(type);
    if (this.terminalReady) this.terminal.onClose();
  }
}
