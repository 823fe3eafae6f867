// dubbo-thrift through a real Envoy: clients and servers whose messages Thrift for Node reads and writes, in the frames of
// Dubbo 2.7 and of earlier versions.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";
import { Denied, ThriftClient, ThriftServer } from "./kit/thrift_peers.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const HELLO = "test.Hello";
const UNKNOWN_METHOD = 1;
const INTERNAL_ERROR = 6;

const serviceIs = (name: string) => ({ headers: [{ name: "service", value: name }] });
const rename = (name: string) => [{ header: { key: "service", value: name }, append: false }];
const ROUTERS = [
  {
    match: { headers: [...serviceIs(HELLO).headers, { name: "method", value: "other" }] },
    route: { cluster_name: "b" },
  },
  { match: serviceIs(HELLO), route: { cluster_name: "a" } },
  { match: serviceIs("test.Renamed"), route: { cluster_name: "a", request_headers_to_add: rename("test.Other") } },
  { match: serviceIs("test.Old"), route: { cluster_name: "old" } },
  { match: serviceIs("test.Slow"), route: { cluster_name: "a", timeout: "0.1s" } },
  { match: serviceIs("test.Down"), route: { cluster_name: "down" } },
  { match: serviceIs("test.Shut"), direct_response: { status: 403, body: "shut for today" } },
];

for (const concurrency of CONCURRENCIES) {
  describe(`dubbo-thrift, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let envoy: EnvoyProcess;
    let a: ThriftServer;
    let b: ThriftServer;
    let old: ThriftServer;

    before(async () => {
      a = await ThriftServer.start(scope, "a");
      b = await ThriftServer.start(scope, "b");
      old = await ThriftServer.start(scope, "old", false);
      const hosts = { a: { hosts: [a.port] }, b: { hosts: [b.port] }, old: { hosts: [old.port] } };
      envoy = await startEnvoy(scope, {
        concurrency,
        clusters: { ...hosts, down: { hosts: [1] } },
        config: { router: { virtual_hosts: [{ name: "test", domains: ["*"], routers: ROUTERS }] } },
      });
    });

    it("calls are routed by service and method", async (t) => {
      const client = await ThriftClient.connect(t, HELLO, envoy.port);
      assert.equal(await client.call("hello", "größer"), "a: größer");
      const call = { service: HELLO, path: HELLO, method: "hello", text: "größer", oneway: false };
      assert.deepEqual(a.arrived.at(-1), call);
      await assert.rejects(client.call("other", ""), { type: UNKNOWN_METHOD, message: "no method other" });
      assert.equal(b.arrived.at(-1)?.method, "other");
      const long = "x".repeat(300_000);
      assert.equal(await client.call("hello", long), `a: ${long}`);
    });

    it("clients and servers before Dubbo 2.7 have no paths", async (t) => {
      const client = await ThriftClient.connect(t, "test.Old", envoy.port, false);
      assert.equal(await client.call("hello", "there"), "old: there");
      const call = { service: "test.Old", path: undefined, method: "hello", text: "there", oneway: false };
      assert.deepEqual(old.arrived.at(-1), call);
    });

    it("a service that a route renames is another one to the server, its path too", async (t) => {
      const client = await ThriftClient.connect(t, "test.Renamed", envoy.port);
      assert.equal(await client.call("hello", "you"), "a: you");
      const { service, path } = a.arrived.at(-1) ?? {};
      assert.deepEqual([service, path], ["test.Other", "test.Other"]);
    });

    it("exceptions of the service reach the client as they are", async (t) => {
      const client = await ThriftClient.connect(t, HELLO, envoy.port);
      await assert.rejects(
        client.call("deny", "luck"),
        (error) => error instanceof Denied && error.message === "no luck",
      );
      await assert.rejects(client.call("crash", "dear"), { type: INTERNAL_ERROR, message: "oh, dear" });
    });

    it("the proxy's own answers are exceptions with a reason", async (t) => {
      const answer = async (service: string, method: string) => {
        const client = await ThriftClient.connect(t, service, envoy.port);
        const error = await client.call(method, "").catch((thrown: { type: number; message: string }) => thrown);
        assert.ok(typeof error !== "string");
        return [error.type, error.message];
      };
      assert.deepEqual(await answer("test.Nobody", "hello"), [UNKNOWN_METHOD, "no route matches"]);
      assert.deepEqual(await answer("test.Shut", "hello"), [INTERNAL_ERROR, "shut for today"]);
      assert.deepEqual(await answer("test.Slow", "hold"), [INTERNAL_ERROR, "timeout"]);
      assert.equal((await answer("test.Down", "hello"))[0], 0);
    });

    it("a path of another service is refused, and the connection goes on", async (t) => {
      const client = await ThriftClient.connect(t, HELLO, envoy.port);
      const before = a.arrived.length;
      await assert.rejects(client.call("hello", "", "test.Secret"), /ambiguous call/);
      assert.equal(a.arrived.length, before);
      assert.equal(await client.call("hello", "again"), "a: again");
      const counted = async () => (await envoy.stat("wasmcustom.moe.dubbo-thrift.ambiguous")) === 1;
      await waitUntil(counted, WAIT_MS, () => "it is not counted");
    });

    it("one-way calls arrive, and nothing comes back", async (t) => {
      const client = await ThriftClient.connect(t, HELLO, envoy.port);
      client.send("note", "quietly");
      const arrived = () => a.arrived.find(({ text }) => text === "quietly");
      await waitUntil(
        () => arrived() !== undefined,
        WAIT_MS,
        () => "the call has not arrived",
      );
      assert.equal(arrived()?.oneway, true);
      assert.equal(await client.call("hello", "after"), "a: after");
    });

    it("clients with the same ids get their own answers", async (t) => {
      const clients = await Promise.all([1, 2, 3, 4].map(() => ThriftClient.connect(t, HELLO, envoy.port)));
      const texts = Array.from({ length: 100 }, (_, i) => i);
      await Promise.all(
        clients.flatMap((client, c) =>
          texts.map(async (i) => assert.equal(await client.call("hello", `${c}.${i}`), `a: ${c}.${i}`)),
        ),
      );
    });
  });
}
