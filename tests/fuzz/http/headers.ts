// Headers as hostile clients and servers send them: what filters read, with values that they may trip over.
import type { Dice } from "../dice.ts";
import type { Pairs } from "./events.ts";

const PATHS = [
  "/",
  "/limited/a?b=c&d=%zz",
  "/pkg.Svc/Method",
  "/pkg.Svc/Method/",
  "//..//%2e%2e/%2f%00",
  "/%",
  "/%e4%b8",
  "?",
  "*",
  "",
  "http://host/path",
  `/${"x".repeat(3000)}`,
  `/${"a/../".repeat(300)}?${"&=".repeat(200)}`,
  "/\xff\xfe",
];
const METHODS = ["GET", "POST", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "", "M".repeat(300)];
const AUTHORITIES = ["shop", "", "[::1]:80", "a".repeat(2000), "h\xf6st"];
/** By name, the values that mean something. */
const FIELDS: Record<string, string[]> = {
  zone: ["a", "b", "", "a".repeat(300), "\xc3\x28", "a b", "ab\u0001"],
  "x-ip": ["10.1.2.3", "10.9.0.1", "::ffff:10.9.0.1", "2001:db8::1", "1.2.3", "", "10.1.2.3, 10.9.0.1", "[::1]:9"],
  "x-fault": ["delay", "abort", ""],
  "x-rewrite": ["/new", "", "/a b%", "?q", "/%41?x=%zz#f", `/${"y".repeat(2000)}`],
  "x-route": [
    "none",
    "off",
    "broken",
    "guard",
    "slow",
    "copied",
    "other",
    't:{"delay":',
    't:{"abort":{"status":404,"percentage":100}}',
  ],
  "content-type": ["application/grpc", "application/grpc+proto", "application/grpc-web", "text/plain", ""],
  te: ["trailers"],
  connection: ["upgrade", "close"],
  upgrade: ["websocket", "h2c"],
  cookie: ["a=b; c=d", "=", ";;;", "a", "x=".repeat(500)],
  host: ["a", ""],
  "x-moe-zone": ["z"],
  "x-moe-cluster": ["other"],
  "x-mosn-path": ["/p"],
  "x-envoy-upstream-rq-timeout-ms": ["0", "-1", "99999999999999999999"],
  "grpc-timeout": ["1S", "99999999H", "x"],
  "grpc-status": ["0", "14", "x", ""],
  "x-forwarded-for": ["1.1.1.1, 2.2.2.2"],
  "transfer-encoding": ["chunked"],
};
const NAMES = Object.keys(FIELDS);

function value(dice: Dice, name: string): string {
  if (dice.chance(70)) return dice.pick(FIELDS[name] ?? ["x"]);
  const bytes = dice.bytes(dice.roll(dice.pick([4, 40, 40, 2000])));
  return bytes.toString("latin1");
}

function field(dice: Dice): [string, string] {
  if (dice.chance(85)) {
    const name = dice.pick(NAMES);
    return [name, value(dice, name)];
  }
  const name = dice.pick(["", "x", "\xff", ":x", "content-length ", "n".repeat(500), dice.bytes(6).toString("latin1")]);
  return [name, value(dice, name)];
}

/** More fields for any message; now and then very many, or very large ones. */
export function fields(dice: Dice): Pairs {
  if (dice.chance(2)) return Array.from({ length: 300 }, (_, i) => [`x-${i % 50}`, `${i}`]);
  if (dice.chance(2)) return [["x-large", "l".repeat(50_000)]];
  return Array.from({ length: dice.roll(5) }, () => field(dice));
}

/** Headers of a request: mostly such as Envoy lets pass. */
export function requestFields(dice: Dice): Pairs {
  const pairs: Pairs = [
    [":authority", dice.chance(80) ? "shop" : dice.pick(AUTHORITIES)],
    [":path", dice.chance(50) ? `/limited/${dice.roll(30)}` : dice.pick(PATHS)],
    [":method", dice.chance(60) ? "POST" : dice.pick(METHODS)],
    [":scheme", "http"],
  ];
  if (dice.chance(3)) pairs.splice(dice.roll(4), 1); // a pseudo-header is missing
  if (dice.chance(2)) pairs.push(dice.pick(pairs)); // or comes twice
  return pairs;
}

/** Headers of a server's response, without its status. */
export const STATUSES = [200, 200, 200, 200, 200, 201, 302, 404, 429, 500, 503, 599];
