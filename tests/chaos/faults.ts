// What befalls servers in the chaos test. Each fault has an end, after which service has to be back.
import { setTimeout as sleep } from "node:timers/promises";
import { request, response } from "../host/kit/bolt.ts";
import type { RawBoltServer } from "../e2e/kit/server.ts";
import { ServerProcess } from "../e2e/kit/server_process.ts";
import type { DnsServer } from "./dns.ts";

/** Timeout of the routes, ms. */
export const TIMEOUT_MS = 500;
/** Addresses that the name of the cluster `named` moves between. */
export const ADDRESSES = ["127.0.0.1", "127.0.0.2"];

/** What faults can befall. */
export interface Victims {
  /** The hosts of the cluster `main`. */
  main: RawBoltServer[];
  /** The host of the cluster `process`; replaced when it is killed. */
  process: ServerProcess;
  dns: DnsServer;
}

export interface Fault {
  name: string;
  /** Where the calls of the round go. */
  cluster: "main" | "process" | "named";
  /** Happens while calls are under way; returns what ends it. */
  strike(victims: Victims, roll: () => number): Promise<() => Promise<void>> | (() => Promise<void>);
}

const nothing = (): Promise<void> => Promise.resolve();

/** Another way to answer, for one host or both. */
function answering(
  name: string,
  answer: (server: RawBoltServer, ...of: Parameters<RawBoltServer["handler"]>) => ReturnType<RawBoltServer["handler"]>,
): Fault {
  return {
    name,
    cluster: "main",
    strike({ main }, roll) {
      const struck = roll() % 2 === 0 ? main : [main[roll() % main.length]];
      for (const server of struck) server.handler = (frame, connection) => answer(server, frame, connection);
      return () => {
        for (const server of struck) server.handler = (frame) => server.echo(frame);
        return Promise.resolve();
      };
    },
  };
}

/** Something that happens to connections, once. */
function once(name: string, act: (server: RawBoltServer) => void): Fault {
  return {
    name,
    cluster: "main",
    strike({ main }, roll) {
      act(main[roll() % main.length]);
      return nothing;
    },
  };
}

/** Hosts that are down for a while. */
function down(name: string, choose: (main: RawBoltServer[], roll: () => number) => RawBoltServer[]): Fault {
  return {
    name,
    cluster: "main",
    strike({ main }, roll) {
      const struck = choose(main, roll);
      for (const server of struck) {
        server.refuse();
        server.resetAll();
      }
      return async () => {
        for (const server of struck) await server.listen();
      };
    },
  };
}

export const FAULTS: Fault[] = [
  once("reset", (server) => server.resetAll()),
  once("half-closed", (server) => server.open.forEach((connection) => connection.end())),
  once("half an answer, then reset", (server) => {
    for (const connection of server.open) {
      connection.write(response(1, { content: "half" }).subarray(0, 15));
      connection.reset();
    }
  }),
  once("go-away", (server) => {
    for (const connection of server.open) connection.write(request(0, { command: 100, timeout: 0 }));
  }),
  down("one host down", (main, roll) => [main[roll() % main.length]]),
  down("all hosts down", (main) => main),
  answering("no answers", () => undefined),
  answering("late answers", async (server, frame) => {
    await sleep(TIMEOUT_MS * 1.5);
    return server.echo(frame);
  }),
  answering("two answers", (server, frame, connection) => {
    const answer = server.echo(frame);
    if (answer) connection.write(answer);
    return answer;
  }),
  answering("answers with wrong ids", (server, frame) => server.echo({ ...frame, id: (frame.id ^ 0x40000000) >>> 0 })),
  answering("answers, then the end", (server, frame, connection) => {
    const answer = server.echo(frame);
    if (answer) connection.write(answer);
    connection.end();
    return undefined;
  }),
  {
    name: "killed and started again",
    cluster: "process",
    async strike(victims) {
      const { port } = victims.process;
      await victims.process.kill();
      return async () => {
        victims.process = await ServerProcess.start({ name: "process", port });
      };
    },
  },
  {
    name: "frozen",
    cluster: "process",
    strike({ process }) {
      process.freeze();
      return () => {
        process.thaw();
        return Promise.resolve();
      };
    },
  },
  {
    name: "another address",
    cluster: "named",
    strike({ dns }) {
      dns.address = ADDRESSES[1 - ADDRESSES.indexOf(dns.address)];
      return nothing;
    },
  },
];
