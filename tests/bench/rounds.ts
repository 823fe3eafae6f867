// All measurements of a benchmark, in rounds.
import { setTimeout as sleep } from "node:timers/promises";
import { Generator, VoidMeasurement } from "./children.ts";
import type { LoadCase } from "./matrix.ts";
import { cpuPerRequest, type Sample } from "./report.ts";
import type { LoadProtocol } from "./wire.ts";

/** Where to send the load, and whose CPU time counts. */
export interface Entry {
  ports: number[];
  /** 0: nobody's. */
  pid: number;
  /** How many requests the module has at the moment. */
  active?: () => Promise<number>;
}

export interface Times {
  rounds: number;
  /** Length of one measurement and of the load before it, seconds. */
  seconds: number;
  warmup: number;
}

const POLL_MS = 50;
const HOLD_LIMIT_MS = 20_000;

/** How one measurement reads while the others are still to come. */
function brief(sample: Sample): string {
  if (sample.cpuMs === 0) return `${sample.way} ${Math.round(sample.requests / sample.seconds / 1000)}k/s`;
  return `${sample.way} ${cpuPerRequest(sample).toFixed(2)} µs`;
}

/** All rounds. The ways of a case follow each other at once, each round in another order. Throws VoidMeasurement. */
export async function measureAll(
  protocol: LoadProtocol,
  entries: Map<string, Entry>,
  cases: LoadCase[],
  times: Times,
): Promise<Sample[]> {
  const generator = new Generator();
  const ways = [...entries];
  const samples: Sample[] = [];
  for (let round = 1; round <= times.rounds; round++) {
    const turn = round % ways.length;
    const order = [...ways.slice(turn), ...ways.slice(0, turn)];
    for (const { name, connections, outstanding, content, held = 0, resources } of cases) {
      const line: string[] = [];
      for (const [way, entry] of order) {
        const { ports, pid } = entry;
        const windows = { warmupMs: times.warmup * 1000, windowMs: times.seconds * 1000 };
        const load = { protocol, ports, pid, connections, outstanding, content, held, resources, ...windows };
        // Those of the measurement before are no longer counted.
        if (held > 0) await untilActive(entry, (active) => active === 0);
        const measured = await generator
          .measure(load, () => untilActive(entry, (active) => active >= held))
          .catch((error: Error) => {
            throw new VoidMeasurement(`${name} ${way}: ${error.message}`, { cause: error });
          });
        const sample = { round, case: name, way, ...measured };
        samples.push(sample);
        line.push(brief(sample));
      }
      console.log(`round ${round}/${times.rounds}  ${name}: ${line.join(", ")}`);
    }
  }
  generator.end();
  return samples;
}

/** Waits until the module has as many requests as it should. Throws VoidMeasurement where it does not get there. */
async function untilActive({ active }: Entry, right: (active: number) => boolean): Promise<void> {
  const deadline = Date.now() + HOLD_LIMIT_MS;
  let now = 0;
  while (!right((now = (await active?.()) ?? 0))) {
    if (Date.now() > deadline) throw new VoidMeasurement(`${now} requests are held, not as many as should be`);
    await sleep(POLL_MS);
  }
}
