// jwt_authn on RPC: tokens in headers of Bolt, routes by what they say, and configurations that are refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVERYWHERE, ISSUER, LOCAL, nowOf, RS } from "./jwt-http-world.ts";
import { tokenOf, Verifier } from "./jwt-world.ts";
import * as bolt from "./kit/bolt.ts";
import { Host } from "./kit/index.ts";
import { answers, call, module, world } from "./proxy-world.ts";

describe("jwt_authn on RPC", () => {
  it("finds tokens in headers of Bolt, and denies with the protocol's own error", async () => {
    const config = {
      stream_filters: [
        { type: "jwt_authn", config: { providers: { p: { issuer: ISSUER, ...LOCAL } }, rules: [EVERYWHERE] } },
      ],
    };
    const { host, cluster, client } = await world(undefined, { config });
    host.foreign.set("verify_signature", new Verifier().run);
    const token = tokenOf(RS, { iss: ISSUER, exp: nowOf(host) + 300 });
    const headers = (more: [string, string][]): [string, string][] => [["service", "a"], ...more];
    client.write(call(1, { headers: headers([["Authorization", `Bearer ${token}`]]) }));
    client.write(call(2, { headers: headers([["authorization", `Bearer ${token}`]]) }));
    client.write(call(3, { headers: headers([["authorization", `Bearer ${token}x`]]) }));
    client.write(call(4, { headers: headers([]) }));
    host.advance(100);
    const status = new Map(answers(client).map((frame) => [frame.id, frame.status]));
    assert.deepEqual(
      [1, 2].map((id) => status.get(id)),
      [bolt.BoltStatus.SUCCESS, bolt.BoltStatus.SUCCESS],
    );
    assert.ok([3, 4].every((id) => status.has(id) && status.get(id) !== bolt.BoltStatus.SUCCESS));
    assert.equal(cluster.calls.length, 2);
    host.close();
  });

  it("routes go by what a token says, as a variable and in a header's value", async () => {
    const p = { issuer: ISSUER, ...LOCAL, payload_in_metadata: "claims" };
    const routers = [
      {
        match: { variables: [{ name: "jwt_authn.claims", regex: '"sub":"adam"' }] },
        route: {
          cluster_name: "adams",
          request_headers_to_add: [{ header: { key: "claims", value: "%jwt_authn.claims%" } }],
        },
      },
      { match: {}, route: { cluster_name: "others" } },
    ];
    const config = {
      stream_filters: [{ type: "jwt_authn", config: { providers: { p }, rules: [EVERYWHERE] } }],
      router: { virtual_hosts: [{ domains: ["*"], routers }] },
    };
    const { host, cluster, client } = await world(undefined, { config });
    host.foreign.set("verify_signature", new Verifier().run);
    const send = (id: number, sub: string) => {
      const token = tokenOf(RS, { iss: ISSUER, sub, exp: nowOf(host) + 300 });
      client.write(
        call(id, {
          headers: [
            ["service", "a"],
            ["authorization", `Bearer ${token}`],
          ],
        }),
      );
    };
    send(1, "adam");
    send(2, "eve");
    host.advance(100);
    assert.equal(answers(client).length, 2);
    const got = cluster.calls.map(({ stream, frame }) => [
      stream.headers["x-moe-cluster"],
      JSON.stringify(frame.headers).includes("sub"),
    ]);
    assert.deepEqual(got, [
      ["adams", true],
      ["others", false],
    ]);
    host.close();
  });

  it("is refused at load where a key, a place or a name cannot be", async () => {
    const load = async (provider: object, config: object = {}) => {
      const all = { stream_filters: [{ type: "jwt_authn", config: { providers: { p: provider }, ...config } }] };
      const error: unknown = await Host.start({ module, config: all }).catch((error: unknown) => error);
      return error instanceof Error ? error.message : "";
    };
    assert.match(await load({ local_jwks: { filename: "x" } }), /local_jwks\.filename: a module cannot read files/);
    const okp = { keys: [{ kty: "OKP", crv: "Ed25519", x: "AA" }] };
    assert.match(
      await load({ local_jwks: { inline_string: JSON.stringify(okp) } }),
      /keys of type "OKP" cannot be used here/,
    );
    const ps = { keys: [{ ...RS.jwk, alg: "PS256" }] };
    assert.match(
      await load({ local_jwks: { inline_string: JSON.stringify(ps) } }),
      /algorithm "PS256" cannot be used here/,
    );
    assert.match(await load({ ...LOCAL, from_params: ["t"] }), /from_params: RPC has headers only/);
    assert.match(
      await load(LOCAL, { rules: [{ match: { prefix: "/" }, requires: { provider_name: "q" } }] }),
      /providers has no such name/,
    );
  });
});
