// Child process: a closed loop of C connections with K outstanding requests each; measures one window at a time.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs } from "./cpu.ts";
import { FrameWalker, repeated } from "./frames.ts";
import { Histogram } from "./histogram.ts";
import { type Protocol, type Wire, WIRES } from "./wire.ts";

/** One measurement to make. */
export interface Load {
  protocol: Protocol;
  /** Ports of 127.0.0.1; connections take them in turn. */
  ports: number[];
  connections: number;
  /** Requests under way per connection, at most 256. */
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  warmupMs: number;
  windowMs: number;
  /** The process whose CPU time counts; 0: none. */
  pid: number;
}

/** What a window showed. */
export interface Measured {
  requests: number;
  seconds: number;
  /** CPU time of the watched process within the window. */
  cpuMs: number;
  p50: number;
  p99: number;
  /** Why the measurement is void. */
  failure?: string;
}

const READ_BUFFER = 256 * 1024;
const SLOT_BITS = 8;
const DRAIN_MS = 2000;

const histogram = new Histogram();
let failure: string | undefined;
let stopping = false;

class Connection {
  readonly socket: Socket;
  private readonly frameLength: number;
  private requests: Buffer;
  private readonly ids: Uint32Array;
  private readonly starts: Float64Array;
  private readonly freed: Uint8Array;
  private freedCount = 0;
  private open = 0;
  private generation = (Math.random() * 2 ** 24) | 0;
  private current = 0;
  private now = 0;

  constructor(
    port: number,
    private readonly frame: Buffer,
    private readonly outstanding: number,
    private readonly wire: Wire,
    /** Length of a response behind its fixed header. */
    private readonly responseRest: number,
  ) {
    this.frameLength = frame.length;
    this.requests = repeated(frame, outstanding);
    this.ids = new Uint32Array(outstanding);
    this.starts = new Float64Array(outstanding);
    this.freed = new Uint8Array(outstanding);
    const walker = new FrameWalker(wire.responseHeader, wire.rest, this.onHeader, this.onFrame);
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER),
        callback: (length, bytes) => {
          this.now = performance.now();
          walker.push(bytes as Buffer, length);
          this.sendFreed();
          return true;
        },
      },
    });
    this.socket.on("error", (error) => (failure ??= error.message));
    this.socket.on("close", this.onClose);
  }

  get idle(): boolean {
    return this.open === 0;
  }

  /** Closes it from this side. The event comes later, perhaps within the next measurement. */
  close(): void {
    this.socket.removeListener("close", this.onClose);
    this.socket.destroy();
  }

  /** Sends the first requests, in one write. */
  start(): void {
    this.now = performance.now();
    for (let slot = 0; slot < this.outstanding; slot++) this.freed[slot] = slot;
    this.freedCount = this.outstanding;
    this.sendFreed();
  }

  private readonly onClose = (): void => {
    failure ??= "a connection was closed";
  };

  private readonly onHeader = (bytes: Buffer, at: number): void => {
    const id = bytes.readUInt32BE(at + this.wire.idAt);
    const slot = id & ((1 << SLOT_BITS) - 1);
    if (slot >= this.outstanding || this.ids[slot] !== id) failure ??= `an answer to ${id}, which is not outstanding`;
    failure ??= this.wire.failure(bytes, at);
    if (this.wire.rest(bytes, at, this.wire.responseHeader) !== this.responseRest)
      failure ??= "a content of another size";
    this.current = slot;
  };

  private readonly onFrame = (): void => {
    histogram.record(this.now - this.starts[this.current]);
    // Spent: a second answer to it is a failure.
    this.ids[this.current] = 0;
    this.freed[this.freedCount++] = this.current;
    this.open -= 1;
  };

  /** A new request for each one that was answered, in one write. */
  private sendFreed(): void {
    const count = this.freedCount;
    this.freedCount = 0;
    if (count === 0 || stopping || failure) return;
    this.generation = (this.generation + 1) & 0xffffff;
    for (let i = 0; i < count; i++) {
      const slot = this.freed[i];
      const id = ((this.generation << SLOT_BITS) | slot) >>> 0;
      this.ids[slot] = id;
      this.starts[slot] = this.now;
      this.requests.writeUInt32BE(id, i * this.frameLength + this.wire.idAt);
    }
    this.open += count;
    this.socket.write(this.requests.subarray(0, count * this.frameLength));
    // What the kernel has not taken yet still needs these bytes.
    if (this.socket.writableLength > 0) this.requests = repeated(this.frame, this.outstanding);
  }
}

async function openAll(load: Load): Promise<Connection[]> {
  const wire = WIRES[load.protocol];
  const frame = wire.requestFrame(load.content);
  const responseRest = wire.responseFrame(load.content).length - wire.responseHeader;
  const port = (index: number) => load.ports[index % load.ports.length];
  const connections = Array.from(
    { length: load.connections },
    (_, index) => new Connection(port(index), frame, load.outstanding, wire, responseRest),
  );
  const connected = (one: Connection) => new Promise<void>((resolve) => one.socket.once("connect", resolve));
  await Promise.race([Promise.all(connections.map(connected)), sleep(5000)]);
  if (connections.some((one) => one.socket.connecting)) failure ??= "no connection within 5 s";
  return connections;
}

async function measure(load: Load): Promise<Measured> {
  failure = undefined;
  stopping = false;
  const connections = await openAll(load);
  for (const one of connections) one.start();
  await sleep(load.warmupMs);

  histogram.reset();
  const from = performance.now();
  const cpuFrom = load.pid ? cpuMs(load.pid) : 0;
  await sleep(load.windowMs);
  const used = load.pid ? cpuMs(load.pid) - cpuFrom : 0;
  const seconds = (performance.now() - from) / 1000;
  const requests = histogram.count;
  const [p50, p99] = [histogram.percentile(0.5), histogram.percentile(0.99)];

  stopping = true;
  for (const end = performance.now() + DRAIN_MS; performance.now() < end; await sleep(5)) {
    if (failure || connections.every((one) => one.idle)) break;
  }
  if (!connections.every((one) => one.idle)) failure ??= "requests without an answer";
  for (const one of connections) one.close();
  if (requests === 0) failure ??= "no answer within the window";
  return { requests, seconds, cpuMs: used, p50, p99, failure };
}

process.on("message", (load: Load) => {
  measure(load).then(
    (measured) => process.send?.(measured),
    (error: Error) => process.send?.({ failure: error.stack }),
  );
});
process.on("disconnect", () => process.exit(0));
