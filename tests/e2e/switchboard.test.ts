// What leads through the switchboard to a cluster of Envoy's, and what does not. Traps are in traps.test.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoltStatus } from "../host/kit/bolt.ts";
import { callOf, Stage } from "./kit/stage.ts";

describe("a cluster that the configuration does not name", () => {
  it("is not reached by a request that does", async (t) => {
    const router = {
      virtual_hosts: [
        {
          domains: ["*"],
          routers: [
            {
              match: { headers: [{ name: "by", value: "variable" }] },
              route: { cluster_variable: "request_header_to" },
            },
            { route: { cluster_header: "to" } },
          ],
        },
      ],
    };
    const config = { router, clusters: { named: {} }, allowed_clusters: ["orders-*"] };
    const stage = await Stage.start(t, { clusters: { named: {}, "orders-v1": {}, admin: {} }, config });
    const [client] = await stage.connect(t);
    const to = (name: string, by: string) => callOf("any", "any", ["to", name], ["by", by]);
    let id = 0;
    for (const by of ["header", "variable"]) {
      for (const name of ["named", "orders-v1"]) {
        assert.equal((await client.call(++id, to(name, by))).status, BoltStatus.SUCCESS, name);
      }
      for (const name of ["admin", "nowhere"]) {
        const { status, content } = await client.call(++id, to(name, by));
        assert.equal(status, BoltStatus.NO_PROCESSOR);
        assert.match(content.toString(), /no such cluster/, "the two cannot be told apart");
      }
    }
    assert.deepEqual(stage.got("named", "orders-v1", "admin"), { named: 2, "orders-v1": 2, admin: 0 });
    assert.equal(stage.server("admin").open.length, 0);
    assert.equal(await stage.envoy.stat("cluster.admin.upstream_cx_total"), 0);
    const told = stage.envoy.log.filter((line) => line.includes("names cluster admin, which no route"));
    assert.ok(told.length > 0);
  });
});
