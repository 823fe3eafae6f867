// Calls of the sample service through the proxy, and what became of them.
import { boltClient, type Client, dubboClient, grpcClient, httpClient } from "./clients.ts";

const BOLT_CLIENTS = 4;
/** Percentiles are taken over this many latest calls of a row. */
const WINDOW = 2000;

/** One line of the table: the calls of a method that one version answered. Times in milliseconds. */
export interface Row {
  protocol: string;
  service: string;
  method: string;
  /** `-` for calls that nobody answered. */
  version: string;
  ok: number;
  errors: number;
  p50: number;
  p99: number;
}

interface Tally extends Omit<Row, "p50" | "p99"> {
  times: number[];
}

/** Ports of the proxy by what is spoken there: one and the same, or, where the samples' TLS is outside, one each. */
export interface ProxyPorts {
  rpc: number;
  http1: number;
  http2: number;
}

/** Clients of each protocol that call the sample service. */
export class Traffic {
  /** The latest failure, in the client's words. */
  lastError = "";
  private readonly clients: Client[];
  private readonly tallies = new Map<string, Tally>();
  private sent = 0;

  private constructor(clients: Client[]) {
    this.clients = clients;
  }

  /** Connects the clients; each has a connection of its own. Throws if a port takes none. */
  static async connect({ rpc, http1, http2 }: ProxyPorts): Promise<Traffic> {
    const bolt = Array.from({ length: BOLT_CLIENTS }, () => boltClient(rpc));
    const others = [dubboClient(rpc), dubboClient(rpc), httpClient(http1), grpcClient(http2)];
    return new Traffic(await Promise.all([...bolt, ...others]));
  }

  /** Makes this many calls at once and waits for all answers. */
  async round(calls: number): Promise<void> {
    await Promise.all(Array.from({ length: calls }, () => this.call()));
  }

  /** In the order of the protocols. */
  rows(): Row[] {
    const names = [...new Set(this.clients.map(({ protocol }) => protocol))];
    const sorted = [...this.tallies.entries()].sort(
      ([a, one], [b, other]) => names.indexOf(one.protocol) - names.indexOf(other.protocol) || a.localeCompare(b),
    );
    return sorted.map(([, { times, ...tally }]) => {
      const ordered = [...times].sort((a, b) => a - b);
      return { ...tally, p50: percentile(ordered, 50), p99: percentile(ordered, 99) };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }

  /** Clients take turns; each counts its own calls. */
  private async call(): Promise<void> {
    const turn = this.sent++;
    const client = this.clients[turn % this.clients.length];
    const { service, method, invoke } = client.call(Math.floor(turn / this.clients.length));
    const start = performance.now();
    const note = (version: string, ok: boolean) => {
      this.note({ protocol: client.protocol, service, method, version }, ok, performance.now() - start);
    };
    try {
      note((await invoke()).version, true);
    } catch (error) {
      this.lastError = `${client.protocol}: ${(error as Error).message}`;
      note("-", false);
    }
  }

  private note(who: Pick<Row, "protocol" | "service" | "method" | "version">, ok: boolean, time: number): void {
    const key = `${who.protocol} ${who.service} ${who.method} ${who.version}`;
    const tally = this.tallies.get(key) ?? { ...who, ok: 0, errors: 0, times: [] };
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
