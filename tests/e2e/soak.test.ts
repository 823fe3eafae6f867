// A slice of `npm run soak`: mixed traffic while connections come and go and servers restart.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { soak } from "../soak/run.ts";

const REQUESTS = 12_000;
/** Most linear memory of a VM, bytes, with a few large bodies in each. */
const MOST_EACH = 24 << 20;

describe("soak", () => {
  for (const [name, seed] of Object.entries({ fixed: 20261121, fresh: Date.now() % 1_000_000_000 })) {
    it(`every answer is right, nothing is left behind (${name} seed ${seed})`, async (t) => {
      const connections = { bolt: 6, boltv2: 4, dubbo: 4, http: 8 };
      const options = { requests: REQUESTS, seed, concurrency: 2, connections, restartMs: 1000 };
      const { report, servers, restarts, before, after } = await soak(t, options);
      assert.ok(restarts > 0 && report.left > 0 && servers.requests > REQUESTS / 2);
      assert.ok(before.vms >= 4 && after.vms === before.vms, `${before.vms} and ${after.vms} VMs`);
      // So short a run cannot tell growth from the first large bodies; the long one compares.
      assert.ok(after.linear <= after.vms * MOST_EACH, `${after.linear} bytes of ${after.vms} VMs`);
    });
  }
});
