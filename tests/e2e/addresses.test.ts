// Which address ip_access sees: the connection's, that of the PROXY protocol, and on HTTP what Envoy makes of
// x-forwarded-for (the table in docs/reliability.md, "Addresses"). One Envoy; every listener lets one client in.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import { BoltStatus as Status } from "../host/kit/bolt.ts";
import { RawBoltClient } from "./kit/client.ts";
import { httpListener } from "./kit/http_envoy.ts";
import { http1, HttpServer } from "./kit/http_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

/** The client that may call, in IPv4 and IPv6, and one that may not. */
const FRIEND = "203.0.113.7";
const FRIEND_6 = "2001:db8::7";
const STRANGER = "198.51.100.9";

const ACCESS = { type: "ip_access", config: { default_action: "deny", ips: [{ addrs: [FRIEND, FRIEND_6] }] } };
const BY_HEADER = { ...ACCESS, config: { ...ACCESS.config, header: "x-forwarded-for" } };

const PROXY = "envoy.filters.listener.proxy_protocol";
const TYPE = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";

/** Has a listener read the PROXY protocol, before anything else looks at the bytes. */
function readProxyProtocol(listener: Listener, fields: object = {}): void {
  const others = (listener.listener_filters as object[] | undefined) ?? [];
  listener.listener_filters = [{ name: PROXY, typed_config: { "@type": TYPE, ...fields } }, ...others];
}

/** Version 1: a line of text. */
const v1 = (source: string): Buffer =>
  Buffer.from(
    `PROXY ${source.includes(":") ? "TCP6" : "TCP4"} ${source} ${source.includes(":") ? "::1" : "127.0.0.1"} 1 2\r\n`,
  );

const SIGNATURE = "0d0a0d0a000d0a515549540a";

/** Version 2, IPv4. */
function v2(source: string): Buffer {
  const addresses = [source, "127.0.0.1"].flatMap((text) => text.split(".").map(Number));
  return Buffer.from([...Buffer.from(SIGNATURE, "hex"), 0x21, 0x11, 0, 12, ...addresses, 0, 1, 0, 2]);
}

/** Version 2, from the sender itself (a health check): the connection's own address counts. */
const LOCAL = Buffer.from(`${SIGNATURE}20000000`, "hex");

interface HttpCase {
  /** Fields of the HTTP connection manager. */
  manager: object;
  filter?: object;
  proxyProtocol?: boolean;
  /** x-forwarded-for, and whether the request passes. */
  requests: [forwarded: string | undefined, passes: boolean, from?: Buffer][];
}

/** By the listener's name. */
const HTTP: Record<string, HttpCase> = {
  // Envoy's default: the last address of the header, whoever has written it.
  believed: {
    manager: {},
    requests: [
      [undefined, false],
      [FRIEND, true],
      [`${STRANGER}, ${FRIEND}`, true],
      [`${FRIEND}, ${STRANGER}`, false],
      ["nonsense", false],
    ],
  },
  "one-hop-believed": {
    manager: { xff_num_trusted_hops: 1 },
    requests: [
      [`${FRIEND}, ${STRANGER}`, true],
      [`${STRANGER}, ${FRIEND}`, false],
    ],
  },
  // At the edge: the connection's address, whatever the header says.
  edge: {
    manager: { use_remote_address: true },
    requests: [
      [undefined, false],
      [FRIEND, false],
      [`${STRANGER}, ${FRIEND}`, false],
    ],
  },
  // Behind one proxy that adds what it sees: the last address is the proxy's word, those before it the client's.
  "behind-one": {
    manager: { use_remote_address: true, xff_num_trusted_hops: 1 },
    requests: [
      [FRIEND, true],
      [`${STRANGER}, ${FRIEND}`, true],
      [`${FRIEND}, ${STRANGER}`, false],
      [undefined, false],
    ],
  },
  "behind-two": {
    manager: { use_remote_address: true, xff_num_trusted_hops: 2 },
    requests: [
      [`${FRIEND}, ${STRANGER}`, true],
      [`${STRANGER}, ${FRIEND}`, false],
    ],
  },
  // A load balancer that speaks the PROXY protocol.
  proxied: {
    manager: { use_remote_address: true },
    proxyProtocol: true,
    requests: [
      [undefined, true, v1(FRIEND)],
      [STRANGER, true, v1(FRIEND_6)],
      [FRIEND, false, v2(STRANGER)],
      [undefined, true, v2(FRIEND)],
    ],
  },
  // The filter's own `header`: one address only, and Envoy adds the connection's at the edge.
  "by-header": {
    manager: {},
    filter: BY_HEADER,
    requests: [
      [FRIEND, true],
      [STRANGER, false],
      [`${STRANGER}, ${FRIEND}`, false],
    ],
  },
  "by-header-at-the-edge": { manager: { use_remote_address: true }, filter: BY_HEADER, requests: [[FRIEND, false]] },
};

function makeHttpListener(name: string, { manager, filter = ACCESS, proxyProtocol }: HttpCase): Listener {
  const routes = [{ match: { prefix: "/" }, route: { cluster: "web" } }];
  const listener = httpListener({ name, config: { stream_filters: [filter] }, routes, vm: "addresses" });
  Object.assign(listener.filter_chains[0].filters[0].typed_config, manager);
  if (proxyProtocol) readProxyProtocol(listener);
  return listener;
}

describe("addresses", () => {
  const scope = suiteScope();
  let started: Promise<Stage> | undefined;
  const stage = (): Promise<Stage> => (started ??= start());

  async function start(): Promise<Stage> {
    const web = await HttpServer.start(scope, "web");
    const change = (bootstrap: Bootstrap, rpc: Listener): void => {
      const optional = structuredClone(rpc);
      optional.name = "optional";
      readProxyProtocol(rpc);
      readProxyProtocol(optional, { allow_requests_without_proxy_protocol: true });
      const hasty = structuredClone(rpc);
      hasty.name = hasty.stat_prefix = "hasty";
      hasty.listener_filters_timeout = "0.2s";
      const { listeners, clusters } = bootstrap.static_resources;
      listeners.push(optional, hasty, ...Object.entries(HTTP).map(([name, one]) => makeHttpListener(name, one)));
      const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: web.port } } };
      const load_assignment = { cluster_name: "web", endpoints: [{ lb_endpoints: [{ endpoint }] }] };
      clusters.push({ name: "web", type: "STATIC", load_assignment });
    };
    const seen = { header: { key: "seen", value: "%downstream_remote_address%" } };
    const clusters = { plain: { route: { request_headers_to_add: [seen] } } };
    return Stage.start(scope, { clusters, config: { stream_filters: [ACCESS] }, change });
  }

  /** The answer to a call behind these bytes; undefined: Envoy has closed the connection. */
  async function call(port: number, before: Buffer): Promise<number | undefined> {
    const client = await RawBoltClient.connect(port);
    scope.after(() => client.close());
    void client.write(before);
    const answer = client.call(1, callOf("plain")).catch((error: Error) => error);
    const one = await answer;
    if (!(one instanceof Error)) return one.status;
    assert.match(one.message, /before the close|connection (fin|closed|reset)/);
    return undefined;
  }

  const RPC: [what: string, before: Buffer, passes: boolean][] = [
    ["version 1", v1(FRIEND), true],
    ["version 1, IPv6", v1(FRIEND_6), true],
    ["version 2", v2(FRIEND), true],
    ["version 1, of a stranger", v1(STRANGER), false],
    ["version 2, of a stranger", v2(STRANGER), false],
    ["version 1 that knows no address: the connection's", Buffer.from("PROXY UNKNOWN\r\n"), false],
    ["version 2 of the sender itself: the connection's", LOCAL, false],
  ];
  for (const [what, before, passes] of RPC) {
    it(`RPC behind the PROXY protocol: ${what}`, async () => {
      const { envoy } = await stage();
      assert.equal(await call(envoy.port, before), passes ? Status.SUCCESS : Status.SERVER_EXCEPTION);
    });
  }

  it("RPC: the variable downstream_remote_address is that address, too", async () => {
    const { envoy } = await stage();
    assert.equal(await call(envoy.port, v1(FRIEND)), Status.SUCCESS);
    const { frame } = (await stage()).server("plain").arrivals.at(-1) ?? assert.fail("nothing has arrived");
    assert.deepEqual(frame.headers.at(-1), ["seen", `${FRIEND}:1`]);
  });

  it("RPC: who says nothing is closed, or is who connects where that is allowed", async () => {
    const { envoy } = await stage();
    const none = Buffer.alloc(0);
    assert.equal(await call(envoy.port, none), undefined);
    const optional = envoy.ports.get("optional") ?? 0;
    assert.equal(await call(optional, none), Status.SERVER_EXCEPTION);
    // Anybody may say that he is a friend there.
    assert.equal(await call(optional, v1(FRIEND)), Status.SUCCESS);
  });

  it("RPC: who is silent until listener filters have had their time is who connects", async () => {
    const { envoy } = await stage();
    const client = await RawBoltClient.connect(envoy.ports.get("hasty") ?? 0);
    scope.after(() => client.close());
    const timeouts = (): Promise<number> => envoy.stat("listener.hasty.downstream_pre_cx_timeout");
    await waitUntil(
      async () => (await timeouts()) > 0,
      WAIT_MS,
      () => "no timeout of the listener filters",
    );
    assert.equal((await client.call(1, callOf("plain"))).status, Status.SERVER_EXCEPTION);
  });

  for (const [name, { requests }] of Object.entries(HTTP)) {
    it(`HTTP: ${name}`, async () => {
      const { envoy } = await stage();
      const port = envoy.ports.get(name) ?? 0;
      for (const [forwarded, passes, from] of requests) {
        const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
        const { status } = await http1(port, { headers, preface: from });
        assert.equal(status, passes ? 200 : 403, `${forwarded}`);
      }
    });
  }
});
