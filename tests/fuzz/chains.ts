// The filters that are on while the module is fuzzed, with rules that some of the inputs meet.

/** What the filter dsl does where a request or a response has a header "zone". */
const ZONED = {
  before_router_by_dsl:
    'conditional(("^[ab]".matches(request.headers["zone"])), ' +
    'ctx.add_request_header("seen", request.headers["zone"].reverse() + string(request.size)), false)',
  after_balancer_by_dsl: 'request.headers["zone"] == "" || ctx.del_request_header("seen")',
  send_filter_by_dsl: 'ctx.add_response_header("size", string(size(response.headers["zone"]) + response.code))',
  log_filter_by_dsl: 'string(response.duration) == request.headers["zone"] | ""',
};

/** Every kind of rule, for any resource, with few places for the names that clients make up. */
const FLOW = {
  app_name: "fuzz",
  global_switch: true,
  limit_key_type: "SERVICE",
  max_resources: 20,
  max_queued: 10,
  rules: [
    {
      resource: "com.",
      match: "prefix",
      threshold: 20,
      statIntervalInMs: 200,
      controlBehavior: 1,
      maxQueueingTimeMs: 100,
    },
    { resource: "^.{0,40}$", match: "regex", threshold: 20 },
    {
      resource: ".",
      match: "regex",
      threshold: 40,
      tokenCalculateStrategy: 1,
      warmUpPeriodSec: 1,
      warmUpColdFactor: 3,
    },
  ],
  isolation_rules: [{ resource: ".", match: "regex", threshold: 6 }],
  circuit_breaker_rules: [
    { resource: "^.{0,9}$", match: "regex", strategy: 2, threshold: 3, statIntervalMs: 500, retryTimeoutMs: 100 },
  ],
  hot_param_rules: [
    {
      resource: ".",
      match: "regex",
      paramKey: "zone",
      metricType: 1,
      threshold: 8,
      durationInSec: 1,
      paramsMaxCapacity: 16,
    },
  ],
  system_rules: [{ metricType: 2, triggerCount: 12 }],
};

const ACCESS = { header: "x-ip", ips: [{ action: "deny", addrs: ["10.9.0.0/16", "2001:db8::/32"] }] };
const LABELS = { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] };

/** Asks all that a request may say of itself. */
const POLICIES = {
  action: "DENY",
  policies: {
    p: {
      permissions: [
        { header: { name: "x-level", range_match: { start: 1, end: 3 } } },
        { url_path: { path: { safe_regex: { regex: "/admin.*" } } } },
        { header: { name: "method", prefix_match: "\u0000" } },
      ],
      principals: [
        { remote_ip: { address_prefix: "10.0.0.0", prefix_len: 8 } },
        { header: { name: "x-ip", present_match: true } },
      ],
    },
  },
};

/** `stream_filters` of the root `proxy`. */
export const rpcFilters = (): object[] => [
  { type: "dubbo_stream", config: {} },
  {
    type: "fault_tolerance",
    config: { enabled: true, timeWindow: 500, recoverTime: 1000, leastWindowCount: 2, exceptionRateMultiple: 1.5 },
  },
  { type: "hessian_allowlist", config: { mode: "report", responses: true, allow: ["com.example.*"] } },
  { type: "dsl", config: ZONED },
  { type: "ip_access", config: ACCESS },
  { type: "rbac", config: { rules: POLICIES, shadow_rules: POLICIES } },
  { type: "flowControlFilter", config: FLOW },
  { type: "fault", config: { delay: { fixed_delay: "3ms", percentage: 5 }, abort: { status: 503, percentage: 5 } } },
  { type: "payload_limit", config: { max_entity_size: 4096 } },
  { type: "header_to_metadata", config: LABELS },
  { type: "mirror", config: { amplification: 2 } },
  { type: "grpc_metric", config: {} },
];

/** `flowControlFilter` of a route: counts leased from what all workers share. */
export const leasedFlow = (): object => ({
  ...FLOW,
  app_name: "leased",
  mode: "lease",
  lease_percent: 10,
  rules: [{ resource: ".", match: "regex", threshold: 10 }],
});

const LIMITED = "^/[^c]";

/** `stream_filters` of the root `http`. Requests for paths that begin with "/c", without special headers, meet no rule. */
export const httpFilters = (): object[] => [
  { type: "dubbo_stream", config: {} },
  {
    type: "dsl",
    config: {
      ...ZONED,
      after_router_by_dsl:
        '(request.headers["x-rewrite"] | "") == "" || ctx.rewrite_request_url(request.headers["x-rewrite"])',
    },
  },
  { type: "ip_access", config: ACCESS },
  { type: "rbac", config: { rules: POLICIES, shadow_rules: POLICIES } },
  {
    type: "flowControlFilter",
    config: {
      ...FLOW,
      limit_key_type: "PATH",
      rules: FLOW.rules.map((rule) => ({
        ...rule,
        ...(rule.match === "prefix" ? { resource: "/l" } : { resource: LIMITED }),
      })),
      isolation_rules: [{ resource: LIMITED, match: "regex", threshold: 6 }],
      circuit_breaker_rules: FLOW.circuit_breaker_rules.map((rule) => ({ ...rule, resource: "^/limited/.$" })),
      hot_param_rules: FLOW.hot_param_rules.map((rule) => ({ ...rule, resource: LIMITED })),
      system_rules: [],
    },
  },
  {
    type: "fault",
    config: {
      headers: [{ name: "x-fault", value: ".", regex: true }],
      delay: { fixed_delay: "30ms", percentage: 50 },
      abort: { status: 503, percentage: 50 },
    },
  },
  { type: "payload_limit", config: { max_entity_size: 4096 } },
  { type: "header_to_metadata", config: LABELS },
  { type: "mirror", config: { amplification: 2, cluster: "shadow", percent: 30 } },
  { type: "grpc_metric", config: {} },
];
