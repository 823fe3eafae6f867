// Texts that are made to take long: in the expressions of routes, filters and flow control.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { BUSY, filter, next, statuses } from "./flow-world.ts";
import { answers, call, world, type World } from "./proxy-world.ts";

/** For this expression each character of "aaa…" takes some four hundred steps. */
const SLOW = "(?:a?){200}b\\b";
const FEW = "a".repeat(1000);
const MANY = "a".repeat(4000);

describe("regular expressions", () => {
  let one: World;

  before(async () => {
    const guarded = {
      match: { headers: [{ name: "x", value: SLOW, regex: true }] },
      route: { cluster_name: "guarded" },
    };
    const routers = [
      guarded,
      { match: { headers: [{ name: "y", value: "^[^b]*b$", regex: true }] }, route: { cluster_name: "b" } },
      { route: { cluster_name: "open" } },
    ];
    one = await world(undefined, { config: { router: { virtual_hosts: [{ domains: ["*"], routers }] } } });
  });
  after(() => one.host.close());

  const status = (name: string, value: string): number => {
    one.client.write(
      call(1, {
        headers: [
          ["service", "s"],
          [name, value],
        ],
      }),
    );
    one.host.advance(8);
    const all = answers(one.client).map((answer) => answer.status);
    assert.equal(all.length, 1);
    return all[0];
  };
  const sent = (cluster: string): number => one.host.metrics.counter(`moe.cluster.${cluster}.requests`) ?? 0;
  const undecided = (): number => {
    one.host.advance(1000);
    return one.host.metrics.counter("moe.undecided_routes") ?? 0;
  };

  it("routes: a request that takes too many steps has none, whatever comes behind", () => {
    assert.equal(status("x", FEW), Status.SUCCESS);
    assert.equal(status("x", `${FEW}b`), Status.SUCCESS);
    assert.equal(undecided(), 0);
    assert.deepEqual([sent("open"), sent("guarded")], [1, 1]);
    assert.notEqual(status("x", MANY), Status.SUCCESS);
    assert.notEqual(status("x", `${MANY}b`), Status.SUCCESS);
    assert.equal(undecided(), 2);
    assert.deepEqual([sent("open"), sent("guarded")], [1, 1]);
  });

  it("routes: a text that is too long is not searched", () => {
    const before = undecided();
    assert.equal(status("y", "a".repeat(30000) + "b"), Status.SUCCESS);
    assert.equal(undecided(), before);
    assert.equal(sent("b"), 1);
  });
});

describe("flow control", () => {
  const send = async (rules: object, values: string[]): Promise<number[]> => {
    const one = await world(undefined, { config: filter(rules) });
    for (const value of values)
      one.client.write(
        next({
          headers: [
            ["service", "s"],
            ["x", value],
          ],
        }),
      );
    one.host.advance(100);
    const all = statuses(one.client);
    one.host.advance(1000);
    assert.equal(
      one.host.metrics.counter("moe.filter.flowControlFilter.failures"),
      all.filter((s) => s === BUSY).length,
    );
    one.host.close();
    return all;
  };

  it("flow control blocks what its expressions cannot be searched for in", async () => {
    const rules = {
      limit_key_type: "HEADER",
      limit_key_header: "x",
      rules: [{ resource: SLOW, match: "regex", threshold: 9 }],
    };
    assert.deepEqual(await send(rules, [FEW, MANY, "b"]), [Status.SUCCESS, BUSY, Status.SUCCESS]);
  });

  it("flow control blocks what names no resource because it takes too long", async () => {
    const limit_key_dsl = `request.headers["x"]${".trim()".repeat(90)}`;
    const rules = { limit_key_type: "DSL", limit_key_dsl, rules: [{ resource: "a", match: "prefix", threshold: 9 }] };
    const long = "a".repeat(30000);
    assert.deepEqual(await send(rules, [FEW, MANY, long]), [Status.SUCCESS, Status.SUCCESS, Status.SUCCESS]);
    const twice = { ...rules, limit_key_dsl: `(request.headers["x"] + request.headers["x"])${".trim()".repeat(90)}` };
    assert.deepEqual(await send(twice, [FEW, long]), [Status.SUCCESS, BUSY]);
  });
});
