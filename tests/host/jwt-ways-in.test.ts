// jwt_authn: what tries to get past it without a good token.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVERYWHERE, ISSUER, LOCAL, nowOf, OTHER, RS, start } from "./jwt-http-world.ts";
import { jwks, signer, tokenOf, Verifier } from "./jwt-world.ts";
import type { Callout } from "./kit/index.ts";
import { answers, call, world } from "./proxy-world.ts";

const two = signer("RS256", "two");
const q = { issuer: "q", from_headers: [{ name: "x-q" }], local_jwks: { inline_string: jwks(two) } };
const providers = { p: { issuer: ISSUER, ...LOCAL }, q };
const both = [{ provider_name: "p" }, { provider_name: "q" }];
const remote = () => ({
  remote_jwks: { http_uri: { uri: "https://keys.example/jwks.json", cluster: "keys", timeout: "0.5s" } },
});

describe("jwt_authn: requirements", () => {
  it("of groups: where the token may be missing, a bad one of a group is not missing", async () => {
    const all = { requires_all: { requirements: both } };
    for (const requirements of [
      [all, { allow_missing: {} }],
      [{ allow_missing: {} }, all],
    ]) {
      const { host, claims, ask } = await start({
        config: { providers, rules: [{ match: { prefix: "/" }, requires: { requires_any: { requirements } } }] },
      });
      const badq = { "x-q": tokenOf(OTHER, claims({ iss: "q" })) };
      const badp = { authorization: `Bearer ${tokenOf(OTHER, claims())}` };
      const good = { authorization: `Bearer ${tokenOf(RS, claims())}`, "x-q": tokenOf(two, claims({ iss: "q" })) };
      const got = [ask({}), ask(good), ask(badp), ask(badq), ask({ ...good, ...badq })];
      assert.deepEqual(got, [200, 200, 401, 401, 401]);
      host.close();
    }
  });

  it("of paths that servers read in different ways are not met by the reading that asks for nothing", async () => {
    const rules = [{ match: { prefix: "/open" } }, EVERYWHERE];
    const { host, ask, claims, counter } = await start({ config: { rules } });
    const clear = ["/open", "/open/x", "/open//x", "/open/./x", "/open/a%20b", "/open/a;v=1", "/x/../open/y%2fz"];
    assert.deepEqual(
      clear.map((path) => ask({}, path)),
      [200, 200, 200, 200, 200, 200, 401],
    );
    const odd = [
      "/admin/..%2fopen",
      "/admin/..%2Fopen/x",
      "/admin/%2e%2e%2fopen",
      "/open/..;/admin",
      "/open/..;a=b/admin",
      "/open\\..\\admin",
      "/open%5c..%5cadmin",
      "/open/a%2fb/../../../admin",
      "/admin/../open",
      "//open/admin",
    ];
    for (const path of odd) assert.equal(ask({}, path), 401, path);
    assert.equal(ask({}, "/open/../admin"), 401);
    assert.ok(counter("denied_undecided") >= 8);
    assert.equal(ask(tokenOf(RS, claims()), "/admin/a//b;c=1/%2e/x"), 200, "no rule sees a difference");
    host.close();
  });
});

describe("jwt_authn: keys of a server", () => {
  it("make very many that wait look rarely, and all go on when they are here", async () => {
    const { host, claims } = await start({ provider: remote() });
    const calls: Callout[] = [];
    host.callouts.onCallout = (one) => calls.push(one);
    const headers = { authorization: `Bearer ${tokenOf(RS, claims())}` };
    const exchanges = Array.from({ length: 1000 }, () => host.request({ headers }));
    host.advance(200);
    assert.equal(calls.length, 1);
    calls[0].respond({ body: jwks(RS) });
    host.advance(1000);
    assert.ok(exchanges.every(({ status }) => status === 200));
    host.close();
  });

  it("have an alg and a kid that are texts, and an exponent that is more than 1, or are left out", async () => {
    for (const wrong of [{ alg: 5 }, { kid: 5 }, { kid: null }, { e: "AAAB" }, { e: "AQ" }]) {
      const { host, claims } = await start({ provider: remote() });
      const keys = JSON.stringify({ keys: [{ ...RS.jwk, ...wrong }] });
      host.callouts.onCallout = (callout) => callout.respond({ body: keys });
      const exchange = host.request({ headers: { authorization: `Bearer ${tokenOf(RS, claims())}` } });
      host.advance(100);
      assert.equal(exchange.status, 401, JSON.stringify(wrong));
      host.close();
    }
  });
});

describe("jwt_authn on RPC", () => {
  it("lets no call pass that looks like a preflight of CORS", async () => {
    const config = {
      stream_filters: [
        {
          type: "jwt_authn",
          config: {
            providers: { p: { issuer: ISSUER, ...LOCAL } },
            rules: [EVERYWHERE],
            bypass_cors_preflight: true,
          },
        },
      ],
    };
    const { host, cluster, client } = await world(undefined, { config });
    const headers: [string, string][] = [
      ["service", "a"],
      ["sofa_head_method_name", "OPTIONS"],
      ["origin", "https://a"],
      ["access-control-request-method", "GET"],
    ];
    client.write(call(1, { headers }));
    host.advance(100);
    assert.equal(answers(client).length, 1);
    assert.equal(cluster.calls.length, 0);
    host.close();
  });

  it("refuses a call whose own claims cannot be taken away, because the frame has no room for the change", async () => {
    const p = {
      issuer: ISSUER,
      ...LOCAL,
      forward: true,
      claim_to_headers: [
        { header_name: "x-user", claim_name: "sub" },
        { header_name: "x-text", claim_name: "text" },
      ],
    };
    const config = { stream_filters: [{ type: "jwt_authn", config: { providers: { p }, rules: [EVERYWHERE] } }] };
    const { host, cluster, client } = await world(undefined, { config });
    host.foreign.set("verify_signature", new Verifier().run);
    const token = tokenOf(RS, { iss: ISSUER, sub: "eve", text: "x".repeat(8000), exp: nowOf(host) + 300 });
    const send = (id: number, room: number) => {
      client.write(
        call(id, {
          headers: [
            ["service", "a"],
            ["x-user", "admin"],
            ["authorization", `Bearer ${token}`],
            ["room", "x".repeat(room)],
          ],
        }),
      );
      host.advance(100);
    };
    send(1, 100);
    assert.equal(cluster.calls.length, 1);
    assert.deepEqual(
      cluster.calls[0].frame.headers.filter(([name]) => name === "x-user"),
      [["x-user", "eve"]],
    );
    send(2, 32000 - token.length);
    assert.equal(answers(client).length, 2);
    assert.equal(cluster.calls.length, 1, "it is not sent as it came");
    host.close();
  });
});
