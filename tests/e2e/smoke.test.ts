// The shortest way through everything: a SOFARPC call and a raw call through a real Envoy.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boltClient } from "../../scripts/samples/clients.ts";
import { type Answer, INTERFACE } from "../../scripts/samples/hello.ts";
import { startService } from "../../scripts/samples/services.ts";
import { BoltStatus, heartbeat } from "../host/kit/bolt.ts";
import { RawBoltClient } from "./kit/client.ts";
import { startEnvoy, untilHealthy } from "./kit/envoy.ts";
import { RawBoltServer } from "./kit/server.ts";
import { sofaConsumer } from "./kit/sofa.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

test("SOFARPC calls reach both versions, health checked, with the shipped configuration", async (t) => {
  const v1 = await startService({ protocol: "bolt", version: "v1", port: 0 });
  const v2 = await startService({ protocol: "bolt", version: "v2", port: 0 });
  t.after(() => Promise.all([v1.stop(), v2.stop()]));
  const envoy = await startEnvoy(t, {
    clusters: {
      "hello-v1": { hosts: [v1.port], healthCheckMs: 1000, outliers: true },
      "hello-v2": { hosts: [`localhost:${v2.port}`], dns: true, healthCheckMs: 1000, outliers: true },
    },
  });

  await untilHealthy(envoy, "hello-v1", "hello-v2");
  const consumer = await sofaConsumer(t, INTERFACE, envoy.port);
  const served = { v1: 0, v2: 0 };
  for (let i = 0; i < 100; i++) {
    const answer = (await consumer.invoke("plus", [i, 1])) as Answer;
    assert.equal(answer.result, i + 1);
    served[answer.version as "v1" | "v2"]++;
  }
  assert.ok(served.v1 > served.v2 && served.v2 > 0, JSON.stringify(served));
});

test("the sample clients write the header that Java writes, and show their methods", async (t) => {
  const server = await RawBoltServer.start({ name: "one" });
  t.after(() => server.close());
  const envoy = await startEnvoy(t, { config: null, clusters: { upstream: { hosts: [server.port] } } });
  const client = await boltClient(envoy.port);
  t.after(() => client.close());
  // The raw server's answer is no SofaResponse.
  await client
    .call(1)
    .invoke()
    .catch(() => {});

  const service = `${INTERFACE}:1.0`;
  const { frame } = server.arrivals[0];
  assert.deepEqual(frame.headers, [
    ["service", service],
    ["sofa_head_target_service", service],
    ["sofa_head_method_name", "sayHello"],
    ["app", "moe-samples"],
    ["protocol", "bolt"],
    ["type", "sync"],
  ]);
  let names: string[] = [];
  await waitUntil(
    async () => {
      names = [...(await envoy.stats("wasmcustom\\.moe\\..*method.*requests")).keys()];
      return names.length > 0;
    },
    WAIT_MS,
    () => "no method is counted",
  );
  assert.match(names.join(), /HelloService.*sayHello/);
});

test("a raw call without configuration goes to the cluster upstream and comes back under its id", async (t) => {
  const server = await RawBoltServer.start({ name: "one" });
  t.after(() => server.close());
  const envoy = await startEnvoy(t, { config: null, clusters: { upstream: { hosts: [server.port] } } });
  const client = await RawBoltClient.connect(envoy.port);
  t.after(() => client.close());

  const answer = await client.call(0xfedcba98, { class: "C", headers: [["service", "S:1.0"]], content: "hi" });
  assert.equal(answer.status, BoltStatus.SUCCESS);
  assert.equal(answer.content.toString(), "hi");
  assert.deepEqual(answer.headers, [["served-by", "one"]]);

  await client.write(heartbeat(7));
  assert.equal((await client.answer(7)).kind, "heartbeatAck");

  assert.equal(server.requests, 1);
  assert.deepEqual(server.arrivals[0].frame.headers, [["service", "S:1.0"]]);
  assert.equal(server.heartbeats, 0, "the proxy answers heartbeats itself");
});
