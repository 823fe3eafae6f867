// Routes of a VirtualService as the module's routers.
import { durationOf, type Fields } from "./fields.ts";
import { readMatch, readTcpMatch } from "./match.ts";
import type { Resource } from "./documents.ts";
import { changesOf } from "./header_changes.ts";
import type { ClusterRule } from "./rules.ts";
import type { Options } from "./options.ts";
import { retryPolicy } from "./retries.ts";

type Out = Record<string, unknown>;

const HTTP_ONLY = "RPC carries neither path nor host to change";
/** Istio's own number where nothing is said of retries. */
const DEFAULT_RETRIES = 2;
/** Longest delay of the filter fault, milliseconds. */
const MAX_DELAY_MS = 600_000;

/** A cluster that a route goes to. */
export interface Target {
  name: string;
  rule: ClusterRule;
}

/** Where the routes of one host and port get their clusters, and note what they need. */
export interface Context {
  port: number;
  options: Options;
  /** The cluster of a destination; undefined where there is none, which is told. */
  target(destination: Fields, namespace: string): Target | undefined;
  /** Has the plugin run a filter. */
  needFilter(type: string): void;
}

/** All routes of a VirtualService for a port: its HTTP routes, then those for TCP. */
export function routersOf({ spec, namespace }: Resource, context: Context): Out[] {
  const http = spec.list("http");
  const routers = http.flatMap((route) => httpRoute(route, namespace, context));
  return [...routers, ...spec.list("tcp").flatMap((route) => tcpRoute(route, namespace, context))];
}

/** The route to a cluster that no VirtualService speaks of. */
export function plainRoute(target: Target): Out {
  return { route: { ...clusterRoute([{ target, weight: 1 }]), retry_policy: { num_retries: DEFAULT_RETRIES } } };
}

function httpRoute(from: Fields, namespace: string, context: Context): Out[] {
  from.skip("name");
  from.refuse(HTTP_ONLY, "rewrite", "redirect");
  from.refuse("has no meaning for RPC", "corsPolicy");
  from.refuse("write its routes here instead", "delegate");
  const listed = from.list("match");
  const read = listed.map((one) => readMatch(one, context.port, namespace, context.options));
  const matches = read.filter((match) => match !== undefined);
  // Of no concern here: its destinations need not be known.
  if (listed.length > 0 && matches.length === 0) return [];
  const rule = from.has("directResponse") ? directResponse(from) : forwarding(from, namespace, context);
  readFault(from, rule, context);
  from.finish();
  const all = listed.length === 0 ? [{}] : matches;
  return all.map((match) => (Object.keys(match).length > 0 ? { match, ...rule } : rule));
}

function directResponse(from: Fields): Out {
  const direct = from.child("directResponse");
  const body = direct?.child("body");
  const bytes = body?.text("bytes");
  const text = body?.text("string") ?? (bytes === undefined ? "" : Buffer.from(bytes, "base64").toString());
  body?.finish();
  const status = direct?.count("status");
  if (status === undefined) direct?.error("status", "is missing");
  direct?.finish();
  from.refuse(
    "a direct response is sent nowhere",
    "route",
    "timeout",
    "retries",
    "mirror",
    "mirrors",
    "mirrorPercentage",
  );
  from.refuse("the module changes no headers of its own answers", "headers");
  return { direct_response: { status, ...(text && { body: text }) } };
}

interface Weighted {
  target: Target;
  weight: number;
}

/** Cluster or clusters, and what their rules want of the route. */
function clusterRoute(weighted: Weighted[]): Out {
  const clusters =
    weighted.length === 1
      ? { cluster_name: weighted[0].target.name }
      : { weighted_clusters: weighted.map(({ target, weight }) => ({ cluster: { name: target.name, weight } })) };
  const hash = weighted.find(({ target }) => target.rule.hashPolicy)?.target.rule.hashPolicy;
  return { ...clusters, ...(hash && { hash_policy: hash }) };
}

function destinations(from: Fields, namespace: string, context: Context): Weighted[] {
  const routes = from.list("route");
  if (routes.length === 0) from.error("route", "expected a destination");
  const found = routes.flatMap((route) => {
    const destination = route.child("destination");
    if (!destination) route.error("destination", "is missing");
    const target = destination && context.target(destination, namespace);
    const weight = route.count("weight");
    route.skip("headers");
    route.finish();
    return target ? [{ target, weight: weight ?? 0 }] : [];
  });
  const total = found.reduce((sum, { weight }) => sum + weight, 0);
  if (routes.length > 1 && found.length === routes.length && total === 0)
    from.error("route", "the weights sum up to 0");
  const policies = new Set(found.map(({ target }) => JSON.stringify(target.rule.hashPolicy)));
  if (policies.size > 1) from.error("route", "the destinations have different consistentHash, and a route has one");
  return found;
}

function forwarding(from: Fields, namespace: string, context: Context): Out {
  const weighted = destinations(from, namespace, context);
  const route: Out = weighted.length > 0 ? clusterRoute(weighted) : {};
  const timeout = from.duration("timeout");
  if (timeout !== undefined) {
    // In Istio 0 is none; to the module a negative one is.
    route.timeout = timeout === 0 ? "-1s" : durationOf(timeout);
    if (timeout > 0)
      from.warn("caller-timeout", "timeout", "a timeout in the frame, which Bolt always has, wins over it");
  }
  const retries = from.child("retries");
  route.retry_policy = retries ? retryPolicy(retries) : { num_retries: DEFAULT_RETRIES };
  const rule: Out = { route };
  Object.assign(route, headerChanges(from));
  readMirror(from, rule, namespace, context);
  return rule;
}

/** Changes of the route, then those of its destination, where there is one: clusters by weight have none of their own. */
function headerChanges(from: Fields): Out {
  const routes = from.list("route");
  const out = changesOf(from.child("headers"));
  for (const route of routes) {
    const own = changesOf(route.child("headers"));
    if (Object.keys(own).length === 0) continue;
    if (routes.length > 1) route.error("headers", "only a route with one destination can have changes for it");
    for (const [field, list] of Object.entries(own)) out[field] = [...(out[field] ?? []), ...list];
  }
  return out;
}

function readMirror(from: Fields, rule: Out, namespace: string, context: Context): void {
  const policies = from.list("mirrors").map((mirror) => {
    const destination = mirror.child("destination");
    const percent = mirror.percent("percentage", 100);
    mirror.finish();
    return { destination, percent };
  });
  const mirror = from.child("mirror");
  const old = from.count("mirrorPercent") ?? 100;
  const percentage = from.percent("mirrorPercentage", old);
  if (mirror) policies.push({ destination: mirror, percent: percentage });
  if (policies.length > 1) from.error(from.has("mirrors") ? "mirrors" : "mirror", "the module has one mirror a route");
  const [policy] = policies;
  const target = policy?.destination && context.target(policy.destination, namespace);
  if (!target || policy.percent === 0) return;
  rule.request_mirror_policies = { cluster: target.name, percent: policy.percent };
  context.needFilter("mirror");
}

function readFault(from: Fields, rule: Out, context: Context): void {
  const fault = from.child("fault");
  if (!fault) return;
  const out: Out = {};
  const [delay, abort] = [fault.child("delay"), fault.child("abort")];
  if (delay) {
    const ms = delay.duration("fixedDelay");
    delay.refuse("Envoy's, and hidden in Istio's API", "exponentialDelay");
    const percentage = shareOf(delay);
    delay.finish();
    if (ms === undefined) delay.error("fixedDelay", "is missing");
    else if (ms > MAX_DELAY_MS) delay.error("fixedDelay", "the module holds a request for ten minutes at most");
    else if (percentage > 0) out.delay = { fixed_delay: durationOf(ms), percentage };
  }
  if (abort) {
    const status = abort.count("httpStatus");
    abort.refuse("give an httpStatus, which the module turns into the protocol's own", "grpcStatus", "http2Error");
    const percentage = shareOf(abort);
    abort.finish();
    if (status === undefined) abort.error("httpStatus", "is missing");
    else if (percentage > 0) out.abort = { status, percentage };
  }
  fault.finish();
  if (Object.keys(out).length === 0) return;
  rule.per_filter_config = { fault: out };
  context.needFilter("fault");
}

/** How many of a hundred requests get a fault. */
function shareOf(from: Fields): number {
  const old = from.count("percent");
  if (!from.has("percentage") && old === undefined)
    from.warn("no-percentage", "", "without a percentage Istio injects no fault, and so does the module");
  return from.percent("percentage", old ?? 0);
}

/** A TCP route: Istio draws its weights for each connection, the module for each call. */
function tcpRoute(from: Fields, namespace: string, context: Context): Out[] {
  const listed = from.list("match");
  const applies = listed.map((one) => readTcpMatch(one, context.port, namespace, context.options));
  if (listed.length > 0 && !applies.includes(true)) return [];
  const weighted = destinations(from, namespace, context);
  from.finish();
  return [{ route: { ...clusterRoute(weighted), retry_policy: { num_retries: DEFAULT_RETRIES } } }];
}
