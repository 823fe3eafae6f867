// A client of an RPC protocol with K outstanding requests.
import { FrameWalker, repeated } from "./frames.ts";
import { HELD_HEADER, HELD_SIZE, RESOURCE_DIGITS, RESOURCE_HEADER } from "./headers.ts";
import { Client, type Window } from "./window.ts";
import type { Wire } from "./wire.ts";

const SLOT_BITS = 8;
/** A slot that no request has whose answer is awaited. */
const HELD_SLOT = (1 << SLOT_BITS) - 1;

export interface RpcLoad {
  port: number;
  wire: Wire;
  /** Requests under way, at most 255. */
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  /** Requests before those that nobody is to answer. */
  held: number;
  /** Resources that requests name in turn; 0: none. */
  resources: number;
}

export class RpcClient extends Client {
  private readonly walker: FrameWalker;
  private readonly wire: Wire;
  private readonly frame: Buffer;
  private readonly outstanding: number;
  /** Length of a response behind its fixed header. */
  private readonly responseRest: number;
  private requests: Buffer;
  private readonly ids: Uint32Array;
  private readonly starts: Float64Array;
  /** Slots that have no request. */
  private readonly freed: Uint8Array;
  private freedCount: number;
  /** Where a frame has the digits of its resource, and which is the next. */
  private readonly resourceAt: number;
  private resource = Math.floor(Math.random() * 10 ** RESOURCE_DIGITS);
  private generation = (Math.random() * 2 ** 24) | 0;
  private current = 0;

  constructor(
    private readonly load: RpcLoad,
    window: Window,
  ) {
    const { wire, outstanding, content, port } = load;
    super(port, window);
    this.wire = wire;
    this.outstanding = outstanding;
    this.frame = wire.requestFrame(content, load.resources > 0 ? RESOURCE_HEADER : undefined);
    const [, value] = RESOURCE_HEADER;
    this.resourceAt = load.resources > 0 ? this.frame.indexOf(value) + value.length - RESOURCE_DIGITS : -1;
    this.responseRest = wire.responseFrame(content).length - wire.responseHeader;
    this.requests = repeated(this.frame, outstanding);
    this.ids = new Uint32Array(outstanding);
    this.starts = new Float64Array(outstanding);
    this.freed = Uint8Array.from({ length: outstanding }, (_, slot) => slot);
    this.freedCount = outstanding;
    this.walker = new FrameWalker(wire.responseHeader, wire.rest, this.onHeader, this.onFrame);
  }

  protected receive(bytes: Buffer, length: number): void {
    this.walker.push(bytes, length);
  }

  /** Writes the digits of the next resource. */
  private nameResource(at: number): void {
    this.resource = (this.resource + 1) % this.load.resources;
    for (let i = RESOURCE_DIGITS - 1, rest = this.resource; i >= 0; i--, rest = (rest / 10) | 0) {
      this.requests[at + i] = 0x30 + (rest % 10);
    }
  }

  /** An answer to one of these is an answer to a request that is not outstanding. */
  hold(): void {
    const { held } = this.load;
    if (held === 0) return;
    const frame = this.wire.requestFrame(HELD_SIZE, HELD_HEADER);
    const frames = repeated(frame, held);
    for (let i = 0; i < held; i++) {
      frames.writeUInt32BE(((i << SLOT_BITS) | HELD_SLOT) >>> 0, i * frame.length + this.wire.idAt);
    }
    this.socket.write(frames);
  }

  private readonly onHeader = (bytes: Buffer, at: number): void => {
    const id = bytes.readUInt32BE(at + this.wire.idAt);
    const slot = id & ((1 << SLOT_BITS) - 1);
    if (slot >= this.outstanding || this.ids[slot] !== id)
      this.window.fail(`an answer to ${id}, which is not outstanding`);
    const failure = this.wire.failure(bytes, at);
    if (failure !== undefined) this.window.fail(failure);
    if (this.wire.rest(bytes, at, this.wire.responseHeader) !== this.responseRest)
      this.window.fail("a content of another size");
    this.current = slot;
  };

  private readonly onFrame = (): void => {
    this.window.histogram.record(this.now - this.starts[this.current]);
    // Spent: a second answer to it is a failure.
    this.ids[this.current] = 0;
    this.freed[this.freedCount++] = this.current;
    this.open -= 1;
  };

  protected send(): void {
    const count = this.freedCount;
    this.freedCount = 0;
    if (count === 0 || this.window.stopping || this.window.failure !== undefined) return;
    this.generation = (this.generation + 1) & 0xffffff;
    for (let i = 0; i < count; i++) {
      const slot = this.freed[i];
      const id = ((this.generation << SLOT_BITS) | slot) >>> 0;
      this.ids[slot] = id;
      this.starts[slot] = this.now;
      this.requests.writeUInt32BE(id, i * this.frame.length + this.wire.idAt);
      if (this.resourceAt >= 0) this.nameResource(i * this.frame.length + this.resourceAt);
    }
    this.open += count;
    this.socket.write(this.requests.subarray(0, count * this.frame.length));
    // What the kernel has not taken yet still needs these bytes.
    if (this.socket.writableLength > 0) this.requests = repeated(this.frame, this.outstanding);
  }
}
