// jwt_authn with real keys and signatures: what passes, what does not and why.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVERYWHERE, ISSUER, KEYS, LOCAL, nowOf, OTHER, RS, start } from "./jwt-http-world.ts";
import { jwks, signer, tokenOf } from "./jwt-world.ts";

describe("jwt_authn: signatures", () => {
  for (const [alg, by] of Object.entries(KEYS)) {
    it(`of ${alg}`, async () => {
      const { host, claims, ask, counter } = await start();
      const token = tokenOf(by, claims());
      assert.equal(ask(token), 200);
      const [head, body, signature] = token.split(".");
      const flipped = Buffer.from(signature, "base64url");
      flipped[5] ^= 1;
      assert.equal(ask(`${head}.${body}.${flipped.toString("base64url")}`), 401);
      const forged = Buffer.from(JSON.stringify(claims({ sub: "eve" }))).toString("base64url");
      assert.equal(ask(`${head}.${forged}.${signature}`), 401);
      assert.equal(ask(`${head}.${body}.`), 401);
      assert.equal(counter("denied_signature"), 3);
      host.close();
    });
  }

  it("of other algorithms than the key's, and of none at all, are not good", async () => {
    const { host, claims, ask, counter } = await start();
    for (const alg of ["none", "None", "", "HS256", "PS256", "EdDSA", "RS1"]) {
      assert.equal(ask(tokenOf(RS, claims(), { alg, kid: "RS256" })), 401, alg);
      assert.equal(ask(tokenOf(RS, claims(), { alg, kid: "RS256" }).replace(/[^.]*$/, "")), 401, alg);
    }
    assert.equal(counter("denied_algorithm"), 14);
    // A key of EC for a token that says RS256, and the other way round.
    assert.equal(ask(tokenOf(RS, claims(), { alg: "ES256", kid: "RS256" })), 401);
    assert.equal(ask(tokenOf(RS, claims(), { alg: "RS256", kid: "ES256" })), 401);
    assert.equal(ask(tokenOf(KEYS.ES256, claims(), { alg: "ES384", kid: "ES384" })), 401);
    assert.equal(ask(tokenOf(OTHER, claims())), 401);
    assert.equal(counter("denied_unknown_key"), 1);
    host.close();
  });

  it("by a key whose alg is another one are not good; without kid all keys are tried", async () => {
    const inline_string = JSON.stringify({ keys: [{ ...RS.jwk, alg: "RS512" }] });
    const strict = await start({ provider: { local_jwks: { inline_string } } });
    assert.equal(strict.ask(tokenOf(RS, strict.claims())), 401);
    strict.host.close();
    const { host, claims, ask } = await start();
    assert.equal(ask(tokenOf(KEYS.RS256, claims(), { alg: "RS256" })), 200);
    assert.equal(ask(tokenOf(OTHER, claims(), { alg: "RS256" })), 401);
    host.close();
  });

  it("are checked once for a token", async () => {
    const { host, claims, ask, verifier } = await start();
    const token = tokenOf(RS, claims());
    for (let i = 0; i < 5; i++) assert.equal(ask(token), 200);
    assert.equal(verifier.calls, 1);
    host.advance(361_000);
    assert.equal(ask(token), 401, "what is remembered expires");
    host.close();
  });
});

describe("jwt_authn: claims", () => {
  const cases: [what: string, claims: object | ((now: number) => object), reason: string | null, provider?: object][] =
    [
      ["another issuer", { iss: "https://evil.example" }, "issuer"],
      ["no issuer", { iss: undefined }, "issuer"],
      ["an issuer of the wrong type", { iss: 1 }, "malformed"],
      ["an hour ago", (now) => ({ exp: now - 3600 }), "expired"],
      ["within the skew", (now) => ({ exp: now - 30 }), null],
      ["at the end of the skew", (now) => ({ exp: now - 60 }), "expired"],
      ["a narrow skew", (now) => ({ exp: now - 30 }), "expired", { clock_skew_seconds: 10 }],
      ["a text for a time", { exp: "never" }, "malformed"],
      ["a negative time", { exp: -1 }, "malformed"],
      ["a time beyond all", { exp: 1e300 }, "malformed"],
      ["no end", { exp: undefined }, null],
      ["no end where there must be one", { exp: undefined }, "expired", { require_expiration: true }],
      ["too long a life", (now) => ({ iat: now, exp: now + 7200 }), "expired", { max_lifetime: "1h" }],
      ["not yet", (now) => ({ nbf: now + 3600 }), "not_yet_valid"],
      ["nearly", (now) => ({ nbf: now + 30 }), null],
      ["another audience", { aud: "b" }, "audience", { audiences: ["a"] }],
      ["no audience", {}, "audience", { audiences: ["a"] }],
      ["one of the audiences", { aud: ["b", "a"] }, null, { audiences: ["x", "a"] }],
      ["an audience of the wrong type", { aud: { a: 1 } }, "malformed"],
      ["audiences of the wrong type", { aud: ["a", 1] }, "malformed"],
    ];
  for (const [what, own, reason, provider] of cases) {
    it(what, async () => {
      const { host, claims, ask, counter } = await start({ provider });
      const status = ask(tokenOf(RS, claims(typeof own === "function" ? own(nowOf(host)) : own)));
      assert.equal(status, reason === null ? 200 : 401);
      if (reason !== null) assert.equal(counter(`denied_${reason}`), 1);
      host.close();
    });
  }

  it("of texts that are no good JSON", async () => {
    const { host, claims, ask, counter } = await start();
    const good = JSON.stringify(claims());
    const twice = good.replace("{", '{"sub":"eve",');
    const bad = [
      twice,
      good.slice(0, -1),
      "[]",
      "1",
      "",
      `${good}x`,
      good.replace("adam", "\\ud800"),
      `${"[".repeat(99)}`,
    ];
    for (const text of bad) assert.equal(ask(tokenOf(RS, text)), 401, text);
    const header = { alg: "RS256", kid: "RS256" };
    assert.equal(ask(tokenOf(RS, claims(), { ...header, crit: ["exp"] })), 401);
    assert.equal(ask(tokenOf(RS, claims(), { ...header, kid: 1 })), 401);
    assert.equal(ask(tokenOf(RS, claims(), '{"alg":"RS256","alg":"none"}')), 401);
    assert.equal(counter("denied_malformed"), bad.length + 3);
    host.close();
  });

  it("of a clock that is set back by an hour stay expired", async () => {
    const { host, claims, ask } = await start();
    const token = tokenOf(RS, claims());
    assert.equal(ask(token), 200);
    host.advance(400_000);
    assert.equal(ask(token), 401);
    host.clock.wallMs -= 3_600_000;
    assert.equal(ask(token), 401);
    assert.equal(ask(tokenOf(RS, claims({ nbf: nowOf(host) + 3600 }))), 401);
    host.close();
  });
});

describe("jwt_authn: where tokens are", () => {
  it("nowhere, twice, too long, in pieces", async () => {
    const { host, claims, ask, counter } = await start();
    const token = tokenOf(RS, claims());
    assert.equal(ask(), 401);
    assert.equal(ask({ authorization: `Basic ${token}` }), 401);
    assert.equal(counter("denied_missing"), 2);
    assert.equal(ask({ authorization: `Bearer ${token}` }, `/?access_token=${token}`), 200, "the same one twice");
    assert.equal(ask({ authorization: `Bearer ${token}` }, `/?access_token=${tokenOf(RS, claims({ a: 1 }))}`), 401);
    assert.equal(counter("denied_duplicate"), 1);
    assert.equal(ask(tokenOf(RS, claims({ x: "x".repeat(13_000) }))), 401);
    assert.equal(counter("denied_too_long"), 1);
    for (const bad of [
      `${token}.`,
      `${token}=`,
      token.replace(".", ""),
      `.${token}`,
      "..",
      "a.b.c",
      `${token} `,
      `${token}A`,
    ]) {
      assert.equal(ask(bad), 401, bad);
    }
    assert.ok(host.log.lines.some(({ text }) => /jwt_authn: client .*: denied: duplicate/.test(text)));
    host.close();
  });

  it("parameters, cookies and headers of one's own", async () => {
    const provider = {
      from_headers: [{ name: "x-token", value_prefix: "JWT " }],
      from_params: ["t"],
      from_cookies: ["c"],
    };
    const { host, claims, ask, seen } = await start({ provider });
    const token = tokenOf(RS, claims());
    assert.equal(ask({ "x-token": `JWT ${token}` }), 200);
    assert.equal("x-token" in seen(), false, "the server is not shown it");
    assert.equal(ask({}, `/?a=1&t=${token}`), 200);
    assert.equal(ask({ cookie: `a=b; c=${token}` }), 200);
    assert.equal(ask(token), 401);
    host.close();
  });
});

describe("jwt_authn: what servers and filters are told", () => {
  it("payload and claims, which clients cannot say themselves", async () => {
    const provider = {
      forward: true,
      forward_payload_header: "x-payload",
      payload_in_metadata: "payload",
      claim_to_headers: [
        { header_name: "x-sub", claim_name: "sub" },
        { header_name: "x-team", claim_name: "org.team" },
        { header_name: "x-roles", claim_name: "roles" },
        { header_name: "x-ok", claim_name: "ok" },
      ],
    };
    const principal = {
      metadata: {
        filter: "jwt_authn",
        path: [{ key: "payload" }, { key: "sub" }],
        value: { string_match: { exact: "adam" } },
      },
    };
    const rules = { policies: { adam: { permissions: [{ any: true }], principals: [principal] } } };
    const { host, claims, ask, seen } = await start({ provider, more: [{ type: "rbac", config: { rules } }] });
    const own = claims({ org: { team: "a" }, roles: ["x"], ok: true });
    const token = tokenOf(RS, own);
    assert.equal(ask({ authorization: `Bearer ${token}`, "x-sub": "eve", "x-payload": "x", "x-none": "1" }), 200);
    const { "x-sub": sub, "x-team": team, "x-roles": roles, "x-ok": ok, "x-payload": payload, authorization } = seen();
    assert.deepEqual([sub, team, ok, authorization], ["adam", "a", "true", `Bearer ${token}`]);
    assert.equal(Buffer.from(roles, "base64url").toString(), '["x"]');
    assert.deepEqual(JSON.parse(Buffer.from(payload, "base64url").toString()), own);
    assert.equal(ask(tokenOf(RS, claims({ sub: "eve" }))), 403, "rbac goes by the claims");
    host.close();
  });

  it("claims of a client's own are taken away where no token is needed, too", async () => {
    const provider = { claim_to_headers: [{ header_name: "x-sub", claim_name: "sub" }] };
    const { host, ask, seen } = await start({ provider, config: { rules: [{ match: { prefix: "/" } }] } });
    assert.equal(ask({ "x-sub": "admin" }), 200);
    assert.equal("x-sub" in seen(), false);
    host.close();
  });
});

describe("jwt_authn: requirements", () => {
  const two = signer("RS256", "two");
  const q = { issuer: "q", from_headers: [{ name: "x-q" }], local_jwks: { inline_string: jwks(two) } };
  const providers = { p: { issuer: ISSUER, ...LOCAL }, q };
  const both = [{ provider_name: "p" }, { provider_name: "q" }];
  const cases: [name: string, requires: object, expected: Record<string, number>][] = [
    ["any", { requires_any: { requirements: both } }, { p: 200, q: 200, both: 200, none: 401, badp: 401 }],
    ["all", { requires_all: { requirements: both } }, { p: 401, q: 401, both: 200, none: 401, badp: 401 }],
    ["one may be missing", { allow_missing: {} }, { p: 200, q: 200, both: 200, none: 200, badp: 401 }],
    ["it may fail", { allow_missing_or_failed: {} }, { p: 200, q: 200, both: 200, none: 200, badp: 200 }],
    [
      "that one, or none",
      { requires_any: { requirements: [{ provider_name: "p" }, { allow_missing: {} }] } },
      { p: 200, q: 200, both: 200, none: 200, badp: 401 },
    ],
    [
      "with an audience",
      { provider_and_audiences: { provider_name: "p", audiences: ["a"] } },
      { p: 401, q: 401, both: 401, none: 401, badp: 401 },
    ],
  ];
  for (const [name, requires, expected] of cases) {
    it(name, async () => {
      const { host, claims, ask } = await start({
        config: { providers, rules: [{ match: { prefix: "/" }, requires }] },
      });
      const p = { authorization: `Bearer ${tokenOf(RS, claims())}` };
      const withQ = { "x-q": tokenOf(two, claims({ iss: "q" })) };
      const badp = { authorization: `Bearer ${tokenOf(OTHER, claims())}` };
      const got = { p: ask(p), q: ask(withQ), both: ask({ ...p, ...withQ }), none: ask({}), badp: ask(badp) };
      assert.deepEqual(got, expected);
      host.close();
    });
  }

  it("go by path and headers; the first rule counts", async () => {
    const rules = [
      { match: { path: "/open" } },
      { match: { path_separated_prefix: "/health", case_sensitive: false } },
      { match: { prefix: "/", headers: [{ name: "x-internal", exact_match: "1" }] } },
      { match: { safe_regex: { regex: "/v\\d+/.*" } }, requirement_name: "named" },
      EVERYWHERE,
    ];
    const requirement_map = { named: { allow_missing_or_failed: {} } };
    const { host, ask } = await start({ config: { rules, requirement_map, bypass_cors_preflight: true } });
    const paths = ["/open", "/open/x", "/Health/live", "/healthy", "/v1/x", "/v1", "/open?x=1"];
    assert.deepEqual(
      paths.map((path) => ask({}, path)),
      [200, 401, 200, 401, 200, 401, 200],
    );
    assert.equal(ask({ "x-internal": "1" }), 200);
    const preflight = { ":method": "OPTIONS", origin: "https://a", "access-control-request-method": "GET" };
    assert.equal(host.request({ headers: preflight, method: "OPTIONS" }).status, 200);
    host.close();
  });
});
