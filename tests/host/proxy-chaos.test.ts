// The release module under seeded chaos: whatever clients and servers do, no rule of Envoy is broken, every call of a
// well-behaved client is answered exactly once and executed at most once, and nothing is left behind.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltCluster, type BoltServer, type Call } from "./kit/bolt-cluster.ts";
import { Host, type SwitchboardClient } from "./kit/index.ts";
import { call, module } from "./proxy-world.ts";

const ADDRESSES = ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"];
const SESSIONS = 60;
const STEPS = 150;

/** A small generator with a period long enough for a session (xorshift). */
class Dice {
  constructor(private state: number) {}

  /** A number from 0 to `sides` - 1. */
  roll(sides: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % sides;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)];
  }
}

/** A client that keeps to the protocol, or one that does not. */
class Player {
  readonly client: SwitchboardClient;
  /** Ids of the calls that expect an answer. */
  readonly asked: number[] = [];
  private unsent = Buffer.alloc(0);
  private frames = 0;
  left = false;

  constructor(
    private readonly dice: Dice,
    host: Host,
    readonly name: string,
    readonly clean: boolean,
  ) {
    const writeUnit = dice.pick(["frame", "dispatch", 7, 100] as const);
    const initialStreamWindow = 65_535 + dice.roll(100_000);
    const upstreamBufferLimit = dice.pick([0, 1 << 20]);
    const switchboard = { writeUnit, initialStreamWindow, upstreamBufferLimit };
    this.client = host.connect({ worker: dice.roll(2), switchboard });
  }

  /** Queues a frame and sends some of what is queued. */
  play(): void {
    const { dice } = this;
    if (this.left) return;
    if (dice.roll(3) > 0) this.unsent = Buffer.concat([this.unsent, this.frame()]);
    const cut = dice.roll(2) === 0 ? this.unsent.length : dice.roll(this.unsent.length + 1);
    if (cut > 0) this.client.write(this.unsent.subarray(0, cut));
    this.unsent = this.unsent.subarray(cut);
    if (dice.roll(20) === 0) this.client.pause();
    if (dice.roll(5) === 0) this.client.resume();
    if (!this.clean && dice.roll(40) === 0) this.leave();
  }

  private frame(): Buffer {
    const { dice } = this;
    const id = this.asked.length + 1;
    const versions = [{}, { version: 2 }, { version: 2, crc: true }] as const;
    const content = Buffer.alloc(dice.pick([0, 10, 1000, 50_000]), id);
    const headers: bolt.Headers = [["call", `${this.name} ${this.frames++}`]];
    const kind = dice.roll(8);
    if (kind === 0) return bolt.heartbeat(0x7000_0000);
    if (kind === 1) return call(0x7000_0001, { ...dice.pick(versions), type: 2, headers, content });
    this.asked.push(id);
    const timeout = dice.pick([-1, -1, 100, 3000]);
    const frame = call(id, { ...dice.pick(versions), headers, content, timeout });
    if (!this.clean && dice.roll(4) === 0) frame[dice.roll(Math.min(frame.length, 40))] ^= 1 << dice.roll(8);
    return frame;
  }

  leave(): void {
    this.left = true;
    if (this.dice.roll(2) === 0) this.client.fin();
    else this.client.rst();
  }

  /** Sends what is left and reads everything. */
  settle(): void {
    if (this.left) return;
    this.client.write(this.unsent);
    this.client.resume();
  }

  check(label: string): void {
    if (!this.clean) return;
    assert.equal(this.client.closed, null, `${label}: a well-behaved client was closed`);
    const { frames, rest } = bolt.parseFrames(this.client.received());
    assert.equal(rest.length, 0, label);
    const answered = frames.filter((frame) => frame.kind === "response").map((frame) => frame.id);
    assert.deepEqual(
      answered.sort((a, b) => a - b),
      this.asked,
      label,
    );
  }
}

/** What servers do with calls, and with their connections. */
class Servers {
  private readonly later: Call[] = [];

  constructor(
    private readonly dice: Dice,
    private readonly cluster: BoltCluster,
  ) {
    for (const server of cluster.servers) server.onCall = (one) => this.answer(one);
  }

  private answer(one: Call): void {
    const { dice } = this;
    const response = bolt.response(one.frame.id, {
      version: one.frame.version === 2 ? 2 : 1,
      content: one.frame.content,
    });
    switch (dice.roll(12)) {
      case 0:
        return; // never
      case 1:
        one.stream.write(response.subarray(0, dice.roll(response.length)));
        return one.stream.end();
      case 2:
        return dice.roll(4) === 0 ? one.stream.write(Buffer.from("garbage garbage garbage garbage")) : undefined;
      case 3:
        one.reply();
        return one.reply(); // twice
      case 4:
        return dice.roll(2) === 0 ? one.stream.reset() : one.stream.end();
      case 5:
        for (let at = 0; at < response.length; at += 5000) one.stream.write(response.subarray(at, at + 5000));
        return;
      case 6:
        return one.stream.write(bolt.response(0x7fff_0000 + dice.roll(10)));
      case 7:
        return one.stream.write(bolt.request(dice.roll(100), { content: "push" }));
      default:
        this.later.push(one);
    }
  }

  play(): void {
    const { dice } = this;
    for (let count = dice.roll(4); count > 0 && this.later.length > 0; count--) {
      const [one] = this.later.splice(dice.roll(this.later.length), 1);
      one.reply({ content: one.frame.content });
    }
    const server: BoltServer = dice.pick(this.cluster.servers);
    const moods = ["up", "up", "up", "refuse", "hang"] as const;
    if (dice.roll(10) === 0) server.state = dice.pick(moods);
    const stream = server.streams.at(dice.roll(Math.max(1, server.streams.length)));
    if (stream !== undefined && dice.roll(10) === 0) stream.pause();
    if (stream !== undefined && dice.roll(3) === 0) stream.resume();
  }

  settle(): void {
    for (const server of this.cluster.servers) for (const stream of server.streams) stream.resume();
    for (const one of this.later.splice(0)) one.reply();
  }
}

async function session(seed: number): Promise<void> {
  const dice = new Dice(seed * 7919 + 1);
  const host = await Host.start({ module, workers: 2 });
  const cluster = new BoltCluster(...ADDRESSES);
  host.onConnect = cluster.connect;
  const servers = new Servers(dice, cluster);
  const players = Array.from({ length: 6 }, (_, i) => new Player(dice, host, `player ${i}`, i < 4));
  for (let step = 0; step < STEPS; step++) {
    dice.pick(players).play();
    servers.play();
    host.advance(dice.pick([0, 0, 1, 8, 50, 400]));
  }
  for (const player of players) player.settle();
  servers.settle();
  host.advance(70_000);
  for (const player of players) player.check(`seed ${seed}`);
  checkOnce(cluster, players, `seed ${seed}`);
  for (const player of players) if (!player.left) player.leave();
  host.advance(70_000);
  assert.equal(
    host.metrics.gauge("moe.bolt.active") + host.metrics.gauge("moe.boltv2.active"),
    0,
    `seed ${seed}: active`,
  );
  for (const vm of host.workers) assert.equal(vm.tickPeriod(), 0, `seed ${seed}: ticks`);
  host.close();
}

/** No call of a well-behaved client reached servers twice. */
function checkOnce(cluster: BoltCluster, players: Player[], label: string): void {
  const clean = players.filter((player) => player.clean).map((player) => player.name);
  const seen = cluster.calls
    .map(({ frame }) => frame.headers[0]?.[1] ?? "")
    .filter((key) => clean.some((name) => key.startsWith(name)));
  assert.ok(seen.length > 0, label);
  assert.equal(new Set(seen).size, seen.length, `${label}: a call was executed twice`);
}

describe("chaos", () => {
  for (let seed = 1; seed <= SESSIONS; seed++) it(`seed ${seed}`, () => session(seed));
});
