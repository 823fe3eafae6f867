// What a scenario came to.
import type { Chart } from "./chart.ts";
import type { FlowStage } from "./stage.ts";

export interface Outcome {
  /** What was seen, in a line. */
  facts: string;
  /** What is not as it has to be. */
  wrong: string[];
  /** Why the run shows nothing, because of the machine: it has to be made again. */
  empty?: string;
  charts?: Chart[];
}

/** How often a run that shows nothing is made again. */
const RUNS = 4;
const TRIES = 100;
const POLL_MS = 50;

/** Runs until the run shows something. The last one that does not is wrong. */
export async function conclusive<T extends Outcome>(run: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i++) {
    const outcome = await run();
    if (outcome.empty === undefined || outcome.wrong.length > 0) return outcome;
    if (i === RUNS) return { ...outcome, wrong: [`nothing shown in ${RUNS} runs: ${outcome.empty}`] };
  }
}

/** A counter of the filter once it is `expected`; what it is after a while otherwise: counters reach Envoy late. */
export async function settled(stage: FlowStage, name: string, expected: number): Promise<number> {
  let counted = 0;
  for (let i = 0; i < TRIES; i++) {
    counted = await stage.counted(name);
    if (counted === expected) break;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  return counted;
}
