import type { ConnectStream } from "../host/kit/connect-stream.ts";
import type { Client } from "../host/kit/client.ts";
import type { Host } from "../host/kit/index.ts";
import type { Dice } from "./dice.ts";
import { Finding } from "./epoch.ts";
import { HostileSwitchboard } from "./hostile.ts";
import { answerText, findMarker, requestText } from "./marker.ts";
import { mutated } from "./mutate.ts";
import { mutatedHttp2 } from "./mutate_http2.ts";
import { Reference } from "./reference.ts";
import type { Transcript } from "./transcript.ts";
import { MORE, NO_FRAME, type Wire } from "./wire.ts";

export interface Manners {
  /** A clean client keeps to the protocol, and so do its servers: all its calls must be answered. */
  clean: boolean;
  /** The switchboard of the other clients is hostile, instead of clients and servers. */
  http2: boolean;
  /** Clients speak several protocols: what another's bytes are taken for is not known, so only clean clients are judged. */
  mixed: boolean;
}

const HOSTS = ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"];
const GARBAGE = 30;

/** Of a hundred messages of a client that is not clean: hostile ones; and halves after which it says nothing more. */
const HOSTILE = 10;
const SILENT = 2;

/** A client connection with the servers behind it, and what is known of what may come of it. */
export class Player {
  readonly client: Client;
  /** Inputs so far, answers of servers that came through, and whether the module knows the protocol. */
  inputs = 0;
  completed = 0;
  detected = false;
  private readonly reference: Reference;
  private readonly streams: ConnectStream[] = [];
  /** Upstream connections on which something else than good answers was written. */
  private readonly fouled = new Set<ConnectStream>();
  private received: Buffer = Buffer.alloc(0);
  /** Answers that a clean client waits for. */
  private waiting = 0;
  private unsent: Buffer = Buffer.alloc(0);
  private previous: Buffer | null = null;
  /** It has sent half a message, and sends nothing more. */
  private silent = false;

  constructor(
    private readonly host: Host,
    private readonly wire: Wire,
    private readonly dice: Dice,
    private readonly log: Transcript,
    /** Index in the round, and number of the connection. */
    private readonly index: number,
    private readonly number: number,
    private readonly manners: Manners,
  ) {
    this.reference = new Reference(wire);
    log.note("connect", index);
    if (manners.http2 && !manners.clean) {
      const terminal = new HostileSwitchboard(host, this.connect, (bytes) => this.changeHttp2(bytes));
      this.client = host.connect({ terminal });
    } else {
      const client = host.connect({ switchboard: { writeUnit: dice.pick(["frame", "dispatch", 7] as const) } });
      client.switchboard.onConnect = this.connect;
      this.client = client;
    }
    this.client.onData = () => this.receive(this.client.take());
  }

  get over(): boolean {
    return this.client.closed !== null;
  }

  /** One input: a message, mutated or not, sent as a whole, in pieces, or together with the next. */
  play(): void {
    const { dice } = this;
    const frame = this.message(this.inputs++);
    if (this.silent) return;
    if (!this.manners.clean && dice.chance(SILENT)) {
      this.silent = true;
      return this.write(frame.subarray(0, 1 + dice.roll(frame.length)));
    }
    this.unsent = this.unsent.length === 0 ? frame : Buffer.concat([this.unsent, frame]);
    const way = dice.roll(10);
    if (way === 0) return; // glued to the next
    if (way > 2) return this.send(this.unsent.length);
    for (let pieces = 1 + dice.roll(4); pieces > 0 && this.unsent.length > 0; pieces--)
      this.send(1 + dice.roll(this.unsent.length));
    if (!this.manners.clean && dice.chance(10)) this.stall(dice.pick(["pause", "resume"]));
  }

  private message(number: number): Buffer {
    const { dice, wire } = this;
    const polite = this.manners.clean || this.manners.http2;
    if (wire.heartbeat !== undefined && dice.chance(5)) return wire.heartbeat(dice);
    if (!polite && number === 0 && dice.chance(GARBAGE)) return dice.bytes(1 + dice.roll(80));
    if (!polite && wire.hostile.length > 0 && dice.chance(HOSTILE)) return dice.pick(wire.hostile);
    const recorded = !polite && wire.recorded.length > 0 && dice.chance(40);
    const frame = recorded ? dice.pick(wire.recorded) : wire.request(dice, requestText(this.number, number));
    if (polite) {
      if (wire.kind(frame) === "request") this.waiting++;
      return frame;
    }
    const other = this.previous;
    this.previous = frame;
    // The first message decides about the protocol: most of them have to be good for the rest to be seen.
    if (dice.chance(number === 0 ? 70 : 45)) return frame;
    if (other === null || dice.chance(90)) return mutated(frame, dice, wire);
    return Buffer.concat([frame.subarray(0, dice.roll(frame.length)), other.subarray(dice.roll(other.length))]);
  }

  private send(length: number): void {
    const bytes = this.unsent.subarray(0, length);
    this.unsent = this.unsent.subarray(length);
    this.write(bytes);
  }

  /** Bytes from the client, whatever they are. */
  write(bytes: Buffer): void {
    this.log.note("write", this.index, bytes);
    this.reference.push(bytes);
    this.client.write(bytes);
  }

  private stall(how: "pause" | "resume"): void {
    this.log.note(how, this.index);
    this.client[how]();
  }

  /** Sends what is left, and reads again. */
  settle(): void {
    if (this.over) return;
    if (!this.manners.clean) this.stall("resume");
    if (this.unsent.length > 0 && !this.silent) this.send(this.unsent.length);
  }

  leave(how: "fin" | "rst"): void {
    if (this.over) return;
    this.log.note(how, this.index);
    this.client[how]();
  }

  /** After enough time: a clean client has all its answers, and its connection. */
  check(): void {
    if (!this.manners.clean) return;
    if (this.over) throw new Finding(`client ${this.index} kept to the protocol and was closed`);
    if (this.waiting !== 0)
      throw new Finding(`client ${this.index} kept to the protocol, ${this.waiting} calls have no answer`);
  }

  private receive(bytes: Buffer): void {
    const { wire, manners } = this;
    this.detected = true;
    if (manners.mixed && !manners.clean) return;
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    for (;;) {
      const length = wire.length(this.received);
      if (length === NO_FRAME)
        throw new Finding(`client ${this.index} got what is no frame: ${this.received.toString("hex", 0, 64)}`);
      if (length === MORE || length > this.received.length) return;
      const frame = this.received.subarray(0, length);
      this.received = this.received.subarray(length);
      this.onFrame(frame);
    }
  }

  private onFrame(frame: Buffer): void {
    const kind = this.wire.kind(frame);
    if (kind !== "response" && kind !== "heartbeatAck") return; // a request of a server
    const marker = findMarker(frame, true);
    const id = this.wire.id(frame);
    if (marker !== null) {
      this.completed++;
      if (marker.client !== this.number)
        throw new Finding(
          `client ${this.index} (connection ${this.number}) got an answer for connection ${marker.client}`,
        );
    }
    const wrong = this.reference.answered(id, marker?.honest === true ? marker.message : null);
    if (wrong !== "") throw new Finding(`client ${this.index}: ${wrong}: ${frame.toString("hex", 0, 64)}`);
    if (kind === "response" && this.manners.clean) this.waiting--;
  }

  /** The other side of the module: an upstream connection is asked for. */
  private readonly connect = (stream: ConnectStream): void => {
    const { dice } = this;
    this.detected = true;
    const index = this.streams.push(stream) - 1;
    const way = this.manners.clean ? 99 : dice.roll(100);
    if (way < 3) return this.note("refuse", index, () => stream.refuse());
    if (way < 5) return this.note("unhealthy", index, () => stream.refuseUnhealthy());
    if (way < 6) return; // never answered
    this.note("accept", index, () => accept(stream, index));
    let rest: Buffer = Buffer.alloc(0);
    stream.onData = (bytes) => {
      stream.take();
      rest = this.serve(stream, index, rest.length === 0 ? bytes : Buffer.concat([rest, bytes]));
    };
  };

  private note(what: "accept" | "refuse" | "unhealthy" | "end" | "reset", index: number, act: () => void): void {
    this.log.note(what, this.index, index);
    act();
  }

  /** Cuts what the module sent to a server, and answers; returns what is left. */
  private serve(stream: ConnectStream, index: number, bytes: Buffer): Buffer {
    const { wire } = this;
    for (;;) {
      const length = wire.length(bytes);
      if (length === NO_FRAME) {
        if (this.manners.http2 || (this.manners.mixed && !this.manners.clean)) return Buffer.alloc(0);
        throw new Finding(`a server got what is no frame: ${bytes.toString("hex", 0, 64)}`);
      }
      if (length === MORE || length > bytes.length) return bytes;
      const frame = bytes.subarray(0, length);
      bytes = bytes.subarray(length);
      const kind = wire.kind(frame);
      if (kind !== "request" && kind !== "heartbeat") continue;
      this.answer(stream, index, frame);
    }
  }

  private answer(stream: ConnectStream, index: number, request: Buffer): void {
    const { dice, wire } = this;
    const hostile = !this.manners.clean && !this.manners.http2 && dice.chance(35);
    if (hostile) this.fouled.add(stream);
    const asked = findMarker(request, false);
    const text = asked === null ? "" : answerText(asked, !this.fouled.has(stream) && !this.manners.http2);
    const good = wire.answer(request, text, dice);
    const reply = (bytes: Buffer): void => {
      this.log.note("answer", this.index, index, bytes);
      stream.write(bytes);
    };
    if (!hostile) return reply(good);
    switch (dice.roll(10)) {
      case 0:
        return; // never
      case 1:
        reply(good);
        return reply(good);
      case 2:
        return reply(dice.bytes(1 + dice.roll(100)));
      case 3:
        reply(good.subarray(0, dice.roll(good.length)));
        return this.note("end", index, () => stream.end());
      case 4:
        return this.note("reset", index, () => stream.reset());
      case 5:
        return reply(mutated(wire.request(dice, ""), dice, wire)); // a request of the server's own
      default:
        return reply(mutated(good, dice, wire));
    }
  }

  private changeHttp2(bytes: Buffer): Buffer {
    const changed = this.dice.chance(15) ? mutatedHttp2(bytes, this.dice) : bytes;
    this.log.note("http2", this.index, changed);
    return changed;
  }
}

function accept(stream: ConnectStream, index: number): void {
  const host = stream.pin === null ? HOSTS[index % HOSTS.length] : Buffer.from(stream.pin, "base64").toString();
  stream.accept({ host, pin: Buffer.from(host).toString("base64") });
}
