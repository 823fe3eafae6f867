// A slice of `npm run flow-test`: flowControlFilter on a real Envoy with two workers, beside Sentinel's formulas.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conclusive } from "../flow/outcome.ts";
import { runRate } from "../flow/rate.ts";
import { QUICK, runsOf } from "../flow/run.ts";
import { type Answer, type Caller, FlowStage } from "../flow/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

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

  it("load and CPU usage grow with the calls, are shown, and fall without them", async (t) => {
    const system_rules = [
      { metricType: 0, triggerCount: 0.005 },
      { metricType: 4, triggerCount: 1 },
    ];
    const stage = await FlowStage.start(t, { workers: 2, rules: { system_rules } });
    const gauge = () => stage.envoy.stat("wasmcustom.moe.filter.flowControlFilter.load_permille");
    const callers = await stage.connect(8);
    const served = async () => (await callers[0].call()).served;
    await waitUntil(served, WAIT_MS, () => "the first calls were refused");
    let refused = "";
    let most = 0;
    await waitUntil(
      async () => {
        for (const { served, text } of (await Promise.all(callers.map((each) => flood(each)))).flat()) {
          if (!served) refused = text;
        }
        most = Math.max(most, await gauge());
        return refused !== "" && most > 5;
      },
      WAIT_MS,
      () => `refused: "${refused}", gauge ${most}`,
    );
    assert.equal(refused, "current request is limited: system rule of all");
    await waitUntil(
      async () => (await gauge()) < 5,
      WAIT_MS,
      () => "busy",
    );
    await waitUntil(
      async () => (await callers[0].call()).served,
      WAIT_MS,
      () => "refused",
    );
    t.diagnostic(`load ${most} permille`);
  });
});

/** A hundred calls, one after the other. */
async function flood(caller: Caller): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < 100; i++) answers.push(await caller.call());
  return answers;
}
