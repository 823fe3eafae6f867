// The bounds of jwt_authn at their edges.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startHttp } from "./http-world.ts";
import { jwks, type Signer, signer, tokenOf, Verifier } from "./jwt-world.ts";
import { Host } from "./kit/index.ts";
import { module } from "./proxy-world.ts";

const EC = signer("ES256", "ec");
const remote = (cluster: string) => ({
  http_uri: { uri: `https://${cluster}.example/jwks.json`, cluster, timeout: "0.5s" },
});
const local = (text: string) => ({ local_jwks: { inline_string: text } });
/** A set of so many keys without a `kid`, of which the last is this one's. */
const nameless = (count: number, last: Signer): string => {
  const keys = Array.from({ length: count }, (_, i) => (i === count - 1 ? last : signer("ES256", ""))).map(
    ({ jwk }) => ({ ...jwk, kid: undefined }),
  );
  return JSON.stringify({ keys });
};

interface Jwt {
  host: Host;
  verifier: Verifier;
  ask: (headers: Record<string, string>) => number | null;
  /** A good token, with these claims. */
  token: (more?: object, header?: object) => string;
}

async function start(providers: Record<string, object>): Promise<Jwt> {
  const names = Object.keys(providers);
  const requirements = names.map((provider_name) => ({ provider_name }));
  const requires = names.length > 1 ? { requires_all: { requirements } } : requirements[0];
  const host = await startHttp([
    { type: "jwt_authn", config: { providers, rules: [{ match: { prefix: "/" }, requires }] } },
  ]);
  const verifier = new Verifier();
  host.foreign.set("verify_signature", verifier.run);
  host.onRequest = (request) => {
    request.respond();
  };
  const exp = Math.floor(host.clock.wallMs / 1000) + 3000;
  return {
    host,
    verifier,
    ask: (headers) => {
      const exchange = host.request({ headers });
      host.advance(100);
      return exchange.status;
    },
    token: (more = {}, header) => tokenOf(EC, { exp, ...more }, header),
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A token of so many bytes; each byte of the header or the claims makes 4/3 of one. */
function sized(token: Jwt["token"], length: number): string {
  for (const kid of ["", "x", "xx", "xxx"]) {
    const header = { alg: "ES256", x: kid };
    for (let more = Math.max(0, Math.floor(((length - token({ a: "" }, header).length) * 3) / 4) - 3); ; more++) {
      const text = token({ a: "x".repeat(more) }, header);
      if (text.length === length) return text;
      if (text.length > length) break;
    }
  }
  throw new Error(`no token of ${length} bytes`);
}

/** What a module says that is started with this provider. */
async function load(provider: object): Promise<string> {
  const config = { stream_filters: [{ type: "jwt_authn", config: { providers: { p: provider } } }] };
  const started = await Host.start({ module, config }).catch((error: unknown) => error);
  if (started instanceof Host) started.close();
  return started instanceof Error ? started.message : "";
}

describe("jwt_authn: bounds of tokens", () => {
  it("one of 16,384 bytes is read, one of a byte more is too long", async () => {
    const { host, ask, token } = await start({ p: local(jwks(EC)) });
    assert.equal(ask(bearer(sized(token, 16384))), 200);
    assert.equal(ask(bearer(sized(token, 16385))), 401);
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.filter.jwt_authn.denied_too_long"), 1);
    host.close();
  });

  it("one of 4,096 bytes is verified once, a longer one each time", async () => {
    const { host, ask, token, verifier } = await start({ p: local(jwks(EC)) });
    const [kept, longer] = [sized(token, 4096), sized(token, 4097)];
    for (let i = 0; i < 3; i++) assert.equal(ask(bearer(kept)), 200);
    assert.equal(verifier.calls, 1);
    for (let i = 0; i < 3; i++) assert.equal(ask(bearer(longer)), 200);
    assert.equal(verifier.calls, 4);
    host.close();
  });

  it("jwt_cache_size of them; 10,000 is the largest size", async () => {
    const { host, ask, token, verifier } = await start({
      p: { ...local(jwks(EC)), jwt_cache_config: { jwt_cache_size: 1 } },
    });
    const two = [token({ sub: "a" }), token({ sub: "b" })];
    for (let i = 0; i < 6; i++) assert.equal(ask(bearer(two[i % 2])), 200);
    assert.equal(verifier.calls, 6);
    assert.equal(ask(bearer(two[1])), 200);
    assert.equal(verifier.calls, 6);
    host.close();
    assert.equal(await load({ ...local(jwks(EC)), jwt_cache_config: { jwt_cache_size: 10000 } }), "");
    assert.match(await load({ ...local(jwks(EC)), jwt_cache_config: { jwt_cache_size: 10001 } }), /jwt_cache_size/);
  });

  it("16 keys are tried where there is no kid, and no more", async () => {
    for (const [count, status] of [
      [16, 200],
      [17, 401],
    ]) {
      const { host, ask, token, verifier } = await start({ p: local(nameless(count, EC)) });
      assert.equal(ask(bearer(token({}, { alg: "ES256" }))), status);
      assert.equal(verifier.calls, 16);
      host.close();
    }
  });

  it("16 places are taken, one more is refused", async () => {
    const places = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `x-${i}` }));
    assert.equal(await load({ ...local(jwks(EC)), from_headers: places(16) }), "");
    assert.match(await load({ ...local(jwks(EC)), from_headers: places(17) }), /more than 16 places for tokens/);
  });
});

describe("jwt_authn: bounds of keys", () => {
  it("256 keys are taken, one more is refused", async () => {
    assert.equal(await load(local(jwks(...Array<Signer>(256).fill(EC)))), "");
    assert.match(await load(local(jwks(...Array<Signer>(257).fill(EC)))), /expected up to 256 keys/);
  });

  it("256 KiB of a server are taken, one more byte is refused", async () => {
    for (const [more, status] of [
      [0, 200],
      [1, 401],
    ]) {
      const { host, ask, token } = await start({ p: { remote_jwks: remote("keys") } });
      host.callouts.onCallout = (callout) => callout.respond({ body: jwks(EC).padEnd(256 * 1024 + more) });
      assert.equal(ask(bearer(token())), status);
      host.close();
    }
  });

  it("RSA keys of 2,048 to 8,192 bits are taken, others refused", async () => {
    const key = (bits: number) => {
      const n = Buffer.alloc(Math.ceil(bits / 8), 0xff);
      if (bits % 8 > 0) n[0] = (1 << (bits % 8)) - 1;
      return local(JSON.stringify({ keys: [{ kty: "RSA", n: n.toString("base64url"), e: "AQAB" }] }));
    };
    for (const bits of [2048, 8192]) assert.equal(await load(key(bits)), "", `${bits}`);
    for (const bits of [2047, 8193]) assert.match(await load(key(bits)), /not 2048 to 8192 bits/, `${bits}`);
  });

  it("keys of 4 servers are fetched for one request; with 5 it is denied, and the next one passes", async () => {
    for (const [count, statuses] of [
      [4, [200, 200]],
      [5, [401, 200]],
    ] as const) {
      const names = Array.from({ length: count }, (_, i) => `keys${i}`);
      const { host, ask, token } = await start(
        Object.fromEntries(names.map((name) => [name, { remote_jwks: remote(name) }])),
      );
      let calls = 0;
      host.callouts.onCallout = (callout) => {
        calls++;
        callout.respond({ body: jwks(EC) });
      };
      const headers = bearer(token());
      assert.equal(ask(headers), statuses[0]);
      assert.equal(calls, 4);
      assert.equal(ask(headers), statuses[1]);
      assert.equal(calls, count);
      host.close();
    }
  });
});
