// MOSN configurations, converted, on a real Envoy: calls are answered as MOSN's documentation says.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { build } from "../../scripts/build.ts";
import { ensureCertificates } from "../../scripts/certs.ts";
import { convert } from "../../scripts/convert/convert.ts";
import type { Bootstrap } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import { boltClient, dubboClient, grpcClient, httpClient } from "../../scripts/samples/clients.ts";
import { type Protocol } from "../../scripts/samples/hello.ts";
import { startService } from "../../scripts/samples/services.ts";
import { runEnvoy, untilStat } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";

const ANY_SERVICE = { headers: [{ name: "service", value: ".*" }] };

/** A router with one virtual host. */
const router = (name: string, ...routers: object[]) => ({
  router_config_name: name,
  virtual_hosts: [{ name, domains: ["*"], routers }],
});

/** A listener whose filter is MOSN's `proxy`. */
const proxy = (name: string, port: number, protocol: string, chain: object = {}, more: object = {}) => ({
  name,
  address: `127.0.0.1:${port}`,
  bind_port: true,
  filter_chains: [
    { ...chain, filters: [{ type: "proxy", config: { downstream_protocol: protocol, router_config_name: name } }] },
  ],
  ...more,
});

const cluster = (name: string, address: number | string, more: object = {}) => ({
  Name: name,
  type: "SIMPLE",
  lb_type: "LB_RANDOM",
  max_request_per_conn: 1024,
  hosts: [{ address: typeof address === "number" ? `127.0.0.1:${address}` : address }],
  ...more,
});

function statusOf(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((done, failed) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
    }).on("error", failed);
  });
}

describe("a converted configuration of MOSN", () => {
  const scope = suiteScope();
  const services = new Map<Protocol, number>();
  let envoy: EnvoyProcess;
  let udpPort = 0;

  before(async () => {
    for (const protocol of ["bolt", "dubbo", "http", "grpc"] as const) {
      const service = await startService({ protocol, version: "v1", port: 0 });
      scope.after(() => service.stop());
      services.set(protocol, service.port);
    }
    const folder = mkdtempSync(join(tmpdir(), "moe-convert-"));
    scope.after(() => rmSync(folder, { recursive: true }));
    const socket = join(folder, "echo.sock");
    const echo = createServer((client) => client.pipe(client).on("error", () => {})).listen(socket);
    scope.after(() => echo.close());
    const udp = createSocket("udp4");
    udp.on("message", (message, { port }) => udp.send(`echo ${message}`, port, "127.0.0.1"));
    await once(udp.bind(0, "127.0.0.1"), "listening");
    scope.after(() => udp.close());
    udpPort = await freePort();
    envoy = await start(socket, udp.address().port);
  });

  async function start(socket: string, echoPort: number): Promise<EnvoyProcess> {
    const [ingress, secure] = [await freePort(), await freePort()];
    const certs = ensureCertificates();
    // As texts for the server, as files for the client: MOSN takes both.
    const server = { status: true, ca_cert: certs.ca, cert_chain: certs.server.cert, private_key: certs.server.key };
    const [ca_cert, cert_chain, private_key] = ["ca.pem", "client.pem", "client.key"].map((name) =>
      join("build/certs", name),
    );
    const client = { status: true, ca_cert, cert_chain, private_key };
    const mosn = {
      servers: [
        {
          routers: [
            router("egress", { match: ANY_SERVICE, route: { cluster_name: "ingress" } }),
            router("ingress", { match: ANY_SERVICE, route: { cluster_name: "bolt" } }),
            router("dubbo", { match: { prefix: "/" }, route: { cluster_name: "dubbo" } }),
            router(
              "web",
              { match: { path: "/DIRECT" }, direct_response: { status: 201, body: "from the route" } },
              { match: { prefix: "/hello/" }, route: { cluster_name: "secure" } },
              { redirect: { response_code: 302, path_redirect: "/hello/" } },
            ),
            router("secure", { match: { prefix: "/" }, route: { cluster_name: "http" } }),
            router(
              "rpc-or-web",
              { match: ANY_SERVICE, route: { cluster_name: "bolt" } },
              { route: { cluster_name: "grpc" } },
            ),
            router("closed", { route: { cluster_name: "http" } }),
            router("aborted", { route: { cluster_name: "bolt" } }),
            router("guarded", { route: { cluster_name: "bolt" } }),
          ],
          listeners: [
            proxy("egress", 0, "X", {}, { stream_filters: [{ type: "healthcheck", config: {} }] }),
            proxy("ingress", ingress, "bolt"),
            proxy("dubbo", 0, "dubbo"),
            proxy("web", 0, "Http1"),
            proxy("secure", secure, "Http1", {
              tls_context: { ...server, verify_client: true, require_client_cert: true },
            }),
            proxy("rpc-or-web", 0, "Auto"),
            proxy(
              "closed",
              0,
              "Http1",
              {},
              {
                stream_filters: [
                  {
                    type: "ip_access",
                    config: { default_action: "allow", ips: [{ action: "deny", addrs: ["127.0.0.1"] }] },
                  },
                ],
              },
            ),
            proxy(
              "aborted",
              0,
              "bolt",
              {},
              {
                stream_filters: [{ type: "fault", config: { abort: { status: 403, percentage: 100 } } }],
              },
            ),
            proxy("guarded", 0, "bolt", {}, { stream_filters: [{ type: "rbac", config: { rules: {} } }] }),
            {
              name: "tcp",
              address: "127.0.0.1:0",
              bind_port: true,
              filter_chains: [{ filters: [{ type: "tcp_proxy", config: { routes: [{ cluster: "unix" }] } }] }],
            },
            {
              name: "udp",
              address: `127.0.0.1:${udpPort}`,
              bind_port: true,
              network: "udp",
              filter_chains: [{ filters: [{ type: "udp_proxy", config: { cluster: "udp" } }] }],
            },
          ],
        },
      ],
      cluster_manager: {
        clusters: [
          cluster("ingress", ingress),
          cluster("bolt", services.get("bolt") ?? 0),
          cluster("dubbo", `localhost:${services.get("dubbo")}`),
          cluster("secure", secure, { tls_context: { ...client, server_name: "localhost" } }),
          cluster("http", services.get("http") ?? 0),
          cluster("grpc", services.get("grpc") ?? 0),
          cluster("unix", `unix:${socket}`),
          cluster("udp", echoPort),
        ],
      },
    };
    const { bootstrap } = convert(JSON.stringify(mosn), "mosn.json", { module: build() });
    const admin = bootstrap.admin as { address: { socket_address: { port_value: number } } };
    admin.address.socket_address.port_value = 0;
    return runEnvoy(scope, bootstrap as unknown as Bootstrap, {});
  }

  const port = (name: string) => envoy.ports.get(name) ?? 0;

  it("SOFARPC goes through egress and ingress", async (t) => {
    const client = await boltClient(port("egress"));
    t.after(() => client.close());
    assert.deepEqual((await client.call(1).invoke()).result, "Hello, caller 1!");
  });

  it("Dubbo goes to a host that is found by name", async (t) => {
    const client = await dubboClient(port("dubbo"));
    t.after(() => client.close());
    assert.deepEqual((await client.call(2).invoke()).result, "Hello, caller 2!");
  });

  it("HTTP goes through mutual TLS", async (t) => {
    const client = await httpClient(port("web"));
    t.after(() => client.close());
    assert.deepEqual((await client.call(3).invoke()).result, "Hello, caller 3!");
  });

  it("routes answer by themselves; the case of a path does not count", async () => {
    assert.deepEqual(await statusOf(port("web"), "/direct"), { status: 201, body: "from the route" });
    assert.equal((await statusOf(port("web"), "/other")).status, 302);
  });

  it("Auto has RPC and gRPC on one port, each to its cluster", async (t) => {
    const bolt = await boltClient(port("rpc-or-web"));
    const grpc = await grpcClient(port("rpc-or-web"));
    t.after(() => Promise.all([bolt.close(), grpc.close()]));
    assert.equal((await bolt.call(4).invoke()).port, services.get("bolt"));
    assert.equal((await grpc.call(5).invoke()).port, services.get("grpc"));
  });

  it("stream filters work on HTTP and on RPC", async (t) => {
    assert.equal((await statusOf(port("closed"), "/hello/x")).status, 403);
    const client = await boltClient(port("aborted"));
    t.after(() => client.close());
    await assert.rejects(client.call(6).invoke());
    await untilStat(envoy, "wasmcustom.moe.bolt.local_replies", 1);
  });

  it("rbac keeps its rules: without policies nobody gets in", async (t) => {
    const client = await boltClient(port("guarded"));
    t.after(() => client.close());
    await assert.rejects(client.call(8).invoke());
    await untilStat(envoy, "wasmcustom.moe.filter.rbac.denied", 1);
  });

  it("TCP goes to a unix socket, UDP to a host", async (t) => {
    const socket = connect(port("tcp"), "127.0.0.1");
    t.after(() => socket.destroy());
    socket.write("hello");
    assert.equal(String((await once(socket, "data"))[0]), "hello");
    const udp = createSocket("udp4");
    t.after(() => udp.close());
    const answer = once(udp, "message");
    udp.send("hello", udpPort, "127.0.0.1");
    assert.equal(String((await answer)[0]), "echo hello");
  });
});
