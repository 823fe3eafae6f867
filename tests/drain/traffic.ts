import { setTimeout as sleep } from "node:timers/promises";
import type { RequestOptions } from "../host/kit/bolt.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { RawBoltServer } from "../e2e/kit/server.ts";
import { ReconnectingClient } from "./client.ts";

/** How often the load balancer asks each Envoy whether it takes traffic, ms. */
const READY_MS = 100;

/** What a load balancer before several Envoys does: it sends new connections to those whose /ready says so. */
export class Balancer {
  private readonly ready: Set<EnvoyProcess>;
  private turn = 0;
  private stopped = false;

  constructor(
    scope: Scope,
    private readonly envoys: EnvoyProcess[],
  ) {
    this.ready = new Set(envoys);
    const watching = this.watch();
    scope.after(async () => {
      this.stopped = true;
      await watching;
    });
  }

  /** Ports for a new connection: those that are ready in turn, after them the others. */
  ports(): number[] {
    const turn = this.turn++;
    const ready = [...this.ready].map((_, i, all) => all[(i + turn) % all.length]);
    return [...ready, ...this.envoys.filter((envoy) => !this.ready.has(envoy))].map(({ port }) => port);
  }

  private async watch(): Promise<void> {
    while (!this.stopped) {
      for (const envoy of this.envoys) {
        const isReady = await envoy.admin("/ready").then(
          () => true,
          () => false,
        );
        if (isReady) this.ready.add(envoy);
        else this.ready.delete(envoy);
      }
      await sleep(READY_MS);
    }
  }
}

/** An echo server that counts, and knows each call by its content. */
export class CountingServer {
  /** Calls that came once or more, and those that came again. */
  readonly seen = new Set<string>();
  repeated = 0;

  private constructor(readonly server: RawBoltServer) {}

  static async start(scope: Scope): Promise<CountingServer> {
    const started = new CountingServer(await RawBoltServer.start({ record: false, backlog: 4096 }));
    const { server, seen } = started;
    server.handler = (frame) => {
      const content = frame.content.toString();
      if (seen.has(content)) started.repeated++;
      seen.add(content);
      return server.echo(frame);
    };
    scope.after(() => server.close());
    return started;
  }
}

/** How the calls ended. */
export interface Totals {
  answered: number;
  refused: number;
  cut: number;
  connections: number;
  goAways: number;
}

export interface TrafficOptions {
  /** Clients that call without pause, this many calls at once. */
  busy: number;
  depth: number;
  /** Clients that call once in a while, and how long they pause, ms. */
  calm: number;
  pauseMs: number;
  call: RequestOptions;
}

/** Clients that make calls until they are told to stop. */
export class Traffic {
  readonly totals: Totals = { answered: 0, refused: 0, cut: 0, connections: 0, goAways: 0 };
  private readonly clients: ReconnectingClient[] = [];
  private readonly lanes: Promise<void>[] = [];
  private stopping = false;
  private made = 0;

  constructor(
    scope: Scope,
    ports: () => number[],
    private readonly options: TrafficOptions,
  ) {
    const { busy, depth, calm, pauseMs } = options;
    for (let i = 0; i < busy + calm; i++) {
      const client = new ReconnectingClient(ports);
      this.clients.push(client);
      const lanes = i < busy ? depth : 1;
      for (let lane = 0; lane < lanes; lane++) this.lanes.push(this.run(client, i < busy ? 0 : pauseMs));
    }
    // A lane's error is reported by `stop`.
    for (const lane of this.lanes) lane.catch(() => (this.stopping = true));
    scope.after(() => {
      this.stopping = true;
      for (const client of this.clients) client.close();
    });
  }

  get ended(): number {
    const { answered, refused, cut } = this.totals;
    return answered + refused + cut;
  }

  /** Whether a lane has failed, or `stop` was called. */
  get stopped(): boolean {
    return this.stopping;
  }

  /** No more calls; resolves when those under way have ended. Throws what a client found wrong. */
  async stop(): Promise<Totals> {
    this.stopping = true;
    await Promise.all(this.lanes);
    for (const { connections, goAways } of this.clients) {
      this.totals.connections += connections;
      this.totals.goAways += goAways;
    }
    return this.totals;
  }

  private async run(client: ReconnectingClient, pauseMs: number): Promise<void> {
    while (!this.stopping) {
      this.totals[await client.call({ ...this.options.call, content: `call ${this.made++}` })]++;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }
}
