// A slice of `npm run flow-test`: flowControlFilter on a real Envoy with two workers, beside Sentinel's formulas.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conclusive } from "../flow/outcome.ts";
import { runRate } from "../flow/rate.ts";
import { QUICK, runsOf } from "../flow/run.ts";

describe("flow control passes what its rules say", () => {
  for (const run of runsOf(QUICK)) {
    it(`${run.scenario}: ${run.with}`, async (t) => {
      const { facts, wrong } = await conclusive(() => run.play(t));
      t.diagnostic(facts);
      assert.deepEqual(wrong, []);
    });
  }

  it("and would be found to pass more, if each worker counted for itself", async (t) => {
    const options = { protocol: "bolt", workers: 2, connections: 64, mode: "worker", limit: 200, seconds: 1 } as const;
    const { wrong } = await conclusive(() => runRate(t, options));
    assert.match(wrong.join("\n"), /passed in the window at \d+ ms, more than 200/);
  });
});
