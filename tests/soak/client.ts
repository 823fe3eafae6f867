// One client connection of the soak: a closed loop of mixed requests, every answer checked.
import { connect, type Socket } from "node:net";
import { blank, isContentOf, stamp } from "./content.ts";
import { LARGE, LOST, type Operation, OPERATIONS, type ProtocolName, SMALL, STATUSES } from "./operations.ts";
import { FrameCutter, span, type Wire, WIRES } from "./wire.ts";

/** How a connection ends: when all is answered, with requests under way (FIN or RST), or in the middle of a frame. */
export const ENDS = ["answered", "left", "reset", "half"] as const;
export type End = (typeof ENDS)[number];

/** What all connections share. */
export interface Tally {
  /** Requests that may yet be sent. */
  budget: number;
  sent: number;
  answered: number;
  oneway: number;
  /** Requests whose client went away before the answer. */
  left: number;
  connections: number;
  /** Answers by protocol, operation and MOSN's code. */
  codes: Map<string, number>;
  /** No more requests for now. */
  paused: boolean;
  failure?: string;
}

interface Prepared {
  operation: Operation;
  frame: Buffer;
  /** Where the frame's content is. */
  from: number;
  length: number;
  filling: Buffer;
}

interface Slot {
  id: number;
  number: number;
  prepared: Prepared;
}

const SLOT_BITS = 6;
/**
 * Of the first requests one in so many is large, so that memory is taken at once for more of them at a time than come together
 * later: linear memory never shrinks, and what grows after that is a leak.
 */
const FIRST = 50_000;
const LARGE_OF_FIRST = 64;
/** In place of a slot's number: nobody waits for an answer. */
const ONEWAY = (1 << SLOT_BITS) - 1;

/** The operations of a protocol, ready to be sent, each as often in the list as its share. */
const tables = new Map<ProtocolName, Prepared[]>();

function prepare(protocol: ProtocolName, operation: Operation): Prepared {
  const wire = WIRES[protocol];
  const filling = blank(operation.large === true ? LARGE[protocol] : SMALL, operation.letter);
  if (operation.heartbeat === true) return { operation, frame: wire.heartbeat, from: 0, length: 0, filling };
  const frame = wire.request(operation, filling);
  wire.content(frame, 0, frame.length);
  return { operation, frame, from: span.from, length: span.length, filling };
}

function tableOf(protocol: ProtocolName): Prepared[] {
  let table = tables.get(protocol);
  if (table) return table;
  const fitting = OPERATIONS.filter(({ only }) => only === undefined || only.includes(protocol));
  table = fitting.flatMap((operation) => {
    const prepared = prepare(protocol, operation);
    return Array.from({ length: operation.share * 2 }, () => prepared);
  });
  tables.set(protocol, table);
  return table;
}

/** MOSN's codes that a status of the protocol may stand for. */
function codesOf(protocol: ProtocolName, status: number): number[] {
  return Object.entries(STATUSES[protocol]).flatMap(([code, statuses]) =>
    statuses.includes(status) ? [Number(code)] : [],
  );
}

export class Client {
  private readonly wire: Wire;
  private readonly table: Prepared[];
  private readonly socket: Socket;
  private readonly slots: (Slot | undefined)[];
  private readonly free: number[];
  private readonly out: Buffer[] = [];
  private generation = 0;
  private number = 0;
  private ended = false;
  open = 0;

  constructor(
    readonly protocol: ProtocolName,
    port: number,
    private readonly serial: number,
    /** Requests after which it ends. */
    private life: number,
    private readonly end: End,
    private readonly roll: () => number,
    private readonly tally: Tally,
    private readonly onGone: (client: Client) => void,
  ) {
    this.wire = WIRES[protocol];
    this.table = tableOf(protocol);
    this.slots = Array.from({ length: this.wire.window });
    this.free = Array.from({ length: this.wire.window }, (_, i) => i);
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const cutter = new FrameCutter(() => this.wire, this.onFrame);
    this.socket.once("connect", () => this.send());
    this.socket.on("data", (chunk: Buffer) => {
      try {
        cutter.push(chunk);
      } catch (error) {
        this.fail((error as Error).message);
      }
      this.send();
    });
    this.socket.on("error", (error) => this.fail(error.message));
    this.socket.on("close", () => this.onClose(cutter.inside));
    this.tally.connections++;
  }

  /** What is under way, for a failure's message. */
  describe(): string {
    const waiting = this.slots.flatMap((slot) => (slot ? [`${slot.prepared.operation.name} ${slot.id}`] : []));
    return `${this.protocol} connection ${this.serial}: ${waiting.join(", ")}`;
  }

  /** Sends what its window has room for, or ends. */
  send(): void {
    const { tally } = this;
    if (this.ended || tally.failure !== undefined) return;
    while (this.free.length > 0 && this.life > 0 && tally.budget > 0 && !tally.paused) {
      this.add(this.next());
    }
    if (this.out.length > 0) this.socket.write(this.out.length === 1 ? this.out[0] : Buffer.concat(this.out));
    this.out.length = 0;
    if (this.life <= 0 && (this.end !== "answered" || this.open === 0)) this.leave(this.end);
  }

  private next(): Prepared {
    const large = this.tally.sent < FIRST && this.roll() % LARGE_OF_FIRST === 0;
    const found = large ? this.table.find(({ operation }) => operation.large === true) : undefined;
    return found ?? this.table[this.roll() % this.table.length];
  }

  /** Ends the connection. What is under way gets no answer. */
  leave(end: End): void {
    if (this.ended) return;
    this.ended = true;
    this.tally.left += this.open;
    this.open = 0;
    if (end === "half") {
      const { frame } = this.table[0];
      this.socket.end(frame.subarray(0, frame.length >> 1));
      this.socket.resume();
    } else if (end === "reset") this.socket.resetAndDestroy();
    else this.socket.destroy();
    this.onGone(this);
  }

  private add(prepared: Prepared): void {
    const { tally, wire } = this;
    const { operation } = prepared;
    tally.budget--;
    tally.sent++;
    this.life--;
    this.generation = (this.generation + 1) & 0x3ffffff;
    let slot = ONEWAY;
    if (operation.oneway === true) tally.oneway++;
    else slot = this.free.pop() ?? 0;
    const id = wire.window === 1 ? 0 : ((this.generation << SLOT_BITS) | slot) >>> 0;
    const number = this.number++;
    const frame = Buffer.from(prepared.frame);
    wire.setId(frame, 0, id);
    if (operation.heartbeat !== true) stamp(frame, prepared.from, prepared.length, this.serial, number);
    wire.seal(frame, 0, frame.length);
    this.out.push(frame);
    if (operation.oneway === true) return;
    this.slots[slot] = { id, number, prepared };
    this.open++;
  }

  private readonly onFrame = (bytes: Buffer, at: number, length: number): void => {
    if (this.ended) return;
    const { wire, tally } = this;
    const id = wire.id(bytes, at);
    const index = id & ONEWAY;
    const slot = this.slots[index];
    if (slot?.id !== id) {
      this.fail(`an answer to ${id}, for which nothing waits`);
      return;
    }
    const { operation } = slot.prepared;
    if (wire.isHeartbeat(bytes, at) !== (operation.heartbeat === true)) {
      this.fail(`${operation.name}: an answer of another kind`);
      return;
    }
    const status = wire.status(bytes, at);
    const code = this.judge(slot, status, bytes, at, length);
    if (code === 0) {
      this.fail(
        `${operation.name} ${id}: status ${status}, ${bytes.toString("latin1", at, at + Math.min(length, 600))}`,
      );
      return;
    }
    const key = `${this.protocol} ${operation.name} ${code}`;
    tally.codes.set(key, (tally.codes.get(key) ?? 0) + 1);
    tally.answered++;
    this.open--;
    this.slots[index] = undefined;
    this.free.push(index);
    if (wire.isLast(bytes, at, length)) this.leave("answered");
  };

  /** The code of an answer; 0: it may not be that. */
  private judge(slot: Slot, status: number, bytes: Buffer, at: number, length: number): number {
    const { operation, filling } = slot.prepared;
    const codes = codesOf(this.protocol, status);
    if (codes.includes(200)) {
      // The answer of a server that should have been too late may have come in time on a machine that was slower still.
      if (operation.code !== undefined && operation.code !== 504) return 0;
      if (operation.heartbeat === true) return 200;
      this.wire.content(bytes, at, length);
      return isContentOf(bytes, span.from, span.length, filling, this.serial, slot.number) ? 200 : 0;
    }
    if (operation.code !== undefined && codes.includes(operation.code)) return operation.code;
    if (operation.code !== undefined && operation.code !== 504) return 0;
    const allowed = [...(operation.also ?? []), ...LOST];
    return codes.find((code) => allowed.includes(code)) ?? 0;
  }

  /** The proxy has closed the connection, or the client itself. */
  private onClose(inside: boolean): void {
    const [slot] = this.slots;
    // A server that goes in the middle of its answer: HTTP/1 knows no other way to say so once the head is on its way.
    if (this.ended || !inside || this.protocol !== "http" || slot === undefined) {
      this.fail("the proxy closed the connection");
      return;
    }
    const key = `http ${slot.prepared.operation.name} 502`;
    this.tally.codes.set(key, (this.tally.codes.get(key) ?? 0) + 1);
    this.tally.answered++;
    this.open--;
    this.slots[0] = undefined;
    this.leave("reset");
  }

  private fail(why: string): void {
    if (this.ended) return;
    this.tally.failure ??= `${why} (${this.describe()})`;
    this.leave("reset");
  }
}
