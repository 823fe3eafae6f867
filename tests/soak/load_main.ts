// Child process: the clients of the soak. A connection that has ended is followed by another one.
import { dice } from "../e2e/kit/random.ts";
import { Client, ENDS, type Tally } from "./client.ts";
import { type ProtocolName, PROTOCOLS } from "./operations.ts";

/** What the parent says first. */
export interface LoadOptions {
  rpcPort: number;
  httpPort: number;
  seed: number;
  /** Connections of each protocol at any time. */
  connections: Record<ProtocolName, number>;
}

/** What it says after: requests to be sent from now on, or that all connections end. */
export type LoadCommand = { send: number } | { end: true };

/** Sent back every second, and when all that was to be sent is answered. */
export interface LoadReport extends Omit<Tally, "codes" | "budget" | "paused"> {
  codes: [string, number][];
  /** All requests are sent and answered. */
  idle: boolean;
  /** What still waits. */
  waiting: string[];
}

/** Requests of a connection's life, at most; connections of HTTP, which are slower, have a tenth. */
const LONGEST = 20_000;
const REPORT_MS = 500;

const tally: Tally = {
  budget: 0,
  sent: 0,
  answered: 0,
  oneway: 0,
  left: 0,
  connections: 0,
  codes: new Map(),
  paused: false,
};
const clients = new Set<Client>();
let ending = false;
let serial = 0;

function open(protocol: ProtocolName, options: LoadOptions, roll: () => number): void {
  if (ending || tally.failure !== undefined) return;
  const port = protocol === "http" ? options.httpPort : options.rpcPort;
  const longest = protocol === "http" ? LONGEST / 10 : LONGEST;
  // Short lives and long ones: each power of two as often as the next.
  const life = 1 + (roll() % (1 + (longest >> (roll() % 10))));
  const end = ENDS[roll() % ENDS.length];
  const client = new Client(protocol, port, ++serial, life, end, roll, tally, (gone) => {
    clients.delete(gone);
    setImmediate(() => open(protocol, options, roll));
  });
  clients.add(client);
}

let idleToldAt = -1;

function report(): void {
  const open = [...clients].filter((client) => client.open > 0);
  const idle = tally.budget === 0 && open.length === 0;
  if (idle && idleToldAt === tally.sent) return;
  idleToldAt = idle ? tally.sent : -1;
  const { sent, answered, oneway, left, connections, failure } = tally;
  const waiting = tally.budget === 0 ? open.map((client) => client.describe()) : [];
  const told: LoadReport = {
    sent,
    answered,
    oneway,
    left,
    connections,
    failure,
    idle,
    waiting,
    codes: [...tally.codes],
  };
  process.send?.(told);
}

function obey(command: LoadCommand | LoadOptions): void {
  if ("rpcPort" in command) {
    const roll = dice(command.seed);
    for (const protocol of PROTOCOLS) {
      for (let i = 0; i < command.connections[protocol]; i++) open(protocol, command, roll);
    }
    setInterval(report, REPORT_MS);
  } else if ("send" in command) {
    tally.budget += command.send;
    for (const client of clients) client.send();
  } else {
    ending = true;
    for (const client of clients) client.leave("left");
  }
}

process.on("message", obey);
process.once("disconnect", () => process.exit());
process.send?.("ready");
