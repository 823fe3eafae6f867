// The schema of `router`, as assembly/router reads it.
import * as part from "./parts.ts";
import type { Schema } from "./parts.ts";

/** What assembly/router/variables.ts has. */
const VARIABLES = [
  "protocol",
  "downstream_protocol",
  "downstream_remote_address",
  "downstream_local_address",
  "upstream_cluster",
  "upstream_host",
  "x-mosn-host",
  "x-mosn-path",
  "x-mosn-method",
  "x-mosn-rpc-service",
  "x-mosn-rpc-method",
  "x-mosn-rpc-generic",
];
const RESERVED_LABELS = ["cluster", "pin", "ask", "host", "destination"];
const NOT_ON_RPC = "Refused: RPC protocols carry neither path nor host.";

const variable = (description: string, more: Schema[] = []): Schema =>
  part.text(description, {
    anyOf: [{ enum: VARIABLES }, { pattern: "^((request|response)_header_|jwt_authn[.])." }, ...more],
  });

/** Given, and not empty: what the reader takes for "there". */
const given = (field: string): Schema => ({
  required: [field],
  properties: {
    [field]: field === "weighted_clusters" ? { type: "array", minItems: 1 } : { type: "string", minLength: 1 },
  },
});

/** The four fields of header changes. */
function headerChanges(whose: string): Record<string, Schema> {
  const changes = (kind: string): Record<string, Schema> => ({
    [`${kind}_headers_to_add`]: part.list(`Headers that ${whose} ${kind}s get.`, part.ref("header_to_add")),
    [`${kind}_headers_to_remove`]: part.list(
      `Headers that ${whose} ${kind}s lose, after those to add.`,
      part.name("The header's name."),
    ),
  });
  return { ...changes("request"), ...changes("response") };
}

const headerToAdd = part.object(
  "A header to add to a message.",
  {
    header: part.object(
      "The header.",
      {
        key: part.name("Its name."),
        value: part.text("Its value; %VARIABLE% as the whole value is the variable's value.", { default: "" }),
      },
      { required: ["key"] },
    ),
    append: part.flag("Whether the value goes behind the one that is there, with a comma; else it replaces it.", true),
  },
  { required: ["header"] },
);

const labelKeys = {
  pattern: `^(?!(${RESERVED_LABELS.map(part.anyCase).join("|")})$)[A-Za-z0-9._-]+$`,
};

const labels = part.object("MOSN's labels.", {
  filter_metadata: part.object("Labels by who reads them.", {
    "mosn.lb": part.map("Labels, by key.", labelKeys, part.text("The label's value.", { pattern: part.VISIBLE })),
  }),
});

const match = part.object(
  "Which requests the route is for; all conditions must hold.",
  {
    prefix: part.text("The path starts so; on RPC it is /SERVICE/METHOD.", { default: "" }),
    path: part.text("The path is this; upper and lower case are the same.", { default: "" }),
    regex: part.text("An expression (RE2) that matches somewhere in the path.", { default: "" }),
    headers: part.list("Headers that a request must have.", part.ref("header_match")),
    variables: part.list("Variables, from left to right.", part.ref("variable_match")),
    dsl_expressions: part.refused("Refused: not supported; use headers or variables."),
  },
  {
    not: {
      anyOf: [
        ["prefix", "path"],
        ["prefix", "regex"],
        ["path", "regex"],
      ].map((pair) => ({ allOf: pair.map(given) })),
    },
  },
);

const headerMatch = part.object(
  "A header that the request must have.",
  {
    name: part.name('The header\'s name; "service" and "method" are the request\'s own where no header is called so.'),
    value: part.text('Its value, or with "regex" an expression.', { default: "" }),
    regex: part.flag("Whether the value is an expression (RE2)."),
  },
  { required: ["name"] },
);

const variableMatch = part.object(
  "A variable of the request and what it must be.",
  {
    name: variable("The variable's name."),
    value: part.text("Its value.", { default: "" }),
    regex: part.text("An expression (RE2) that matches it.", { default: "" }),
    model: part.text('How it goes together with the next: "and" or "or".', {
      anyOf: [{ enum: ["and", "or"] }, { pattern: `^(${part.anyCase("and")}|${part.anyCase("or")})$` }],
      default: "and",
    }),
  },
  { required: ["name"], oneOf: ["value", "regex"].map(given) },
);

const weightedCluster = part.object(
  "A cluster and its share of the requests.",
  {
    cluster: part.object(
      "The cluster.",
      {
        name: part.text("Its name.", { pattern: part.VISIBLE }),
        weight: part.integer("Its share of the sum of all weights, which must not be 0.", 0, part.U32_MAX, 0),
        metadata_match: part.ref("labels", "Labels that its hosts must have, in place of the route's."),
      },
      { required: ["name"] },
    ),
  },
  { required: ["cluster"] },
);

const retryPolicy = part.object(
  "When a request is sent again.",
  {
    num_retries: part.integer("Most retries of one request.", 0, 100, 3),
    retry_on: part.flag("Whether requests that reached a server are sent again, too: they may be executed twice."),
    status_codes: part.list(
      "MOSN's codes of answers after which it is; 500 and above by default.",
      part.integer("A code of MOSN's.", 0, 999),
    ),
    retry_timeout: part.duration("Longest time of one try; none by default", "0", "10m"),
  },
  {
    if: { required: ["status_codes"], properties: { status_codes: { type: "array", minItems: 1 } } },
    then: { required: ["retry_on"], properties: { retry_on: { const: true } } },
  },
);

const hashPolicy = part.object(
  "One of the things that the hash of a request is made of.",
  {
    header: part.object("A header.", { key: part.name("Its name.") }, { required: ["key"] }),
    cookie: part.object(
      "A cookie.",
      {
        name: part.name("Its name."),
        path: part.text("Not used."),
        ttl: part.text("Not used: a duration.", { pattern: part.duration("", "0", "").pattern }),
      },
      { required: ["name"] },
    ),
    source_ip: part.object("The client's address.", {}),
    terminal: part.flag("Whether those behind it do not count once there is a value."),
  },
  { oneOf: ["header", "cookie", "source_ip"].map((field) => ({ required: [field] })) },
);

const action = part.object("Where the requests go.", {
  cluster_name: part.text("The cluster.", { pattern: "^[!-~]{0,255}$" }),
  weighted_clusters: part.list("Clusters with shares of the requests.", part.ref("weighted_cluster")),
  cluster_header: part.text("The header that names the cluster."),
  cluster_variable: variable("The variable that names the cluster.", [{ const: "" }]),
  metadata_match: part.ref("labels", "Labels that hosts must have."),
  timeout: part.duration(
    "For the whole request; 0 is the default of 60s, a negative one is none",
    "-24h",
    "24h",
    "60s",
  ),
  retry_policy: part.ref("retry_policy"),
  hash_policy: part.list("What LB_MAGLEV goes by; the client's address by default.", part.ref("hash_policy"), {
    maxItems: 16,
  }),
  upstream_protocol: part.choice("Requests keep their protocol.", ["", "Auto"], "Auto"),
  prefix_rewrite: part.inert(NOT_ON_RPC, ""),
  regex_rewrite: part.refused(NOT_ON_RPC),
  host_rewrite: part.inert(NOT_ON_RPC, ""),
  auto_host_rewrite: part.inert(NOT_ON_RPC, false),
  auto_host_rewrite_header: part.inert(NOT_ON_RPC, ""),
  ...headerChanges("the route's"),
});

/** A route action that says where requests go. */
const CLUSTER: Schema = {
  required: ["route"],
  properties: {
    route: {
      type: "object",
      oneOf: ["cluster_name", "weighted_clusters", "cluster_header", "cluster_variable"].map(given),
    },
  },
};

const route = part.object(
  "A route: which requests, and what becomes of them.",
  {
    match: part.ref("match"),
    route: part.ref("route"),
    direct_response: part.object(
      "Requests are answered at once.",
      {
        status: part.integer("MOSN's code, which is mapped to the protocol's own.", 0, 999),
        body: part.text("The text of the answer.", { default: "" }),
      },
      { required: ["status"] },
    ),
    redirect: part.refused("Refused: for HTTP; use direct_response."),
    metadata: part.ref("labels", "Labels; of no effect."),
    per_filter_config: part.ref("per_filter_config"),
    request_mirror_policies: part.object(
      "Copies for another cluster, made by the filter mirror.",
      {
        cluster: part.text("The cluster for the copies.", { pattern: part.VISIBLE }),
        percent: part.integer("How many of a hundred requests are mirrored.", 0, 100),
        trace_sampled: part.flag("Not used."),
      },
      { required: ["cluster", "percent"] },
    ),
  },
  { oneOf: [CLUSTER, { required: ["direct_response"] }] },
);

const virtualHost = part.object(
  "Routes for some hosts.",
  {
    name: part.text("For logs; its place in the list by default."),
    domains: part.list(
      "Which hosts it is for: HOST, HOST:PORT, HOST:*, *SUFFIX, or * for all others; on RPC the host is the service.",
      part.name("A domain."),
      { minItems: 1 },
    ),
    routers: part.list("Its routes; the first that matches is taken.", part.ref("router_entry")),
    require_tls: part.choice("TLS is Envoy's.", ["", "NONE"], ""),
    per_filter_config: part.ref("per_filter_config"),
    ...headerChanges("its"),
  },
  { required: ["domains"] },
);

const router = part.object('Where requests go: by default to the cluster "upstream".', {
  router_config_name: part.text("A name; of no effect."),
  virtual_hosts: part.list("The router's hosts.", part.ref("virtual_host"), { minItems: 1 }),
  ...headerChanges("all"),
});

/** The definitions that belong to `router`; those of filters are `per_filter_config`. */
export const routerDefinitions: Record<string, Schema> = {
  router,
  virtual_host: virtualHost,
  router_entry: route,
  match,
  header_match: headerMatch,
  variable_match: variableMatch,
  route: action,
  weighted_cluster: weightedCluster,
  retry_policy: retryPolicy,
  hash_policy: hashPolicy,
  header_to_add: headerToAdd,
  labels,
};
