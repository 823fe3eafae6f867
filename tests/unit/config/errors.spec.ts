import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors, MAX_MISTAKES } from "../../../assembly/config/errors";
import { suggestion } from "../../../assembly/config/suggest";
import { ProxyConfig } from "../../../assembly/proxy/config";
import { FilterRegistry } from "../../../assembly/stream/registry";
import { fault } from "../../../filters/stream/fault/fault";
import { ipAccess } from "../../../filters/stream/ip_access/ip_access";
import { payloadLimit } from "../../../filters/stream/payload_limit/payload_limit";

/** The mistakes of a configuration of `proxy`, without their places. */
function mistakes(text: string, errors: ConfigErrors = new ConfigErrors()): string[] {
  const bytes = Bytes.of(text.replaceAll("'", '"'));
  const filters = new FilterRegistry();
  filters.register(fault);
  filters.register(ipAccess);
  filters.register(payloadLimit);
  const config = ProxyConfig.parse(bytes.ptr, bytes.length, errors, ["bolt", "dubbo"], filters);
  expect(config === null).toBe(errors.failed);
  return errors.messages.map<string>((message: string): string => {
    const from = message.indexOf(" (line ");
    const to = message.indexOf(")", from);
    return from < 0 ? message : message.substring(0, from) + message.substring(to + 1);
  });
}

function expectMistakes(text: string, wanted: string[]): void {
  const found = mistakes(text);
  expect(found.length).toBe(wanted.length, found.join("\n"));
  for (let i = 0; i < found.length && i < wanted.length; i++) {
    expect(found[i].startsWith(wanted[i])).toBe(true, `${found[i]}\n${wanted[i]}`);
  }
}

describe("all mistakes of a configuration", () => {
  test("are told at once, wherever they are", () => {
    expectMistakes(
      `{'protocol': ['bolt'], 'max_frame_bytes': 'many', 'fallback': 'open', 'goaway': 1,
        'router': {'virtual_hosts': [{'routers': [
          {'match': {'prefix': '/', 'path': '/a'}, 'route': {'cluster': 'c', 'timeout': '3 s'}},
          {'route': {'weighted_clusters': [{'cluster': {'name': '', 'weight': -1}}]}}, {}]}]},
        'stream_filters': [{'type': 'faults', 'config': 5}, {'config': {}},
          {'type': 'fault', 'config': {'abort': {'percentage': 5}}},
          {'type': 'ip_access', 'config': {'ips': [{'action': 'alow', 'addrs': ['10.0.0.0/33', 1, 'x']}]}}],
        'clusters': {'c': {'lb_type': 'RANDOM', 'host_weights': {'10.0.0.1': 1}}, 'd': {'keepalive': {'interval': 5}}}}`,
      [
        'fallback: expected "close" or "cluster:NAME"',
        "stream_filters[0].config: expected an object, got 5",
        'stream_filters[0].type: unknown filter type "faults"; allowed: fault, ip_access, payload_limit; did you mean "fault"?',
        "stream_filters[1].type: must be given and not be empty",
        "stream_filters[2].config.abort: status must be given",
        'stream_filters[3].config.ips[0].action: expected one of "allow", "deny", got "alow"; did you mean "allow"?',
        "stream_filters[3].config.ips[0].addrs[1]: expected a string, got 1",
        'stream_filters[3].config.ips[0].addrs[0]: expected an IP address or a network such as "10.0.0.0/8", got ',
        'stream_filters[3].config.ips[0].addrs[2]: expected an IP address or a network such as "10.0.0.0/8", got ',
        "router.virtual_hosts[0].domains: must name at least one domain",
        "router.virtual_hosts[0].routers[0].match: expected at most one of prefix, path, regex",
        'router.virtual_hosts[0].routers[0].route.timeout: expected a duration such as "3s", got "3 s"',
        'router.virtual_hosts[0].routers[0].route: unknown field "cluster"; allowed: cluster_name, ',
        "router.virtual_hosts[0].routers[1].route.weighted_clusters[0].cluster.name: must be given and not be empty",
        "router.virtual_hosts[0].routers[1].route.weighted_clusters[0].cluster.weight: expected an integer from 0 ",
        "router.virtual_hosts[0].routers[2]: expected one of a cluster in route, direct_response, redirect",
        "max_frame_bytes: expected an integer from 1024 to 67108864",
        "goaway: expected true or false, got 1",
        "clusters.c.lb_type: expected one of ",
        "clusters.c.host_weights.10.0.0.1: expected the weight of a host",
      ],
    );
  });

  test("do not include what follows from another one", () => {
    expectMistakes("{'max_frame_bytes': '1', 'max_connection_bytes': 65536}", ["max_frame_bytes: expected an integer"]);
    expectMistakes("{'router': []}", ["router: expected an object, got an array"]);
    expectMistakes("{'router': {'virtual_hosts': {}}}", ["router.virtual_hosts: expected an array, got an object"]);
    expectMistakes("[]", ["configuration: expected an object, got an array"]);
    expectMistakes("{'clusters': {'c': {'lb_type': 'LB_WEIGHTED', 'host_weights': {'1.1.1.1:1': 1}}}}", [
      "clusters.c.lb_type: ",
    ]);
    expectMistakes("{'clusters': {'c': {'connect_timeout_ms': 0, 'connect_timeout': '1s'}}}", [
      "clusters.c.connect_timeout_ms: expected an integer",
    ]);
    expectMistakes(
      "{'stream_filters': [{'type': 'payload_limit', 'config': {'max_entity_size': 'x', 'max_entity_size ': 1}}]}",
      ["stream_filters[0].config.max_entity_size: expected an integer"],
    );
    const route = "router.virtual_hosts[0].routers[0]";
    expectMistakes(
      `{'router': {'virtual_hosts': [{'domains': ['*'], 'routers': [{'route': {'cluster_name': 'c',
        'retry_policy': {'retry_on': 'yes', 'status_codes': [500]}, 'hash_policy': [{'header': 'a'}]}}]}]}}`,
      [
        `${route}.route.retry_policy.retry_on: expected true`,
        `${route}.route.hash_policy[0].header: expected an object`,
      ],
    );
  });

  test("of one kind are all told, also several of one object", () => {
    expectMistakes("{'a': 1, 'b': 2, 'clusters': {'c': {'a': 1}}}", [
      'clusters.c: unknown field "a"',
      'configuration: unknown field "a"',
      'configuration: unknown field "b"',
    ]);
    expectMistakes("{'protocols': ['bolt2', 1, 'bolt', 'bolt']}", [
      "protocols[1]: expected a string, got 1",
      'protocols[0]: unknown protocol "bolt2"; allowed: bolt, dubbo; did you mean "bolt"?',
      'protocols[3]: duplicate protocol "bolt"',
    ]);
  });

  test("are at most twenty, and reading ends there", () => {
    const errors = new ConfigErrors();
    const fields: string[] = [];
    for (let i = 0; i < MAX_MISTAKES; i++) fields.push(`'x${i}': 1`);
    expect(mistakes(`{${fields.join()}}`, errors).length).toBe(20);
    expect(errors.full).toBe(false);
    fields.push("'y': 1");
    const more = new ConfigErrors();
    expect(mistakes(`{${fields.join()}}`, more).length).toBe(20);
    expect(more.full).toBe(true);
  });
});

const NAMES = [
  "protocols",
  "max_frame_bytes",
  "connect_timeout_ms",
  "cluster_name",
  "cluster_header",
  "LB_ROUNDROBIN",
  "LB_RANDOM",
];

describe("a suggestion", () => {
  test("is the name that is most like what was written", () => {
    const rows: string[][] = [
      ["protocol", "protocols"],
      ["Protocols", "protocols"],
      ["prtocols", "protocols"],
      ["rpotocols", "protocols"],
      ["maxFrameBytes", "max_frame_bytes"],
      ["max-frame-byte", "max_frame_bytes"],
      ["connect_timeout", "connect_timeout_ms"],
      ["cluster", "cluster_name"],
      ["ROUND_ROBIN", "LB_ROUNDROBIN"],
      ["random", "LB_RANDOM"],
    ];
    for (let i = 0; i < rows.length; i++) {
      expect(suggestion(rows[i][0], NAMES)).toBe(`; did you mean "${rows[i][1]}"?`, rows[i][0]);
    }
  });

  test("is none where nothing is like it", () => {
    const texts = ["", "_", "x", "max", "clu", "metadata", "bytes", "p".repeat(65), "\u{1F600}"];
    for (let i = 0; i < texts.length; i++) expect(suggestion(texts[i], NAMES)).toBe("", texts[i]);
    expect(suggestion("protocols", [])).toBe("");
  });
});
