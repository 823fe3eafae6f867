import { isDigit, isLetter } from "../bytes/ascii";
import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { FilterConfigs } from "../stream/filter_configs";
import { RouterBuilder, RouterOptions, metadataOf } from "./builder";
import { ClusterChoice, ClusterPicker, FixedCluster, NamedCluster, WeightedClusters } from "./clusters";
import { HashPolicy } from "./hash_policy";
import { isVisible, readLabels } from "./metadata";
import { readMatch } from "./read_match";
import { RetryPolicy } from "./retry";
import { Rewrite } from "./rewrite";
import { hasVariable, unknownVariable } from "./variables";
import { DirectResponse, MirrorPolicy, Redirect, Route, RouteKind } from "./route";

/** Longest timeout, milliseconds: a day. */
const MAX_TIMEOUT_MS: i64 = 86400000;
/** What a route does, one of them. */
const ACTIONS: string[] = ["route", "direct_response", "redirect"];
/** Why the name of a cluster is refused. */
export const INVALID_NAME: string = "the name of a cluster must be of 1 to 255 visible ASCII characters";

const NOT_LISTED: string = "the filter is not in stream_filters, so it would have no effect; add it there";

/** Reads one of the `routers` of a virtual host (docs/reference/mosn.md#route); header changes of its owners come later. */
export function readRoute(from: ObjectReader, name: string, builder: RouterBuilder): Route {
  const match = readMatch(from.object("match"), builder);
  const action = from.object("route");
  const picker = readClusters(action, builder);
  const retry = new RetryPolicy(action.object("retry_policy"));
  const rewrite = new Rewrite(action, match.path);
  const route = new Route(name, match, picker, retry, rewrite, new HashPolicy(action));
  if (rewrite.given && !builder.options.http)
    action.refuse("rewrites of path and host have no meaning for RPC protocols");
  route.timeoutMs = readTimeout(action);
  action.choice("upstream_protocol", 0, ["", "Auto"]);
  route.requestOps.read(action, "request");
  route.responseOps.read(action, "response");
  action.finish();
  readAnswers(from, route, builder.options.http);
  readLabels(from, "metadata");
  route.filterConfigs = readFilterConfigs(from, builder.options);
  route.mirror = readMirror(from, builder);
  from.finish();
  const actions = (picker !== null ? 1 : 0) + (route.direct !== null ? 1 : 0) + (route.redirect !== null ? 1 : 0);
  if (actions != 1) from.failTogether(ACTIONS, "expected one of a cluster in route, direct_response, redirect");
  return route;
}

/** MOSN: 0 is the default, a negative timeout is none. */
function readTimeout(action: ObjectReader): i32 {
  const timeout = action.milliseconds("timeout", 0, -MAX_TIMEOUT_MS, MAX_TIMEOUT_MS);
  if (timeout == 0) return -1;
  return timeout < 0 ? 0 : (timeout as i32);
}

function readClusters(action: ObjectReader, builder: RouterBuilder): ClusterPicker | null {
  const name = action.string("cluster_name");
  const variable = action.string("cluster_variable");
  const header = action.string("cluster_header");
  const weighted = action.objects("weighted_clusters");
  const labels = readLabels(action, "metadata_match");
  const given =
    (name.length > 0 ? 1 : 0) +
    (variable.length > 0 ? 1 : 0) +
    (header.length > 0 ? 1 : 0) +
    (weighted.length > 0 ? 1 : 0);
  if (given > 1) {
    action.refuse("expected one of cluster_name, weighted_clusters, cluster_variable, cluster_header");
  }
  if (name.length > 0 && !isVisible(name)) action.fail("cluster_name", INVALID_NAME);
  if (variable.length > 0 && !hasVariable(variable)) action.fail("cluster_variable", unknownVariable(variable));
  if (name.length > 0) return new FixedCluster(builder.choice(name, labels));
  if (variable.length > 0)
    return new NamedCluster(Bytes.of(variable), true, metadataOf(labels), builder.options.allowed);
  if (header.length > 0) return new NamedCluster(Bytes.of(header), false, metadataOf(labels), builder.options.allowed);
  return weighted.length > 0 ? readWeighted(action, weighted, labels, builder) : null;
}

function readWeighted(
  action: ObjectReader,
  entries: ObjectReader[],
  routeLabels: Map<string, string>,
  builder: RouterBuilder,
): ClusterPicker | null {
  const choices: ClusterChoice[] = [];
  const bounds: u32[] = [];
  let total: u64 = 0;
  for (let i = 0; i < entries.length; i++) {
    const cluster = entries[i].object("cluster");
    const name = cluster.required("name");
    if (name.length > 0 && !isVisible(name)) cluster.fail("name", INVALID_NAME);
    const weight = cluster.integer("weight", 0, 0, u32.MAX_VALUE);
    const labels = readLabels(cluster, "metadata_match");
    cluster.finish();
    entries[i].finish();
    total += weight as u64;
    const choice = builder.choice(name, labels.size > 0 ? labels : routeLabels);
    if (weight == 0) continue;
    choices.push(choice);
    bounds.push(total as u32);
  }
  if (total == 0 || total > u32.MAX_VALUE) {
    action.fail("weighted_clusters", `expected weights that sum up to 1 to ${u32.MAX_VALUE}, got ${total}`);
    return null;
  }
  return new WeightedClusters(StaticArray.fromArray(choices), StaticArray.fromArray(bounds), builder.nextSeed());
}

function readAnswers(from: ObjectReader, route: Route, http: bool): void {
  const direct = from.object("direct_response");
  const status = direct.integer("status", 0, 0, 999) as i32;
  const body = direct.bytes("body");
  direct.finish();
  if (from.has("direct_response")) {
    direct.demand("status");
    route.kind = RouteKind.DIRECT;
    route.direct = new DirectResponse(status, body);
  }
  const redirect = readRedirect(from.object("redirect"));
  if (!from.has("redirect")) return;
  if (!http) from.fail("redirect", "has no meaning for RPC protocols; use direct_response");
  route.kind = RouteKind.REDIRECT;
  route.redirect = redirect;
}

function readRedirect(redirect: ObjectReader): Redirect {
  const code = redirect.integer("response_code", 301, 301, 308) as i32;
  const path = redirect.bytes("path_redirect");
  const host = redirect.bytes("host_redirect");
  const scheme = redirect.string("scheme_redirect").toLowerCase();
  redirect.finish();
  if (code > 303 && code < 307) redirect.fail("response_code", "expected one of 301, 302, 303, 307, 308");
  if (scheme.length > 0 && !isScheme(scheme)) redirect.fail("scheme_redirect", 'expected a scheme such as "https"');
  return new Redirect(code, path, host, Bytes.of(scheme));
}

/** RFC 3986: a letter, then letters, digits, "+", "-" and ".". */
function isScheme(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const other = isDigit(c) || c == 0x2b || c == 0x2d || c == 0x2e;
    if (!isLetter(c) && (i == 0 || !other)) return false;
  }
  return true;
}

/**
 * Reads `per_filter_config`: configurations of stream filters by type, parsed here once for all requests. One for a filter
 * that does not run is refused: it would protect nobody.
 */
export function readFilterConfigs(from: ObjectReader, options: RouterOptions): FilterConfigs {
  const filters = options.filters;
  const chains = options.chains;
  const configs = from.object("per_filter_config");
  const out = new FilterConfigs();
  const keys = configs.value.members.keys();
  for (let i = 0; i < keys.length; i++) {
    const type = filters.find(keys[i]);
    if (type === null) configs.refuse(filters.explain(keys[i]));
    else if (!type.perRoute) configs.refuse(`the stream filter "${keys[i]}" has no configuration per route`);
    else if (chains !== null && !chains.has(type)) configs.fail(keys[i], NOT_LISTED);
    else out.add(type, filters.parseConfig(type, configs.object(keys[i])));
  }
  return out;
}

function readMirror(from: ObjectReader, builder: RouterBuilder): MirrorPolicy | null {
  const policy = from.object("request_mirror_policies");
  const cluster = policy.string("cluster");
  const percent = policy.integer("percent", 0, 0, 100) as i32;
  // MOSN reads it, too, and does not use it.
  policy.bool("trace_sampled", false);
  policy.finish();
  if (!from.has("request_mirror_policies")) return null;
  if (!isVisible(cluster)) policy.fail("cluster", INVALID_NAME);
  policy.demand("percent");
  return percent > 0 ? new MirrorPolicy(builder.choice(cluster, new Map<string, string>()), percent) : null;
}
