// The benchmark's filters: all that the module has, with configurations that the module takes and that let its request pass.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FILTERS, FIVE, httpRoute, proxyConfig, streamFilters } from "../bench/filters.ts";
import { FLOW_CONFIGS, MANY_CONFIGS, NO_RULES } from "../bench/flow.ts";
import { HELD_HEADER, HELD_SIZE, RESOURCE_HEADER } from "../bench/headers.ts";
import { WIRES } from "../bench/wire.ts";
import { registered, startHttp } from "./http-world.ts";
import { answers, world } from "./proxy-world.ts";

const CHAINS = [[], ...Object.keys(FILTERS).map((type) => [type]), FIVE];

describe("the benchmark of filters", () => {
  it("has every filter of the module", async () => {
    const rpc = Object.keys(FILTERS);
    assert.deepEqual(rpc.sort(), await registered("proxy"));
    assert.deepEqual(
      rpc.filter((type) => !FILTERS[type].rpcOnly),
      await registered("http"),
    );
  });

  for (const types of CHAINS) {
    it(`measures requests that pass: ${types.join(", ") || "no filters"}`, async () => {
      const { host, client } = await world(undefined, { config: proxyConfig({ types }) });
      client.write(WIRES.bolt.requestFrame(128));
      assert.deepEqual(
        answers(client).map(({ status }) => status),
        [0],
      );
      host.close();
      if (types.some((type) => FILTERS[type].rpcOnly)) return;
      const http = await startHttp(streamFilters({ types }, "http"));
      const { metadata } = httpRoute({ types }) as {
        metadata?: { filter_metadata: Record<string, Record<string, string>> };
      };
      if (metadata) http.routes = () => ({ metadata: metadata.filter_metadata });
      const headers = { app: "sofa-client-app", "content-type": "application/grpc" };
      const request = { method: "POST", path: "/pkg.Service/Method", headers, body: "body" } as const;
      assert.equal(http.request(request).status, 200);
      http.close();
    });
  }

  for (const [name, config] of Object.entries({ ...FLOW_CONFIGS, ...MANY_CONFIGS })) {
    it(`measures requests that pass flow control: ${name}`, async () => {
      const { host, client } = await world(undefined, { config });
      client.write(WIRES.bolt.requestFrame(128, RESOURCE_HEADER));
      assert.deepEqual(
        answers(client).map(({ status }) => status),
        [0],
      );
      host.advance(1000);
      const passed = host.metrics.names().filter((each) => /flowControlFilter\.app\..*\.passed$/.test(each));
      assert.deepEqual(
        passed.map((each) => host.metrics.counter(each)),
        name === NO_RULES ? [] : [1],
      );
      host.close();
    });
  }

  it("has requests held by fault", async () => {
    const { host, client } = await world(undefined, { config: proxyConfig({ types: FIVE, holding: true }) });
    client.write(WIRES.bolt.requestFrame(HELD_SIZE, HELD_HEADER));
    host.advance(60_000);
    assert.deepEqual(answers(client), []);
    const after = WIRES.bolt.requestFrame(128);
    after.writeUInt32BE(1, WIRES.bolt.idAt);
    client.write(after);
    assert.deepEqual(
      answers(client).map(({ id }) => id),
      [1],
    );
    host.close();
  });
});
