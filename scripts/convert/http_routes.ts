// MOSN's routers as Envoy's route configuration, for HTTP.
import { envoyDuration, type Fields, show } from "./fields.ts";
import { headerFormat } from "./header_values.ts";

type Out = Record<string, unknown>;

/** MOSN's timeout of a request whose route sets none, s. */
const DEFAULT_TIMEOUT_S = 60;
/** MOSN tries a request whose connection could not be opened again, with every policy. */
const UNSENT = "connect-failure,refused-stream";

/** MOSN never tries less often. */
const LEAST_RETRIES = 3;

const REDIRECTS: Record<number, string> = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

/** What the routes of a listener depend on. */
export interface HttpRouteOptions {
  /** Copies of each mirrored request; 0: no filter `mirror`, so policies have no effect. */
  copies: number;
}

/** Go's expressions match anywhere in a text, Envoy's the whole of it. */
function anywhere(regex: string): { regex: string } {
  return { regex: `.*(?:${regex}).*` };
}

/** Header changes of a router, a virtual host or a route. */
function headerChanges(from: Fields, out: Out): void {
  for (const direction of ["request", "response"]) {
    const add = from.list(`${direction}_headers_to_add`).flatMap((option) => {
      const header = option.child("header");
      const key = header?.text("key");
      const value = header?.text("value") ?? "";
      const append = option.raw("append");
      if (!header || !key) return [];
      const format = headerFormat(value);
      if (format === undefined) {
        from.report.lost(
          header.path,
          `header ${key}: ${value}`,
          "Envoy has no variable of this meaning.",
          "Choose one of Envoy's substitution formats.",
          out,
        );
        return [];
      }
      const action = append === false ? "OVERWRITE_IF_EXISTS_OR_ADD" : "APPEND_IF_EXISTS_OR_ADD";
      return [{ header: { key, value: format }, append_action: action }];
    });
    const remove = from.texts(`${direction}_headers_to_remove`);
    if (add.length > 0) out[`${direction}_headers_to_add`] = add;
    if (remove.length > 0) out[`${direction}_headers_to_remove`] = remove;
  }
}

/** The virtual hosts of a router. */
export function httpVirtualHosts(hosts: Fields[], options: HttpRouteOptions): Out[] {
  return hosts.map((host, i) => {
    const out: Out = { name: host.text("name") || `host-${i}` };
    const domains = host.texts("domains");
    if (domains.length === 0) host.report.mistake(host.at("domains"), "expected at least one domain");
    out.domains = domains;
    out.routes = host.list("routers").map((route) => httpRoute(route, options));
    headerChanges(host, out);
    const tls = host.text("require_tls");
    if (tls && tls !== "NONE") host.report.note(host.at("require_tls"), tls, "MOSN does not use it.");
    metadata(host, out);
    host.done();
    return out;
  });
}

/** Header changes that MOSN's router has for all hosts. */
export function httpRouterChanges(router: Fields, out: Out): void {
  headerChanges(router, out);
}

/** `per_filter_config`: where the module's HTTP filters look for it. */
function metadata(from: Fields, out: Out): void {
  const own = from.child("per_filter_config")?.all();
  if (!own || Object.keys(own).length === 0) return;
  const moe = Object.fromEntries(Object.entries(own).map(([type, config]) => [type, JSON.stringify(config)]));
  out.metadata = { filter_metadata: { moe } };
}

function httpRoute(route: Fields, options: HttpRouteOptions): Out {
  const out: Out = { match: httpMatch(route) };
  metadata(route, out);
  const direct = route.child("direct_response");
  const redirect = route.child("redirect");
  const action = route.child("route");
  if (direct) {
    const status = direct.number("status") ?? 200;
    const body = direct.text("body");
    out.direct_response = { status, ...(body ? { body: { inline_string: body } } : {}) };
    if (status < 200 || status > 599) direct.report.mistake(direct.at("status"), `expected 200 to 599, got ${status}`);
    direct.done();
  } else if (redirect) out.redirect = httpRedirect(redirect);
  else if (action) out.route = forward(action, out);
  else route.report.mistake(route.path, "expected one of route, direct_response, redirect");
  if (direct ?? redirect) action?.all();
  const mirror = route.child("request_mirror_policies");
  if (mirror && out.route) mirrors(mirror, out.route as Out, options);
  else mirror?.all();
  route.note("MOSN's routes do not use it.", "metadata");
  route.done();
  return out;
}

function httpMatch(route: Fields): Out {
  const match = route.child("match");
  if (!match) return { prefix: "/" };
  const out: Out = {};
  const [prefix, path, regex] = [match.text("prefix"), match.text("path"), match.text("regex")];
  if (prefix) out.prefix = prefix;
  else if (path) {
    out.path = path;
    out.case_sensitive = false;
  } else if (regex) out.safe_regex = anywhere(regex);
  else out.prefix = "/";
  const headers = match.list("headers").map((header) => {
    const name = header.text("name") ?? "";
    const value = header.text("value") ?? "";
    // SOFA's way to say "any service".
    if (name === "service" && value === ".*") return { name, present_match: true };
    const matcher = header.flag("regex") ? { safe_regex: anywhere(value) } : { exact: value };
    return { name, string_match: matcher };
  });
  if (headers.length > 0) out.headers = headers;
  const why = "Envoy's routes cannot look at MOSN's variables, so this route would match more than it should.";
  if (match.list("variables").length > 0 || match.list("dsl_expressions").length > 0) {
    match.report.lost(
      match.path,
      show(match.all()),
      why,
      "Rewrite it as Envoy's headers, query_parameters or filter_state matchers. Until then the route matches nothing.",
      out,
    );
    // Nothing has this header: a route that is too narrow is seen, one that is too wide is not.
    out.headers = [...headers, { name: "x-moe-not-converted", present_match: true }];
  }
  match.done();
  return out;
}

function httpRedirect(redirect: Fields): Out {
  const out: Out = {};
  const code = redirect.number("response_code") ?? 301;
  if (REDIRECTS[code]) out.response_code = REDIRECTS[code];
  else redirect.report.mistake(redirect.at("response_code"), `expected 301, 302, 303, 307 or 308, got ${code}`);
  for (const field of ["path_redirect", "host_redirect", "scheme_redirect"]) {
    const value = redirect.text(field);
    if (value) out[field] = value;
  }
  redirect.done();
  return out;
}

function mirrors(policy: Fields, action: Out, { copies }: HttpRouteOptions): void {
  const cluster = policy.text("cluster");
  const percent = policy.number("percent") ?? 0;
  policy.note("MOSN does not use it.", "trace_sampled");
  policy.done();
  if (copies === 0) {
    policy.report.note(
      policy.path,
      `mirror to ${cluster}`,
      "MOSN mirrors only where the stream filter mirror is listed.",
    );
  } else if (cluster && percent > 0) {
    const one = { cluster, runtime_fraction: { default_value: { numerator: Math.min(percent, 100) } } };
    action.request_mirror_policies = Array.from({ length: copies }, () => structuredClone(one));
  }
}

function forward(action: Fields, out: Out): Out {
  const to: Out = {};
  target(action, to);
  const timeout = action.seconds("timeout");
  to.timeout = envoyDuration(timeout === undefined || timeout === 0 ? DEFAULT_TIMEOUT_S : Math.max(timeout, 0));
  retries(action, to);
  rewrites(action, to);
  hashes(action, to);
  headerChanges(action, out);
  const upstream = action.text("upstream_protocol");
  if (upstream && upstream !== "Auto") {
    action.report.note(action.at("upstream_protocol"), upstream, "The cluster's protocol options say it in Envoy.");
  }
  action.done();
  return to;
}

/** Which cluster, and which of its hosts. */
function target(action: Fields, to: Out): void {
  const weighted = action.list("weighted_clusters");
  const name = action.text("cluster_name");
  const header = action.text("cluster_header");
  const variable = action.text("cluster_variable");
  if (weighted.length > 0) {
    const clusters = weighted.flatMap((entry) => {
      const cluster = entry.child("cluster");
      if (!cluster) return [];
      const one: Out = { name: cluster.text("name"), weight: cluster.number("weight") ?? 0 };
      subset(cluster, one);
      cluster.done();
      entry.done();
      return [one];
    });
    to.weighted_clusters = { clusters };
  } else if (name) to.cluster = name;
  else if (header) to.cluster_header = header;
  else if (variable) {
    to.cluster_header = "x-moe-not-converted";
    action.report.lost(
      action.at("cluster_variable"),
      variable,
      "Envoy's routes do not know MOSN's variables.",
      "Have a filter set a header, and name it in cluster_header.",
      to,
    );
  } else {
    action.report.mistake(
      action.path,
      "expected one of cluster_name, weighted_clusters, cluster_header, cluster_variable",
    );
  }
  if (weighted.length === 0) subset(action, to);
  else action.raw("metadata_match");
}

/** MOSN keeps labels under `mosn.lb`, Envoy under `envoy.lb`. */
function subset(from: Fields, to: Out): void {
  const labels = from.child("metadata_match")?.child("filter_metadata")?.map("mosn.lb");
  if (labels && Object.keys(labels).length > 0) to.metadata_match = { filter_metadata: { "envoy.lb": labels } };
}

function retries(action: Fields, to: Out): void {
  const policy = action.child("retry_policy");
  const out: Out = { retry_on: UNSENT, num_retries: Math.max(policy?.number("num_retries") ?? 0, LEAST_RETRIES) };
  const codes = (policy?.raw("status_codes") ?? []) as number[];
  const perTry = policy?.seconds("retry_timeout") ?? 0;
  if (policy?.flag("retry_on")) {
    out.retry_on = `${UNSENT},reset,${codes.length > 0 ? "retriable-status-codes" : "5xx"}`;
    if (codes.length > 0) out.retriable_status_codes = codes;
    if (perTry > 0) out.per_try_timeout = envoyDuration(perTry);
  }
  policy?.done();
  to.retry_policy = out;
}

function rewrites(action: Fields, to: Out): void {
  const prefix = action.text("prefix_rewrite");
  const regex = action.child("regex_rewrite");
  const pattern = regex?.child("pattern")?.text("regex");
  if (prefix) to.prefix_rewrite = prefix;
  else if (regex && pattern) {
    const substitution = (regex.text("substitution") ?? "").replaceAll("\\", "\\\\").replace(/\$\{?(\d)\}?/g, "\\$1");
    to.regex_rewrite = { pattern: { regex: pattern }, substitution };
  }
  regex?.all();
  const host = action.text("host_rewrite");
  const header = action.text("auto_host_rewrite_header");
  const auto = action.flag("auto_host_rewrite");
  if (host) to.host_rewrite_literal = host;
  else if (header) to.host_rewrite_header = header;
  else if (auto) to.auto_host_rewrite = true;
}

function hashes(action: Fields, to: Out): void {
  const policies = action.list("hash_policy").map((policy) => {
    const header = policy.child("header");
    const cookie = policy.child("cookie");
    policy.raw("source_ip");
    policy.done();
    if (header) return { header: { header_name: header.text("key") } };
    if (!cookie) return { connection_properties: { source_ip: true } };
    const ttl = cookie.seconds("ttl");
    const path = cookie.text("path");
    const out: Out = { name: cookie.text("name") };
    if (path) out.path = path;
    if (ttl !== undefined) out.ttl = envoyDuration(ttl);
    return { cookie: out };
  });
  to.hash_policy = policies.length > 0 ? policies : [{ connection_properties: { source_ip: true } }];
}
