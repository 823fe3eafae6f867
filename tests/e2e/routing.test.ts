// Where requests go: routes, weights, balancing over hosts, subsets. Seen by the servers as well as by the client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { parse } from "yaml";
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import { switchboard } from "../../scripts/lib/bootstrap.ts";
import { type BoltFrame, BoltStatus, type RequestOptions } from "../host/kit/bolt.ts";
import { makeCalls, meet, reasonOf, servedBy, tally } from "./kit/calls.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, serviceIs, Stage, type StageCluster } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const forward = (match: object, route: object) => ({ match, route });
const inZone = (zone: string) => ({ filter_metadata: { "mosn.lb": { zone } } });

const SHARES = [60, 30, 10];

/** Routes beside those that send each service to the cluster of its name. */
const ROUTERS = [
  forward(
    { headers: [serviceIs("weights")] },
    { weighted_clusters: SHARES.map((weight) => ({ cluster: { name: `weight-${weight}`, weight } })) },
  ),
  ...["a", "b", "none"].map((zone) =>
    forward({ headers: [serviceIs(`zone-${zone}`)] }, { cluster_name: "zones", metadata_match: inZone(zone) }),
  ),
  forward({ variables: [{ name: "x-mosn-rpc-method", value: "byMethod" }] }, { cluster_name: "by-method" }),
  forward({ headers: [serviceIs("header"), { name: "gray", value: "yes" }] }, { cluster_name: "by-header" }),
  forward(
    { headers: [{ name: "service", value: "^test\\.regex[0-9]+:.*$", regex: true }] },
    { cluster_name: "by-regex" },
  ),
  forward({ path: "/test.path:1.0/get" }, { cluster_name: "by-path" }),
  forward({ regex: "^/test\\.(x|y)+:1\\.0/find[A-Z].*" }, { cluster_name: "by-path-regex" }),
  forward({ prefix: "/test.prefix." }, { cluster_name: "by-prefix" }),
  forward({ headers: [serviceIs("named")] }, { cluster_header: "target" }),
  forward({ headers: [serviceIs("no-such-cluster")] }, { cluster_name: "no-such-cluster" }),
  { match: { headers: [serviceIs("direct")] }, direct_response: { status: 503, body: "closed for today" } },
];

const CLUSTERS: Record<string, StageCluster> = {
  ...Object.fromEntries(SHARES.map((share) => [`weight-${share}`, {}])),
  "round-robin": { servers: ["rr1", "rr2"] },
  random: { servers: ["random1", "random2"], module: { lb_type: "LB_RANDOM" } },
  weighted: {
    servers: ["heavy", "light"],
    module: (port) => ({
      lb_type: "LB_WEIGHTED_ROUNDROBIN",
      host_weights: { [`127.0.0.1:${port("heavy")}`]: 3, [`127.0.0.1:${port("light")}`]: 1 },
    }),
  },
  "least-request": { servers: ["slow", "fast"], module: { lb_type: "LB_LEAST_REQUEST" } },
  maglev: {
    servers: ["maglev1", "maglev2", "maglev3"],
    module: { lb_type: "LB_MAGLEV" },
    route: { hash_policy: [{ header: { key: "uid" } }] },
  },
  zones: { servers: ["zone-a", "zone-b"] },
  dns: { dns: true },
  ...Object.fromEntries(
    ["service", "method", "header", "regex", "prefix", "path", "path-regex", "name"].map((what) => [`by-${what}`, {}]),
  ),
};

/** What envoy.yaml says in comments about subsets: the switchboard's route, and what the cluster needs. */
function subsetRecipe(zone: string): { route: object; cluster: Record<string, unknown>; endpoint: object } {
  const yaml = readFileSync(join(import.meta.dirname, "../../envoy/envoy.yaml"), "utf8");
  const comments = yaml.split("\n").map((line) => /^ *# ?(.*)$/.exec(line)?.[1] ?? "");
  const start = comments.indexOf("- match:");
  assert.ok(start > 0, "envoy.yaml explains subsets");
  const end = comments.findIndex((line, i) => i > start && line === "");
  const text = comments.slice(start, end).join("\n").replace("exact: a", `exact: ${zone}`);
  const one = (field: string): unknown => {
    const line = comments.slice(0, start).find((comment) => comment.trim().startsWith(`${field}:`)) ?? "";
    return parse(line.replace("zone: a", `zone: ${zone}`));
  };
  return {
    route: (parse(text.replace("zone: a", `zone: ${zone}`)) as object[])[0],
    cluster: one("lb_subset_config") as Record<string, unknown>,
    endpoint: one("metadata") as object,
  };
}

/** Follows that recipe for the zones a and b. */
function addSubsets(bootstrap: Bootstrap, listener: Listener): void {
  const recipes = ["a", "b"].map(subsetRecipe);
  const routes = switchboard(listener).route_config as { virtual_hosts: { routes: object[] }[] };
  routes.virtual_hosts[0].routes.unshift(...recipes.map(({ route }) => route));
  const zones = bootstrap.static_resources.clusters.find(({ name }) => name === "zones");
  Object.assign(zones ?? {}, recipes[0].cluster);
  zones?.load_assignment.endpoints[0].lb_endpoints.forEach((host, i) => Object.assign(host, recipes[i].endpoint));
}

for (const concurrency of CONCURRENCIES) {
  describe(`routing, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;

    before(async () => {
      stage = await Stage.start(scope, { concurrency, clusters: CLUSTERS, routers: ROUTERS, change: addSubsets });
    });

    it("weighted clusters get their shares of 10,000 requests", async (t) => {
      const clients = await stage.connect(t, 8);
      const answers = await Promise.all(clients.map((client) => makeCalls(client, 1250, callOf("weights"))));
      const counts = tally(answers.flat());
      assert.deepEqual(counts, stage.got("weight-60", "weight-30", "weight-10"));
      for (const [name, share] of Object.entries({ "weight-60": 6000, "weight-30": 3000, "weight-10": 1000 })) {
        assert.ok(Math.abs(counts[name] - share) <= 200, `${name}: ${counts[name]} instead of ${share}`);
      }
    });

    it("round robin goes from host to host with each request of one connection", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["rr1", "rr2"], () => callOf("round-robin"));
      const earlier = stage.got("rr1", "rr2");
      const counts = tally(await makeCalls(client, 1000, callOf("round-robin")));
      const later = stage.got("rr1", "rr2");
      for (const name of ["rr1", "rr2"]) {
        assert.equal(counts[name], later[name] - earlier[name]);
        assert.ok(Math.abs(counts[name] - 500) <= 10, JSON.stringify(counts));
      }
      assert.ok(stage.server("rr1").open.length <= 2, "one connection to a host, and one that looked for hosts");
    });

    it("random throws dice", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["random1", "random2"], () => callOf("random"));
      const answers = await makeCalls(client, 2000, callOf("random"), { window: 1 });
      const counts = tally(answers);
      assert.ok(counts.random1 > 800 && counts.random2 > 800, JSON.stringify(counts));
      const repeats = answers.filter((answer, i) => i > 0 && servedBy(answer) === servedBy(answers[i - 1])).length;
      assert.ok(repeats > 800 && repeats < 1200, `${repeats} of 2000 went where the one before went`);
      const total = Object.values(stage.got("random1", "random2")).reduce((a, b) => a + b);
      assert.ok(total >= 2000 && total % 10 === 0, "each call arrived once");
    });

    it("weighted round robin follows host_weights", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["heavy", "light"], () => callOf("weighted"));
      const earlier = stage.got("heavy", "light");
      const counts = tally(await makeCalls(client, 800, callOf("weighted")));
      const later = stage.got("heavy", "light");
      assert.equal(counts.heavy, later.heavy - earlier.heavy);
      assert.equal(counts.light, later.light - earlier.light);
      assert.ok(Math.abs(counts.heavy - 600) <= 10, JSON.stringify(counts));
    });

    it("least request avoids the host that does not answer", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["slow", "fast"], () => callOf("least-request"));
      const earlier = stage.got("slow", "fast");
      stage.server("slow").handler = () => undefined;
      const reached = () => stage.server("slow").requests + stage.server("fast").requests - earlier.slow - earlier.fast;
      for (let id = 1; id <= 400; id++) {
        client.call(id, callOf("least-request")).catch(() => "closed by the end of the test");
        await waitUntil(
          () => reached() === id && client.frames.length >= stage.server("fast").requests,
          20_000,
          () => `${reached()} of ${id} calls arrived`,
        );
      }
      // Of two draws both must hit the slow host: a quarter.
      const slow = stage.server("slow").requests - earlier.slow;
      assert.ok(slow > 60 && slow < 150, `${slow} of 400 went to the slow host`);
    });

    it("Maglev: a key stays with its host, over connections, workers and reconnects", async (t) => {
      const clients = await stage.connect(t, 6);
      const names = ["maglev1", "maglev2", "maglev3"];
      const keys = Array.from({ length: 60 }, (_, i) => `key${i}`);
      const byKey = (i: number) => callOf("maglev", undefined, ["uid", keys[i % keys.length]]);
      let others = 0;
      const warm = () => callOf("maglev", undefined, ["uid", `warm${others++}`]);
      const homes = new Map<string, Set<string>>();
      const note = (key: string, name = "proxy") => homes.set(key, (homes.get(key) ?? new Set()).add(name));
      for (const client of clients) {
        await meet(client, names, warm);
        (await makeCalls(client, 120, byKey)).forEach((answer, i) => note(keys[i % 60], servedBy(answer)));
      }
      clients.forEach((client) => client.close());
      for (const client of await stage.connect(t, 3)) {
        // It may be the first one in its worker.
        await meet(client, names, warm);
        (await makeCalls(client, 120, byKey)).forEach((answer, i) => note(keys[i % 60], servedBy(answer)));
      }
      for (const name of names) {
        for (const { frame } of stage.server(name).arrivals) {
          const key = frame.headers.find(([header]) => header === "uid")?.[1] ?? "";
          if (key.startsWith("key")) note(key, name);
        }
      }
      for (const key of keys) assert.equal(homes.get(key)?.size, 1, `${key}: ${[...(homes.get(key) ?? [])].join()}`);
      const used = [...homes.values()].flatMap((hosts) => [...hosts]);
      for (const name of names) assert.ok(used.filter((host) => host === name).length > 2, `${name} has its keys`);
    });

    it("consistent hashing without its header: clients of this machine have one address, so requests spread", async (t) => {
      const names = ["maglev1", "maglev2", "maglev3"];
      const [client] = await stage.connect(t, 1);
      await meet(client, names, () => callOf("maglev"));
      const counts = tally(await makeCalls(client, 300, callOf("maglev")));
      for (const name of names) assert.ok((counts[name] ?? 0) > 50, `${name} of ${JSON.stringify(counts)}`);
    });

    it("a subset gets what metadata_match sends it, nothing else does", async (t) => {
      const [client] = await stage.connect(t);
      for (const [zone, from] of [
        ["a", 1],
        ["b", 101],
      ] as const) {
        assert.deepEqual(tally(await makeCalls(client, 50, callOf(`zone-${zone}`), { from })), {
          [`zone-${zone}`]: 50,
        });
      }
      assert.deepEqual(stage.got("zone-a", "zone-b"), { "zone-a": 50, "zone-b": 50 });
    });

    it("a cluster found by name", async (t) => {
      const [client] = await stage.connect(t);
      assert.deepEqual(tally(await makeCalls(client, 50, callOf("dns"))), { dns: 50 });
      assert.equal(stage.server("dns").requests, 50);
    });

    it("routes by service, method, header, regex, path, prefix and the cluster that the request names", async (t) => {
      const [client] = await stage.connect(t);
      const cases: [RequestOptions, string | undefined][] = [
        [callOf("by-service", "any"), "by-service"],
        [callOf("elsewhere", "byMethod"), "by-method"],
        [callOf("header", "any", ["gray", "yes"]), "by-header"],
        [callOf("header", "any", ["gray", "no"]), undefined],
        [callOf("header"), undefined],
        [callOf("regex17"), "by-regex"],
        [callOf("regexp"), undefined],
        [callOf("path", "get"), "by-path"],
        [callOf("path", "getAll"), undefined],
        [callOf("xyx", "findOne"), "by-path-regex"],
        [callOf("xyz", "findOne"), undefined],
        [callOf("prefix.Any", "any"), "by-prefix"],
        [callOf("named", "any", ["target", "by-name"]), "by-name"],
        [callOf("By-service", "any"), undefined],
      ];
      for (const [i, [options, expected]] of cases.entries()) {
        const answer = await client.call(i, options);
        assert.equal(servedBy(answer), expected, JSON.stringify(options));
        if (expected !== undefined) assert.ok(stage.server(expected).ids.length > 0);
        else assertRefused(answer, BoltStatus.NO_PROCESSOR, /^no route matches$/);
      }
    });

    it("direct_response answers without a server", async (t) => {
      const [client] = await stage.connect(t);
      assertRefused(await client.call(1, callOf("direct")), BoltStatus.SERVER_THREADPOOL_BUSY, /^closed for today$/);
    });

    it("a cluster that Envoy does not have is an error that says so, at once and without retries", async (t) => {
      const [client] = await stage.connect(t);
      const [retries, replies] = [await stage.bolt("retries"), await stage.bolt("local_replies")];
      for (const [id, options, name] of [
        [1, callOf("no-such-cluster"), /^no such cluster: no-such-cluster$/],
        [2, callOf("named", undefined, ["target", "made-up"]), /^no such cluster: made-up$/],
      ] as const) {
        assertRefused(await client.call(id, options), BoltStatus.NO_PROCESSOR, name);
      }
      assertRefused(await client.call(3, callOf("named")), BoltStatus.NO_PROCESSOR, /^the route names no cluster$/);
      assert.equal(servedBy(await client.call(4, callOf("by-service"))), "by-service", "the connection lives on");
      await waitUntil(
        async () => (await stage.bolt("local_replies")) >= replies + 3,
        WAIT_MS,
        () => "no count of the proxy's answers",
      );
      assert.equal(await stage.bolt("retries"), retries);
    });

    it("a subset without hosts is an error that says so", async (t) => {
      const [client] = await stage.connect(t);
      assertRefused(await client.call(1, callOf("zone-none")), BoltStatus.NO_PROCESSOR, /^no healthy upstream$/);
    });
  });
}

/** The proxy itself has answered, with this status and reason. */
function assertRefused(answer: BoltFrame, status: number, reason: RegExp): void {
  assert.equal(answer.status, status);
  assert.match(reasonOf(answer), reason);
}
