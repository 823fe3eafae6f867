// Header rules on Dubbo answers that have no place for headers, in a real Envoy: a server's error reaches its client as it is.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as dubbo from "../host/kit/dubbo.ts";
import { DubboClient, DubboServer } from "./kit/dubbo_peers.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";
import { Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const STATUSES = [30, 31, 40, 50, 60, 70, 80, 90, 100];
const FIXED = {
  request_headers_to_add: [{ header: { key: "dubbo", value: "2.6.2" }, append: false }],
  request_headers_to_remove: ["service"],
};
const add = [{ header: { key: "k", value: "v" } }];

for (const concurrency of CONCURRENCIES) {
  describe(`lost changes, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();

    for (const strict_changes of [false, true]) {
      it(`errors of a Dubbo server with response_headers_to_add, strict_changes ${strict_changes}`, async () => {
        const server = await DubboServer.start(scope, "failing");
        const { envoy } = await Stage.start(scope, {
          concurrency,
          clusters: { dubbo: { ports: [server.port] } },
          routers: [{ route: { cluster_name: "dubbo", response_headers_to_add: add } }],
          config: { strict_changes },
        });
        const client = await DubboClient.connect(scope, envoy.port);
        const good = await client.call({});
        assert.deepEqual(dubbo.decode(good.body, 3), [4, "failing", { dubbo: "2.0.2", k: "v" }]);
        for (const status of STATUSES) {
          const body = dubbo.encode(`error ${status}`);
          server.answer = ({ id }) => dubbo.frame(2, status, id, body);
          const { status: got, body: text } = await client.call({});
          if (strict_changes) assert.deepEqual([got, text.includes("do not fit into the protocol")], [70, true]);
          else assert.deepEqual([got, text], [status, body]);
        }
        const lost = () => envoy.stat("wasmcustom.moe.dubbo.lost_changes");
        const all = async () => (await lost()) === STATUSES.length;
        await waitUntil(all, WAIT_MS, () => "not all changes are counted as lost");
      });
    }

    for (const strict_changes of [false, true]) {
      it(`rules that would change a fixed field of a Dubbo request, strict_changes ${strict_changes}`, async () => {
        const server = await DubboServer.start(scope, "fixed");
        const { envoy } = await Stage.start(scope, {
          concurrency,
          clusters: { dubbo: { ports: [server.port] } },
          routers: [{ route: { cluster_name: "dubbo", ...FIXED } }],
          config: { strict_changes },
        });
        const client = await DubboClient.connect(scope, envoy.port);
        const { status, body } = await client.call({});
        if (strict_changes) assert.deepEqual([status, body.includes("do not fit into the protocol")], [70, true]);
        else assert.deepEqual([status, dubbo.decode(body, 2)[1]], [20, "fixed"]);
        const counted = async () => (await envoy.stat("wasmcustom.moe.dubbo.lost_changes")) === 1;
        await waitUntil(counted, WAIT_MS, () => "the change is not counted as lost");
      });
    }
  });
}
