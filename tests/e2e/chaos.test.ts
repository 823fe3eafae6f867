// A slice of `npm run chaos`.
import assert from "node:assert/strict";
import { it } from "node:test";
import { chaos } from "../chaos/run.ts";

for (const [name, seed] of Object.entries({ fixed: 20261121, fresh: Date.now() % 1_000_000_000 })) {
  it(`every call has one answer, whatever befalls its server (${name} seed ${seed})`, async (t) => {
    const { rounds, errors } = await chaos(t, { rounds: 15, seed, concurrencies: [1, 2, 4] });
    assert.equal(rounds, 15);
    assert.ok(errors.size > 0, "nothing failed");
  });
}
