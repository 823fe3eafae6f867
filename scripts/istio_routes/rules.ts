// DestinationRules: what the module has to know of Istio's clusters, by subset and port.
import type { Resource } from "./documents.ts";
import { durationOf, type Fields } from "./fields.ts";
import type { Host } from "./hosts.ts";
import { fullName, haveLabels, matchesHost, type Options } from "./options.ts";
import type { Report } from "./report.ts";
import { visible } from "./visible.ts";

type Out = Record<string, unknown>;

const LB: Record<string, string> = {
  ROUND_ROBIN: "LB_ROUNDROBIN",
  LEAST_REQUEST: "LB_LEAST_REQUEST",
  LEAST_CONN: "LB_LEAST_REQUEST",
  RANDOM: "LB_RANDOM",
};
const CONNECTIONS = "the module's server connections are not HTTP/1, and end with their client connection";
/** Of fault_tolerance: no bound by number, so that the one by ratio holds. */
const ANY_COUNT = 2147483647;
const MAX_EJECTION_MS = 86_400_000;

/** What one cluster has, as its DestinationRule says. */
export interface ClusterRule {
  /** The entry in the module's `clusters`. */
  settings: Out;
  /** For the routes to it. */
  hashPolicy?: Out[];
  /** The configuration of the filter fault_tolerance. */
  outliers?: Out;
}

/** The DestinationRule for a host, as Istio looks for it: in the client's namespace, then the host's, then elsewhere. */
function ruleFor(host: Host, rules: Resource[], options: Options, report: Report): Resource | undefined {
  const hostOf = ({ spec, namespace }: Resource) => fullName(spec.text("host") ?? "", namespace, options);
  const rank = ({ namespace }: Resource) =>
    namespace === options.namespace ? 0 : namespace === host.namespace ? 1 : 2;
  const fits = rules
    .filter((rule) => matchesHost(hostOf(rule), host.name))
    .sort((a, b) => rank(a) - rank(b) || hostOf(b).length - hostOf(a).length);
  const [best, next] = fits;
  if (next && rank(next) === rank(best) && hostOf(next) === hostOf(best))
    report.error(next.place, `${host.name} has another DestinationRule, ${best.place.resource}: put them together`);
  return best;
}

/** All DestinationRules of the input, for the clusters that are used. */
export class Rules {
  private readonly rules: Resource[];
  private readonly used = new Set<Resource>();
  private readonly outlierRules = new Map<string, Fields>();

  constructor(
    resources: Resource[],
    private readonly options: Options,
    private readonly report: Report,
  ) {
    const all = resources.filter(({ kind }) => kind === "DestinationRule");
    this.rules = all.filter((rule) => visible(rule, options) && this.isForWorkloads(rule));
    for (const { spec } of all) {
      spec.skip("host", "trafficPolicy", "subsets", "exportTo", "workloadSelector");
      spec.finish();
    }
  }

  private isForWorkloads({ spec }: Resource): boolean {
    const selector = spec.child("workloadSelector");
    if (!selector) return true;
    const have = haveLabels(this.options, selector.map("matchLabels"));
    if (have === undefined)
      selector.error("matchLabels", "some of the plugin's workloads may have these labels: name them by --selector");
    return have === true;
  }

  private subset(rule: Resource | undefined, name: string): Fields | undefined {
    return rule?.spec.list("subsets").find((subset) => subset.text("name") === name);
  }

  hasSubset(host: Host, subset: string): boolean {
    return this.subset(ruleFor(host, this.rules, this.options, this.report), subset) !== undefined;
  }

  /** What a cluster has; `subset` is "" for all of the host. */
  of(host: Host, subset: string, port: number): ClusterRule {
    const out: ClusterRule = { settings: { connect_timeout: durationOf(this.options.connectTimeoutMs) } };
    const rule = ruleFor(host, this.rules, this.options, this.report);
    if (!rule) return out;
    this.used.add(rule);
    const own = this.subset(rule, subset);
    own?.skip("name", "labels", "trafficPolicy");
    own?.finish();
    // As Istio merges them: settings of the port hide all of those around them, those of a subset only the same ones.
    const layers = [rule.spec, own].map((holder) => policyFor(holder?.child("trafficPolicy"), port));
    const [whole, special] = layers;
    const part = (name: string) => special?.child(name) ?? whole?.child(name);
    for (const policy of layers) readOthers(policy);
    readBalancer(part("loadBalancer"), out);
    readPool(part("connectionPool"), out);
    readRetryBudget(part("retryBudget"), out);
    this.readOutliers(part("outlierDetection"), out);
    return out;
  }

  private readOutliers(from: Fields | undefined, out: ClusterRule): void {
    if (!from) return;
    out.outliers = outliers(from);
    const text = JSON.stringify(out.outliers);
    this.outlierRules.set(text, from);
    if (this.outlierRules.size > 1)
      from.error(
        "",
        "differs from that of another destination, and fault_tolerance has one configuration for all of a plugin",
      );
  }

  /** Warns of rules that are for none of the hosts. */
  finish(hosts: Host[]): void {
    for (const { spec, namespace } of this.rules.filter((rule) => !this.used.has(rule))) {
      const name = fullName(spec.text("host") ?? "", namespace, this.options);
      if (!hosts.some((host) => matchesHost(name, host.name)))
        spec.warn("unused", "host", `${name} is no host of the input`);
    }
  }
}

/** The settings of a policy for a port. */
function policyFor(policy: Fields | undefined, port: number): Fields | undefined {
  const own = policy?.list("portLevelSettings").find((one) => one.child("port")?.count("number") === port);
  return own ?? policy;
}

/** What else a policy may have. */
function readOthers(policy: Fields | undefined): void {
  if (!policy) return;
  policy.skip("loadBalancer", "connectionPool", "retryBudget", "outlierDetection", "portLevelSettings", "port");
  // Of Envoy's clusters, where the module's connections end, too.
  policy.skip("tls", "proxyProtocol");
  policy.warnOf("no-effect", "of Istio's tcp_proxy, which the module's connections do not go through", "tunnel");
  policy.finish();
}

function readBalancer(from: Fields | undefined, out: ClusterRule): void {
  if (!from) return;
  const simple = from.text("simple");
  if (simple !== undefined && simple !== "UNSPECIFIED") {
    if (simple in LB) out.settings.lb_type = LB[simple];
    else from.error("simple", `expected one of ${Object.keys(LB).join(", ")}, got "${simple}"`);
  }
  const hash = from.child("consistentHash");
  if (hash) {
    out.settings.lb_type = "LB_MAGLEV";
    out.hashPolicy = hashPolicy(hash);
  }
  from.warnOf("no-endpoint-data", "of no effect on calls", "localityLbSetting", "warmup", "warmupDurationSecs");
  from.finish();
}

function hashPolicy(from: Fields): Out[] {
  const policies: Out[] = [];
  const header = from.text("httpHeaderName");
  if (header) policies.push({ header: { key: header } });
  const cookie = from.child("httpCookie");
  if (cookie) {
    policies.push({ cookie: { name: cookie.text("name") ?? "" } });
    cookie.skip("path");
    cookie.warnOf("consistent-hash", "the module makes no cookie for a caller that has none", "ttl", "attributes");
    cookie.finish();
  }
  if (from.flag("useSourceIp")) policies.push({ source_ip: {} });
  from.refuse("RPC has no query", "httpQueryParameterName");
  const why = "Maglev with a table of the module's own is used";
  from.warnOf("consistent-hash", why, "ringHash", "maglev", "minimumRingSize");
  from.finish();
  if (policies.length !== 1) from.error("", "expected one of httpHeaderName, httpCookie, useSourceIp");
  return policies;
}

function readPool(from: Fields | undefined, out: ClusterRule): void {
  if (!from) return;
  const tcp = from.child("tcp");
  const connect = tcp?.duration("connectTimeout");
  if (connect !== undefined) out.settings.connect_timeout = durationOf(connect);
  // Envoy's cluster has them, and the module's connections are of that cluster.
  tcp?.skip("maxConnections", "tcpKeepalive");
  tcp?.warnOf("no-effect", CONNECTIONS, "maxConnectionDuration", "idleTimeout");
  tcp?.finish();
  const http = from.child("http");
  const limit = (field: string, name: string) => {
    const value = http?.count(field);
    // In Istio 0 is the default, 2^32 - 1.
    if (value) out.settings[name] = value;
  };
  limit("http2MaxRequests", "max_requests");
  limit("http1MaxPendingRequests", "max_pending_requests");
  limit("maxRetries", "max_retries");
  const httpOnly = ["maxRequestsPerConnection", "idleTimeout", "h2UpgradePolicy", "useClientProtocol"];
  http?.warnOf("no-effect", CONNECTIONS, ...httpOnly, "maxConcurrentStreams");
  http?.finish();
  from.finish();
}

function readRetryBudget(from: Fields | undefined, out: ClusterRule): void {
  if (!from) return;
  const percent = from.number("percent");
  from.warnOf("no-effect", "the module counts the requests under way, not those of an interval", "budgetInterval");
  const concurrency = from.count("minRetryConcurrency");
  out.settings.retry_budget = {
    ...(percent !== undefined && { budget_percent: percent }),
    ...(concurrency !== undefined && { min_retry_concurrency: concurrency }),
  };
  from.finish();
}

/** Outlier detection as fault_tolerance: the nearest that there is. */
function outliers(from: Fields): Out {
  const all = from.count("consecutive5xxErrors");
  const gateway = from.count("consecutiveGatewayErrors");
  const local = from.count("consecutiveLocalOriginFailures");
  from.flag("splitExternalLocalOriginErrors");
  const interval = from.duration("interval") ?? 10_000;
  const ejection = from.duration("baseEjectionTime") ?? 30_000;
  const percent = from.count("maxEjectionPercent");
  from.warnOf("outlier-detection", "one host of a cluster always stays, whatever the percentage", "minHealthPercent");
  from.finish();
  const counts = [all, gateway, local].filter((count) => count !== undefined && count > 0) as number[];
  const off = (all === 0 && !gateway && !local) || percent === 0;
  from.warn("outlier-detection", "", "hosts are judged by the rate of failed calls in a window, by each worker");
  return {
    enabled: !off,
    exceptionTypes: all === 0 && gateway ? [502, 503, 504] : [500, 502, 503, 504],
    timeWindow: Math.max(10, Math.round(interval)),
    leastWindowCount: counts.length > 0 ? Math.min(...counts) : 5,
    recoverTime: Math.min(MAX_EJECTION_MS, Math.round(ejection)),
    // Without a percentage Istio has 10, of which Envoy makes one host at least.
    ...(percent === undefined
      ? { maxIpCount: 1 }
      : { maxIpCount: ANY_COUNT, maxIpRatio: Math.min(percent, 100) / 100 }),
  };
}
