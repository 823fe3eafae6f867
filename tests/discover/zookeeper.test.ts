// `discover` with a real ZooKeeper, real providers of Dubbo 2.7, Dubbo 3.3 and SOFARPC, and a real Envoy.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import type { ZkClient } from "../../scripts/discover/zookeeper/client.ts";
import { DiscoverProcess, envoyOf } from "../e2e/kit/discover.ts";
import { DubboClient, dubboAnswer } from "../e2e/kit/dubbo_peers.ts";
import { suiteScope } from "../e2e/kit/scope.ts";
import { sofaConsumer } from "../e2e/kit/sofa.ts";
import { waitUntil } from "../e2e/kit/wait.ts";
import { createNode, openZooKeeper, startProvider, ZooKeeperServer } from "./kit.ts";

const SERVICE = "discover.Hello";
const LIMIT_MS = 40_000;

/** A consumer that calls again and again until it is stopped, and counts who answers. */
class Load {
  readonly answers = new Map<string, number>();
  readonly failures: string[] = [];
  private running = true;
  private readonly lanes: Promise<void>[];

  constructor(call: () => Promise<string>, lanes = 4) {
    this.lanes = Array.from({ length: lanes }, () => this.lane(call));
  }

  private async lane(call: () => Promise<string>): Promise<void> {
    while (this.running) {
      try {
        const name = await call();
        this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
      } catch (error) {
        this.failures.push((error as Error).message);
      }
      await sleep(10);
    }
  }

  async end(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
  }
}

describe("discover with ZooKeeper", () => {
  const scope = suiteScope();
  const folder = mkdtempSync(join(tmpdir(), "moe-discover-zk-"));
  const providers = new Map<string, Awaited<ReturnType<typeof startProvider>>>();
  let zookeeper: ZooKeeperServer;
  let hand: ZkClient;
  let discover: DiscoverProcess;
  let envoy: EnvoyProcess;
  let adminPort = 0;

  const page = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
  const metric = async (name: string) =>
    Number(new RegExp(`^moe_discover_${name}(?:{[^}]*})? ([\\d.]+)$`, "m").exec(await page("/metrics"))?.[1]);

  /** A call of Dubbo; an error of any kind rejects. */
  async function dubboCaller(): Promise<() => Promise<string>> {
    const client = await DubboClient.connect(scope, envoy.port);
    return async () => {
      const options = { service: SERVICE, version: "0.0.0", method: "hello", args: ["x"] };
      const answer = await client.call(options);
      if (answer.status !== 20) throw new Error(dubboAnswer(answer));
      return dubboAnswer(answer);
    };
  }

  async function sofaCaller(): Promise<() => Promise<string>> {
    const consumer = await sofaConsumer(scope, SERVICE, envoy.port);
    return async () => String(await consumer.invoke("hello", [{ $class: "java.lang.String", $: "x" }] as never));
  }

  /** A consumer for each call: a connection that is open may go on calling a host that has left without a word. */
  async function freshSofaCall(): Promise<string> {
    const ends: (() => unknown)[] = [];
    try {
      const consumer = await sofaConsumer({ after: (end) => ends.push(end) }, SERVICE, envoy.port);
      return String(await consumer.invoke("hello", [{ $class: "java.lang.String", $: "x" }] as never));
    } finally {
      for (const end of ends) await end();
    }
  }

  /** Waits until just these answer new consumers. */
  async function untilAnswered(caller: () => Promise<() => Promise<string>>, names: string[]): Promise<void> {
    let seen = new Set<string>();
    await waitUntil(
      async () => {
        const call = await caller();
        seen = new Set();
        for (let i = 0; i < names.length * 6; i++) seen.add(await call().catch((error: Error) => error.message));
        return seen.size === names.length && names.every((name) => seen.has(name));
      },
      LIMIT_MS,
      () => `answers of ${[...seen].join(", ")}`,
    );
  }

  async function provide(kind: "dubbo2" | "dubbo3" | "sofa", name: string, ...settings: string[]): Promise<void> {
    providers.set(name, await startProvider(scope, kind, name, zookeeper.address, settings));
  }

  before(async () => {
    // Registered first, done last.
    scope.after(() => rmSync(folder, { recursive: true, force: true }));
    zookeeper = await ZooKeeperServer.start(scope);
    hand = await openZooKeeper(scope, zookeeper.port);
    adminPort = await freePort();
    const args = ["-s", `zookeeper://${zookeeper.address}?session_ms=4000`, "--out", join(folder, "out")];
    args.push("--bootstrap", "--admin", `127.0.0.1:${adminPort}`, "--hold", "5s");
    await provide("dubbo2", "two-a");
    await provide("sofa", "sofa-a");
    discover = DiscoverProcess.start(scope, args);
    envoy = await envoyOf(scope, join(folder, "out"), { allowLog: [/./] });
  });

  it("consumers call Dubbo 2.7 and SOFARPC by interface", async () => {
    await untilAnswered(dubboCaller, ["two-a"]);
    await untilAnswered(sofaCaller, ["sofa-a"]);
  });

  it("providers come: Dubbo 3.3 by interface and by application, SOFARPC", async () => {
    await provide("dubbo3", "three-a", "register-mode=interface");
    await provide("dubbo3", "three-b", "register-mode=instance");
    await provide("sofa", "sofa-b");
    await untilAnswered(dubboCaller, ["two-a", "three-a", "three-b"]);
    await untilAnswered(sofaCaller, ["sofa-a", "sofa-b"]);
  });

  it("a provider that leaves costs no call", async () => {
    const load = new Load(await dubboCaller());
    const sofa = new Load(freshSofaCall);
    providers.get("two-a")?.tell("stop");
    providers.get("sofa-a")?.tell("stop");
    await providers.get("two-a")?.exit;
    await providers.get("sofa-a")?.exit;
    await untilAnswered(dubboCaller, ["three-a", "three-b"]);
    await untilAnswered(sofaCaller, ["sofa-b"]);
    await load.end();
    await sofa.end();
    assert.deepEqual(load.failures, []);
    assert.deepEqual(sofa.failures, []);
    assert.ok((load.answers.get("two-a") ?? 0) > 0 && (sofa.answers.get("sofa-a") ?? 0) > 0);
  });

  it("a provider that is killed is out when its session is", async () => {
    await provide("dubbo2", "two-b");
    await untilAnswered(dubboCaller, ["three-a", "three-b", "two-b"]);
    const hosts = await metric("hosts");
    providers.get("two-b")?.kill();
    await waitUntil(
      async () => (await metric("hosts")) === hosts - 1,
      LIMIT_MS,
      () => "still registered",
    );
    await untilAnswered(dubboCaller, ["three-a", "three-b"]);
  });

  it("configurators set weights, and switch hosts off", async () => {
    const port = (name: string) => providers.get(name)?.args[1];
    const rule = `configVersion: v2.7\nenabled: true\nscope: service\nkey: ${SERVICE}\nconfigs:\n`;
    const off = `- {side: provider, addresses: ["0.0.0.0"], providerAddresses: ["0.0.0.0:${port("three-a")}"], parameters: {disabled: true}}\n`;
    await createNode(hand, `/dubbo/config/dubbo/${SERVICE}::.configurators`, rule + off);
    await untilAnswered(dubboCaller, ["three-b"]);
    await hand.delete(`/dubbo/config/dubbo/${SERVICE}::.configurators`);
    await untilAnswered(dubboCaller, ["three-a", "three-b"]);
    const url = `override://0.0.0.0:${port("three-a")}/${SERVICE}?category=configurators&dynamic=false&enabled=true&weight=300`;
    const heavy = new RegExp(`"port_value":${port("three-a")}[^}]*}[^}]*}.*?"load_balancing_weight":300`);
    const node = `/dubbo/${SERVICE}/configurators/${encodeURIComponent(url)}`;
    const hosts = join(folder, "out", "hosts", `${SERVICE}.json`);
    await createNode(hand, node);
    await waitUntil(
      () => heavy.test(readFileSync(hosts, "utf8")),
      LIMIT_MS,
      () => readFileSync(hosts, "utf8"),
    );
    await hand.delete(node);
  });

  it("nodes that are no providers are left out and told", async () => {
    for (const name of [
      "garbage",
      "%zz",
      encodeURIComponent("dubbo://nowhere:1/x"),
      "dubbo%3A%2F%2F10.0.0.1%3A99999%2Fx",
    ]) {
      await createNode(hand, `/dubbo/${SERVICE}/providers/${name}`, "\u0000\u0001");
    }
    await createNode(hand, "/services/garbage/one", "{");
    await createNode(hand, `/dubbo/${SERVICE}.condition-router`, "x");
    await discover.says(/providers: 4 of \d+ nodes left out/);
    await discover.says(/services\/garbage\/one: left out/);
    await untilAnswered(dubboCaller, ["three-a", "three-b"]);
  });

  it("a session that expires is followed by another", async () => {
    const before = await metric("changes_total");
    const told = discover.log.flatMap((line) => /session (0x[0-9a-f]+)/.exec(line)?.[1] ?? []);
    const session = told[told.length - 1];
    assert.ok(session);
    zookeeper.expire(session);
    await waitUntil(
      async () => (await metric("changes_total")) > before && (await metric("source_synced")) === 1,
      LIMIT_MS,
      () => "not synced",
    );
    await provide("dubbo2", "two-c");
    await untilAnswered(dubboCaller, ["three-a", "three-b", "two-c"]);
  });

  it("ZooKeeper stops for a while: calls go on, and what changed meanwhile is followed", async () => {
    const load = new Load(await dubboCaller());
    zookeeper.stop();
    await waitUntil(
      async () => (await metric("source_up")) === 0,
      LIMIT_MS,
      () => "still up",
    );
    await sleep(Number(process.env.MOE_ZOOKEEPER_DOWN_MS ?? 10_000));
    assert.equal(await page("/healthz"), "ok\n");
    await zookeeper.run();
    await waitUntil(
      async () => (await metric("source_synced")) === 1,
      LIMIT_MS,
      () => "not synced",
    );
    await untilAnswered(dubboCaller, ["three-a", "three-b", "two-c"]);
    await load.end();
    assert.deepEqual(load.failures, []);
  });

  it("1,000 services more are told and called", async () => {
    const target = providers.get("three-a");
    const host = /"address":"([\d.]+)"/.exec(
      readFileSync(join(folder, "out", "hosts", `${SERVICE}.json`), "utf8"),
    )?.[1];
    for (let i = 0; i < 1000; i++) {
      const url = `dubbo://${host}:${target?.args[1]}/many.S${i}?interface=many.S${i}`;
      await createNode(hand, `/dubbo/many.S${i}/providers/${encodeURIComponent(url)}`);
    }
    await waitUntil(
      async () => (await metric("services")) >= 1000,
      LIMIT_MS,
      () => "fewer services",
    );
    await waitUntil(
      async () => (await envoy.admin("/clusters?format=json")).includes("many.S999"),
      LIMIT_MS,
      () => "Envoy has not the last one",
    );
  });
});
