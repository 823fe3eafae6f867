import { ByteTerminal, type Client, type ConnectStream, type Host } from "../host/kit/index.ts";
import { Finding } from "./epoch.ts";
import { replayHttp } from "./http/epoch.ts";
import type { HttpEvent } from "./http/events.ts";
import { Reference } from "./reference.ts";
import { checkGone, type RpcTarget, startRpc } from "./rpc.ts";
import { PROTOCOLS } from "./run.ts";
import type { Event, Seed } from "./transcript.ts";
import { MORE, NO_FRAME, type Wire } from "./wire.ts";

/** A client of a seed, with the upstream connections that the module opened for it. */
class Actor {
  readonly client: Client;
  readonly streams: ConnectStream[] = [];
  readonly terminal: ByteTerminal | null;
  answers = 0;
  private readonly reference: Reference;
  private received: Buffer = Buffer.alloc(0);

  /**
   * @param wires what it may speak: with several, its answers are not judged
   * @param scripted the seed says what the switchboard writes
   */
  constructor(
    host: Host,
    private readonly wires: Wire[],
    scripted: boolean,
  ) {
    this.reference = new Reference(wires[0]);
    this.terminal = scripted ? new ByteTerminal() : null;
    if (this.terminal !== null) {
      this.client = host.connect({ terminal: this.terminal });
    } else {
      const client = host.connect();
      client.switchboard.onConnect = (stream) => this.streams.push(stream);
      this.client = client;
    }
    this.client.onData = () => this.receive(this.client.take());
  }

  write(bytes: Buffer): void {
    this.reference.push(bytes);
    this.client.write(bytes);
  }

  /** Every answer must have been asked for, once. */
  private receive(bytes: Buffer): void {
    const [wire, ...others] = this.wires;
    if (others.length > 0) {
      this.answers++;
      return;
    }
    this.received = Buffer.concat([this.received, bytes]);
    for (let length = wire.length(this.received); length !== MORE; length = wire.length(this.received)) {
      if (length === NO_FRAME)
        throw new Finding(`a client got what is no frame: ${this.received.toString("hex", 0, 64)}`);
      if (length > this.received.length) return;
      const frame = this.received.subarray(0, length);
      this.received = this.received.subarray(length);
      const kind = wire.kind(frame);
      if (kind !== "response" && kind !== "heartbeatAck") continue;
      this.answers++;
      const wrong = this.reference.answered(wire.id(frame), null);
      if (wrong !== "") throw new Finding(wrong);
    }
  }
}

/**
 * Does again what a seed says, and checks as the fuzzer does; returns how many answers clients got. Throws `Finding` or
 * `KitFault`.
 */
export async function replay(module: string, seed: Seed): Promise<number> {
  const target = PROTOCOLS[seed.protocol];
  if (target === "http") return replayHttp(module, seed.events as HttpEvent[]);
  return replayRpc(await startRpc(module, target), target, seed.events as Event[]);
}

function replayRpc(host: Host, target: RpcTarget, events: Event[]): number {
  const scripted = new Set(events.filter(([what]) => what === "http2").map(([, client]) => client));
  const actors: Actor[] = [];
  let answers = 0;
  for (const event of events) {
    if (event[0] !== "connect") {
      act(host, actors, event);
      continue;
    }
    const before = actors[event[1]];
    answers += before?.answers ?? 0;
    // It was closed when this was recorded; by chance the module may do otherwise now.
    if (before?.client.closed === null) before.client.rst();
    actors[event[1]] = new Actor(host, target.wires, scripted.has(event[1]));
  }
  for (const { client } of actors) if (client.closed === null) client.rst();
  host.advance(600);
  checkGone(host, target);
  host.close();
  return actors.reduce((sum, actor) => sum + actor.answers, answers);
}

function act(host: Host, actors: Actor[], event: Event): void {
  if (event[0] === "advance") return host.advance(event[1]);
  const actor = actors[event[1]];
  const stream = typeof event[2] === "number" ? actor.streams.at(event[2]) : undefined;
  switch (event[0]) {
    case "write":
      return actor.write(Buffer.from(event[2], "hex"));
    case "fin":
    case "rst":
    case "pause":
    case "resume":
      return actor.client[event[0]]();
    case "http2":
      return host.loop.enter(() => actor.terminal?.write(Buffer.from(event[2], "hex")));
    case "accept":
      return stream?.accept({ host: "10.0.0.1:1", pin: Buffer.from("10.0.0.1:1").toString("base64") });
    case "refuse":
      return stream?.refuse();
    case "unhealthy":
      return stream?.refuseUnhealthy();
    case "end":
    case "reset":
      return stream?.[event[0]]();
    case "answer":
      return stream?.write(Buffer.from(event[3], "hex"));
  }
}
