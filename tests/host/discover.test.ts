// What `discover` keeps when a registry forgets, and what it writes.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build } from "../../scripts/build.ts";
import { Keeper } from "../../scripts/discover/keeper.ts";
import { BadInput, type Endpoint, endpoint, type Offer } from "../../scripts/discover/model.ts";
import { openSource } from "../../scripts/discover/sources/sources.ts";
import { parseServices } from "../../scripts/discover/sources/static_file.ts";
import { fileName } from "../../scripts/discover/targets/file_name.ts";
import { clustersOf } from "../../scripts/discover/targets/clusters.ts";
import { EnvoyFiles } from "../../scripts/discover/targets/envoy_files.ts";
import { istioResources, kubernetesName } from "../../scripts/discover/targets/istio.ts";
import { moduleConfiguration } from "../../scripts/discover/targets/module.ts";
import { BadJute, Frames, JuteReader, JuteWriter } from "../../scripts/discover/zookeeper/jute.ts";
import { Host } from "./kit/host.ts";

const MODULE = build("release");

const host = (last: number, more: Partial<Endpoint> = {}) =>
  endpoint({ host: `10.0.0.${last}`, port: 20880, protocol: "dubbo", ...more });

describe("what is kept", () => {
  let now = 0;
  const start = (holdMs = 1000) => {
    now = 1000;
    const keeper = new Keeper({ holdMs, maxServices: 3, maxHosts: 100, now: () => now });
    const said: string[] = [];
    keeper.onSay = (_, text) => said.push(text);
    return { keeper, said, listener: keeper.listener("a") };
  };
  const offer = (...last: number[]): Offer => ({ service: "a.B", endpoints: last.map((one) => host(one)) });
  const lasts = (keeper: Keeper) =>
    (keeper.service("a.B")?.endpoints ?? []).map((one) => Number(one.host.split(".")[3])).sort();

  it("a drop of half is followed, one of more is held back for a time", () => {
    const { keeper, said, listener } = start();
    listener.offer(offer(1, 2, 3, 4));
    listener.offer(offer(1, 2));
    assert.deepEqual(lasts(keeper), [1, 2]);
    listener.offer(offer());
    assert.deepEqual(lasts(keeper), [1, 2]);
    assert.match(said.join(), /2 of 2 hosts are gone at once: held back for 1 s/);
    now += 999;
    keeper.tick();
    assert.deepEqual(lasts(keeper), [1, 2]);
    now += 1;
    keeper.tick();
    assert.deepEqual(lasts(keeper), []);
  });

  it("hosts that come meanwhile are added; what is back ends it", () => {
    const { keeper, listener } = start();
    listener.offer(offer(1, 2, 3));
    listener.offer(offer(4));
    assert.deepEqual(lasts(keeper), [1, 2, 3, 4]);
    assert.equal(keeper.service("a.B")?.held, 3);
    listener.offer(offer(2, 3, 4));
    assert.deepEqual(lasts(keeper), [2, 3, 4]);
    assert.equal(keeper.heldServices, 0);
  });

  it("disabled hosts are no drop; 0 s holds nothing", () => {
    const { keeper, listener } = start();
    listener.offer(offer(1, 2));
    listener.offer({ service: "a.B", endpoints: [host(1, { enabled: false }), host(2, { enabled: false })] });
    assert.equal(keeper.heldServices, 0);
    const other = start(0);
    other.listener.offer(offer(1, 2, 3));
    other.listener.offer(offer());
    assert.deepEqual(lasts(other.keeper), []);
  });

  it("what an earlier process knew counts until all sources have told theirs, then it is held back", () => {
    const { keeper, listener } = start();
    keeper.remember([{ name: "a.B", endpoints: [host(1)], rules: { timeoutMs: 0 } }]);
    listener.connected(true, "connected");
    assert.deepEqual(lasts(keeper), [1]);
    listener.synced();
    assert.deepEqual(lasts(keeper), [1]);
    assert.equal(keeper.heldServices, 1);
    now += 1000;
    keeper.tick();
    assert.deepEqual(lasts(keeper), []);
  });

  it("two sources add up, the first one's word first", () => {
    const { keeper, listener } = start();
    const second = keeper.listener("b");
    second.offer({ service: "a.B", endpoints: [host(1, { weight: 7 }), host(2)] });
    listener.offer({ service: "a.B", endpoints: [host(1, { weight: 3 })] });
    assert.deepEqual(
      keeper.service("a.B")?.endpoints.map((one) => one.weight),
      [3, 100],
    );
  });

  it("services beyond the bound, and with names that cannot be, are left out and told", () => {
    const { keeper, said, listener } = start();
    for (const name of ["a", "b", "c", "d"]) listener.offer({ service: name, endpoints: [host(1)] });
    assert.equal([...keeper.services()].length, 3);
    assert.match(said.join(), /more than 3/);
    const bad = start();
    for (const name of ["a b", "a*", "ä", "x".repeat(513)]) bad.listener.offer({ service: name, endpoints: [host(1)] });
    assert.equal([...bad.keeper.services()].length, 0);
  });
});

describe("what is written", () => {
  const service = (name: string, endpoints: Endpoint[], timeoutMs = 0) => ({
    name,
    endpoints,
    rules: { timeoutMs },
    held: 0,
  });
  const options = { base: {}, allow: [], tagHeader: "dubbo.tag" };
  const all = [
    service("a.Plain", [host(1), host(2)]),
    service("a.Weighted", [host(1, { weight: 900 }), host(2, { weight: 100 })]),
    service("a.Versions", [host(1), host(2, { version: "2.0.0", group: "g" }), host(3, { tag: "gray" })], 1500),
    service("a.Triple", [host(1, { protocol: "tri" })]),
    service("a.plain", [host(3)]),
  ];

  it("a cluster for each kind of call", () => {
    const names = all.flatMap((one) => clustersOf(one).map(({ name }) => name));
    assert.deepEqual(names.sort(), [
      "a.Plain",
      "a.Triple|protocol=tri",
      "a.Versions",
      "a.Versions|tag=gray",
      "a.Versions|version=2.0.0|group=g",
      "a.Weighted",
      "a.plain",
    ]);
  });

  it("hosts of weight 0 and disabled ones are left out", () => {
    const [cluster] = clustersOf(service("a", [host(1, { weight: 0 }), host(2), host(3, { enabled: false })]));
    assert.deepEqual(
      cluster.endpoints.map((one) => one.host),
      ["10.0.0.2"],
    );
    const [none] = clustersOf(service("a", [host(1, { weight: 0 })]));
    assert.equal(none.endpoints.length, 1);
  });

  it("a configuration that the module takes", async () => {
    const config = moduleConfiguration(all.map(clustersOf), options) as {
      router: { virtual_hosts: { domains: string[] }[] };
      clusters: Record<string, { host_weights: Record<string, number> }>;
    };
    assert.deepEqual(
      config.router.virtual_hosts.map(({ domains }) => domains[0]),
      ["a.Plain", "a.Weighted", "a.Versions"],
    );
    assert.deepEqual(config.clusters["a.Weighted"].host_weights, { "10.0.0.1:20880": 128, "10.0.0.2:20880": 14 });
    (await Host.start({ module: MODULE, root: "proxy", config })).close();
  });

  it("patterns instead of routes, which the module takes, too", async () => {
    const config = moduleConfiguration(all.map(clustersOf), { ...options, allow: ["a.*"] }) as {
      allowed_clusters: string[];
      router: { virtual_hosts: { name: string }[] };
    };
    assert.deepEqual(config.allowed_clusters, ["a.*"]);
    assert.deepEqual(
      config.router.virtual_hosts.map(({ name }) => name),
      ["a.Versions", "by name"],
    );
    (await Host.start({ module: MODULE, root: "proxy", config })).close();
  });

  it("nothing, and own routes, which win", async () => {
    (await Host.start({ module: MODULE, root: "proxy", config: moduleConfiguration([], options) })).close();
    const own = { name: "own", domains: ["A.Plain", "*"], routers: [{ route: { cluster_name: "mine" } }] };
    const base = { router: { virtual_hosts: [own] }, stream_filters: [] };
    const config = moduleConfiguration(all.map(clustersOf), { ...options, base }) as typeof base;
    assert.equal(config.router.virtual_hosts[0], own);
    assert.ok(!config.router.virtual_hosts.some(({ name }) => name === "a.Plain"));
    (await Host.start({ module: MODULE, root: "proxy", config })).close();
  });

  it("names of files and of Kubernetes' objects differ where services do", () => {
    assert.equal(fileName("a.B:1.0|tag=x"), "a.B%3a1.0%7ctag%3dx");
    assert.ok(fileName("x".repeat(500)).length < 200);
    assert.notEqual(fileName(`${"x".repeat(500)}a`), fileName(`${"x".repeat(500)}b`));
    assert.doesNotMatch(fileName("../../etc"), /\/|^\./);
    assert.notEqual(kubernetesName("a.B"), kubernetesName("a-b"));
    assert.match(kubernetesName("a.B:1.0|x=ä"), /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  });

  it("ServiceEntries, with hosts or with WorkloadEntries", () => {
    const [cluster] = clustersOf(service("a.B", [host(1, { zone: "z", version: "1.0" })]));
    const istio = { file: "", namespace: "rpc", domain: "rpc.internal", workloads: false };
    const [entry] = istioResources(cluster, istio) as { kind: string; spec: { endpoints: { address: string }[] } }[];
    assert.equal(entry.kind, "ServiceEntry");
    assert.equal(entry.spec.endpoints[0].address, "10.0.0.1");
    const kinds = (istioResources(cluster, { ...istio, workloads: true }) as { kind: string }[]).map(
      ({ kind }) => kind,
    );
    assert.deepEqual(kinds, ["ServiceEntry", "WorkloadEntry"]);
  });
});

describe("files for Envoy", () => {
  it("only what changed is replaced; what is gone goes later; hosts of clusters without a file stand in the cluster", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "moe-discover-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    let now = 0;
    const files = new EnvoyFiles({
      folder,
      connectTimeout: "2s",
      healthChecks: true,
      module: { base: {}, allow: [], tagHeader: "dubbo.tag" },
      plugin: (configuration) => configuration,
      watches: 1,
      say: () => {},
      now: () => now,
    });
    const services = new Map([
      ["a.A", [host(1)]],
      ["a.B", [host(2)]],
    ]);
    const serviceOf = (name: string) => {
      const endpoints = services.get(name);
      return endpoints && { name, endpoints, rules: { timeoutMs: 0 }, held: 0 };
    };
    const write = (...changed: string[]) =>
      files.write({ changed: new Set(changed), service: serviceOf, services: () => [] });
    const clusters = () => readFileSync(join(folder, "clusters", "clusters.json"), "utf8");
    const list = () => readdirSync(join(folder, "hosts"));
    assert.equal(await write("a.A", "a.B"), 3);
    assert.deepEqual(list(), ["a.A.json"]);
    assert.match(clusters(), /"name":"a.B","type":"STATIC".*10\.0\.0\.2/);
    services.set("a.A", [host(3)]);
    assert.equal(await write("a.A"), 1);
    assert.match(readFileSync(join(folder, "hosts", "a.A.json"), "utf8"), /10\.0\.0\.3/);
    services.set("a.B", [host(4)]);
    assert.equal(await write("a.B"), 1);
    assert.match(clusters(), /10\.0\.0\.4/);
    assert.equal(await write("a.A", "a.B"), 0);
    services.delete("a.A");
    // Its route goes at once, the cluster later.
    assert.equal(await write("a.A"), 1);
    assert.match(clusters(), /"a\.A"/);
    now = files.due() ?? 0;
    assert.ok(now > 0);
    assert.equal(await write(), 1);
    assert.doesNotMatch(clusters(), /"a\.A"/);
    assert.deepEqual(list(), []);
  });
});

describe("mistakes are told in one line, with what is allowed", () => {
  const rows: [() => unknown, RegExp][] = [
    [() => openSource("redis://x", "."), /expected file: or zookeeper: or nacos: and an address/],
    [() => openSource("zookeeper://", "."), /expected KIND:\/\/HOST:PORT/],
    [() => openSource("zookeeper://a:b@x:1", "."), /no password in an address; use the option auth_file or auth_env/],
    [() => openSource("zookeeper://x:1?reads=y", "."), /unknown option "reads"; allowed: read, /],
    [() => openSource("zookeeper://x:1?read=y", "."), /allowed: dubbo, dubbo3, sofa/],
    [() => openSource("zookeeper://x:99999", "."), /expected HOST:PORT, got "x:99999"/],
    [() => openSource("nacos://x?interval_ms=1", "."), /expected a number from 200 to 600000/],
    [() => openSource("nacos://x?auth_env=MOE_NONE", "."), /MOE_NONE is not set/],
    [() => parseServices("services: []", "f"), /f: services: expected an object/],
    [() => parseServices("services: {a: [{}]}", "f"), /services\.a\[0\]\.address: expected "IP:PORT"/],
    [
      () => parseServices('services: {a: [{address: "10.0.0.1:1", wait: 1}]}', "f"),
      /\[0\]\.wait: unknown; allowed: address, /,
    ],
    [
      () => parseServices('services: {a: [{address: "10.0.0.1:1", weight: -1}]}', "f"),
      /weight: expected a whole number from 0/,
    ],
  ];
  for (const [act, wanted] of rows) {
    it(String(wanted), () => {
      assert.throws(
        act,
        (error) => error instanceof BadInput && wanted.test(error.message) && !error.message.includes("\n"),
      );
    });
  }
});

describe("jute", () => {
  it("frames in any pieces", () => {
    const frame = new JuteWriter().int(7).text("hello").long(-1n).frame();
    const both = Buffer.concat([frame, frame]);
    for (let cut = 0; cut <= both.length; cut++) {
      const frames = new Frames(100);
      const found = [...frames.add(both.subarray(0, cut)), ...frames.add(both.subarray(cut))];
      assert.equal(found.length, 2);
      const reader = new JuteReader(found[1]);
      assert.deepEqual([reader.int(), reader.text(), reader.long()], [7, "hello", -1n]);
    }
  });

  it("lengths that cannot be are refused", () => {
    assert.throws(() => new Frames(10).add(Buffer.from([0x7f, 0, 0, 0])), BadJute);
    assert.throws(() => new Frames(10).add(Buffer.from([0xff, 0, 0, 0])), BadJute);
    assert.throws(() => new JuteReader(Buffer.from([0, 0, 0, 9, 1])).text(), BadJute);
    assert.throws(() => new JuteReader(Buffer.from([0x7f, 0, 0, 0])).texts(), BadJute);
  });
});
