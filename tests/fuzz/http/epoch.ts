import { Epoch } from "../epoch.ts";
import type { HttpEvent, Pairs } from "./events.ts";
import { CLEAN, type Exchange, ID, SERVER } from "./exchange.ts";
import { fields, requestFields, STATUSES } from "./headers.ts";
import { World } from "./world.ts";

const REQUESTS = 24;
/** Exchanges under way at the same time. */
const AT_ONCE = 5;
/** A request that cannot be held, and whose body does not come, is answered after so long (assembly/http/probe.ts). */
const STALLED_MS = 12_000;
/** Longer than the timeout of a copy. */
const COPIES_MS = 61_000;
/** Largest body of a clean request: payload_limit allows it. */
const CLEAN_BODY = 4000;
const DONE = ["x", "trailers"] as const;

/** The chain with and without `allow_on_headers_stop_iteration`, told of it or not. */
export async function startWorlds(module: string): Promise<World[]> {
  const settings = [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ];
  return Promise.all(settings.map(([allow, told]) => World.start(module, allow, told)));
}

/** Hostile requests and responses through the HTTP filter. */
export class HttpEpoch extends Epoch {
  events: HttpEvent[] = [];
  private world: World;
  /** Bytes that the content-length of a message says are still to come; none: any number. */
  private readonly toSend = new Map<Exchange, number>();
  private readonly toAnswer = new Map<Exchange, number>();

  constructor(
    private readonly worlds: World[],
    seed: number,
    epoch: number,
  ) {
    super(
      worlds.map(({ host }) => host),
      seed,
      epoch,
    );
    this.world = worlds[0];
  }

  private act(event: HttpEvent): void {
    this.events.push(event);
    this.world.act(event);
  }

  protected round(): void {
    const { dice } = this;
    const index = dice.roll(this.worlds.length);
    this.events = [["world", index]];
    this.world = this.worlds[index];
    this.world.clear();
    this.toSend.clear();
    this.toAnswer.clear();
    for (let begun = 0; begun < REQUESTS;) {
      const open = this.world.exchanges.filter(({ over }) => !over);
      if (open.length === 0 || (open.length < AT_ONCE && dice.chance(20))) this.begin(begun++);
      else this.step(dice.pick(open));
      if (dice.chance(5)) this.act(["advance", dice.pick([1, 4, 4, 20, 100])]);
    }
    this.end();
  }

  private begin(number: number): void {
    const { dice } = this;
    const clean = dice.chance(25);
    const protocol = dice.pick(["HTTP/1.1", "HTTP/2"] as const);
    const limit = clean ? 1 << 20 : dice.pick([1 << 20, 1 << 20, 4096, 1024]);
    const headers: Pairs = clean ? cleanFields(number) : [...requestFields(dice), ...fields(dice)];
    headers.push([ID, `${number}`]);
    const size = dice.pick([0, 0, 1, 100, 3000, clean ? CLEAN_BODY : 20_000]);
    const known = size > 0 && dice.chance(50);
    if (known) headers.push(["content-length", `${size}`]);
    this.totals.inputs++;
    this.act(["request", number, protocol, limit, headers, size === 0 && dice.chance(70)]);
    if (known) this.toSend.set(this.world.exchanges[number], size);
  }

  /** Something happens to an exchange, at its client or at its server, or to a copy. */
  private step(exchange: Exchange): void {
    const { dice } = this;
    const turn = dice.roll(20);
    if (turn < 8) return this.send(exchange);
    if (turn < 16) return this.answer(exchange);
    if (turn === 16 && this.world.copies.length > 0) return this.copy();
    if (turn === 17 && dice.chance(10)) return this.act(["healthy", "shadow", dice.chance(60)]);
    if (turn === 18 && dice.chance(20) && !exchange.clean) this.act(["cancel", exchange.number]);
  }

  private copy(): void {
    const { dice } = this;
    const how = dice.pick(["respond", "respond", "break", "local"] as const);
    this.act(["callout", dice.roll(this.world.copies.length), how]);
  }

  /** A piece of the request, which may be its end. */
  private send(exchange: Exchange): void {
    const { dice } = this;
    if (exchange.sentEnd) return;
    const left = this.toSend.get(exchange) ?? 0;
    const known = this.toSend.has(exchange);
    const most = known
      ? left
      : exchange.clean
        ? Math.min(500, CLEAN_BODY - exchange.size)
        : dice.pick([0, 10, 2000, 6000]);
    const size = known && dice.chance(40) ? left : dice.roll(most + 1);
    const mayEnd = (!known || size === left) && dice.chance(50);
    if (known) this.toSend.set(exchange, left - size);
    if (mayEnd && size === 0 && dice.pick(DONE) === "trailers") {
      return this.act(["trailers", exchange.number, exchange.clean ? [["x-end", "1"]] : fields(dice)]);
    }
    this.act(["write", exchange.number, dice.bytes(size).toString("hex"), mayEnd]);
  }

  /** A part of the response, which may be its end. */
  private answer(exchange: Exchange): void {
    const { dice } = this;
    if (!exchange.serverFree) return;
    if (!exchange.clean && dice.chance(4)) return this.act(["fail", exchange.number]);
    if (!exchange.answering) {
      // A good server waits for the whole request.
      if (!exchange.clean || exchange.server?.ended === true) this.answerHeaders(exchange);
      return;
    }
    const left = this.toAnswer.get(exchange);
    const size = left !== undefined && dice.chance(50) ? left : dice.roll((left ?? dice.pick([0, 10, 3000])) + 1);
    const mayEnd = (left === undefined || size === left) && dice.chance(60);
    if (left !== undefined) this.toAnswer.set(exchange, left - size);
    if (mayEnd && size === 0 && dice.pick(DONE) === "trailers") {
      return this.act(["end", exchange.number, [["grpc-status", dice.pick(["0", "13", "", "x"])]]]);
    }
    this.act(["data", exchange.number, dice.bytes(size).toString("hex"), mayEnd]);
  }

  private answerHeaders(exchange: Exchange): void {
    const { dice } = this;
    const status = exchange.clean ? 200 : dice.pick(STATUSES);
    const headers: Pairs = [
      [":status", `${status}`],
      [SERVER, `${exchange.number}`],
    ];
    if (!exchange.clean) headers.push(...fields(dice));
    const size = dice.pick([0, 5, 300, 5000]);
    const end = exchange.head || dice.chance(20);
    if (!end && dice.chance(50)) {
      headers.push(["content-length", `${size}`]);
      this.toAnswer.set(exchange, size);
    }
    this.act(["answer", exchange.number, headers, end]);
  }

  /** Clients and servers finish what they have begun, or leave it; then nothing may be left. */
  private end(): void {
    const { dice, world } = this;
    for (const exchange of world.exchanges) {
      if (!exchange.clean && dice.chance(30)) this.act(["cancel", exchange.number]);
      else if (!exchange.over && !exchange.sentEnd)
        this.finish(exchange.number, "write", this.toSend.get(exchange) ?? 0);
    }
    this.settle(100);
    if (world.exchanges.some(({ over }) => !over)) this.settle(STALLED_MS);
    for (const exchange of world.exchanges) {
      exchange.check();
      exchange.checkOver();
      if (exchange.client.status !== null) this.totals.detected++;
      if (exchange.completed) this.totals.completed++;
    }
    for (const { number, over } of world.exchanges) if (!over) this.act(["cancel", number]);
    this.copiesEnd();
    this.act(["advance", 600]);
    world.checkEnd();
  }

  /** Copies may outlive requests, but not for ever. */
  private copiesEnd(): void {
    const { dice, world } = this;
    if (dice.chance(5)) this.act(["advance", COPIES_MS]);
    else
      for (const i of world.copies.keys()) this.act(["callout", i, dice.pick(["respond", "break", "local"] as const)]);
    this.act(["advance", 600]);
    world.checkCopies();
  }

  private finish(number: number, what: "write" | "data", left: number): void {
    this.act([what, number, this.dice.bytes(left).toString("hex"), true]);
  }

  /** Servers answer all that has come to them, until nothing changes. */
  private settle(ms: number): void {
    for (let pass = 0; pass < 4; pass++) {
      this.act(["advance", ms]);
      for (const exchange of this.world.exchanges) {
        if (!exchange.serverFree) continue;
        if (!exchange.answering) this.answerHeaders(exchange);
        if (exchange.serverFree) this.finish(exchange.number, "data", this.toAnswer.get(exchange) ?? 0);
      }
    }
  }
}

/** A request that no filter has a reason to refuse. */
const cleanFields = (number: number): Pairs => [
  [":authority", "shop"],
  [":path", `/clean/${number}`],
  [":method", "POST"],
  [":scheme", "http"],
  [CLEAN, "1"],
];

/** Does again what a seed says, and checks as the fuzzer does; returns how many requests were answered. */
export async function replayHttp(module: string, events: HttpEvent[]): Promise<number> {
  const [first, ...rest] = events;
  if (first[0] !== "world") throw new Error("a seed of HTTP begins with its world");
  const world = (await startWorlds(module))[first[1]];
  for (const event of rest) world.act(event);
  for (const exchange of world.exchanges) {
    if (!exchange.over) exchange.client.cancel();
    exchange.cancelled = true; // the seed may end before its answer
    exchange.check();
  }
  world.host.advance(COPIES_MS);
  world.checkCopies();
  world.checkEnd();
  world.host.close();
  return world.exchanges.filter(({ client }) => client.status !== null).length;
}
