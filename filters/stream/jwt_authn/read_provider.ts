// Reads `providers`: Envoy's JwtProvider (extensions/filters/http/jwt_authn/v3/config.proto).
import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { oneOf, protoFields } from "../../../assembly/config/proto_fields";
import { KeySet } from "./jwk";
import { KeySource, RemoteKeys } from "./key_source";
import { Location } from "./location";
import { ClaimHeader, Output } from "./output";
import { Demands, Provider } from "./provider";

const MAX_TIMEOUT_MS: i64 = 30000;
const DEFAULT_TIMEOUT_MS: i64 = 1000;
/** Times that keys are good, ms. */
const MIN_CACHE_MS: i64 = 1000;
const MAX_CACHE_MS: i64 = 86400000;
const DEFAULT_CACHE_MS: i64 = 600000;
const MAX_RETRY_MS: i64 = 600000;
const DEFAULT_RETRY_MS: i64 = 1000;
const MAX_SECONDS: i64 = 31536000;
const DEFAULT_SKEW: i64 = 60;
const MAX_CACHE: i64 = 10000;
const DEFAULT_CACHE: i64 = 100;
/** Places where one provider's tokens may be. */
const MAX_LOCATIONS: i32 = 16;

const SOURCES: string[] = ["local_jwks", "remote_jwks"];

/**
 * Reads one.
 * @param http whether it is for requests of HTTP
 */
export function readProvider(name: string, from: ObjectReader, http: bool): Provider {
  protoFields(from);
  const demands = readDemands(from);
  const source = oneOf(from, SOURCES);
  const keys = source == "remote_jwks" ? readRemote(from.object(source)) : null;
  const set = source == "local_jwks" ? readLocal(from.object(source)) : null;
  const locations = readLocations(from, http);
  const output = readOutput(from);
  // Envoy's default: the server is not shown the token.
  output.forwards = from.bool("forward", false);
  const size = readCacheSize(from);
  from.finish();
  return new Provider(name, demands, new KeySource(name, set, keys), locations, output, size as i32);
}

function readDemands(from: ObjectReader): Demands {
  const demands = new Demands();
  demands.issuer = from.string("issuer");
  demands.audiences = from.strings("audiences");
  demands.skew = from.integer("clock_skew_seconds", DEFAULT_SKEW, 0, MAX_SECONDS);
  demands.needsExpiration = from.bool("require_expiration", false);
  demands.maxLifetime = from.milliseconds("max_lifetime", 0, 1000, MAX_SECONDS * 1000) / 1000;
  return demands;
}

function readLocal(from: ObjectReader): KeySet | null {
  protoFields(from);
  if (from.has("filename")) from.fail("filename", "a module cannot read files; put the keys in inline_string");
  const text = Bytes.of(from.required("inline_string"));
  from.finish();
  if (text.length == 0) return null;
  const set = KeySet.parse(text.ptr, text.length);
  // Of a configuration all keys are to be good ones.
  if (set.fault.length > 0) from.fail("inline_string", set.fault);
  return set;
}

function readRemote(from: ObjectReader): RemoteKeys {
  protoFields(from);
  const uri = protoFields(from.object("http_uri"));
  const text = uri.required("uri");
  const cluster = uri.required("cluster");
  const timeout = uri.milliseconds("timeout", DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS);
  uri.finish();
  const scheme = text.indexOf("://");
  const rest = scheme >= 0 ? text.substring(scheme + 3) : text;
  const slash = rest.indexOf("/");
  const authority = slash >= 0 ? rest.substring(0, slash) : rest;
  const path = slash >= 0 ? rest.substring(slash) : "/";
  if (text.length > 0 && authority.length == 0)
    uri.fail("uri", 'expected a URI such as "https://example.com/jwks.json"');
  const cache = from.milliseconds("cache_duration", DEFAULT_CACHE_MS, MIN_CACHE_MS, MAX_CACHE_MS);
  const fetch = protoFields(from.object("async_fetch"));
  // Keys are fetched when they are needed: there is nothing that a listener could wait for.
  fetch.bool("fast_listener", false);
  const retry = fetch.milliseconds("failed_refetch_duration", DEFAULT_RETRY_MS, 1, MAX_RETRY_MS);
  fetch.finish();
  from.finish();
  return new RemoteKeys(Bytes.of(cluster), Bytes.of(authority), Bytes.of(path), timeout as i32, cache, retry);
}

function header(name: string, prefix: string): Location {
  return new Location(Bytes.of(name), Bytes.of(prefix), Bytes.EMPTY);
}

function readLocations(from: ObjectReader, http: bool): Location[] {
  const out: Location[] = [];
  const headers = from.objects("from_headers");
  for (let i = 0; i < headers.length; i++) {
    const one = protoFields(headers[i]);
    out.push(header(one.required("name"), one.string("value_prefix")));
    one.finish();
  }
  addVariables(from, "from_params", "Http1_request_arg_", http, out);
  addVariables(from, "from_cookies", "Http1_cookie_", http, out);
  if (out.length > MAX_LOCATIONS) from.failHere(`more than ${MAX_LOCATIONS} places for tokens`);
  if (out.length > 0) return out;
  if (http) out.push(new Location(Bytes.EMPTY, Bytes.EMPTY, Bytes.of("Http1_request_arg_access_token")));
  // RPC has headers with their case, and clients that write either.
  else out.push(header("authorization", "Bearer "));
  out.push(header("Authorization", "Bearer "));
  return out;
}

function addVariables(from: ObjectReader, field: string, prefix: string, http: bool, to: Location[]): void {
  const names = from.strings(field);
  if (names.length > 0 && !http) from.fail(field, "RPC has headers only; use from_headers");
  for (let i = 0; i < names.length; i++) {
    to.push(new Location(Bytes.EMPTY, Bytes.EMPTY, Bytes.of(prefix + names[i])));
  }
}

function readOutput(from: ObjectReader): Output {
  const output = new Output();
  output.payloadHeader = from.bytes("forward_payload_header");
  output.pads = from.bool("pad_forward_payload_header", false);
  output.payloadVariable = variableOf(from.string("payload_in_metadata"));
  output.headerVariable = variableOf(from.string("header_in_metadata"));
  const claims = from.objects("claim_to_headers");
  for (let i = 0; i < claims.length; i++) {
    const one = protoFields(claims[i]);
    const name = one.required("header_name");
    const path = one.required("claim_name").split(".");
    const names: Bytes[] = [];
    for (let j = 0; j < path.length; j++) names.push(Bytes.of(path[j]));
    output.claims.push(new ClaimHeader(Bytes.of(name), names));
    one.finish();
  }
  return output;
}

function variableOf(key: string): Bytes {
  return key.length > 0 ? Bytes.of("jwt_authn." + key) : Bytes.EMPTY;
}

function readCacheSize(from: ObjectReader): i64 {
  const cache = protoFields(from.object("jwt_cache_config"));
  const size = cache.integer("jwt_cache_size", DEFAULT_CACHE, 0, MAX_CACHE);
  cache.finish();
  return size;
}
