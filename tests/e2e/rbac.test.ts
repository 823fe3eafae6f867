// rbac where rows of tests/vectors cannot say it: certificates, names of calls, the server's address, on both roots.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { ensureCertificates } from "../../scripts/certs.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { makeAuthority, makeLeaf } from "../../scripts/lib/x509.ts";
import { BoltStatus } from "../host/kit/bolt.ts";
import { RawBoltClient } from "./kit/client.ts";
import { startEnvoy, untilStat } from "./kit/envoy.ts";
import { RawBoltServer } from "./kit/server.ts";

const authority = makeAuthority("callers");
const leaf = (options: Omit<Parameters<typeof makeLeaf>[1], "name">, name = "somebody") =>
  makeLeaf(authority, { name, ...options });
const ADAM = leaf({ uris: ["spiffe://example/sa/adam", "spiffe://example/sa/other"], dns: ["eve.example"] });
const EVE = leaf({ uris: ["spiffe://example/sa/eve"] });
const BY_DNS = leaf({ dns: ["adam.example"] });
const BY_SUBJECT = leaf({}, "adam");

/** Has Envoy take certificates of `authority`, or none. */
function trust(listener: { filter_chains: unknown }): void {
  const [{ transport_socket: socket }] = listener.filter_chains as {
    transport_socket: { typed_config: { common_tls_context: { validation_context: object } } };
  }[];
  socket.typed_config.common_tls_context.validation_context = { trusted_ca: { inline_string: authority.cert } };
}

async function start(t: TestContext, rules: object): Promise<EnvoyProcess> {
  const server = await RawBoltServer.start({ name: "orders" });
  t.after(() => server.close());
  return await startEnvoy(t, {
    base: "tls.yaml",
    config: { stream_filters: [{ type: "rbac", config: { rules } }] },
    clusters: { upstream: { hosts: [server.port], fields: { transport_socket: undefined } } },
    change: (_, listener) => trust(listener as unknown as { filter_chains: unknown }),
  });
}

async function call(t: TestContext, envoy: EnvoyProcess, tls: ConnectionOptions): Promise<number> {
  const client = await RawBoltClient.connect(envoy.port, {
    tls: { ca: ensureCertificates().ca, servername: "localhost", ...tls },
  });
  t.after(() => client.close());
  return (await client.call(1, { content: "hi" })).status;
}

const named = (name: string) => ({ authenticated: { principal_name: { exact: name } } });
const only = (...principals: object[]) => ({ policies: { p: { permissions: [{ any: true }], principals } } });

describe("rbac and certificates", () => {
  it("go by the first URI, or else the first DNS name, or else the subject", async (t) => {
    const envoy = await start(t, only(named("spiffe://example/sa/adam"), named("adam.example"), named("CN=adam")));
    for (const [who, expected] of [
      [ADAM, BoltStatus.SUCCESS],
      [BY_DNS, BoltStatus.SUCCESS],
      [BY_SUBJECT, BoltStatus.SUCCESS],
      [EVE, BoltStatus.SERVER_EXCEPTION],
      [{}, BoltStatus.SERVER_EXCEPTION],
    ] as const) {
      const status = await call(t, envoy, who);
      if (expected === BoltStatus.SUCCESS) assert.equal(status, expected);
      else assert.notEqual(status, BoltStatus.SUCCESS);
    }
    await untilStat(envoy, "wasmcustom.moe.filter.rbac.denied", 2);
    await untilStat(envoy, "wasmcustom.moe.filter.rbac.policy.p.of.rules.hits", 3);
    // The client without a certificate may be anybody.
    await untilStat(envoy, "wasmcustom.moe.filter.rbac.failures", 1);
  });

  it("deny names that a client without a certificate may have, and any certificate does where no name is asked for", async (t) => {
    const envoy = await start(t, { action: "DENY", ...only(named("spiffe://example/sa/eve")) });
    assert.equal(await call(t, envoy, ADAM), BoltStatus.SUCCESS);
    assert.notEqual(await call(t, envoy, EVE), BoltStatus.SUCCESS);
    assert.notEqual(await call(t, envoy, {}), BoltStatus.SUCCESS);
    const any = await start(t, only({ authenticated: {} }));
    assert.equal(await call(t, any, EVE), BoltStatus.SUCCESS);
    assert.notEqual(await call(t, any, {}), BoltStatus.SUCCESS);
  });

  it("know the server name and the address that the client asked for", async (t) => {
    const permissions = [
      {
        and_rules: {
          rules: [
            { requested_server_name: { exact: "localhost" } },
            { destination_ip: { address_prefix: "127.0.0.0", prefix_len: 8 } },
            { not_rule: { destination_port: 1 } },
            { url_path: { path: { prefix: "/" } } },
          ],
        },
      },
    ];
    const envoy = await start(t, { policies: { p: { permissions, principals: [{ any: true }] } } });
    assert.equal(await call(t, envoy, {}), BoltStatus.SUCCESS);
    assert.notEqual(await call(t, envoy, { servername: "" }), BoltStatus.SUCCESS);
  });
});
