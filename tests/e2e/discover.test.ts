// `discover` and a real Envoy: what a source says is where calls go, without a restart of either.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { stringify } from "yaml";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import { makeCalls, reasonOf, servedBy, tally } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { DiscoverProcess, envoyOf } from "./kit/discover.ts";
import { DubboClient, dubboAnswer, DubboServer } from "./kit/dubbo_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

type Host = Record<string, unknown>;

describe("discover beside Envoy, with a file of services", () => {
  const scope = suiteScope();
  const folder = mkdtempSync(join(tmpdir(), "moe-discover-"));
  const file = join(folder, "services.yaml");
  const bolt = new Map<string, RawBoltServer>();
  const dubbo = new Map<string, DubboServer>();
  let envoy: EnvoyProcess;
  let discover: DiscoverProcess;
  let adminPort = 0;

  /** Puts another list in the file's place, as an editor does. */
  function write(services: Record<string, Host[]>): void {
    writeFileSync(`${file}.new`, stringify({ services }));
    renameSync(`${file}.new`, file);
  }

  const hostOf = (name: string, more: Host = {}): Host => {
    const server = bolt.get(name) ?? dubbo.get(name);
    assert.ok(server);
    return { address: `127.0.0.1:${server.port}`, protocol: bolt.has(name) ? "bolt" : "dubbo", ...more };
  };

  /** Who answers a call of a new client; the proxy's reason if nobody does. */
  async function boltCall(service: string, headers: [string, string][] = []): Promise<string> {
    const client = await RawBoltClient.connect(envoy.port);
    const answer = await client.call(1, {
      headers: [["service", service], ["sofa_head_target_service", service], ...headers],
    });
    client.socket.destroy();
    return servedBy(answer) ?? `proxy: ${reasonOf(answer)}`;
  }

  async function untilBolt(service: string, names: string[], headers: [string, string][] = []): Promise<void> {
    const seen = new Set<string>();
    await waitUntil(
      async () => {
        seen.add(await boltCall(service, headers));
        const latest = new Set<string>();
        for (let i = 0; i < names.length * 4; i++) latest.add(await boltCall(service, headers));
        return latest.size === names.length && names.every((name) => latest.has(name));
      },
      WAIT_MS,
      () => `answers of ${[...seen].join(", ")}`,
    );
  }

  before(async () => {
    // Registered first, done last.
    scope.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["a", "b", "gray"]) {
      const server = await RawBoltServer.start({ name });
      bolt.set(name, server);
      scope.after(() => server.close());
    }
    for (const name of ["one", "two"]) dubbo.set(name, await DubboServer.start(scope, name));
    write({ "test.Hello:1.0": [hostOf("a")] });
    adminPort = await freePort();
    const args = ["-s", `file:${file}`, "--out", join(folder, "out"), "--bootstrap", "--interval", "100ms"];
    args.push("--admin", `127.0.0.1:${adminPort}`, "--hold", "0s");
    discover = DiscoverProcess.start(scope, args);
    envoy = await envoyOf(scope, join(folder, "out"));
  });

  it("a service is called by its name, another is not", async () => {
    await untilBolt("test.Hello:1.0", ["a"]);
    assert.match(await boltCall("test.Other:1.0"), /^proxy: /);
  });

  it("a host that is added gets calls, one that is taken out gets none", async () => {
    write({ "test.Hello:1.0": [hostOf("a"), hostOf("b")] });
    await untilBolt("test.Hello:1.0", ["a", "b"]);
    write({ "test.Hello:1.0": [hostOf("b")] });
    await untilBolt("test.Hello:1.0", ["b"]);
    write({ "test.Hello:1.0": [hostOf("a"), hostOf("b", { enabled: false })] });
    await untilBolt("test.Hello:1.0", ["a"]);
  });

  it("a new service is called; one that is gone is not", async () => {
    write({ "test.Hello:1.0": [hostOf("a")], "test.New:1.0": [hostOf("b")] });
    await untilBolt("test.New:1.0", ["b"]);
    write({ "test.Hello:1.0": [hostOf("a")] });
    await waitUntil(
      async () => (await boltCall("test.New:1.0")).startsWith("proxy: "),
      WAIT_MS,
      () => "still answered",
    );
  });

  it("calls with a tag go to the hosts that have it, others to those without", async () => {
    write({ "test.Hello:1.0": [hostOf("a"), hostOf("gray", { tag: "gray" })] });
    await untilBolt("test.Hello:1.0", ["gray"], [["dubbo.tag", "gray"]]);
    await untilBolt("test.Hello:1.0", ["a"]);
    await untilBolt("test.Hello:1.0", ["a"], [["dubbo.tag", "unknown"]]);
    const forced: [string, string][] = [
      ["dubbo.tag", "unknown"],
      ["dubbo.force.tag", "true"],
    ];
    assert.match(await boltCall("test.Hello:1.0", forced), /^proxy: /);
  });

  it("a weight of nine to one is kept", async () => {
    write({ "test.Hello:1.0": [hostOf("a", { weight: 90 }), hostOf("b", { weight: 10 })] });
    const call = { headers: [["service", "test.Hello:1.0"]] as [string, string][] };
    let counts: Record<string, number> = {};
    // A connection has the weights of the time when it opened.
    await waitUntil(
      async () => {
        const client = await RawBoltClient.connect(envoy.port);
        counts = tally(await makeCalls(client, 200, call));
        client.socket.destroy();
        return counts.a >= 176 && counts.a <= 184;
      },
      // The module looks for hosts every 10 s.
      3 * WAIT_MS,
      () => JSON.stringify(counts),
    );
  });

  it("Dubbo's calls go to the hosts of their version and group", async (t) => {
    write({
      "test.Hello:1.0": [hostOf("a")],
      "test.Orders": [hostOf("one"), hostOf("two", { version: "2.0.0", group: "g" })],
    });
    const ask = async (version: string, group?: string) => {
      const client = await DubboClient.connect(t, envoy.port);
      const attachments = group === undefined ? {} : { group };
      return dubboAnswer(await client.call({ service: "test.Orders", version, attachments }));
    };
    await waitUntil(
      async () => /two/.test(await ask("2.0.0", "g")),
      WAIT_MS,
      () => "not answered by two",
    );
    assert.match(await ask("0.0.0"), /one/);
    assert.doesNotMatch(await ask("3.0.0"), /one|two/);
  });

  it("a file that is broken changes nothing, and is told", async () => {
    write({ "test.Hello:1.0": [hostOf("a")] });
    await untilBolt("test.Hello:1.0", ["a"]);
    writeFileSync(`${file}.new`, "services: {test.Hello:1.0: [{address: nowhere}]}");
    renameSync(`${file}.new`, file);
    await discover.says(/expected "IP:PORT".*stays/);
    assert.equal(await boltCall("test.Hello:1.0"), "a");
  });

  it("health and metrics are served", async () => {
    const page = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
    assert.equal(await page("/healthz"), "ok\n");
    assert.equal(await page("/readyz"), "ok\n");
    assert.match(await page("/metrics"), /^moe_discover_services \d+$/m);
    assert.match(await page("/warnings"), /stays/);
  });

  it("more clusters than Envoy can watch files", async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`test.Many${i}:1.0`, [hostOf("a")]]));
    write({ "test.Hello:1.0": [hostOf("a")], ...many });
    await untilBolt("test.Many0:1.0", ["a"]);
    await untilBolt("test.Many299:1.0", ["a"]);
    write({ "test.Hello:1.0": [hostOf("a")], ...many, "test.Many299:1.0": [hostOf("b")] });
    await untilBolt("test.Many299:1.0", ["b"]);
    await discover.says(/more than \d+ clusters: the hosts of the others stand in clusters.json/);
  });

  it("SIGTERM ends it with 0, and calls go on", async () => {
    await discover.kill("SIGTERM");
    assert.equal(discover.ended, 0);
    assert.equal(await boltCall("test.Hello:1.0"), "a");
  });
});
