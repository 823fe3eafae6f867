// What the tests of jwt_authn share: keys, a provider, and the filter on HTTP.
import { startHttp } from "./http-world.ts";
import { jwks, type Signer, signer, Verifier } from "./jwt-world.ts";
import type { Host } from "./kit/index.ts";

export const KEYS = Object.fromEntries(
  ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"].map((alg) => [alg, signer(alg, alg)]),
) as Record<string, Signer>;
export const RS = KEYS.RS256;
export const OTHER = signer("RS256", "other");
export const ISSUER = "https://example.com";
export const LOCAL = { local_jwks: { inline_string: jwks(...Object.values(KEYS)) } };
export const EVERYWHERE = { match: { prefix: "/" }, requires: { provider_name: "p" } };

/** The time that the host has, s. */
export const nowOf = (host: Host): number => Math.floor(host.clock.wallMs / 1000);

export interface Start {
  provider?: object;
  config?: object;
  more?: object[];
}

export interface Jwt {
  host: Host;
  verifier: Verifier;
  /** Claims that are good now, and others. */
  claims: (more?: object) => object;
  /** The status of a request with this token, or these headers. */
  ask: (token?: string | Record<string, string>, path?: string) => number | null;
  seen: () => Record<string, string>;
  counter: (name: string) => number;
}

export async function start({ provider = {}, config = {}, more = [] }: Start = {}): Promise<Jwt> {
  const providers = { p: { issuer: ISSUER, ...("remote_jwks" in provider ? {} : LOCAL), ...provider } };
  const host = await startHttp([{ type: "jwt_authn", config: { providers, rules: [EVERYWHERE], ...config } }, ...more]);
  const verifier = new Verifier();
  host.foreign.set("verify_signature", verifier.run);
  let seen: Record<string, string> = {};
  host.onRequest = (request) => {
    seen = Object.fromEntries(request.headers.entries);
    request.respond();
  };
  return {
    host,
    verifier,
    claims: (extra = {}) => ({ iss: ISSUER, sub: "adam", exp: nowOf(host) + 300, ...extra }),
    ask: (token, path = "/") => {
      const headers = typeof token === "string" ? { authorization: `Bearer ${token}` } : (token ?? {});
      return host.request({ headers, path }).status;
    },
    seen: () => seen,
    counter: (name) => {
      host.advance(1000);
      return host.metrics.counter(`moe.filter.jwt_authn.${name}`);
    },
  };
}
