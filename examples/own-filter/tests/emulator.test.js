// The whole module in the emulator, Envoy's side of the ABI: `npm run build`, then `npm run test:emulator`.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Host } from "moe-wasm/kit";
import * as bolt from "moe-wasm/kit/bolt";
import { BoltCluster } from "moe-wasm/kit/bolt-cluster";

const config = { stream_filters: [{ type: "refuse_header", config: { header: "user" } }] };

it("refuses on HTTP", async () => {
  const host = await Host.start({ module: "build/own.wasm", root: "http", config });
  host.onRequest = (request) => request.respond({ status: 200 });
  assert.equal(host.request({ headers: { user: "eve" } }).status, 403);
  assert.equal(host.request({ headers: { name: "eve" } }).status, 200);
  host.advance(1000); // counts reach Envoy now and then
  assert.equal(host.metrics.counter("moe.filter.refuse_header.refused"), 1);
  host.close(); // fails if the module broke a rule of Envoy's
});

it("refuses on Bolt", async () => {
  const host = await Host.start({ module: "build/own.wasm", config });
  host.onConnect = new BoltCluster("10.0.0.1:12200").connect;
  const client = host.connect();
  client.write(bolt.request(1, { headers: [["user", "eve"]] }));
  client.write(bolt.request(2, { headers: [["name", "eve"]] }));
  host.advance(100);
  const answers = bolt.parseFrames(client.take()).frames;
  assert.deepEqual(
    answers.map(({ id, status }) => [id, status === bolt.BoltStatus.SUCCESS]),
    [
      [1, false],
      [2, true],
    ],
  );
  host.close();
});
