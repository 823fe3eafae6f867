// scripts/convert: what becomes of each part of a MOSN configuration, and what is said of what cannot be converted.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { convert } from "../../scripts/convert/convert.ts";
import { goSeconds } from "../../scripts/convert/fields.ts";
import { formatOf, headerFormat } from "../../scripts/convert/header_values.ts";
import { single, split } from "../../scripts/convert/output.ts";
import { BrokenInput } from "../../scripts/convert/report.ts";
import { mosn, type Parts, proxy } from "./convert-world.ts";

const OPTIONS = { module: "build/moe.wasm" };
type Any = any; // eslint-disable-line @typescript-eslint/no-explicit-any

function converted(parts: Parts, protocol?: string) {
  const { bootstrap, report } = convert(mosn(parts, protocol), "mosn.json", OPTIONS);
  const { listeners, clusters } = bootstrap.static_resources as { listeners: Any[]; clusters: Any[] };
  return { bootstrap, report, listener: listeners[0], cluster: clusters[0] };
}

/** The module's configuration of the first RPC listener. */
const moduleOf = (listener: Any): Any => listener.filter_chains[0].filters[0].typed_config.config.configuration.value;
const managerOf = (listener: Any): Any => listener.filter_chains.at(-1).filters[0].typed_config;
const routesOf = (listener: Any): Any[] => managerOf(listener).route_config.virtual_hosts[0].routes;
const told = (parts: Parts, protocol?: string) =>
  converted(parts, protocol)
    .report.findings.filter(({ level }) => level !== "note")
    .map(({ level, path }) => `${level} ${path}`);

const LISTENER = "servers[0].listeners[0]";
const ROUTE = "servers[0].routers[0].virtual_hosts[0].routers[0]";

describe("what is converted", () => {
  it("an RPC listener: protocols, router, filters and clusters are the module's", () => {
    const { listener, report } = converted({
      clusters: [
        {
          Name: "c",
          lb_type: "LB_LEAST_REQUEST",
          connect_timeout: "2s",
          circuit_breakers: [{ max_requests: 7 }],
          hosts: [{ address: "[::1]:1" }],
        },
      ],
      filters: [{ type: "payload_limit", config: { max_entity_size: 9 } }],
      chain: { filters: [proxy("X", { extend_config: { sub_protocol: "dubbo,bolt" } })] },
    });
    const module = moduleOf(listener);
    assert.deepEqual(module.protocols, ["dubbo", "bolt"]);
    assert.deepEqual(module.router.virtual_hosts[0].routers, [{ route: { cluster_name: "c" } }]);
    assert.deepEqual(module.clusters, {
      c: { lb_type: "LB_LEAST_REQUEST", connect_timeout: "2000ms", max_requests: 7 },
    });
    assert.deepEqual(module.stream_filters, [{ type: "payload_limit", config: { max_entity_size: 9 } }]);
    assert.equal(listener.filter_chains[0].filters[1].name, "envoy.filters.network.http_connection_manager");
    assert.equal(report.count("lost") + report.count("changed"), 0);
  });

  it("an HTTP listener: routes are Envoy's", () => {
    const { listener } = converted(
      {
        routers: [
          { match: { path: "/A" }, direct_response: { status: 418 } },
          { match: { regex: "b+" }, redirect: { host_redirect: "x" } },
          {
            match: {
              prefix: "/c",
              headers: [
                { name: "k", value: "v" },
                { name: "r", value: "x", regex: true },
              ],
            },
            route: {
              weighted_clusters: [{ cluster: { name: "c", weight: 9 } }, { cluster: { name: "d", weight: 1 } }],
              timeout: "-1s",
              retry_policy: { retry_on: true, num_retries: 4, status_codes: [503], retry_timeout: "100ms" },
              prefix_rewrite: "/",
              hash_policy: [{ cookie: { name: "s", ttl: "5s" } }],
              request_headers_to_add: [
                { header: { key: "from", value: "%downstream_remote_address%" }, append: false },
              ],
            },
          },
        ],
      },
      "Http1",
    );
    const [direct, redirect, forward] = routesOf(listener);
    assert.deepEqual(direct, { match: { path: "/A", case_sensitive: false }, direct_response: { status: 418 } });
    assert.deepEqual(redirect.match, { safe_regex: { regex: ".*(?:b+).*" } });
    assert.deepEqual(redirect.redirect, { response_code: "MOVED_PERMANENTLY", host_redirect: "x" });
    assert.deepEqual(forward.match.headers[1], { name: "r", string_match: { safe_regex: { regex: ".*(?:x).*" } } });
    assert.equal(forward.route.timeout, "0s");
    assert.deepEqual(forward.route.retry_policy, {
      retry_on: "connect-failure,refused-stream,reset,retriable-status-codes",
      num_retries: 4,
      retriable_status_codes: [503],
      per_try_timeout: "0.1s",
    });
    assert.equal(forward.route.prefix_rewrite, "/");
    assert.deepEqual(forward.route.hash_policy, [{ cookie: { name: "s", ttl: "5s" } }]);
    assert.equal(forward.request_headers_to_add[0].header.value, "%DOWNSTREAM_REMOTE_ADDRESS%");
    assert.equal(forward.request_headers_to_add[0].append_action, "OVERWRITE_IF_EXISTS_OR_ADD");
    // The cluster d is not in the file.
    assert.equal(managerOf(listener).route_config.validate_clusters, false);
  });

  it("a timeout of a route without one is MOSN's 60 s, not Envoy's 15 s", () => {
    assert.equal(routesOf(converted({}, "Http2").listener)[0].route.timeout, "60s");
  });

  it("Auto has a chain for RPC and one for HTTP", () => {
    const { listener } = converted({}, "Auto");
    assert.equal(listener.filter_chains.length, 2);
    assert.deepEqual(listener.filter_chains[1].filter_chain_match.application_protocols, [
      "http/1.0",
      "http/1.1",
      "h2c",
    ]);
    assert.equal(listener.listener_filters[0].name, "envoy.filters.listener.http_inspector");
  });

  it("clusters: names, subsets, weights, health checks, TLS", () => {
    const { cluster, listener } = converted({
      clusters: [
        {
          name: "c",
          lb_type: "LB_ROUNDROBIN",
          hosts: [
            { address: "10.0.0.1:1", weight: 9, metadata: { filter_metadata: { "mosn.lb": { zone: "a" } } } },
            { address: "10.0.0.2:1", weight: 1 },
          ],
          lb_subset_config: { fall_back_policy: 1, subset_selectors: [["zone"]] },
          health_check: { service_name: "c", protocol: "bolt", interval: "3s", timeout: "1s" },
          tls_context: { status: true, ca_cert: "ca.pem", server_name: "example.com" },
        },
      ],
    });
    assert.deepEqual(moduleOf(listener).clusters.c, {
      lb_type: "LB_WEIGHTED_ROUNDROBIN",
      host_weights: { "10.0.0.1:1": 9, "10.0.0.2:1": 1 },
      connect_timeout: "10000ms",
    });
    const [first] = cluster.load_assignment.endpoints[0].lb_endpoints;
    assert.equal(first.load_balancing_weight, 9);
    assert.deepEqual(first.metadata, { filter_metadata: { "envoy.lb": { zone: "a" } } });
    assert.equal(cluster.lb_subset_config.fallback_policy, "ANY_ENDPOINT");
    assert.match(cluster.health_checks[0].tcp_health_check.send.text, /^0101/);
    const tls = cluster.transport_socket.typed_config;
    assert.equal(tls.sni, "example.com");
    assert.deepEqual(tls.common_tls_context.validation_context.match_typed_subject_alt_names, [
      { san_type: "DNS", matcher: { exact: "example.com" } },
    ]);
  });

  it("original destinations, by iptables and by TPROXY", () => {
    const { listener } = converted({ listener: { use_original_dst: "tproxy", bind_port: false } });
    assert.equal(listener.use_original_dst, true);
    assert.equal(listener.transparent, true);
    assert.equal(listener.bind_to_port, false);
    assert.equal(listener.listener_filters[0].name, "envoy.filters.listener.original_dst");
  });

  it("filters that are Envoy's own on HTTP", () => {
    const filters = [
      { type: "jwt_authn", config: { providers: { p: { issuer: "i" } } } },
      { type: "gzip", config: { gzip_level: 3, content_length: 100 } },
      { type: "mirror", config: { amplification: 2 } },
    ];
    const routers = [{ route: { cluster_name: "c" }, request_mirror_policies: { cluster: "c", percent: 50 } }];
    const { listener } = converted({ filters, routers }, "Http1");
    const names = managerOf(listener).http_filters.map(({ name }: { name: string }) =>
      name.replace("envoy.filters.http.", ""),
    );
    assert.deepEqual(names, ["jwt_authn", "compressor", "router"]);
    assert.equal(managerOf(listener).http_filters[0].typed_config.providers.p.issuer, "i");
    assert.deepEqual(
      routesOf(listener)[0].route.request_mirror_policies.map(
        (one: Any) => one.runtime_fraction.default_value.numerator,
      ),
      [50, 50],
    );
  });
});

describe("what cannot be converted is reported with its path", () => {
  const cases: [string, Parts, string[], string?][] = [
    ["Go plugins", { filters: [{ type: "x", go_plugin_config: {} }] }, [`lost ${LISTENER}.stream_filters[0]`]],
    ["filters of one's own", { filters: [{ type: "demo" }] }, [`lost ${LISTENER}.stream_filters[0]`]],
    ["transcoding", { filters: [{ type: "transcoder" }] }, [`lost ${LISTENER}.stream_filters[0]`], "Http1"],
    ["unknown codecs", {}, [`lost ${LISTENER}.filter_chains[0].filters[0].config`, `lost ${LISTENER}`], "mine"],
    ["tracing", { top: { tracing: { enable: true, driver: "SOFATracer" } } }, ["lost tracing"]],
    ["xDS", { top: { dynamic_resources: { ads_config: {} } } }, ["lost dynamic_resources"]],
    [
      "admin for all",
      { top: { admin: { address: { socket_address: { address: "0.0.0.0", port_value: 1 } } } } },
      ["changed admin.address"],
    ],
    ["redirects of RPC", { routers: [{ redirect: {} }] }, [`lost ${ROUTE}.redirect`]],
    [
      "variables on HTTP",
      { routers: [{ match: { variables: [{ name: "a" }] }, route: { cluster_name: "c" } }] },
      [`lost ${ROUTE}.match`],
      "Http1",
    ],
    [
      "balancers",
      { clusters: [{ name: "c", lb_type: "LB_PEAK_EWMA" }] },
      ["changed cluster_manager.clusters[0].lb_type"],
    ],
    [
      "registries",
      { clusters: [{ name: "c", spec: { subscribe: [{ service_name: "s" }] } }] },
      ["lost cluster_manager.clusters[0].spec.subscribe"],
    ],
    ["clusters that are missing", { routers: [{ route: { cluster_name: "x" } }] }, ["lost cluster_manager.clusters"]],
    [
      "certificate loaders",
      { chain: { tls_context: { status: true, type: "loader" } } },
      [`lost ${LISTENER}.filter_chains[0].tls_context.type`, `lost ${LISTENER}.filter_chains[0].tls_context`],
    ],
    [
      "access logs of RPC",
      { listener: { access_logs: [{ log_path: "stdout" }] } },
      [`changed ${LISTENER}.access_logs[0]`],
    ],
  ];
  for (const [name, parts, expected, protocol] of cases) {
    it(name, () => assert.deepEqual(told(parts, protocol), expected));
  }

  it("a route that would match more than it should matches nothing", () => {
    const routers = [{ match: { prefix: "/", variables: [{ name: "a", value: "b" }] }, route: { cluster_name: "c" } }];
    const [route] = routesOf(converted({ routers }, "Http1").listener);
    assert.deepEqual(route.match.headers, [{ name: "x-moe-not-converted", present_match: true }]);
  });

  it("rbac keeps its rules on RPC, and is Envoy's own on HTTP", () => {
    const filters = [{ type: "rbac", config: { version: "1", shadowRules: {}, nonsense: 1 } }];
    const [rpc] = converted({ filters }).listener.filter_chains[0].filters;
    const { value } = rpc.typed_config.config.configuration;
    assert.deepEqual(value.stream_filters, [{ type: "rbac", config: { version: "1", shadow_rules: {} } }]);
    const [http] = managerOf(converted({ filters }, "Http1").listener).http_filters;
    assert.equal(http.name, "envoy.filters.http.rbac");
    assert.equal("version" in http.typed_config, false);
  });

  it("a listener whose TLS is lost is left out", () => {
    const { bootstrap } = converted({ chain: { tls_context: { status: true } } });
    assert.deepEqual(bootstrap.static_resources.listeners, []);
  });

  it("fields that MOSN ignores are notes", () => {
    const { report } = converted({
      filters: [{ type: "dsl", config: { send_router_by_dsl: "x" } }],
      top: { nonsense: 1 },
    });
    const notes = report.findings.filter(({ level }) => level === "note").map(({ path }) => path);
    assert.ok(notes.includes("nonsense"));
    assert.ok(notes.includes(`${LISTENER}.stream_filters[0].config.send_router_by_dsl`));
  });
});

describe("input that is broken", () => {
  const mistakes = (text: string, file = "mosn.json") => {
    try {
      convert(text, file, OPTIONS);
    } catch (error) {
      assert.ok(error instanceof BrokenInput, String(error));
      return error.message.split("\n");
    }
    return [];
  };
  it("JSON is refused with line and column", () => {
    assert.match(mistakes('{\n "servers": [}\n')[0], /^mosn.json: line 2, column 14: /);
    assert.match(mistakes("a: [", "mosn.yaml")[0], /^mosn.yaml: .*line 1/);
  });
  it("every wrong type is named with its path", () => {
    const text = mosn({ listener: { address: 5 }, clusters: [{ name: "c", hosts: [{ address: "no port" }] }] });
    assert.deepEqual(mistakes(text), [
      'mosn.json: cluster_manager.clusters[0].hosts[0].address: expected HOST:PORT or unix:PATH, got "no port"',
      "mosn.json: servers[0].listeners[0].address: expected a string, got 5",
      'mosn.json: servers[0].listeners[0].address: expected HOST:PORT, got ""',
    ]);
  });
  it("what is none of MOSN's", () => {
    assert.match(mistakes("[]")[0], /expected an object/);
    assert.match(mistakes('{"static_resources": {}}')[0], /a configuration of Envoy or of xDS/);
    assert.match(mistakes("{}")[0], /servers: expected one server/);
  });
});

describe("output", () => {
  it("findings stand as comments beside their place", () => {
    const conversion = convert(mosn({ clusters: [{ name: "c", lb_type: "LB_PEAK_EWMA" }] }), "mosn.json", OPTIONS);
    const text = single(conversion, "mosn.json");
    assert.match(text, /# 1\. changed: LB_PEAK_EWMA: Hosts are compared[^\n]*\n +- name: c/);
    assert.deepEqual(parse(text), JSON.parse(JSON.stringify(conversion.bootstrap)));
  });

  it("split has the same listeners and clusters in files that Envoy follows", () => {
    const conversion = convert(mosn({}), "mosn.json", OPTIONS);
    const files = new Map(split(conversion, "mosn.json", "/x").map(({ name, text }) => [name, parse(text)]));
    const { listeners, clusters } = conversion.bootstrap.static_resources;
    const plain = (name: string) => files.get(name).resources.map((one: Any) => ({ ...one, "@type": undefined }));
    const typed = (list: object[]) =>
      (JSON.parse(JSON.stringify(list)) as object[]).map((one) => ({ ...one, "@type": undefined }));
    assert.deepEqual(plain("listeners.yaml"), typed(listeners));
    assert.deepEqual(plain("clusters.yaml"), typed(clusters));
    assert.equal(files.get("envoy.yaml").dynamic_resources.cds_config.path_config_source.path, "/x/clusters.yaml");
  });

  it("durations and variables", () => {
    assert.deepEqual(["1m30s", "1.5h", "0", "5", "x", "-1s"].map(goSeconds), [90, 5400, 0, undefined, undefined, -1]);
    assert.equal(headerFormat("100%"), "100%%");
    assert.equal(headerFormat("%unit%"), undefined);
    const unknown: string[] = [];
    assert.equal(formatOf("[%start_time%] %x% %request_header_a%", unknown), "[%START_TIME%] - %REQ(a)%");
    assert.deepEqual(unknown, ["x"]);
  });
});
