// Child process: a closed loop of C connections with K outstanding requests each; measures one window at a time.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs } from "./cpu.ts";
import { HELD } from "./headers.ts";
import { HttpClient, holdHttp } from "./http_client.ts";
import { RpcClient } from "./rpc_client.ts";
import { type Client, Window } from "./window.ts";
import { type LoadProtocol, WIRES } from "./wire.ts";

/** One measurement to make. */
export interface Load {
  protocol: LoadProtocol;
  /** Ports of 127.0.0.1; connections take them in turn. */
  ports: number[];
  connections: number;
  /** Requests under way per connection, at most 255. */
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  /** More requests, which nobody answers as long as the measurement lasts. */
  held?: number;
  /** Resources that the requests are for, in turn, by a header of theirs; without it they have no such header. */
  resources?: number;
  warmupMs: number;
  windowMs: number;
  /** The process whose CPU time counts; 0: none. */
  pid: number;
}

/** What a window showed. */
export interface Measured {
  requests: number;
  seconds: number;
  /** CPU time of the watched process within the window. */
  cpuMs: number;
  p50: number;
  p99: number;
  /** Why the measurement is void. */
  failure?: string;
}

const DRAIN_MS = 2000;

let onHeld: (value?: unknown) => void = () => {};

function openClient(load: Load, index: number, window: Window): Client {
  const { protocol, connections, outstanding, content } = load;
  const port = load.ports[index % load.ports.length];
  if (protocol === "http") return new HttpClient({ port, outstanding, content }, window);
  // Spread evenly: the first connections have one more.
  const held = Math.ceil(((load.held ?? 0) - index) / connections);
  const { resources = 0 } = load;
  return new RpcClient(
    { port, wire: WIRES[protocol], outstanding, content, held: Math.max(held, 0), resources },
    window,
  );
}

async function openAll(load: Load, window: Window): Promise<Client[]> {
  const clients = Array.from({ length: load.connections }, (_, index) => openClient(load, index, window));
  const connected = (one: Client) => new Promise<void>((resolve) => one.socket.once("connect", resolve));
  await Promise.race([Promise.all(clients.map(connected)), sleep(5000)]);
  if (clients.some((one) => one.socket.connecting)) window.fail("no connection within 5 s");
  return clients;
}

/** Has requests held, and waits until the other side says that they are; returns what ends those with their own connections. */
async function hold({ protocol, ports, held = 0 }: Load, clients: Client[], window: Window): Promise<() => void> {
  if (held === 0) return () => {};
  const release = protocol === "http" ? holdHttp(ports[0], held, window) : () => {};
  for (const one of clients) one.hold();
  await new Promise((resolve) => (onHeld = resolve));
  return release;
}

async function measure(load: Load): Promise<Measured> {
  const window = new Window();
  const { histogram } = window;
  const clients = await openAll(load, window);
  const release = await hold(load, clients, window);
  for (const one of clients) one.start();
  await sleep(load.warmupMs);

  histogram.reset();
  const from = performance.now();
  const cpuFrom = load.pid ? cpuMs(load.pid) : 0;
  await sleep(load.windowMs);
  const used = load.pid ? cpuMs(load.pid) - cpuFrom : 0;
  const seconds = (performance.now() - from) / 1000;
  const requests = histogram.count;
  const [p50, p99] = [histogram.percentile(0.5), histogram.percentile(0.99)];

  window.stopping = true;
  for (const end = performance.now() + DRAIN_MS; performance.now() < end; await sleep(5)) {
    if (window.failure !== undefined || clients.every((one) => one.idle)) break;
  }
  if (!clients.every((one) => one.idle)) window.fail("requests without an answer");
  for (const one of clients) one.close();
  release();
  if (requests === 0) window.fail("no answer within the window");
  return { requests, seconds, cpuMs: used, p50, p99, failure: window.failure };
}

process.on("message", (message: Load | typeof HELD) => {
  if (message === HELD) return onHeld();
  measure(message).then(
    (measured) => process.send?.(measured),
    (error: Error) => process.send?.({ failure: error.stack }),
  );
});
process.on("disconnect", () => process.exit(0));
