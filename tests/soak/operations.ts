// What clients of the soak ask for: each operation has a route of its own, and is known to the servers by one letter of its content.

export type ProtocolName = "bolt" | "boltv2" | "dubbo" | "http";

export const PROTOCOLS: ProtocolName[] = ["bolt", "boltv2", "dubbo", "http"];

/** Sizes of contents, bytes. Those of large ones differ: hessian.js writes strings above 32 KiB in pieces. */
export const SMALL = 100;
export const LARGE: Record<ProtocolName, number> = { bolt: 1 << 20, boltv2: 1 << 20, dubbo: 32_000, http: 1 << 18 };

export interface Operation {
  /** Its method, and the path for HTTP. */
  name: string;
  letter: string;
  /** How often, of a thousand requests. */
  share: number;
  /** Only with these protocols. */
  only?: ProtocolName[];
  large?: boolean;
  oneway?: boolean;
  heartbeat?: boolean;
  /** Headers of the request. */
  headers?: [name: string, value: string][];
  /** The code that the proxy always answers with, MOSN's; none: the server's own answer. */
  code?: number;
  /** Codes that it may be answered with as well. */
  also?: number[];
  /** Fields of its route of RPC beside the cluster. */
  route?: object;
  /** What the route does to the filters, on RPC and HTTP. */
  filters?: Record<string, object>;
  /** Other fields of the entry in the router of RPC. */
  entry?: object;
}

const CHANGES = {
  request_headers_to_add: [{ header: { key: "caller", value: "%downstream_remote_address%" } }],
  response_headers_to_add: [{ header: { key: "x-soak", value: "changed" } }],
};

export const SLOW_MS = 600;

export const OPERATIONS: Operation[] = [
  { name: "echo", letter: "E", share: 660 },
  { name: "changed", letter: "C", share: 80, route: CHANGES },
  {
    name: "copied",
    letter: "M",
    share: 30,
    entry: { request_mirror_policies: { cluster: "copies", percent: 50 } },
  },
  { name: "zoned", letter: "Z", share: 40, headers: [["zone", "a"]], only: ["bolt", "boltv2", "dubbo"] },
  {
    name: "scripted",
    letter: "X",
    share: 20,
    filters: { dsl: { after_router_by_dsl: 'ctx.add_request_header("x-soak", request.host)' } },
  },
  {
    name: "delayed",
    letter: "D",
    share: 5,
    filters: { fault: { delay: { fixed_delay: "20ms", percentage: 100 } } },
  },
  {
    name: "aborted",
    letter: "A",
    share: 40,
    code: 503,
    filters: { fault: { abort: { status: 503, percentage: 100 } } },
  },
  {
    name: "limited",
    letter: "P",
    share: 20,
    code: 413,
    filters: { payload_limit: { max_entity_size: SMALL - 1, http_status: 413 } },
  },
  {
    name: "retried",
    letter: "R",
    share: 20,
    also: [500],
    route: { retry_policy: { retry_on: true, num_retries: 3 } },
  },
  // More than one at a time is refused (stage.ts).
  { name: "metered", letter: "F", share: 20, also: [503] },
  { name: "slow", letter: "S", share: 0.5, code: 504, route: { timeout: "0.2s" } },
  { name: "large", letter: "L", share: 0.5, large: true },
  { name: "oneway", letter: "O", share: 50, oneway: true, only: ["bolt", "boltv2", "dubbo"] },
  { name: "heartbeat", letter: "H", share: 14, heartbeat: true, only: ["bolt", "boltv2", "dubbo"] },
];

/** Statuses of the protocols for MOSN's codes (docs/reference/mosn.md#wire-formats). */
export const STATUSES: Record<ProtocolName, Record<number, number[]>> = {
  bolt: { 200: [0], 413: [3], 500: [1, 2, 3], 502: [6], 503: [4], 504: [7] },
  boltv2: { 200: [0], 413: [3], 500: [1, 2, 3], 502: [6], 503: [4], 504: [7] },
  dubbo: { 200: [20], 413: [70], 500: [60, 70, 80], 502: [40, 60, 80], 503: [40], 504: [30] },
  http: { 200: [200], 413: [413], 500: [500], 502: [502], 503: [503], 504: [504] },
};

/** Codes of requests whose server went away: they say so, and nobody knows whether they were executed. */
export const LOST = [500, 502, 503];
