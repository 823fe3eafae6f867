// Stream filters on RPC in a real Envoy: one chain, configurations per route, hosts by label, load with clients that go.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import { type BoltFrame, BoltStatus as Status, request, type RequestOptions } from "../host/kit/bolt.ts";
import { makeCalls, reasonOf, servedBy, tally } from "./kit/calls.ts";
import type { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { addZones } from "./kit/labels.ts";
import { dice } from "./kit/random.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, Stage, type StageCluster } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const ZONES = ["a", "b"];

const FILTERS = [
  { type: "ip_access", config: { header: "from", ips: [{ action: "deny", addrs: ["10.66.0.0/16"] }] } },
  { type: "fault", config: { headers: [{ name: "fault", value: "yes" }], abort: { status: 503, percentage: 100 } } },
  { type: "payload_limit", config: { max_entity_size: 1000 } },
  {
    type: "header_to_metadata",
    config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] },
  },
];

const CLUSTERS: Record<string, StageCluster> = {
  plain: {},
  zones: { servers: ZONES },
};

/** Routes with configurations of their own, by a header. */
const ROUTERS = Object.entries({
  slow: { fault: { delay: { fixed_delay: "2s", percentage: 100 } } },
  mixed: {
    fault: { delay: { fixed_delay: "50ms", percentage: 50 }, abort: { status: 504, percentage: 20 } },
    payload_limit: { max_entity_size: 100_000 },
  },
  open: { fault: {} },
  small: { payload_limit: { max_entity_size: 1, http_status: 403 } },
}).map(([name, configs]) => ({
  match: { headers: [{ name: "route", value: name }] },
  route: { cluster_name: "plain" },
  per_filter_config: configs,
}));

for (const concurrency of CONCURRENCIES) {
  describe(`stream filters, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;

    before(async () => {
      const config = { stream_filters: FILTERS };
      const change = (bootstrap: Bootstrap, listener: Listener) =>
        addZones(bootstrap, listener, { clusters: ["zones"], zones: ZONES });
      stage = await Stage.start(scope, { concurrency, clusters: CLUSTERS, routers: ROUTERS, config, change });
    });

    it("one chain: what each filter refuses comes back as a status of the protocol, with the reason", async (t) => {
      const [client] = await stage.connect(t);
      const large = { ...callOf("plain"), content: Buffer.alloc(1001) };
      const cases: [RequestOptions, number, string][] = [
        [callOf("plain", "m", ["from", "10.0.0.1"]), Status.SUCCESS, ""],
        [callOf("plain", "m", ["from", "10.66.0.1"]), Status.SERVER_EXCEPTION, "denied by ip_access"],
        [callOf("plain", "m", ["from", "10.66.0.1, 10.0.0.1"]), Status.SERVER_EXCEPTION, "denied by ip_access"],
        [callOf("plain", "m", ["fault", "yes"]), Status.SERVER_THREADPOOL_BUSY, "fault filter abort"],
        [large, Status.UNKNOWN, "the body is larger than payload_limit allows"],
        // A route's configuration is used instead of the filter's.
        [callOf("plain", "m", ["route", "open"], ["fault", "yes"]), Status.SUCCESS, ""],
        [{ ...callOf("plain", "m", ["route", "small"]), content: "12" }, Status.SERVER_EXCEPTION, "the body is larger"],
        [{ ...callOf("plain", "m", ["route", "small"]), content: "1" }, Status.SUCCESS, ""],
      ];
      for (const [version, shape] of [
        [1, {}],
        [2, { version: 2, crc: true }],
      ] as const) {
        for (const [i, [options, status, reason]] of cases.entries()) {
          const answer = await client.call(version * 100 + i, { ...options, ...shape });
          assert.deepEqual([answer.status, answer.version], [status, version], `case ${i}`);
          assert.ok(reasonOf(answer).startsWith(reason), `case ${i}: ${reasonOf(answer)}`);
          assert.notEqual(answer.crc, "bad");
        }
      }
    });

    it("labels of headers choose the host, request by request on one connection", async (t) => {
      const [client] = await stage.connect(t);
      const zoneOf = (i: number): string => ZONES[(i >> 1) % 2];
      const answers = await makeCalls(client, 200, (i) => callOf("zones", "m", ["zone", zoneOf(i)]));
      answers.forEach((answer, i) => assert.equal(servedBy(answer), zoneOf(i)));
      for (const zone of ZONES) {
        const { frame } = stage.server(zone).arrivals[0];
        assert.ok(!frame.headers.some(([name]) => name === "zone"), "the header goes");
      }
      const [lost] = await makeCalls(client, 1, callOf("zones", "m", ["zone", "nowhere"]), { from: 1000 });
      assert.notEqual(lost.status, Status.SUCCESS);
    });

    it("a delay of one request delays no neighbour on the same connection", async (t) => {
      const [client] = await stage.connect(t);
      const [slow, fast] = [callOf("plain", "m", ["route", "slow"]), callOf("plain")];
      await client.write(Buffer.concat([slow, fast, slow, fast].map((options, id) => request(id, options))));
      await client.waitForFrames(4);
      const order = client.frames.map(({ id }) => id);
      assert.deepEqual(order.slice(0, 2).sort(), [1, 3]);
      assert.ok(client.frames.every(({ status }) => status === Status.SUCCESS));
    });

    it("4,000 requests with delays, aborts and clients that go: nothing is left", async (t) => {
      const next = dice(concurrency);
      const random = (sides: number): number => next() % sides;
      const active = () => stage.bolt("active");
      await waitUntil(
        async () => (await active()) === 0,
        WAIT_MS,
        () => "requests of the tests before",
      );
      const statuses = new Map<number, number>();
      /** A client with 100 requests, that may leave in the middle of them. */
      const session = async (client: RawBoltClient, leaves: boolean): Promise<void> => {
        const calls = Array.from({ length: 100 }, (_, id) => {
          const route = ["mixed", "mixed", "none", "small"][random(4)];
          const options = callOf("plain", "m", ["route", route], ["from", random(9) === 0 ? "nobody" : "10.0.0.1"]);
          return request(id, { ...options, content: Buffer.alloc([1, 900, 1001][random(3)]) });
        });
        void client.write(Buffer.concat(calls));
        const expected = leaves ? random(100) : calls.length;
        const frames: BoltFrame[] = await client.waitForFrames(expected);
        if (leaves) client.reset();
        else for (const { status } of frames) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      };
      for (let round = 0; round < 5; round++) {
        const clients = await stage.connect(t, 8);
        await Promise.all(clients.map((client, i) => session(client, i % 4 === 3)));
        for (const client of clients) client.close();
      }
      const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      assert.equal(all, 5 * 6 * 100);
      for (const status of [Status.SUCCESS, Status.SERVER_EXCEPTION, Status.UNKNOWN, Status.TIMEOUT]) {
        assert.ok(statuses.has(status), `no answer has status ${status}`);
      }
      let left = 0;
      await waitUntil(
        async () => (left = await active()) === 0,
        WAIT_MS,
        () => `${left} active requests`,
      );
      const [client] = await stage.connect(t);
      assert.deepEqual(tally(await makeCalls(client, 50, callOf("plain"))), { plain: 50 });
    });
  });
}
