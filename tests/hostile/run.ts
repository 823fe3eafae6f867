// A hostile client and a hostile server, each with every trick at once, beside a good client whose calls must all be answered.
import { constants, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "../e2e/kit/scope.ts";
import { callOf, serviceIs, Stage } from "../e2e/kit/stage.ts";
import { Neighbour } from "../slow/neighbour.ts";
import type { Watched } from "../slow/neighbour_main.ts";
import { memoryOf } from "../soak/memory.ts";
import { CLIENT_TRICKS, type Trick } from "./clients.ts";
import { startHostileServer } from "./server.ts";

/** Between two rounds of one trick. */
const PAUSE_MS = 200;

export interface HostileOptions {
  /** How long the good client is watched alone, and then beside the others, ms. */
  aloneMs: number;
  besideMs: number;
  concurrency: number;
  /** Tricks to play, by a part of their names; all by default. */
  only?: string;
  say: (line: string) => void;
}

export interface HostileResult {
  alone: Watched;
  beside: Watched;
  /** Rounds of each trick that were played. */
  rounds: Map<string, number>;
  /** Highest resident memory of Envoy, bytes. */
  rss: number;
}

/** Rules that peers' names and texts go through: expressions, flow control, breakers, header changes. */
const CONFIG = {
  stream_filters: [
    {
      type: "flowControlFilter",
      config: {
        limit_key_type: "SERVICE",
        rules: [{ resource: "test.fast:1.0", grade: 1, threshold: 1000000 }],
        circuit_breaker_rules: [
          {
            resource: "test.fast:1.0",
            strategy: 2,
            threshold: 50,
            minRequestAmount: 20,
            statIntervalMs: 1000,
            retryTimeoutMs: 5000,
          },
        ],
      },
    },
    {
      type: "fault_tolerance",
      config: { enabled: true, timeWindow: 1000, leastWindowCount: 10, exceptionRateMultiple: 2, maxIpRatio: 1 },
    },
  ],
};

/** A route that has every path matched against an expression, and one with many header changes. */
const ROUTERS = [
  { match: { regex: "^/test\\.evil.*(a|aa|aaa)+b$" }, direct_response: { status: 404 } },
  {
    match: { headers: [serviceIs("evil")] },
    route: {
      cluster_name: "evil",
      timeout: "2s",
      retry_policy: { retry_on: true, num_retries: 100 },
      request_headers_to_add: Array.from({ length: 20 }, (_, i) => ({
        header: { key: `x-${i}`, value: "%protocol%" },
      })),
    },
  },
];

async function play(
  name: string,
  trick: Trick,
  port: number,
  over: () => boolean,
  rounds: Map<string, number>,
): Promise<void> {
  while (!over()) {
    await trick(port);
    rounds.set(name, (rounds.get(name) ?? 0) + 1);
    await sleep(PAUSE_MS);
  }
}

/** Runs everything; throws if a good call is not answered, or Envoy logs an error. */
export async function hostile(scope: Scope, options: HostileOptions): Promise<HostileResult> {
  const neighbour = await Neighbour.start(scope);
  const server = await startHostileServer();
  scope.after(() => server.close());
  const stage = await Stage.start(scope, {
    concurrency: options.concurrency,
    clusters: { fast: { ports: [neighbour.port] }, evil: { ports: [server.port] }, deaf: {} },
    routers: ROUTERS,
    config: CONFIG,
  });
  stage.server("deaf").handler = () => undefined;
  const [client] = await stage.connect(scope);
  await client.call(1, callOf("fast"));
  const { port, pid } = stage.envoy;
  const alone = await neighbour.watch(port, options.aloneMs);
  options.say(`alone: ${alone.calls} calls, p99 ${alone.p99.toFixed(1)} ms`);

  // The hostile peers live in this process. What they take of the machine's cores is not what is measured.
  setPriority(constants.priority.PRIORITY_LOW);
  const rounds = new Map<string, number>();
  let done = false;
  let rss = 0;
  const timer = setInterval(() => (rss = Math.max(rss, memoryOf(pid).rss)), 200);
  const tricks = Object.entries(CLIENT_TRICKS).filter(([name]) => name.includes(options.only ?? ""));
  const playing = Promise.all(tricks.map(([name, trick]) => play(name, trick, port, () => done, rounds)));
  try {
    const beside = await neighbour.watch(port, options.besideMs);
    options.say(`beside: ${beside.calls} calls, p99 ${beside.p99.toFixed(1)} ms`);
    done = true;
    await playing;
    return { alone, beside, rounds, rss };
  } finally {
    done = true;
    clearInterval(timer);
  }
}
