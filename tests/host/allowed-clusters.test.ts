// Which clusters requests may name: those of the configuration, and those of its patterns. Nothing else leads to others.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoltStatus } from "./kit/bolt.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host, LoadError } from "./kit/index.ts";
import { A, answers, call, module, world } from "./proxy-world.ts";

interface Named {
  by?: object;
  config?: object;
  routers?: object[];
}

/** Which cluster calls with these names in the header `to` came to; null: none, and the client was told. */
async function reached(names: string[], { by = { cluster_header: "to" }, config = {}, routers = [] }: Named = {}) {
  const router = { virtual_hosts: [{ domains: ["*"], routers: [...routers, { route: by }] }] };
  const { host, cluster, client } = await world([A], { config: { router, ...config } });
  const got: (string | null)[] = [];
  for (const [i, name] of names.entries()) {
    client.write(call(i, { headers: [["to", name]] }));
    host.advance(8);
    const [{ status }] = answers(client);
    if (status !== 0) assert.equal(status, BoltStatus.NO_PROCESSOR, name);
    got.push(status === 0 ? (cluster.calls.at(-1)?.stream.cluster ?? null) : null);
  }
  // None of the others was asked for at all.
  const asked = new Set(client.switchboard.opened.map((stream) => stream.cluster));
  assert.deepEqual([...asked].sort(), [...new Set(got.filter((name) => name !== null))].sort());
  const log = host.log.lines.filter(({ text }) => text.includes("allowed_clusters")).map(({ text }) => text);
  host.close();
  return { got, log };
}

describe("clusters that requests name", () => {
  it("are those that the configuration names", async () => {
    const never = { match: { headers: [{ name: "service", value: "other" }] } };
    const routers = [
      { ...never, route: { cluster_name: "fixed" } },
      {
        ...never,
        route: {
          weighted_clusters: [{ cluster: { name: "heavy", weight: 1 } }, { cluster: { name: "off", weight: 0 } }],
        },
      },
      { ...never, route: { cluster_name: "fixed" }, request_mirror_policies: { cluster: "shadow", percent: 1 } },
    ];
    const names = ["fixed", "heavy", "off", "shadow", "limited", "upstream", "admin", "Fixed", "fixed "];
    const { got, log } = await reached(names, { routers, config: { clusters: { limited: {} } } });
    assert.deepEqual(got, ["fixed", "heavy", "off", "shadow", "limited", null, null, null, null]);
    assert.ok(log.some((line) => line.includes("names cluster admin")));
  });

  it("are none where the configuration names none", async () => {
    assert.deepEqual((await reached(["upstream", "admin", "xds"])).got, [null, null, null]);
  });

  for (const by of [{ cluster_header: "to" }, { cluster_variable: "request_header_to" }]) {
    it(`are those of patterns: ${Object.keys(by)[0]}`, async () => {
      const config = { allowed_clusters: ["orders-*", "*.shop", "outbound|*|x", "exact"] };
      const names = [
        "orders-",
        "orders-v1",
        "order",
        "a.shop",
        ".shop",
        "shop",
        "outbound|1|x",
        "outbound|x",
        "exact",
        "exac",
      ];
      const { got } = await reached([...names, ...names], { by, config });
      const expected = ["orders-", "orders-v1", null, "a.shop", ".shop", null, "outbound|1|x", null, "exact", null];
      assert.deepEqual(got, [...expected, ...expected]);
    });
  }

  it("do not depend on the protocol, nor on labels", async () => {
    const config = {
      router: { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_header: "to" } }] }] },
      allowed_clusters: ["a1*"],
      stream_filters: [
        {
          type: "header_to_metadata",
          config: { request_rules: [{ header: "to", on_header_present: { key: "zone" } }] },
        },
      ],
    };
    const { host, client } = await world([A], { config });
    // The kit's servers speak Bolt.
    host.onConnect = () => {};
    const one = (to: string) => dubbo.request(1n, { attachments: { to } });
    client.write(Buffer.concat([one("a1"), one("admin")]));
    host.advance(8);
    assert.deepEqual(
      client.switchboard.opened.map(({ cluster, headers }) => [cluster, headers["x-moe-zone"]]),
      [["a1", "a1"]],
    );
    host.close();
  });
});

describe("allowed_clusters", () => {
  const refusal = async (allowed: unknown) => {
    const started = Host.start({ module, config: { allowed_clusters: allowed } });
    return started.then(
      (host) => (host.close(), ""),
      (error: unknown) => (error instanceof LoadError ? error.message : String(error)),
    );
  };
  for (const [allowed, path] of [
    [["*"], "allowed_clusters[0]"],
    [["a", "**"], "allowed_clusters[1]"],
    [["a*b*"], "allowed_clusters[0]"],
    [["a b"], "allowed_clusters[0]"],
    [[""], "allowed_clusters[0]"],
    [[1], "allowed_clusters[0]"],
    ["a", "allowed_clusters"],
  ] as const) {
    it(`${JSON.stringify(allowed)} is refused`, async () => {
      assert.ok((await refusal(allowed)).includes(`${path}: expected`), await refusal(allowed));
    });
  }

  it("has room for 256 entries", async () => {
    const entries = Array.from({ length: 256 }, (_, i) => `c${i}-*`);
    assert.equal(await refusal(entries), "");
    assert.match(await refusal([...entries, "d"]), /allowed_clusters: more than 256 patterns/);
  });
});
