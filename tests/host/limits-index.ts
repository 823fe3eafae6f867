// Which tests show the bounds of docs/limits.md at their edges, and which constants of the sources they are.
// limits-index.test.ts holds the table, this list, the tests and the sources together.

import { CONFIGURATION, type Limit } from "./limits-configuration.ts";
import { WHAT_IS_READ } from "./limits-reading.ts";

const peers = (title: string): string => `tests/host/limits-peers.test.ts: ${title}`;
const headers = (title: string): string => `tests/host/limits-headers.test.ts: ${title}`;
const halves = (title: string): string => `tests/host/half-frames.test.ts: ${title}`;
const memory = (title: string): string => `tests/host/limits-memory.test.ts: ${title}`;
const tables = (title: string): string => `tests/host/limits-tables.test.ts: ${title}`;
const heldBack = (title: string): string => `tests/host/held-back.test.ts: ${title}`;
const jwt = (title: string): string => `tests/host/limits-jwt.test.ts: ${title}`;
const SHORT = [
  memory("from 640 MiB on the connection that holds most is given up: no call of others is refused"),
  memory("from 640 MiB on also very many that hold little each are given up"),
  memory("from 640 MiB on the largest answer that is not whole is left out, and no call of others is refused"),
];
const REQUESTS = peers(
  "65,535 on one connection, 131,072 in a worker and equal parts of 65,536 more: one more is overflow",
);
const CLUSTERS = tables(
  "256 clusters have their own; of 4,096 that have hosts none is forgotten, and one more is no route",
);
const LABELS = "tests/unit/stream/labels.spec.ts: has room for 16, and bounded memory for values that are replaced";

export const LIMITS: Limit[] = [
  {
    row: "one frame",
    tests: [
      "tests/host/proxy-policies.test.ts: of the size of a frame",
      "tests/host/proxy-failures.test.ts: with a frame beyond 16 MiB get an error for it at once, and may go on after it",
      "tests/e2e/bodies.test.ts: a frame of 16 MiB passes, both ways",
    ],
  },
  {
    row: "pairs of the headers of a frame",
    tests: [
      headers("of a request: 65,536 pass, whatever is changed; one more is refused alone"),
      headers("of a response: more than 65,536 pass as they are, and are no headers to change"),
      "filters/codec/tars/tars.spec.ts: maps have 65,536 pairs in all, and no more",
      "tests/unit/xprotocol/xprotocol.spec.ts: takes 65,536 pairs, and no more",
    ],
    constants: ["assembly/message/list.ts MAX_PAIRS"],
  },
  {
    row: "text of Dubbo attachments that are no plain strings",
    tests: [headers("of attachments in pieces 1 MiB is shown, and what is more goes on as it came")],
    constants: ["filters/codec/dubbo/headers.ts MAX_PRINTED"],
  },
  {
    row: "changes of the headers of a frame",
    tests: [
      headers("1 MiB in all pass; what is more is lost, and takes no memory"),
      headers("of a request: what changes add beyond them is lost"),
      "tests/unit/xprotocol/xprotocol.spec.ts: keeps changes of 1 MiB in all, and no more",
    ],
    constants: ["assembly/message/list.ts MAX_OWNED"],
  },
  {
    row: "requests in flight of one client connection",
    tests: [REQUESTS, "tests/unit/bytes/slots.spec.ts: is bounded"],
    constants: ["assembly/bytes/slots.ts MAX_SLOTS"],
  },
  {
    row: "requests in flight of a worker, with copies",
    tests: [REQUESTS],
    constants: ["assembly/proxy/services.ts MAX_REQUESTS", "assembly/proxy/services.ts RESERVED"],
  },
  {
    row: "timeout that a request chooses",
    tests: [
      "tests/host/timeouts.test.ts: is ten minutes at most, max_request_timeout, or the route's where that is longer",
    ],
  },
  {
    row: "further tries that callers' timeouts cause, per cluster",
    tests: ["tests/host/timeouts.test.ts: is that of the cluster's retry_budget"],
    constants: ["assembly/upstream/cluster_config.ts MIN_RETRIES"],
  },
  {
    row: "unsent bytes for servers of one client connection",
    tests: [peers("no more is read from 2 MiB for a server that does not read, and again from 512 KiB on")],
    constants: ["assembly/proxy/downstream_connection.ts BACKLOG_HIGH"],
  },
  {
    row: "bytes taken from a client that is no longer read",
    tests: [
      heldBack("by a server that reads in small steps, read buffer ${limit}: all is answered, memory is bounded"),
      heldBack("with a read buffer that is too large for the windows: refused once its memory is full"),
    ],
  },
  {
    row: "answers of the proxy itself without any of a server",
    tests: [heldBack("is slowed, and gets everything in the end"), heldBack("is closed after 32 MiB of them")],
    constants: ["assembly/proxy/own_answers.ts HIGH", "assembly/proxy/own_answers.ts MOST"],
  },
  {
    row: "time that a server takes no bytes and holds its client back",
    tests: [
      heldBack("by a server that takes nothing for 15 s: it is given up, and the others are served again"),
      heldBack("by a server that takes little, but something: it is not given up"),
    ],
  },
  {
    row: "answers of the proxy itself that a server does not read",
    tests: [peers("${what}: is given up at 4 MiB of them, and the client lives on")],
    constants: ["assembly/upstream/unread_answers.ts MOST"],
  },
  {
    row: "copies kept for `retry_on`, per client connection",
    tests: [peers("copies for retries: a request without room for one is sent once")],
  },
  {
    row: "messages that filters hold, with those copies, per client connection",
    tests: ["tests/host/filter-waits.test.ts: is bounded: what does not fit is answered at once"],
  },
  {
    row: "servers' frames whose rest has not come, per client connection",
    tests: ["tests/host/gather.test.ts: beyond max_connection_bytes fail alone; the server's connection goes on"],
  },
  {
    row: "memory of all buffers of a worker",
    tests: [
      ...SHORT,
      memory("from 640 MiB on the stream that holds most is given up, and no request of others is refused"),
      memory("from 640 MiB on also of very many small ones those that hold most are given up"),
      memory("are not kept for those that have gone on"),
    ],
    constants: [
      "assembly/bytes/buffer.ts MEMORY_HIGH",
      "assembly/bytes/buffer.ts MEMORY_FULL",
      "assembly/upstream/memory.ts LARGE_IF_FULL",
    ],
  },
  {
    row: "the same two, as the memory of the worker fills",
    tests: ["tests/host/filter-waits.test.ts: shrinks as the memory of the worker fills"],
  },
  {
    row: "time for the rest of a frame",
    tests: [
      halves(
        "is given up after ${least} s and one for each 16,000 bytes, with its connection: ${JSON.stringify(config)}",
      ),
      halves("is given up also if a byte comes each second"),
      halves("may take as long as it likes while it comes at 16 KB a second, and with frame_timeout_ms 0"),
      halves("of a server's own request: the server connection is given up"),
    ],
  },
  {
    row: "time for the rest of an answer",
    tests: [halves("goes with its request: the memory is free, and the server's next answer is found")],
  },
  {
    row: "what is done for one client in one callback",
    tests: [
      halves(
        "has about a thousand of them sent, then some in each tick: another one's call is answered before the rest",
      ),
    ],
    constants: ["assembly/proxy/downstream_connection.ts WORK", "assembly/proxy/downstream_connection.ts WORK_OF_TICK"],
  },
  {
    row: "memory that empty buffers keep",
    tests: [memory("from 64 MiB on idle connections keep next to nothing")],
    constants: ["assembly/bytes/buffer.ts MEMORY_KEPT"],
  },
  {
    row: "client connections",
    tests: ["tests/host/proxy-limits.test.ts: returns when connections end: no growth over 10,000 of them"],
  },
  {
    row: "server connections of a client connection",
    tests: [
      tables("one client connection uses 16 of them"),
      tables("with consistent hashing 128 connections, to hosts as they are needed"),
      tables("to each `connections` of a client connection"),
    ],
    constants: ["assembly/proxy/request_traffic.ts MAX_SPAN", "assembly/upstream/pool.ts MAX_CONNECTIONS"],
  },
  {
    row: "the same, of all clusters",
    tests: [
      "tests/host/proxy-failures.test.ts: refuses a stream unsent: the call is tried again",
      "tests/host/switchboard.test.ts: refuses streams beyond the limit unsent, ignores those after the last GOAWAY",
    ],
  },
  {
    row: "hosts remembered per cluster",
    tests: [tables("1,024 are remembered: then none are looked for any more")],
    constants: ["assembly/upstream/host_set.ts MAX_HOSTS"],
  },
  { row: "clusters", tests: [CLUSTERS], constants: ["assembly/upstream/destinations.ts MAX_CLUSTERS"] },
  {
    row: "clusters and subsets that one client connection uses",
    tests: [CLUSTERS],
    constants: ["assembly/upstream/pools.ts MAX_IDLE"],
  },
  {
    row: "sets of labels from filters",
    tests: [
      LABELS,
      "tests/host/proxy-filters.test.ts: does not grow with ${what} that a client makes up; the server is ${state}",
    ],
    constants: [
      "assembly/upstream/labelled.ts MAX_DESTINATIONS",
      "assembly/stream/labels.ts MAX_LABELS",
      "assembly/stream/labels.ts MAX_VALUE",
      "assembly/stream/labels.ts MAX_BYTES",
    ],
  },
  {
    row: "variables that filters set on a request",
    tests: [
      "tests/unit/stream/variables.spec.ts: has room for 64 variables, and values of 64 KiB",
      "tests/unit/stream/variables.spec.ts: counts its values as memory of the VM, until they go",
      "filters/stream/dubbo_stream/dubbo_stream.spec.ts: a request with too many variables counts, and its failure too",
    ],
    constants: ["assembly/stream/variables.ts MAX_VARIABLES", "assembly/stream/variables.ts MAX_VALUE"],
  },
  {
    row: "copies of HTTP requests under way, per plugin and worker",
    tests: [
      "tests/host/mirror-http.test.ts: a server that never answers: 512 of one client wait, those of another one are sent; they end by the timeout",
      "tests/host/mirror-http.test.ts: bodies above 1 MiB, and 8 MiB of one client, are dropped; those of another one are sent; the original arrives",
    ],
    constants: [
      "assembly/http/mirror_calls.ts MAX_COPIES",
      "assembly/http/mirror_calls.ts RESERVED_COPIES",
      "assembly/http/mirror_calls.ts MAX_BYTES",
      "assembly/http/mirror_calls.ts RESERVED_BYTES",
      "assembly/http/mirror_calls.ts MAX_BODY",
    ],
  },
  {
    row: "copies for mirror clusters under way, per client connection",
    tests: [tables("8,192 of one client connection wait for answers, one more is dropped")],
    constants: ["assembly/proxy/mirror.ts MAX_COPIES"],
  },
  {
    row: "unsent copies, per client connection",
    tests: ["tests/host/mirror-bounds.test.ts: with frames of the largest size: one fits, the next is dropped"],
  },
  {
    row: "server connections for copies, per client connection",
    tests: [tables("go to ${hosts} hosts, on 8 connections at most, with ${JSON.stringify(mirror)}")],
    constants: ["assembly/proxy/mirror_traffic.ts MAX_MIRRORS", "assembly/proxy/mirror_traffic.ts MAX_SPAN"],
  },
  {
    row: "hosts that `fault_tolerance` judges",
    tests: [
      "filters/stream/fault_tolerance/fault_tolerance.spec.ts: 8,192 hosts of all clusters are judged; calls of one more are not counted",
    ],
    constants: ["filters/stream/fault_tolerance/regulator.ts MAX_HOSTS"],
  },
  {
    row: "resources of flow control, of patterns, per worker",
    tests: [
      "tests/unit/sentinel/flow.spec.ts: resources beyond the bound share one, and those that rules name have their own",
      "tests/unit/sentinel/admission.spec.ts: cold resources go 64 at once and one each second, idle ones as many as there are; those in use stay",
    ],
    constants: [
      "assembly/sentinel/admission.ts MAX_DISPLACED",
      "filters/stream/flowControlFilter/config.ts MAX_RESOURCES",
      "assembly/sentinel/engine.ts MAX_NAME",
    ],
  },
  {
    row: "values of a parameter in flow control",
    tests: [
      "tests/unit/sentinel/hot_param.spec.ts: values that are made up do not push out those in use, nor give them their tokens back",
      "tests/unit/sentinel/hot_param.spec.ts: new values between warm ones share sixteen times the threshold, and have their place in the end",
    ],
  },
  {
    row: "requests that flow control holds back, per worker",
    tests: [
      tables("max_queued of them; one more is refused"),
      "tests/host/shares.test.ts: a client alone has all places; another one gets its latest, until both have as many",
      "tests/host/shares.test.ts: on HTTP as well: connections are told apart by Envoy's number, not by the address that headers may name",
    ],
    constants: ["filters/stream/flowControlFilter/config.ts MAX_QUEUED"],
  },
  {
    row: "filters that have a request matched or placed again",
    tests: [
      "tests/host/stream-filters.test.ts: ${status} without end is answered with an error (MOSN: never)",
      "tests/host/http-phases.test.ts: without end it is answered with an error (MOSN: never)",
    ],
    constants: ["assembly/proxy/forward.ts MAX_PASSES", "assembly/http/exchange.ts MAX_PASSES"],
  },
  {
    row: "HTTP streams that go on in one tick",
    tests: [
      "tests/host/http.test.ts: of 1,000 requests at once goes on 16 in a tick, first come first served",
      "tests/host/http.test.ts: of one connection is one turn after the other: 1,000 do not delay one of another connection",
    ],
    constants: ["assembly/http/root.ts MAX_RESUMED"],
  },
  {
    row: "different configurations in the metadata of HTTP routes",
    tests: ["tests/host/http.test.ts: may differ with every request: the number that is kept is bounded"],
    constants: ["assembly/http/route_configs.ts MAX_TEXTS"],
  },
  {
    row: "requests of servers that wait for one client",
    tests: [peers("requests of servers that wait for a client: 1,024")],
    constants: [
      "assembly/proxy/server_request.ts MAX_SERVER_REQUESTS",
      "assembly/proxy/server_request.ts FEW_SERVER_REQUESTS",
    ],
  },
  {
    row: "service and method pairs with own counters",
    tests: [
      tables("512 pairs of service and method have their own, the rest counts as other"),
      "tests/host/filter-metrics.test.ts: by names from the wire, at most 512 pairs",
      "tests/host/limits-tables.test.ts: methods that a server answers have their own beside 512 that are made up",
    ],
    constants: ["assembly/proxy/stats.ts MAX_METHODS", "assembly/stream/metrics.ts MAX_NAMES"],
  },
  { row: "clusters with own counters", tests: [CLUSTERS], constants: ["assembly/upstream/stats.ts MAX_CLUSTERS"] },
  {
    row: "a name in a metric",
    tests: [
      tables("200 bytes of each are kept, and only visible ASCII"),
      "tests/unit/bytes/name_table.spec.ts: what is long is cut in the label, and not kept",
    ],
    constants: ["assembly/bytes/name_table.ts MAX_LABEL", "assembly/bytes/name_table.ts MAX_NAMES"],
  },
  {
    row: "log lines that peers can cause",
    tests: [
      peers("five in a second, and how many were left out"),
      "tests/host/shares.test.ts: log lines: a noisy client has five in a second, and another one has some in the same second",
    ],
    constants: ["assembly/host/log.ts BURST"],
  },
  {
    row: "workers and plugins with gauges above 0 on record, per `vm_id`",
    tests: ["tests/host/gauges.test.ts: again and again: the records of the dead are used again"],
    constants: ["assembly/host/gauge_ledger.ts SLOTS"],
  },
  {
    row: "callouts under way, of one plugin in one worker",
    tests: [
      "tests/host/callouts.test.ts: more than a client may have under way: the others are not begun, and another client has some of its own",
      "tests/host/callouts.test.ts: on HTTP: the streams of a connection share what it may have, also those that the client has reset",
    ],
    constants: ["assembly/host/callout.ts MAX_FLIGHTS", "assembly/host/callout.ts RESERVED"],
  },
  {
    row: "tokens that `jwt_authn` remembers, per provider and worker",
    tests: [
      jwt("one of 4,096 bytes is verified once, a longer one each time"),
      jwt("jwt_cache_size of them; 10,000 is the largest size"),
    ],
    constants: [
      "filters/stream/jwt_authn/read_provider.ts MAX_CACHE",
      "filters/stream/jwt_authn/provider.ts MAX_REMEMBERED",
    ],
  },
  {
    row: "callouts of one request for keys of `jwt_authn`",
    tests: [jwt("keys of 4 servers are fetched for one request; with 5 it is denied, and the next one passes")],
    constants: ["filters/stream/jwt_authn/jwt_authn.ts MAX_FETCHES"],
  },
  {
    row: "one tick",
    tests: [
      "tests/host/proxy-failures.test.ts: of 3,000 calls on 1,000 connections in one tick are all answered",
      "tests/host/kit.test.ts: more than 16 continue_stream calls in one tick",
    ],
    constants: ["assembly/proxy/root.ts MAX_FLUSHES"],
  },
  ...WHAT_IS_READ,
  ...CONFIGURATION,
];
