// jwt_authn on Envoy: its verify_signature with all algorithms, keys of a server through a cluster, on Bolt and on HTTP.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { BoltStatus } from "../host/kit/bolt.ts";
import { jwks, signer, tokenOf } from "../host/jwt-world.ts";
import { RawBoltClient } from "./kit/client.ts";
import { startEnvoy, untilStat } from "./kit/envoy.ts";
import { RawBoltServer } from "./kit/server.ts";

const ISSUER = "https://example.com";
const SIGNERS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"].map((alg) => signer(alg, alg));
const NEW = signer("RS256", "new");
const claims = (more: object = {}) => ({ iss: ISSUER, sub: "adam", exp: Math.floor(Date.now() / 1000) + 300, ...more });
const RULES = [{ match: { prefix: "/" }, requires: { provider_name: "p" } }];

describe("jwt_authn on Bolt", () => {
  it("all algorithms, by keys of a server that change", async (t) => {
    let set = jwks(...SIGNERS);
    let asked = 0;
    const keys = createServer((_, response) => {
      asked++;
      response.end(set);
    }).listen(0, "127.0.0.1");
    t.after(() => keys.close());
    await new Promise((done) => keys.once("listening", done));
    const server = await RawBoltServer.start({ name: "orders" });
    t.after(() => server.close());
    const remote_jwks = { http_uri: { uri: "https://keys.example/jwks.json", cluster: "keys", timeout: "5s" } };
    const providers = {
      p: { issuer: ISSUER, remote_jwks, claim_to_headers: [{ header_name: "user", claim_name: "sub" }] },
    };
    const envoy = await startEnvoy(t, {
      config: { stream_filters: [{ type: "jwt_authn", config: { providers, rules: RULES } }] },
      clusters: {
        upstream: { hosts: [server.port] },
        keys: { hosts: [(keys.address() as AddressInfo).port] },
      },
    });
    const client = await RawBoltClient.connect(envoy.port);
    t.after(() => client.close());
    let id = 0;
    const call = async (token: string): Promise<boolean> => {
      const headers: [string, string][] = [["Authorization", `Bearer ${token}`]];
      return (await client.call(++id, { headers, content: "hi" })).status === BoltStatus.SUCCESS;
    };
    // Of a first burst one call fetches the keys.
    const burst = await Promise.all(SIGNERS.map((by) => call(tokenOf(by, claims()))));
    assert.deepEqual(
      burst,
      SIGNERS.map(() => true),
    );
    assert.equal(asked, 1);
    for (const by of SIGNERS) {
      const [head, , signature] = tokenOf(by, claims()).split(".");
      const forged = Buffer.from(JSON.stringify(claims({ sub: "eve" }))).toString("base64url");
      assert.equal(await call(`${head}.${forged}.${signature}`), false, by.alg);
    }
    await untilStat(envoy, "wasmcustom.moe.filter.jwt_authn.denied_signature", SIGNERS.length);
    assert.equal(await call(tokenOf(NEW, claims())), false, "too early to ask again, or not there");
    set = jwks(NEW, ...SIGNERS);
    const until = Date.now() + 20_000;
    while (!(await call(tokenOf(NEW, claims()))) && Date.now() < until)
      await new Promise((done) => setTimeout(done, 200));
    assert.equal(await call(tokenOf(NEW, claims())), true, "the new key is found");
  });

  it("a server of keys that is not there denies", async (t) => {
    const server = await RawBoltServer.start({ name: "orders" });
    t.after(() => server.close());
    const remote_jwks = { http_uri: { uri: "https://keys.example/jwks.json", cluster: "nobody" } };
    const envoy = await startEnvoy(t, {
      config: { stream_filters: [{ type: "jwt_authn", config: { providers: { p: { remote_jwks } }, rules: RULES } }] },
      clusters: { upstream: { hosts: [server.port] } },
    });
    const client = await RawBoltClient.connect(envoy.port);
    t.after(() => client.close());
    const headers: [string, string][] = [["authorization", `Bearer ${tokenOf(NEW, claims())}`]];
    assert.notEqual((await client.call(1, { headers })).status, BoltStatus.SUCCESS);
    assert.equal(server.requests, 0);
    await untilStat(envoy, "wasmcustom.moe.filter.jwt_authn.denied_no_keys", 1);
  });
});
