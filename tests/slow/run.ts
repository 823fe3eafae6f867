// Peers that do not read, or hardly: what they cost in memory, and what their neighbours notice.
import { setTimeout as sleep } from "node:timers/promises";
import { request, response } from "../host/kit/bolt.ts";
import { reasonOf } from "../e2e/kit/calls.ts";
import { RawBoltClient } from "../e2e/kit/client.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { callOf, Stage } from "../e2e/kit/stage.ts";
import { waitUntil, waitUntilStill } from "../e2e/kit/wait.ts";
import { memoryOf } from "../soak/memory.ts";
import { Neighbour } from "./neighbour.ts";

const MIB = 1 << 20;
const ANSWER = 4 * MIB;
/** Answers that a client asks for: more than the kernel's buffers take. */
const ANSWERS = 6;
/** What a client connection may hold: `max_connection_bytes`, as shipped. */
const BOUND = 64 * MIB;
const QUIET_MS = 1000;
const LONG_MS = 120_000;
/** Requests of a client to servers that do not read, more than all buffers take. */
const FLOOD = 320;
const BODY = 65_536;
/** Calls of each client that come one byte at a time. */
const TRICKLED = 3;

export interface SlowOptions {
  /** Clients of each case. */
  clients: number;
  /** How long neighbours are watched, milliseconds. */
  watchMs: number;
  concurrency: number;
  onCase?: (found: SlowCase) => void;
}

export interface SlowCase {
  name: string;
  /** Growth at its highest of the linear memory of all VMs and of the process, bytes. */
  linear: number;
  rss: number;
  /** Bytes that were held back at the senders, and what one connection may hold in the module. */
  heldBack: number;
  bound: number;
  /** Calls of a neighbour, and the 99th of a hundred of their times, ms. */
  calls: number;
  p99: number;
}

class Slow {
  private constructor(
    private readonly stage: Stage,
    private readonly neighbour: Neighbour,
    private readonly options: SlowOptions,
  ) {}

  static async start(scope: Scope, options: SlowOptions): Promise<Slow> {
    const unlimited = { route: { timeout: "-1s" } };
    const neighbour = await Neighbour.start(scope);
    const clusters = { fast: { ports: [neighbour.port] }, large: unlimited, deaf: unlimited, trickle: unlimited };
    return new Slow(await Stage.start(scope, { concurrency: options.concurrency, clusters }), neighbour, options);
  }

  /** Runs `act` beside a neighbour; its `held` tells what senders still have. */
  private async measure(
    name: string,
    bound: number,
    act: () => Promise<{ held: () => number; end: () => Promise<void> }>,
  ): Promise<SlowCase> {
    const { pid } = this.stage.envoy;
    const before = memoryOf(pid);
    let [linear, rss] = [before.linear, before.rss];
    const timer = setInterval(() => {
      const now = memoryOf(pid);
      linear = Math.max(linear, now.linear);
      rss = Math.max(rss, now.rss);
    }, 50);
    try {
      const { held, end } = await act();
      const { calls, p99 } = await this.neighbour.watch(this.stage.envoy.port, this.options.watchMs);
      const heldBack = await waitUntilStill(held, QUIET_MS, LONG_MS);
      await end();
      const found = { name, linear: linear - before.linear, rss: rss - before.rss, heldBack, bound, calls, p99 };
      this.options.onCase?.(found);
      if (found.linear > bound * this.options.clients)
        throw new Error(
          `${name}: linear memory grew by ${found.linear} bytes, ${this.options.clients} times ${bound} are allowed`,
        );
      return found;
    } finally {
      clearInterval(timer);
    }
  }

  undisturbed(): Promise<SlowCase> {
    return this.measure("undisturbed", 0, () => Promise.resolve({ held: () => 0, end: () => Promise.resolve() }));
  }

  private connect(): Promise<RawBoltClient[]> {
    return Promise.all(
      Array.from({ length: this.options.clients }, () => RawBoltClient.connect(this.stage.envoy.port)),
    );
  }

  /** Clients ask for large answers and read none of them. */
  deafClients(): Promise<SlowCase> {
    const server = this.stage.server("large");
    server.handler = (frame) => response(frame.id, { content: Buffer.alloc(ANSWER, frame.content) });
    return this.measure("clients that do not read their 4 MiB answers", BOUND, async () => {
      const clients = await this.connect();
      for (const client of clients) {
        client.pause();
        for (let id = 1; id <= ANSWERS; id++)
          await client.write(request(id, { ...callOf("large"), content: `${id} ` }));
      }
      const total = ANSWERS * clients.length;
      const { requests } = server;
      await waitUntil(
        () => server.requests >= total,
        LONG_MS,
        () => `${requests} of ${total} requests came`,
      );
      return {
        held: () => server.open.reduce((sum, { socket }) => sum + socket.writableLength, 0),
        end: async () => {
          for (const [i, client] of clients.entries()) {
            client.resume();
            await client.waitForFrames(ANSWERS, LONG_MS);
            const bad = client.frames.find(({ id, content }) => !content.equals(Buffer.alloc(ANSWER, `${id} `)));
            if (bad)
              throw new Error(`client ${i}: ${bad.id} has ${bad.content.length} bytes, ${bad.status} ${reasonOf(bad)}`);
            client.close();
            client.frames.length = 0;
          }
          server.arrivals.length = 0;
          await this.untilIdle();
        },
      };
    });
  }

  /** Servers read nothing of what clients send them. */
  deafServers(): Promise<SlowCase> {
    const server = this.stage.server("deaf");
    return this.measure("servers that do not read", BOUND, async () => {
      const clients = await this.connect();
      for (const client of clients) await client.call(1, callOf("deaf"));
      for (const connection of server.open) connection.pause();
      for (const client of clients) {
        for (let id = 2; id < 2 + FLOOD; id++)
          void client.write(request(id, { ...callOf("deaf"), content: Buffer.alloc(BODY, id) }));
      }
      return {
        held: () => clients.reduce((sum, { socket }) => sum + socket.writableLength, 0),
        end: async () => {
          for (const client of clients) client.reset();
          for (const connection of server.open) connection.reset();
          await this.untilIdle();
        },
      };
    });
  }

  /** Everything comes one byte at a time: requests from the client, answers from the server. */
  trickle(): Promise<SlowCase> {
    const server = this.stage.server("trickle");
    server.handler = async (frame, connection) => {
      for (const byte of server.echo(frame) ?? []) {
        connection.write(Buffer.from([byte]));
        await sleep(1);
      }
      return undefined;
    };
    return this.measure("one byte at a time, both ways", BOUND, async () => {
      const clients = await this.connect();
      const all = clients.map(async (client, i) => {
        for (let id = 1; id <= TRICKLED; id++) {
          const content = `client ${i} call ${id}`;
          for (const byte of request(id, { ...callOf("trickle"), content })) {
            await client.write(Buffer.from([byte]));
            await sleep(1);
          }
          const answer = await client.answer(id, LONG_MS);
          if (answer.content.toString() !== content) throw new Error(`${content}: ${answer.content.toString()}`);
        }
        client.close();
      });
      const done = Promise.all(all);
      // It is heard of at the end.
      done.catch(() => {});
      return {
        held: () => 0,
        end: async () => {
          await done;
          await this.untilIdle();
        },
      };
    });
  }

  private untilIdle(): Promise<void> {
    return waitUntil(
      async () => (await this.stage.bolt("active")) === 0,
      LONG_MS,
      () => "the gauge `active` is not 0",
    );
  }
}

/** Runs all cases, one after the other. Throws if memory is above the bound, or an answer is wrong or missing. */
export async function slowPeers(scope: Scope, options: SlowOptions): Promise<SlowCase[]> {
  const slow = await Slow.start(scope, options);
  const found = [await slow.undisturbed(), await slow.deafClients(), await slow.deafServers(), await slow.trickle()];
  return found;
}
