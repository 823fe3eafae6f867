// Tars through a real Envoy: a client and a server of Tars for Node, whose packets the proxy routes, changes and answers.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";
import { TarsClient, TarsServer } from "./kit/tars_peers.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const HELLO = "Moe.Test.HelloObj";
const SLOW = "Moe.Test.SlowObj";
const DOWN = "Moe.Test.DownObj";
const SHUT = "Moe.Test.ShutObj";

const servantIs = (name: string) => ({ headers: [{ name: "service", value: name }] });
const ROUTERS = [
  {
    match: {
      headers: [
        { name: "service", value: HELLO },
        { name: "zone", value: "b" },
      ],
    },
    route: { cluster_name: "b" },
  },
  {
    match: servantIs(HELLO),
    route: {
      cluster_name: "a",
      request_headers_to_add: [{ header: { key: "by", value: "proxy" } }],
      request_headers_to_remove: ["secret"],
      response_headers_to_add: [{ header: { key: "via", value: "proxy" } }],
    },
  },
  {
    match: servantIs(SLOW),
    route: { cluster_name: "a", retry_policy: { retry_on: true, retry_timeout: "0.1s", num_retries: 1 } },
  },
  { match: servantIs(DOWN), route: { cluster_name: "down" } },
  { match: servantIs(SHUT), direct_response: { status: 503, body: "shut for today" } },
];

for (const concurrency of CONCURRENCIES) {
  describe(`tars, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let envoy: EnvoyProcess;
    let a: TarsServer;
    let b: TarsServer;

    before(async () => {
      a = await TarsServer.start(scope, "a", HELLO);
      b = await TarsServer.start(scope, "b", HELLO);
      envoy = await startEnvoy(scope, {
        concurrency,
        clusters: { a: { hosts: [a.port] }, b: { hosts: [b.port] }, down: { hosts: [1] } },
        config: { router: { virtual_hosts: [{ name: "test", domains: ["*"], routers: ROUTERS }] } },
      });
    });

    it("calls are routed by servant and context, and headers change contexts both ways", async (t) => {
      const client = new TarsClient(t, HELLO, envoy.port);
      const plain = await client.call("hello", "one", { context: { secret: "s", keep: "größer" } });
      assert.deepEqual(plain, { text: "a: one", context: { from: "a", via: "proxy" } });
      assert.deepEqual(a.arrived.at(-1), {
        servant: HELLO,
        method: "hello",
        text: "one",
        oneway: false,
        timeout: WAIT_MS,
        context: { keep: "größer", by: "proxy" },
      });
      const other = await client.call("hello", "two", { context: { zone: "b" } });
      assert.deepEqual(other, { text: "b: two", context: { from: "b" } });
      assert.deepEqual(b.arrived.at(-1)?.context, { zone: "b" });
      const long = "x".repeat(300_000);
      assert.equal((await client.call("hello", long)).text, `a: ${long}`);
    });

    it("errors of the servant reach the client as they are", async (t) => {
      const client = new TarsClient(t, HELLO, envoy.port);
      await assert.rejects(client.call("fail", "luck"), { code: 7, message: "no luck" });
      await assert.rejects(client.call("nope", ""), { code: -3 });
    });

    it("the proxy's own answers are return codes with a reason", async (t) => {
      const unknown = new TarsClient(t, "Moe.Test.NobodyObj", envoy.port);
      await assert.rejects(unknown.call("hello", ""), { code: -4, message: "no route matches" });
      const down = new TarsClient(t, DOWN, envoy.port);
      await assert.rejects(down.call("hello", ""), ({ code }: { code: number }) => code === -8);
      const shut = new TarsClient(t, SHUT, envoy.port);
      await assert.rejects(shut.call("hello", ""), { code: -9, message: "shut for today" });
      const slow = new TarsClient(t, SLOW, envoy.port);
      await assert.rejects(slow.call("hold", "me"), { code: -7, message: "timeout" });
    });

    it("one-way calls arrive, and nothing comes back", async (t) => {
      const client = new TarsClient(t, HELLO, envoy.port);
      await client.send("hello", "quietly", { number: "1" });
      const arrived = () => a.arrived.find(({ text }) => text === "quietly");
      await waitUntil(
        () => arrived() !== undefined,
        WAIT_MS,
        () => "the call has not arrived",
      );
      assert.deepEqual(arrived()?.context, { number: "1", by: "proxy" });
      assert.equal(arrived()?.oneway, true);
      assert.equal((await client.call("hello", "after")).text, "a: after");
    });

    it("clients with the same ids get their own answers", async (t) => {
      const clients = Array.from({ length: 4 }, () => new TarsClient(t, HELLO, envoy.port));
      const texts = Array.from({ length: 100 }, (_, i) => i);
      await Promise.all(
        clients.flatMap((client, c) =>
          texts.map(async (i) => {
            const context = i % 3 === 0 ? { zone: "b" } : undefined;
            const { text } = await client.call("hello", `${c}.${i}`, { context });
            assert.equal(text, `${context ? "b" : "a"}: ${c}.${i}`);
          }),
        ),
      );
    });

    it("counters", async () => {
      // The module flushes what it has counted every 100 ms.
      await waitUntil(
        async () => (await envoy.stat("wasmcustom.moe.tars.active")) === 0,
        WAIT_MS,
        () => "the gauge `active` is not 0",
      );
      const stats = await envoy.stats("wasmcustom.moe.tars.");
      const count = (name: string) => stats.get(`wasmcustom.moe.tars.${name}`);
      assert.equal(count("decode_errors"), 0);
      assert.equal(count("ambiguous"), 0);
      assert.equal(count("oneway"), 1);
      assert.ok((count("requests") ?? 0) >= 400, JSON.stringify([...stats]));
    });
  });
}
