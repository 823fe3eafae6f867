// scripts/istio_routes: what becomes of each field of Istio's resources, and what is said of what cannot be translated.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { annotated, GO, HOST, ORDERS, resource, rule, service, SUBSETS, to, V1, virtualService } from "./istio-resources.ts";
import { build } from "../../scripts/build.ts";
import { DEFAULTS, type Options } from "../../scripts/istio_routes/options.ts";
import { yamlOf } from "../../scripts/istio_routes/output.ts";
import { lineOf } from "../../scripts/istio_routes/report.ts";
import { translate } from "../../scripts/istio_routes/translate.ts";
import { complaints } from "../../scripts/validate/plugins.ts";

type Any = any; // eslint-disable-line @typescript-eslint/no-explicit-any

const OPTIONS: Options = { ...DEFAULTS, namespace: "shop", url: "oci://registry/moe:1", selector: { app: "checkout" } };

function run(resources: object[], options: Partial<Options> = {}) {
  const text = resources.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n");
  const { plugins, report } = translate([{ file: "in.yaml", text }], { ...OPTIONS, ...options });
  return { plugins, report, lines: report.findings.map(lineOf), config: plugins[0]?.spec.pluginConfig as Any };
}

/** The routers that HTTP routes become. */
const routersOf = (...http: object[]): Any[] => {
  const { config, lines } = run([ORDERS, rule(), virtualService(...http)]);
  assert.ok(config, lines.join("\n"));
  return config.router.virtual_hosts[0].routers;
};

/** Fields of a route, what they become, and the warnings. */
const ROUTES = JSON.parse(readFileSync(join(import.meta.dirname, "data/istio-routes.json"), "utf8")) as {
  name: string;
  http: object;
  expected: object;
  warnings: string[];
}[];

const MATCHES: [name: string, match: object, expected: object | undefined][] = [
  ["an exact header", { headers: { mode: { exact: "a" } } }, { headers: [{ name: "mode", value: "a" }] }],
  [
    "a header's beginning",
    { headers: { mode: { prefix: "a." } } },
    { headers: [{ name: "mode", value: "^a\\.", regex: true }] },
  ],
  [
    "a header by expression",
    { headers: { mode: { regex: "a|b" } } },
    { headers: [{ name: "mode", value: "^(?:a|b)$", regex: true }] },
  ],
  ["a header that is there", { headers: { mode: {} } }, { headers: [{ name: "mode", value: "^", regex: true }] }],
  ["no such header", { withoutHeaders: { mode: {} } }, { variables: [{ name: "request_header_mode", regex: "^$" }] }],
  ["the service", { authority: { exact: "S:1.0" } }, { variables: [{ name: "x-mosn-rpc-service", value: "S:1.0" }] }],
  ["the method", { method: { prefix: "get" } }, { variables: [{ name: "x-mosn-rpc-method", regex: "^get" }] }],
  ["service and method", { uri: { exact: "/S:1.0/get" } }, { regex: "^/S:1\\.0/get$" }],
  ["all methods of a service", { uri: { prefix: "/S:1.0/" } }, { prefix: "/S:1.0/" }],
  ["a path in any case", { uri: { exact: "/s/get" }, ignoreUriCase: true }, { path: "/s/get" }],
  ["labels that all clients have", { sourceLabels: { app: "checkout" } }, {}],
  ["labels that none has", { sourceLabels: { app: "other" } }, undefined],
  ["the clients' namespace", { sourceNamespace: "shop" }, {}],
  ["another namespace", { sourceNamespace: "web" }, undefined],
  ["the port", { port: 12200 }, {}],
  ["another port", { port: 80 }, undefined],
  ["a gateway's", { gateways: ["rpc"] }, undefined],
];

/** A policy, what the module knows of the cluster then, and the warnings. */
const POLICIES: [name: string, policy: object, settings: object, warnings?: string[]][] = [
  ["round robin", { loadBalancer: { simple: "ROUND_ROBIN" } }, { lb_type: "LB_ROUNDROBIN" }],
  ["least request", { loadBalancer: { simple: "LEAST_REQUEST" } }, { lb_type: "LB_LEAST_REQUEST" }],
  ["random", { loadBalancer: { simple: "RANDOM" } }, { lb_type: "LB_RANDOM" }],
  [
    "connect timeout",
    { connectionPool: { tcp: { connectTimeout: "30ms", maxConnections: 5 } } },
    { connect_timeout: "30ms" },
  ],
  [
    "limits",
    { connectionPool: { http: { http2MaxRequests: 10, http1MaxPendingRequests: 5, maxRetries: 2 } } },
    { max_requests: 10, max_pending_requests: 5, max_retries: 2 },
  ],
  [
    "a retry budget",
    { retryBudget: { percent: 25, minRetryConcurrency: 4 } },
    { retry_budget: { budget_percent: 25, min_retry_concurrency: 4 } },
  ],
  [
    "a port's own settings hide the others",
    {
      loadBalancer: { simple: "RANDOM" },
      portLevelSettings: [{ port: { number: 12200 }, connectionPool: { http: { maxRetries: 1 } } }],
    },
    { max_retries: 1 },
  ],
  ["localities", { loadBalancer: { localityLbSetting: { enabled: true } } }, {}, ["no-endpoint-data"]],
  ["HTTP's own", { connectionPool: { http: { maxRequestsPerConnection: 1 } } }, {}, ["no-effect"]],
];

const ERRORS: [name: string, resources: object[], message: RegExp][] = [
  [
    "a rewrite",
    [ORDERS, rule(), virtualService({ ...GO, rewrite: { uri: "/" } })],
    /^in\.yaml:\d+: document 3, VirtualService shop\/orders: error: spec\.http\[0\]\.rewrite: RPC carries neither/,
  ],
  [
    "a misspelt field",
    [ORDERS, rule(), virtualService({ ...GO, timeOut: "1s" })],
    /spec\.http\[0\]\.timeOut: there is no such field/,
  ],
  [
    "a wrong duration",
    [ORDERS, rule(), virtualService({ ...GO, timeout: "1 s" })],
    /spec\.http\[0\]\.timeout: expected a duration such as "3s", got "1 s"/,
  ],
  [
    "a fraction of a percent",
    [ORDERS, rule(), virtualService({ ...GO, fault: { abort: { httpStatus: 500, percentage: { value: 0.5 } } } })],
    /percentage\.value: expected a whole number/,
  ],
  [
    "an unknown host",
    [ORDERS, rule(), virtualService({ route: [{ destination: { host: "other" } }] })],
    /route\[0\]\.destination\.host: no Service or ServiceEntry of the input is other\.shop/,
  ],
  [
    "an unknown subset",
    [ORDERS, rule(), virtualService({ route: [to("v3")] })],
    /destination\.subset: no DestinationRule of orders\.shop\S+ in the input has the subset "v3"/,
  ],
  [
    "an unknown port",
    [ORDERS, virtualService({ route: [{ destination: { host: "orders", port: { number: 1 } } }] })],
    /destination\.port: expected one of the ports of \S+: 12200/,
  ],
  [
    "weights of 0",
    [ORDERS, rule(), virtualService({ route: [to("v1"), to("v2")] })],
    /spec\.http\[0\]\.route: the weights sum up to 0/,
  ],
  [
    "labels that some clients may have",
    [ORDERS, rule(), virtualService({ ...GO, match: [{ sourceLabels: { version: "v9" } }] })],
    /sourceLabels: some of the plugin's workloads may have.*--selector version=v9/,
  ],
  [
    "two VirtualServices of a host",
    [ORDERS, rule(), virtualService(GO), { ...virtualService(GO), metadata: { name: "more", namespace: "shop" } }],
    /is a host of VirtualService shop\/orders, too/,
  ],
  ["two of a name", [ORDERS, ORDERS], /Service shop\/orders: error: is there twice: also in in\.yaml, document 1/],
  [
    "two Services of an RPC service",
    [ORDERS, service("bills", annotated("com.example.Orders:*"))],
    /the RPC service "com\.example\.Orders:\*" is that of orders\.shop/,
  ],
  [
    "a Service that nothing tells of",
    [service("orders")],
    /nothing tells which calls are for orders\.shop\.svc\.cluster\.local/,
  ],
  [
    "RPC on a port for HTTP",
    [service("orders", annotated("S:*"), 12200, "http2-bolt")],
    /spec\.ports\[0\]\.name: Istio takes this port for HTTP, and bolt will not pass; name it "tcp-bolt"/,
  ],
  [
    "a version in a name of Dubbo",
    [service("orders", annotated("S:1.0"), 20880, "tcp-dubbo")],
    /services of dubbo carry no version in their names: "S" instead of "S:1\.0"/,
  ],
  [
    "two kinds of consistent hash",
    [ORDERS, rule({ trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true, httpHeaderName: "a" } } } })],
    /consistentHash: expected one of httpHeaderName/,
  ],
  ["no port for RPC", [service("web", {}, 80, "http")], /no Service or ServiceEntry has a port for RPC/],
];

describe("istio-routes: a route's", () => {
  for (const { name, http, expected, warnings } of ROUTES) {
    it(name, () => {
      const { config, report } = run([ORDERS, rule(), virtualService(http)]);
      const [router] = config.router.virtual_hosts[0].routers;
      for (const [field, value] of Object.entries(expected))
        assert.deepEqual(
          name === "a destination" || name === "weights" ? router[field] : pick(router[field], value),
          value,
        );
      assert.deepEqual(
        report.findings.map((one) => one.name),
        warnings,
      );
    });
  }
});

/** Of an object only the fields that another one has. */
const pick = (value: Any, like: object): Any =>
  typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(like).map((key) => [key, value[key]]))
    : value;

describe("istio-routes: a match of", () => {
  for (const [name, match, expected] of MATCHES) {
    it(name, () => {
      const routers = routersOf({ match: [match], route: [to("v2")] }, GO);
      if (expected === undefined) assert.equal(routers.length, 1);
      else assert.deepEqual(routers[0].match ?? {}, expected);
      assert.equal(routers.at(-1).route.cluster_name, V1);
    });
  }
  it("any of several is a router each", () => {
    const both = [{ headers: { a: { exact: "1" } } }, { headers: { b: { exact: "2" } } }];
    assert.deepEqual(
      routersOf({ match: both, ...GO }).map(({ match }) => match.headers[0].name),
      ["a", "b"],
    );
  });
});

describe("istio-routes: a destination's", () => {
  for (const [name, trafficPolicy, settings, warnings = []] of POLICIES) {
    it(name, () => {
      const { config, report } = run([ORDERS, rule({ trafficPolicy })]);
      assert.deepEqual(config.clusters[`outbound|12200||${HOST}`], { connect_timeout: "10s", ...settings });
      assert.deepEqual(
        report.findings.map((one) => one.name),
        warnings,
      );
    });
  }

  it("subset adds to it", () => {
    const [v1, v2] = SUBSETS;
    const own = { ...v1, trafficPolicy: { loadBalancer: { simple: "RANDOM" } } };
    const trafficPolicy = { connectionPool: { http: { maxRetries: 3 } }, loadBalancer: { simple: "ROUND_ROBIN" } };
    const { config } = run([ORDERS, rule({ trafficPolicy, subsets: [own, v2] }), virtualService(GO)]);
    assert.deepEqual(config.clusters[V1], { connect_timeout: "10s", lb_type: "LB_RANDOM", max_retries: 3 });
  });

  it("consistent hash is one of its routes", () => {
    for (const [hash, policy] of [
      [{ httpHeaderName: "uid" }, { header: { key: "uid" } }],
      [{ httpCookie: { name: "session" } }, { cookie: { name: "session" } }],
      [{ useSourceIp: true }, { source_ip: {} }],
    ]) {
      const { config } = run([
        ORDERS,
        rule({ trafficPolicy: { loadBalancer: { consistentHash: hash } } }),
        virtualService(GO),
      ]);
      assert.deepEqual(config.router.virtual_hosts[0].routers[0].route.hash_policy, [policy]);
      assert.equal(config.clusters[V1].lb_type, "LB_MAGLEV");
    }
  });

  it("outlier detection is fault_tolerance", () => {
    const outlierDetection = {
      consecutive5xxErrors: 7,
      interval: "5s",
      baseEjectionTime: "1m",
      maxEjectionPercent: 50,
    };
    const { config, report } = run([ORDERS, rule({ trafficPolicy: { outlierDetection } })]);
    const [{ type, config: own }] = config.stream_filters;
    assert.equal(type, "fault_tolerance");
    assert.deepEqual(pick(own, { enabled: 0, timeWindow: 0, recoverTime: 0, leastWindowCount: 0, maxIpRatio: 0 }), {
      enabled: true,
      timeWindow: 5000,
      recoverTime: 60000,
      leastWindowCount: 7,
      maxIpRatio: 0.5,
    });
    assert.deepEqual(
      report.findings.map((one) => one.name),
      ["outlier-detection"],
    );
  });
});

describe("istio-routes: an error for", () => {
  for (const [name, resources, message] of ERRORS) {
    it(name, () => {
      const { plugins, lines } = run(resources);
      assert.ok(
        lines.some((line) => message.test(line)),
        lines.join("\n"),
      );
      assert.deepEqual(plugins, []);
    });
  }
  it("YAML that is none, and the others are read all the same", () => {
    const text = `${stringify(ORDERS)}---\nkind: [\n`;
    const { report } = translate([{ file: "in.yaml", text }], OPTIONS);
    assert.match(report.findings.map(lineOf).join("\n"), /^in\.yaml:\d+: document 2: error: /);
  });
});

describe("istio-routes: plugins", () => {
  it("one a port, with protocols by their names", () => {
    const dubbo = service("stock", annotated("com.example.Stock:*"), 20880, "dubbo-stock");
    const { plugins } = run([dubbo, ORDERS]);
    assert.deepEqual(
      plugins.map(({ metadata, spec }) => [metadata.name, (spec.pluginConfig as Any).protocols]),
      [
        ["moe-client-12200", ["bolt"]],
        ["moe-client-20880", ["dubbo"]],
      ],
    );
    assert.deepEqual((plugins[1].spec.pluginConfig as Any).router.virtual_hosts[0].domains, ["com.example.Stock"]);
  });

  it("calls to the address of a Service are its own, behind those that name a service", () => {
    const spec = { clusterIP: "10.96.0.10", ports: [{ name: "tcp-bolt", port: 12200 }] };
    const { config } = run([resource("Service", "bills", spec), ORDERS]);
    const [named, address] = config.router.virtual_hosts;
    assert.deepEqual([named.domains, address.domains], [["com.example.Orders:*"], ["*"]]);
    assert.deepEqual(address.routers[0].match.variables, [
      { name: "downstream_local_address", value: "10.96.0.10:12200" },
    ]);
    assert.equal(address.routers[0].route.cluster_name, "outbound|12200||bills.shop.svc.cluster.local");
  });

  it("a ServiceEntry is a host", () => {
    const entry = (resolution: string) =>
      resource(
        "ServiceEntry",
        "old",
        { hosts: ["old.example.com"], resolution, ports: [{ number: 12200, name: "tcp-bolt", protocol: "TCP" }] },
        annotated("Old:*"),
      );
    assert.equal(
      run([entry("DNS")]).config.router.virtual_hosts[0].routers[0].route.cluster_name,
      "outbound|12200||old.example.com",
    );
    assert.match(run([entry("NONE")]).lines[0], /with resolution NONE Envoy goes where the client went/);
  });

  it("a gateway has the routes that are bound to it", () => {
    const spec = {
      hosts: ["*"],
      gateways: ["rpc"],
      tcp: [{ match: [{ port: 12200 }], route: [to("v1", { weight: 1 }), to("v2", { weight: 3 })] }],
    };
    const bound = resource("VirtualService", "in", spec);
    const { config, lines } = run([ORDERS, rule(), virtualService(GO), bound], { gateway: "shop/rpc", ports: [12200] });
    assert.deepEqual(lines, []);
    const [{ domains, routers }] = config.router.virtual_hosts;
    assert.deepEqual(domains, ["*"]);
    assert.deepEqual(
      routers.map(({ route }: Any) => route.weighted_clusters.length),
      [2],
    );
  });

  it("are the same whatever the order, from a list of kubectl too, and other kinds are passed over", () => {
    const other = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" }, spec: {} };
    const all = [virtualService(GO), rule(), other, ORDERS];
    const whole = yamlOf(run(all).plugins, "x");
    assert.equal(yamlOf(run([...all].reverse()).plugins, "x"), whole);
    assert.equal(yamlOf(run([{ apiVersion: "v1", kind: "List", items: all }]).plugins, "x"), whole);
    assert.deepEqual(parse(whole), run(all).plugins[0]);
  });

  it("of every field above are taken by the module", async () => {
    const every = ROUTES.map(({ http }, i) => ({ ...http, match: [{ headers: { n: { exact: String(i) } } }] }));
    const matched = MATCHES.map(([, match]) => ({ match: [match], ...GO }));
    const policy = Object.assign({}, ...POLICIES.slice(0, 6).map(([, one]) => one), { outlierDetection: {} });
    const { config } = run([ORDERS, rule({ trafficPolicy: policy }), virtualService(...every, ...matched)]);
    assert.deepEqual(await complaints(build(), "proxy", config), []);
  });
});
