// Where requests go: routes, weights, balancing over hosts, subsets. Seen by the servers as well as by the client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { parse } from "yaml";
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import { switchboard } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type BoltFrame, BoltStatus, type Headers, type RequestOptions } from "../host/kit/bolt.ts";
import { makeCalls, reasonOf, servedBy, tally } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { type ClusterOptions, CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";
import { waitUntil } from "./kit/wait.ts";

/** Hosts of each cluster, by name. */
const HOSTS: Record<string, string[]> = {
  "weight-60": ["w60"],
  "weight-30": ["w30"],
  "weight-10": ["w10"],
  "round-robin": ["rr1", "rr2"],
  random: ["random1", "random2"],
  weighted: ["heavy", "light"],
  "least-request": ["slow", "fast"],
  maglev: ["maglev1", "maglev2", "maglev3"],
  zones: ["zone-a", "zone-b"],
  dns: ["dns1"],
  service: ["service"],
  method: ["method"],
  header: ["header"],
  regex: ["regex"],
  prefix: ["prefix"],
  path: ["path"],
  "path-regex": ["path-regex"],
  named: ["named"],
};

const serviceIs = (name: string) => ({ name: "service", value: `test.${name}:1.0` });
const forward = (match: object, route: object) => ({ match, route });
const toCluster = (name: string, route: object = {}) =>
  forward({ headers: [serviceIs(name)] }, { cluster_name: name, ...route });
const inZone = (zone: string) => ({ filter_metadata: { "mosn.lb": { zone } } });

const ROUTERS = [
  forward(
    { headers: [serviceIs("weights")] },
    { weighted_clusters: [60, 30, 10].map((weight) => ({ cluster: { name: `weight-${weight}`, weight } })) },
  ),
  ...["round-robin", "random", "weighted", "least-request", "dns", "service"].map((name) => toCluster(name)),
  toCluster("maglev", { hash_policy: [{ header: { key: "uid" } }] }),
  ...["a", "b", "none"].map((zone) =>
    forward({ headers: [serviceIs(`zone-${zone}`)] }, { cluster_name: "zones", metadata_match: inZone(zone) }),
  ),
  forward({ variables: [{ name: "x-mosn-rpc-method", value: "byMethod" }] }, { cluster_name: "method" }),
  forward({ headers: [serviceIs("header"), { name: "gray", value: "yes" }] }, { cluster_name: "header" }),
  forward({ headers: [{ name: "service", value: "^test\\.regex[0-9]+:.*$", regex: true }] }, { cluster_name: "regex" }),
  forward({ path: "/test.path:1.0/get" }, { cluster_name: "path" }),
  forward({ regex: "^/test\\.(x|y)+:1\\.0/find[A-Z].*" }, { cluster_name: "path-regex" }),
  forward({ prefix: "/test.prefix." }, { cluster_name: "prefix" }),
  forward({ headers: [serviceIs("named")] }, { cluster_header: "target" }),
  toCluster("no-such-cluster"),
  { match: { headers: [serviceIs("direct")] }, direct_response: { status: 503, body: "closed for today" } },
];

function moduleConfig(port: (host: string) => number): object {
  return {
    router: { virtual_hosts: [{ name: "test", domains: ["*"], routers: ROUTERS }] },
    clusters: {
      random: { lb_type: "LB_RANDOM" },
      weighted: {
        lb_type: "LB_WEIGHTED_ROUNDROBIN",
        host_weights: { [`127.0.0.1:${port("heavy")}`]: 3, [`127.0.0.1:${port("light")}`]: 1 },
      },
      "least-request": { lb_type: "LB_LEAST_REQUEST" },
      maglev: { lb_type: "LB_MAGLEV" },
    },
  };
}

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

const call = (name: string, method?: string, ...headers: Headers): RequestOptions => ({
  headers: [
    ["service", `test.${name}:1.0`],
    ...(method === undefined ? [] : [["sofa_head_method_name", method] as [string, string]]),
    ...headers,
  ],
});

for (const concurrency of CONCURRENCIES) {
  describe(`routing, --concurrency ${concurrency}`, () => {
    const servers = new Map<string, RawBoltServer>();
    const server = (name: string): RawBoltServer => servers.get(name) as RawBoltServer;
    /** Requests that each of these servers has got. */
    const got = (...names: string[]) => Object.fromEntries(names.map((name) => [name, server(name).requests]));
    const scope = suiteScope();
    let envoy: EnvoyProcess;

    before(async () => {
      for (const name of Object.values(HOSTS).flat()) {
        const one = await RawBoltServer.start({ name });
        servers.set(name, one);
        scope.after(() => one.close());
      }
      const clusters: Record<string, ClusterOptions> = {};
      for (const [name, hosts] of Object.entries(HOSTS)) {
        const ports = hosts.map((host) => server(host).port);
        clusters[name] = name === "dns" ? { dns: true, hosts: [`localhost:${ports[0]}`] } : { hosts: ports };
      }
      const config = moduleConfig((host) => server(host).port);
      envoy = await startEnvoy(scope, { concurrency, clusters, config, change: addSubsets });
    });

    /** Client connections that are closed after the test. */
    async function connect(t: Scope, count = 1): Promise<RawBoltClient[]> {
      const clients = await Promise.all(Array.from({ length: count }, () => RawBoltClient.connect(envoy.port)));
      t.after(() => clients.forEach((client) => client.close()));
      return clients;
    }

    /** Makes calls until each of these hosts has answered one; then the worker knows them all. */
    async function meet(client: RawBoltClient, names: string[], request: (i: number) => RequestOptions): Promise<void> {
      const seen = new Set<string | undefined>();
      let from = 1_000_000;
      const all = async (): Promise<boolean> => {
        for (const answer of await makeCalls(client, 10, request, { from })) seen.add(servedBy(answer));
        from += 10;
        return names.every((name) => seen.has(name));
      };
      await waitUntil(all, 30_000, () => `answers only from ${[...seen].join(", ")}`);
    }

    it("weighted clusters get their shares of 10,000 requests", async (t) => {
      const clients = await connect(t, 8);
      const answers = await Promise.all(clients.map((client) => makeCalls(client, 1250, call("weights"))));
      const counts = tally(answers.flat());
      assert.deepEqual(counts, got("w60", "w30", "w10"));
      for (const [name, share] of Object.entries({ w60: 6000, w30: 3000, w10: 1000 })) {
        assert.ok(Math.abs(counts[name] - share) <= 200, `${name}: ${counts[name]} instead of ${share}`);
      }
    });

    it("round robin goes from host to host with each request of one connection", async (t) => {
      const [client] = await connect(t);
      await meet(client, HOSTS["round-robin"], () => call("round-robin"));
      const before = got("rr1", "rr2");
      const counts = tally(await makeCalls(client, 1000, call("round-robin")));
      const after = got("rr1", "rr2");
      for (const name of ["rr1", "rr2"]) {
        assert.equal(counts[name], after[name] - before[name]);
        assert.ok(Math.abs(counts[name] - 500) <= 10, JSON.stringify(counts));
      }
      assert.ok(server("rr1").open.length <= 2, "one connection to a host, and one that looked for hosts");
    });

    it("random throws dice", async (t) => {
      const [client] = await connect(t);
      await meet(client, HOSTS.random, () => call("random"));
      const answers = await makeCalls(client, 2000, call("random"), { window: 1 });
      const counts = tally(answers);
      assert.ok(counts.random1 > 800 && counts.random2 > 800, JSON.stringify(counts));
      const repeats = answers.filter((answer, i) => i > 0 && servedBy(answer) === servedBy(answers[i - 1])).length;
      assert.ok(repeats > 800 && repeats < 1200, `${repeats} of 2000 went where the one before went`);
      const total = Object.values(got("random1", "random2")).reduce((a, b) => a + b);
      assert.ok(total >= 2000 && total % 10 === 0, "each call arrived once");
    });

    it("weighted round robin follows host_weights", async (t) => {
      const [client] = await connect(t);
      await meet(client, HOSTS.weighted, () => call("weighted"));
      const before = got("heavy", "light");
      const counts = tally(await makeCalls(client, 800, call("weighted")));
      const after = got("heavy", "light");
      assert.equal(counts.heavy, after.heavy - before.heavy);
      assert.equal(counts.light, after.light - before.light);
      assert.ok(Math.abs(counts.heavy - 600) <= 10, JSON.stringify(counts));
    });

    it("least request avoids the host that does not answer", async (t) => {
      const [client] = await connect(t);
      await meet(client, HOSTS["least-request"], () => call("least-request"));
      const before = got("slow", "fast");
      server("slow").handler = () => undefined;
      const reached = () => server("slow").requests + server("fast").requests - before.slow - before.fast;
      for (let id = 1; id <= 400; id++) {
        client.call(id, call("least-request")).catch(() => "closed by the end of the test");
        await waitUntil(
          () => reached() === id && client.frames.length >= server("fast").requests,
          20_000,
          () => `${reached()} of ${id} calls arrived`,
        );
      }
      // Of two draws both must hit the slow host: a quarter.
      const slow = server("slow").requests - before.slow;
      assert.ok(slow > 60 && slow < 150, `${slow} of 400 went to the slow host`);
    });

    it("Maglev: a key stays with its host, over connections, workers and reconnects", async (t) => {
      const clients = await connect(t, 6);
      const names = HOSTS.maglev;
      const keys = Array.from({ length: 60 }, (_, i) => `key${i}`);
      const byKey = (i: number) => call("maglev", undefined, ["uid", keys[i % keys.length]]);
      const homes = new Map<string, Set<string>>();
      const note = (key: string, name = "proxy") => homes.set(key, (homes.get(key) ?? new Set()).add(name));
      for (const client of clients) {
        await meet(client, names, (i) => call("maglev", undefined, ["uid", `warm${i}`]));
        (await makeCalls(client, 120, byKey)).forEach((answer, i) => note(keys[i % 60], servedBy(answer)));
      }
      clients.forEach((client) => client.close());
      for (const client of await connect(t, 3)) {
        (await makeCalls(client, 120, byKey)).forEach((answer, i) => note(keys[i % 60], servedBy(answer)));
      }
      for (const name of names) {
        for (const { frame } of server(name).arrivals) {
          const key = frame.headers.find(([header]) => header === "uid")?.[1] ?? "";
          if (key.startsWith("key")) note(key, name);
        }
      }
      for (const key of keys) assert.equal(homes.get(key)?.size, 1, `${key}: ${[...(homes.get(key) ?? [])].join()}`);
      const used = [...homes.values()].flatMap((hosts) => [...hosts]);
      for (const name of names) assert.ok(used.filter((host) => host === name).length > 5, `${name} has its keys`);
    });

    it("a subset gets what metadata_match sends it, nothing else does", async (t) => {
      const [client] = await connect(t);
      for (const [zone, from] of [
        ["a", 1],
        ["b", 101],
      ] as const) {
        assert.deepEqual(tally(await makeCalls(client, 50, call(`zone-${zone}`), { from })), { [`zone-${zone}`]: 50 });
      }
      assert.deepEqual(got("zone-a", "zone-b"), { "zone-a": 50, "zone-b": 50 });
    });

    it("a cluster found by name", async (t) => {
      const [client] = await connect(t);
      assert.deepEqual(tally(await makeCalls(client, 50, call("dns"))), { dns1: 50 });
      assert.equal(server("dns1").requests, 50);
    });

    it("routes by service, method, header, regex, path, prefix and the cluster that the request names", async (t) => {
      const [client] = await connect(t);
      const cases: [RequestOptions, string | undefined][] = [
        [call("service", "any"), "service"],
        [call("elsewhere", "byMethod"), "method"],
        [call("header", "any", ["gray", "yes"]), "header"],
        [call("header", "any", ["gray", "no"]), undefined],
        [call("header"), undefined],
        [call("regex17"), "regex"],
        [call("regexp"), undefined],
        [call("path", "get"), "path"],
        [call("path", "getAll"), undefined],
        [call("xyx", "findOne"), "path-regex"],
        [call("xyz", "findOne"), undefined],
        [call("prefix.Any", "any"), "prefix"],
        [call("named", "any", ["target", "named"]), "named"],
        [call("SERVICE", "any"), undefined],
      ];
      for (const [i, [options, expected]] of cases.entries()) {
        const answer = await client.call(i, options);
        assert.equal(servedBy(answer), expected, JSON.stringify(options));
        if (expected !== undefined) assert.ok(server(expected).ids.length > 0);
        else assertRefused(answer, BoltStatus.NO_PROCESSOR, /^no route matches$/);
      }
    });

    it("direct_response answers without a server", async (t) => {
      const [client] = await connect(t);
      assertRefused(await client.call(1, call("direct")), BoltStatus.SERVER_THREADPOOL_BUSY, /^closed for today$/);
    });

    it("a cluster that Envoy does not have is an error that says so, at once and without retries", async (t) => {
      const [client] = await connect(t);
      const retries = await envoy.stat("wasmcustom.moe.bolt.retries");
      for (const [id, options] of [
        [1, call("no-such-cluster")],
        [2, call("named", undefined, ["target", "made-up"])],
      ] as const) {
        assertRefused(await client.call(id, options), BoltStatus.NO_PROCESSOR, /^no such cluster$/);
      }
      assertRefused(await client.call(3, call("named")), BoltStatus.NO_PROCESSOR, /^the route names no cluster$/);
      assert.equal(servedBy(await client.call(4, call("service"))), "service", "the connection lives on");
      assert.equal(await envoy.stat("wasmcustom.moe.bolt.retries"), retries);
    });

    it("a subset without hosts is an error that says so", async (t) => {
      const [client] = await connect(t);
      assertRefused(await client.call(1, call("zone-none")), BoltStatus.NO_PROCESSOR, /^no healthy upstream$/);
    });
  });
}

/** The proxy itself has answered, with this status and reason. */
function assertRefused(answer: BoltFrame, status: number, reason: RegExp): void {
  assert.equal(answer.status, status);
  assert.match(reasonOf(answer), reason);
}
