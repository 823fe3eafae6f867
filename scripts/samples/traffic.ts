// Calls of the sample service through the proxy, and what became of them.
import rpc, { type Consumer, type Logger, type RpcClient } from "sofa-rpc-node";
import { type Answer, INTERFACE } from "./hello.ts";

const quiet: Logger = { info() {}, debug() {}, warn() {}, error() {} };
const CLIENTS = 4;
const TIMEOUT_MS = 3000;
/** Percentiles are taken over this many latest calls of a row. */
const WINDOW = 2000;

/** One line of the table: the calls of a method that one version answered. Times in milliseconds. */
export interface Row {
  service: string;
  method: string;
  /** `-` for calls that nobody answered. */
  version: string;
  ok: number;
  errors: number;
  p50: number;
  p99: number;
}

interface Tally {
  method: string;
  version: string;
  ok: number;
  errors: number;
  times: number[];
}

/** SOFARPC clients that call the sample service at a port of this machine. */
export class Traffic {
  /** The latest failure, in the client's words. */
  lastError = "";
  private readonly clients: RpcClient[] = [];
  private readonly consumers: Consumer[] = [];
  private readonly tallies = new Map<string, Tally>();
  private sent = 0;

  /** Connects the clients; each has a connection of its own. Throws if the port takes none. */
  static async connect(port: number): Promise<Traffic> {
    const traffic = new Traffic();
    for (let i = 0; i < CLIENTS; i++) {
      const client = new rpc.client.RpcClient({ logger: quiet });
      client.on("error", (error: Error) => (traffic.lastError = error.message));
      const consumer = client.createConsumer({ interfaceName: INTERFACE, serverHost: `127.0.0.1:${port}` });
      await consumer.ready();
      traffic.clients.push(client);
      traffic.consumers.push(consumer);
    }
    return traffic;
  }

  /** Makes this many calls at once and waits for all answers. */
  async round(calls: number): Promise<void> {
    await Promise.all(Array.from({ length: calls }, () => this.call()));
  }

  rows(): Row[] {
    const sorted = [...this.tallies.entries()].sort(([a], [b]) => a.localeCompare(b));
    return sorted.map(([, { times, ...tally }]) => {
      const ordered = [...times].sort((a, b) => a - b);
      return { service: INTERFACE, ...tally, p50: percentile(ordered, 50), p99: percentile(ordered, 99) };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }

  private async call(): Promise<void> {
    const number = this.sent++;
    const consumer = this.consumers[number % this.consumers.length];
    const [method, args] = number % 3 === 0 ? ["plus", [number, 1]] : ["sayHello", [`caller ${number}`]];
    const start = performance.now();
    try {
      const answer = (await consumer.invoke(method as string, args as unknown[], {
        responseTimeout: TIMEOUT_MS,
      })) as Answer;
      this.note(method as string, answer.version, true, performance.now() - start);
    } catch (error) {
      this.lastError = (error as Error).message;
      this.note(method as string, "-", false, performance.now() - start);
    }
  }

  private note(method: string, version: string, ok: boolean, time: number): void {
    const key = `${method} ${version}`;
    const tally = this.tallies.get(key) ?? { method, version, ok: 0, errors: 0, times: [] };
    this.tallies.set(key, tally);
    if (ok) tally.ok++;
    else tally.errors++;
    tally.times[(tally.ok + tally.errors - 1) % WINDOW] = time;
  }
}

/** Nearest-rank percentile of ordered values; 0 of none. */
export function percentile(ordered: number[], percent: number): number {
  const rank = Math.ceil((percent / 100) * ordered.length);
  return ordered[Math.max(rank, 1) - 1] ?? 0;
}
