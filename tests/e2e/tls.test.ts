// envoy/tls.yaml as shipped: TLS from the client and to the server.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type ConnectionOptions, type TlsOptions, TLSSocket } from "node:tls";
import { ensureCertificates } from "../../scripts/certs.ts";
import type { Bootstrap } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { makeAuthority, makeLeaf } from "../../scripts/lib/x509.ts";
import { type Answer, INTERFACE } from "../../scripts/samples/hello.ts";
import { startService } from "../../scripts/samples/services.ts";
import { tlsClient } from "../../scripts/samples/tls.ts";
import { BoltStatus, request } from "../host/kit/bolt.ts";
import { makeCalls, reasonOf } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy, type TestEnvoyOptions, untilHealthy } from "./kit/envoy.ts";
import { RawBoltServer } from "./kit/server.ts";
import { sofaConsumer } from "./kit/sofa.ts";

const { ca, server: serverCertificate, client: clientCertificate } = ensureCertificates();
const SERVER: TlsOptions = { ...serverCertificate, ca, requestCert: true, rejectUnauthorized: true };
const CLIENT: ConnectionOptions = { ca, servername: "localhost" };
const MIB = 1 << 20;

interface Validation {
  match_typed_subject_alt_names: { matcher: { exact: string } }[];
}

interface Setup {
  envoy: EnvoyProcess;
  server: RawBoltServer;
}

/** Envoy of tls.yaml in front of one server. */
async function start(t: TestContext, tls: TlsOptions | undefined, options: TestEnvoyOptions = {}): Promise<Setup> {
  const server = await RawBoltServer.start({ name: "secure", tls });
  t.after(() => server.close());
  const envoy = await startEnvoy(t, {
    base: "tls.yaml",
    config: null,
    clusters: { upstream: { hosts: [server.port] } },
    ...options,
  });
  return { envoy, server };
}

/** Has Envoy expect servers of another name. */
function expectName(bootstrap: Bootstrap, name: string): void {
  const [cluster] = bootstrap.static_resources.clusters as unknown as {
    transport_socket: { typed_config: { common_tls_context: { validation_context: Validation } } };
  }[];
  const { validation_context: validation } = cluster.transport_socket.typed_config.common_tls_context;
  for (const { matcher } of validation.match_typed_subject_alt_names) matcher.exact = name;
}

async function connectTls(t: TestContext, { envoy }: Setup, tls: ConnectionOptions = {}): Promise<RawBoltClient> {
  const client = await RawBoltClient.connect(envoy.port, { tls: { ...CLIENT, ...tls } });
  t.after(() => client.close());
  return client;
}

for (const concurrency of CONCURRENCIES) {
  describe(`TLS, ${concurrency} workers`, () => {
    it("SOFARPC calls reach both versions, health checked through TLS", async (t) => {
      const v1 = await startService({ protocol: "bolt", version: "v1", port: 0 }, true);
      const v2 = await startService({ protocol: "bolt", version: "v2", port: 0 }, true);
      t.after(() => Promise.all([v1.stop(), v2.stop()]));
      const checked = { healthCheckMs: 300, outliers: true };
      const envoy = await startEnvoy(t, {
        base: "tls.yaml",
        concurrency,
        clusters: {
          "hello-v1": { hosts: [v1.port], ...checked },
          "hello-v2": { hosts: [`localhost:${v2.port}`], dns: true, ...checked },
        },
      });
      await untilHealthy(envoy, "hello-v1", "hello-v2");

      const consumer = await sofaConsumer(t, INTERFACE, await tlsClient(envoy.port));
      const served: Record<string, number> = { v1: 0, v2: 0 };
      for (let i = 0; i < 100; i++) {
        const answer = (await consumer.invoke("plus", [i, 1])) as Answer;
        assert.equal(answer.result, i + 1);
        served[answer.version]++;
      }
      assert.ok(served.v1 > served.v2 && served.v2 > 0, JSON.stringify(served));
    });

    it("raw calls of all sizes; the server sees Envoy's certificate", async (t) => {
      const setup = await start(t, SERVER, { concurrency });
      const client = await connectTls(t, setup);
      const sizes = [0, 1, 100, 16_384, 100_000, MIB, 12 * MIB];
      const contents = sizes.map((size) => Buffer.alloc(size, `${size}.`));
      const answers = await makeCalls(client, sizes.length, (i) => ({ content: contents[i] }));
      answers.forEach(({ status, content }, i) => {
        assert.equal(status, BoltStatus.SUCCESS);
        assert.ok(content.equals(contents[i]), `${sizes[i]} bytes`);
      });
      const many = await makeCalls(client, 300, (i) => ({ content: `call ${i}` }), { from: 1000 });
      many.forEach(({ content }, i) => assert.equal(content.toString(), `call ${i}`));

      for (const { socket } of setup.server.open) {
        assert.ok(socket instanceof TLSSocket && socket.authorized);
        assert.equal(socket.getPeerCertificate().subject.CN, "moe-wasm client");
      }
      assert.ok((await setup.envoy.stat("cluster.upstream.ssl.handshake")) > 0);
    });

    it("servers that cannot be trusted: a readable error at once, a counter that says why, and no call reaches them", async (t) => {
      const names = { dns: ["localhost"], ips: ["127.0.0.1"] };
      const byStranger = makeLeaf(makeAuthority("somebody else"), { name: "localhost", ...names });
      const cases = [
        ["signed by another authority", { ...SERVER, ...byStranger }, "localhost", "ssl.fail_verify_error"],
        ["of another name", SERVER, "elsewhere.example", "ssl.fail_verify_san"],
        ["without TLS", undefined, "localhost", "upstream_cx_connect_fail"],
      ] as const;
      const checks = cases.map(async ([what, tls, expectedName, counter]) => {
        const setup = await start(t, tls, { concurrency, change: (bootstrap) => expectName(bootstrap, expectedName) });
        const client = await connectTls(t, setup);
        const answer = await client.call(1, { content: "secret" });
        assert.equal(answer.status, BoltStatus.NO_PROCESSOR, what);
        assert.match(reasonOf(answer), /^upstream connect error .*remote connection failure/, what);
        assert.ok((await setup.envoy.stat(`cluster.upstream.${counter}`)) > 0, what);
        assert.equal(setup.server.requests, 0, what);
        assert.equal(client.state, "open", what);
      });
      await Promise.all(checks);
    });

    it("clients without TLS are closed, clients are asked for a certificate where it is required", async (t) => {
      const setup = await start(t, SERVER, {
        concurrency,
        change: (_, listener) => {
          const [{ transport_socket: socket }] = listener.filter_chains as {
            transport_socket: { typed_config: { require_client_certificate: boolean } };
          }[];
          socket.typed_config.require_client_certificate = true;
        },
      });
      const plain = connect({ port: setup.envoy.port, host: "127.0.0.1" });
      const closed = new Promise((done) => plain.on("error", () => {}).once("close", done));
      plain.resume().write(request(1));
      await closed;

      // In TLS 1.3 the client is done before the server has seen that there is no certificate.
      const nameless = await connectTls(t, setup);
      await assert.rejects(nameless.call(1), /connection (closed|reset)/);
      assert.equal(setup.server.requests, 0);

      const known = await connectTls(t, setup, clientCertificate);
      assert.equal((await known.call(1, { content: "hi" })).content.toString(), "hi");
    });
  });
}
