// jwt_authn with keys that come from a server: when they are fetched, and how long they are good.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jwks, signer, tokenOf } from "./jwt-world.ts";
import { OTHER, RS, start } from "./jwt-http-world.ts";
import type { Callout } from "./kit/index.ts";

describe("jwt_authn: keys of a server", () => {
  const remote = (more: object = {}) => ({
    remote_jwks: { http_uri: { uri: "https://keys.example/jwks.json", cluster: "keys", timeout: "0.5s" }, ...more },
  });

  it("are fetched once, for all requests that wait", async () => {
    const { host, claims, counter } = await start({ provider: remote() });
    const calls: Callout[] = [];
    host.callouts.onCallout = (one) => calls.push(one);
    const token = tokenOf(RS, claims());
    const exchanges = Array.from({ length: 5 }, () => host.request({ headers: { authorization: `Bearer ${token}` } }));
    host.advance(100);
    assert.equal(calls.length, 1);
    assert.equal(calls[0].path, "/jwks.json");
    assert.equal(calls[0].sent.headers.get(":authority"), "keys.example");
    calls[0].respond({ body: jwks(RS) });
    host.advance(100);
    assert.deepEqual(
      exchanges.map(({ status }) => status),
      Array(5).fill(200),
    );
    assert.equal(counter("jwks_fetched"), 1);
    host.close();
  });

  const failures: [what: string, act: (callout: Callout) => void][] = [
    ["does not answer", () => {}],
    ["answers 500", (callout) => callout.respond({ status: 500, body: jwks(RS) })],
    ["breaks off", (callout) => callout.fail()],
    ["is not there", (callout) => callout.answerLocally(503, "no healthy upstream")],
    ["answers nonsense", (callout) => callout.respond({ body: "<html>" })],
    ["answers without end", (callout) => callout.respond({ body: "[".repeat(1 << 20) })],
    ["has keys twice", (callout) => callout.respond({ body: `{"keys":[],"keys":[]}` })],
    ["has no keys", (callout) => callout.respond({ body: `{"keys":[]}` })],
    ["has weak keys", (callout) => callout.respond({ body: `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}` })],
    [
      "has keys of the wrong types",
      (callout) => callout.respond({ body: `{"keys":[1,null,[],{"kty":1},{"kty":"EC","crv":"P-256","x":1}]}` }),
    ],
  ];
  for (const [what, act] of failures) {
    it(`are not here where the server ${what}: denied, within its time, and again at once`, async () => {
      const { host, claims, ask, counter } = await start({ provider: remote() });
      let calls = 0;
      host.callouts.onCallout = (callout) => {
        calls++;
        act(callout);
      };
      const token = tokenOf(RS, claims());
      const headers = { authorization: `Bearer ${token}` };
      const first = host.request({ headers });
      host.advance(600);
      assert.equal(first.status, 401);
      assert.equal(ask(token), 401);
      assert.equal(calls, 1, "nobody asks again at once");
      assert.ok(counter("denied_no_keys") === 2 && counter("jwks_failed") === 1 && counter("failures") === 2);
      // Once it is well again, so are the callers.
      host.callouts.onCallout = (callout) => callout.respond({ body: jwks(RS) });
      host.advance(1000);
      const later = host.request({ headers });
      host.advance(100);
      assert.equal(later.status, 200);
      host.close();
    });
  }

  it("are fetched anew for a kid that is not known, at a limited rate; those of before go on", async () => {
    const { host, claims } = await start({ provider: remote() });
    let keys = jwks(RS);
    let calls = 0;
    host.callouts.onCallout = (callout) => {
      calls++;
      callout.respond({ body: keys });
    };
    const ask = (token: string) => {
      const exchange = host.request({ headers: { authorization: `Bearer ${token}` } });
      host.advance(100);
      return exchange.status;
    };
    assert.equal(ask(tokenOf(RS, claims())), 200);
    host.advance(6000);
    keys = jwks(RS, OTHER);
    assert.equal(ask(tokenOf(OTHER, claims())), 200, "the new key is found");
    assert.equal(ask(tokenOf(RS, claims())), 200);
    for (let i = 0; i < 20; i++) assert.equal(ask(tokenOf(signer("ES256", `made up ${i}`), claims())), 401);
    assert.ok(calls <= 3, `${calls} callouts`);
    keys = jwks(OTHER);
    host.advance(500_000);
    assert.equal(ask(tokenOf(RS, claims())), 401, "a key that is gone is gone, remembered tokens too");
    host.close();
  });

  it("are good to their end while the server fails, and no longer", async () => {
    const { host, claims } = await start({ provider: remote({ cache_duration: "100s" }) });
    host.callouts.onCallout = (callout) => callout.respond({ body: jwks(RS) });
    const ask = () => {
      const exchange = host.request({ headers: { authorization: `Bearer ${tokenOf(RS, claims())}` } });
      host.advance(600);
      return exchange.status;
    };
    assert.equal(ask(), 200);
    host.callouts.onCallout = (callout) => callout.respond({ status: 503 });
    host.advance(80_000);
    assert.equal(ask(), 200);
    host.advance(30_000);
    assert.equal(ask(), 401);
    host.close();
  });

  it("do not stay away because the request that fetched them has gone", async () => {
    const { host, claims } = await start({ provider: remote() });
    const calls: Callout[] = [];
    host.callouts.onCallout = (one) => calls.push(one);
    const headers = { authorization: `Bearer ${tokenOf(RS, claims())}` };
    host.request({ headers }).cancel();
    const second = host.request({ headers });
    host.advance(50);
    assert.equal(calls.length, 2);
    calls[1].respond({ body: jwks(RS) });
    host.advance(100);
    assert.equal(second.status, 200);
    host.close();
  });

  it("are not fetched for tokens that are bad anyway", async () => {
    const { host, claims, ask } = await start({ provider: remote() });
    host.callouts.onCallout = () => assert.fail("a callout");
    assert.equal(ask(tokenOf(RS, claims({ iss: "x" }))), 401);
    assert.equal(ask(tokenOf(RS, claims({ exp: 1 }))), 401);
    assert.equal(ask("a.b.c"), 401);
    host.close();
  });
});
