// One chain of filters, one text of configuration, for Bolt, Dubbo, HTTP/1, HTTP/2 and gRPC in a real Envoy.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Bootstrap, type Listener, pluginConfig } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import {
  boltPeer,
  type ChainPeer,
  type ChainRequest,
  dubboPeer,
  grpcPeer,
  http1Peer,
  http2Peer,
  SERVICES,
} from "./kit/chain_peers.ts";
import { DubboServer } from "./kit/dubbo_peers.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { http1, Http2Client, HttpServer } from "./kit/http_peers.ts";
import { addZones, ZONE_OF_HEADER } from "./kit/labels.ts";
import { dice } from "./kit/random.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";
import { sofaConsumer } from "./kit/sofa.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const ZONES = ["a", "b"];

/** `stream_filters` of both roots, to the letter. */
const STREAM_FILTERS = `[
  {"type": "ip_access", "config": {"header": "from", "ips": [{"action": "deny", "addrs": ["10.66.0.0/16"]}]}},
  {"type": "fault", "config": {"headers": [{"name": "fault", "value": "yes"}],
                               "abort": {"status": 503, "percentage": 100}}},
  {"type": "payload_limit", "config": {"max_entity_size": 1000, "http_status": 413}},
  {"type": "dsl", "config": {"after_router_by_dsl":
    "conditional(request.headers[\\"other\\"] == \\"x\\", ctx.add_request_header(\\"x-dsl\\", \\"seen\\"), true)"}},
  {"type": "header_to_metadata", "config": {"request_rules": [
    {"header": "zone", "on_header_present": {"key": "zone"}, "remove": true}]}}
]`;

/** Configurations of routes, by the value of the header `route`. */
const OVERRIDES: Record<string, object> = {
  open: { fault: {} },
  small: { payload_limit: { max_entity_size: 1, http_status: 403 } },
  slow: { fault: { delay: { fixed_delay: "2s", percentage: 100 } } },
  mixed: { fault: { delay: { fixed_delay: "30ms", percentage: 50 }, abort: { status: 503, percentage: 20 } } },
  refused: { fault: { abort: { status: 503, percentage: 100 } } },
};

/** What a request meets: MOSN's code and the reason, or nothing where it passes. */
const CASES: [name: string, request: ChainRequest, code?: number, reason?: string][] = [
  ["nothing stops it", { headers: { from: "10.0.0.1" } }],
  ["ip_access", { headers: { from: "10.66.0.1" } }, 403, "denied by ip_access"],
  ["fault", { headers: { fault: "yes" } }, 503, "fault filter abort"],
  ["payload_limit", { size: 2000 }, 413, "the body is larger than payload_limit allows"],
  ["a route without fault", { headers: { fault: "yes", route: "open" } }],
  ["whose other filters stay", { headers: { from: "10.66.0.1", route: "open" } }, 403, "denied by ip_access"],
  ["payload_limit of the route", { headers: { route: "small" } }, 403, "the body is larger than payload_limit allows"],
  ["whose fault stays", { headers: { fault: "yes", route: "small" } }, 503, "fault filter abort"],
];

async function startRpc(scope: Scope, concurrency: number): Promise<{ envoy: EnvoyProcess; peers: ChainPeer[] }> {
  const bolt = await Promise.all(ZONES.map((name) => RawBoltServer.start({ name })));
  scope.after(() => Promise.all(bolt.map((server) => server.close())));
  const dubbo = await Promise.all(ZONES.map((name) => DubboServer.start(scope, name)));
  const clusters = {
    bolt: { hosts: bolt.map(({ port }) => port) },
    dubbo: { hosts: dubbo.map(({ port }) => port) },
  };
  const routers = Object.keys(clusters).flatMap((name) => {
    const service = { name: "service", value: SERVICES[name as keyof typeof SERVICES] };
    const route = { cluster_name: name };
    const own = Object.entries(OVERRIDES).map(([value, configs]) => {
      const match = { headers: [service, { name: "route", value }] };
      return { match, route, per_filter_config: configs };
    });
    return [...own, { match: { headers: [service] }, route }];
  });
  const refused = { match: {}, route: { cluster_name: "bolt" }, per_filter_config: OVERRIDES.refused };
  const router = { virtual_hosts: [{ name: "test", domains: ["*"], routers: [...routers, refused] }] };
  const change = (bootstrap: Bootstrap, listener: Listener): void => {
    addZones(bootstrap, listener, { clusters: Object.keys(clusters), zones: ZONES, fallback: "ANY_ENDPOINT" });
    const value = `{"stream_filters": ${STREAM_FILTERS}, "router": ${JSON.stringify(router)}}`;
    pluginConfig(listener).configuration = { "@type": "type.googleapis.com/google.protobuf.StringValue", value };
  };
  const envoy = await startEnvoy(scope, { concurrency, clusters, change });
  return { envoy, peers: [boltPeer(envoy.port, bolt), dubboPeer(envoy.port, dubbo)] };
}

async function startHttp(scope: Scope, concurrency: number): Promise<{ envoy: EnvoyProcess; peers: ChainPeer[] }> {
  const http = await Promise.all(ZONES.map((name) => HttpServer.start(scope, name)));
  const grpc = await Promise.all(ZONES.map((name) => HttpServer.start(scope, name, true)));
  for (const server of grpc) {
    const headers = { "content-type": "application/grpc", "served-by": server.name };
    server.answer = ({ body }) => ({ headers, body, trailers: { "grpc-status": "0" } });
  }
  const labels = ZONES.map((zone) => ({ zone }));
  const subsets = { lb_subset_config: { fallback_policy: "ANY_ENDPOINT", subset_selectors: [{ keys: ["zone"] }] } };
  const clusters = {
    http: { ports: http.map(({ port }) => port), labels, fields: subsets },
    grpc: { ports: grpc.map(({ port }) => port), labels, fields: subsets, http2: true },
  };
  const routes = [{ grpc: {} }, {}].flatMap((kind) => {
    // Without a timeout of Envoy's: on a busy machine its 15 s would end what is only slow.
    const route = { cluster: "grpc" in kind ? "grpc" : "http", timeout: "0s" };
    const own = Object.entries(OVERRIDES).map(([value, configs]) => {
      const texts = Object.entries(configs).map(([type, config]) => [type, JSON.stringify(config)]);
      const headers = [{ name: "route", string_match: { exact: value } }];
      const metadata = { filter_metadata: { moe: Object.fromEntries(texts) } };
      return { match: { prefix: "/", headers, ...kind }, route, metadata };
    });
    return [...own, { match: { prefix: "/", ...kind }, route }];
  });
  const config = `{"stream_filters": ${STREAM_FILTERS}}`;
  const listeners = [{ name: "chain", config, routes, filters: [ZONE_OF_HEADER] }];
  const envoy = await startHttpEnvoy(scope, { listeners, clusters, concurrency });
  return {
    envoy,
    peers: [http1Peer(envoy.port, http), http2Peer(envoy.port, http), grpcPeer(envoy.port, grpc)],
  };
}

const concurrency = Math.max(...CONCURRENCIES);

describe(`one chain for all protocols, --concurrency ${concurrency}`, () => {
  const scope = suiteScope();
  let rpc: EnvoyProcess;
  let http: EnvoyProcess;
  let peers: ChainPeer[];

  before(async () => {
    const started = await Promise.all([startRpc(scope, concurrency), startHttp(scope, concurrency)]);
    [rpc, http] = started.map(({ envoy }) => envoy);
    peers = started.flatMap((one) => one.peers);
  });

  for (const name of ["Bolt", "Dubbo", "HTTP/1", "HTTP/2", "gRPC"]) {
    describe(name, () => {
      const peer = (): ChainPeer => {
        const found = peers.find((one) => one.name === name);
        assert.ok(found);
        return found;
      };

      it("what each filter refuses comes back as a status of the protocol; routes override one filter", async (t) => {
        const client = await peer().connect(t);
        for (const [what, request, code, reason = ""] of CASES) {
          const answer = await client.call(request);
          const { ok, statusOf } = peer();
          assert.equal(answer.status, code === undefined ? ok : statusOf(code), what);
          assert.equal(answer.servedBy === undefined, code !== undefined, what);
          if (code !== undefined) assert.ok(answer.reason.startsWith(reason), `${what}: ${answer.reason}`);
        }
      });

      it("a header becomes a label that chooses the server, and goes; an expression adds one", async (t) => {
        const client = await peer().connect(t);
        for (const zone of [...ZONES, ...ZONES]) {
          assert.equal((await client.call({ headers: { zone, other: "x" } })).servedBy, zone);
          const { zone: left, other, "x-dsl": added } = peer().lastHeaders(zone);
          assert.deepEqual([left, other, added], [undefined, "x", "seen"]);
        }
      });
    });
  }

  it("a delay of one request delays no neighbour on its connection, in any protocol", async (t) => {
    const orderOf = async (peer: ChainPeer): Promise<[name: string, order: string[]]> => {
      const client = await peer.connect(t);
      const order: string[] = [];
      const call = async (route: string): Promise<void> => {
        assert.equal((await client.call({ headers: { route } })).status, peer.ok);
        order.push(route);
      };
      await Promise.all(["slow", "none", "slow", "none"].map(call));
      return [peer.name, order];
    };
    for (const [name, order] of await Promise.all(peers.map(orderOf))) {
      assert.deepEqual(order, ["none", "none", "slow", "slow"], name);
    }
  });

  it("a SOFARPC client gets the filter's answer as an exception with its reason", async (t) => {
    const consumer = await sofaConsumer(t, "test.Refused", rpc.port);
    await assert.rejects(consumer.invoke("call", ["x"]), /fault filter abort/);
  });

  it("4,000 requests of HTTP and gRPC with delays, aborts and clients that go: nothing is left", async (t) => {
    const next = dice(4000);
    const random = (sides: number): number => next() % sides;
    const statuses = new Map<number, number>();
    const errors: string[] = [];
    /** Counts the answer of a client that stays. */
    const note = async (what: string, call: Promise<{ status: number }>): Promise<void> => {
      try {
        const { status } = await call;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      } catch (error) {
        errors.push(`${what}: ${String(error)}`);
      }
    };
    const requested = await http.stat("wasmcustom.moe.http.requests");
    const shape = () => ({
      headers: { route: ["mixed", "none"][random(2)] },
      body: "x".repeat([1, 900, 1001][random(3)]),
    });

    /** A connection of HTTP/2 with 100 requests, half of them gRPC, which may go in the middle of them. */
    const session = async (leaves: boolean): Promise<void> => {
      const client = await Http2Client.connect(t, http.port);
      let answered = 0;
      const stay = leaves ? random(60) : Infinity;
      const calls = Array.from({ length: 100 }, async (_, i) => {
        const { headers, body } = shape();
        const call = i % 2 === 0 ? client.request({ headers, body }) : client.grpc("/test.Grpc/Call", body, headers);
        if (!leaves) return note(i % 2 === 0 ? "HTTP/2" : "gRPC", call);
        await call;
        if (++answered >= stay) client.close();
      });
      await Promise.allSettled(calls);
      client.close();
    };
    /** Twenty-five requests of HTTP/1, of which some are given up when they have been sent. */
    const lane = async (): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        const gone = new AbortController();
        const call = http1(http.port, { ...shape(), signal: gone.signal });
        if (random(4) > 0) await note("HTTP/1", call);
        else {
          setTimeout(() => gone.abort(), random(20));
          await call.catch(() => {});
        }
      }
    };
    for (let round = 0; round < 5; round++) {
      const sessions = Array.from({ length: 6 }, (_, i) => session(i % 3 === 2));
      await Promise.all([...sessions, ...Array.from({ length: 8 }, lane)]);
    }
    assert.deepEqual(errors, []);
    for (const status of [200, 503, 413, 0, 14, 2]) assert.ok(statuses.has(status), `no answer has status ${status}`);
    let active = -1;
    await waitUntil(
      async () => (active = await http.stat("wasmcustom.moe.http.active")) === 0,
      WAIT_MS,
      () => `${active} active requests`,
    );
    assert.ok((await http.stat("wasmcustom.moe.http.requests")) - requested >= 3000);
  });
});
