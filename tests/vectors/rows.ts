// The rows of tests/vectors as Node's hosts run them. A row says what one filter makes of one request; a host is a way
// to run it: the module in the emulator or in Envoy, over RPC or HTTP.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { filterNames, report, vectorFile } from "./fixture.js";

/** A root of the module: RPC, or HTTP and gRPC. */
export type Root = "proxy" | "http";

export interface Row {
  name: string;
  /** A section of docs/reference, or why it is so. */
  source: string;
  /** The filter's configuration. */
  config: object;
  /** Its configuration for the route of the request. */
  route_config?: object;
  request?: RowRequest;
  expect: Expected;
  /** What is different on HTTP, and why. */
  http?: { why: string; request?: RowRequest; expect: Expected };
  /** The filter's JSON schema cannot tell that the configuration is wrong. */
  schema?: "accepts";
}

export interface RowRequest {
  headers?: [name: string, value: string][];
  /** Bytes. */
  body_length?: number;
  /** The body itself in hex; RPC only. */
  body?: string;
  /** "IP:PORT" of the client; default one of loopback. */
  source_address?: string;
  method?: string;
}

/** `passed`, or `code`, or `refused`. */
export interface Expected {
  passed?: true;
  /** The request is answered by the filter with this code of MOSN's. */
  code?: number;
  /** The configuration is not accepted: the path that the error names, and a part of its text. */
  refused?: string;
  message?: string;
  /** Only on HTTP: the module logs that the route's configuration is wrong; the path, and `message` as above. */
  logged?: string;
  /** The request's headers afterwards; by default as they were. */
  headers?: [name: string, value: string][];
  /** Labels that its host must have; by default none. */
  labels?: Record<string, string>;
  /** How long it is held; by default not at all. */
  delay_ms?: number;
  /** MOSN's response flags; only the filter itself sees them. */
  flags?: string[];
}

/** A row of a filter. */
export interface Case {
  filter: string;
  /** Roots that run the filter; others refuse it. */
  roots: Root[];
  row: Row;
}

/** What became of a row's request. */
export interface Outcome {
  /** The protocol's status; undefined for the server's own answer. */
  status?: number;
  /** What the server saw; nothing when the request did not reach it. */
  headers?: [name: string, value: string][];
  labels?: Record<string, string>;
  delayMs: number;
  /** What the module logged of the route's configuration. */
  logged?: string;
}

export interface VectorHost {
  /** For reports: `host`, `e2e`, … */
  name: string;
  root: Root;
  /** Milliseconds by which a request may be late; undefined: the host's time is real, and nobody knows. */
  latenessMs?: number;
  /** The protocol's status for one of MOSN's codes. */
  statusOf(code: number): number;
  /** Loads the configuration of a row that is to be refused; returns what the module says, "" when it took it. */
  refusal(one: Case): Promise<string>;
  /** Runs the request of a row. */
  run(one: Case): Promise<Outcome>;
}

/** All rows, in the order of the filters' names, as they are on a root. */
export function allCases(root: Root = "proxy"): Case[] {
  return filterNames().flatMap((filter) => {
    const { roots, rows } = vectorFile(filter);
    return (rows as Row[]).map((row) => ({ filter, roots, row: root === "http" ? { ...row, ...row.http } : row }));
  });
}

/** The configuration of the root `proxy` for a row: one filter, one route to the cluster `upstream`. */
export function proxyConfig({ filter, row }: Case): object {
  const route = { route: { cluster_name: "upstream" } };
  const routed = row.route_config && { per_filter_config: { [filter]: row.route_config } };
  return {
    stream_filters: [{ type: filter, config: row.config }],
    router: { virtual_hosts: [{ domains: ["*"], routers: [{ ...route, ...routed }] }] },
  };
}

/** One test for each row; a line at the end reports how many were run. */
export function testRows(host: VectorHost, cases = allCases(host.root)): void {
  const counts = new Map<string, number>();
  describe(`tests/vectors, ${host.name}`, () => {
    for (const one of cases) {
      const isForeign = !one.roots.includes(host.root);
      it(`${one.filter}: ${one.row.name}${isForeign ? `, which the root ${host.root} refuses` : ""}`, async () => {
        await (isForeign ? checkForeign(host, one) : check(host, one));
        counts.set(one.filter, (counts.get(one.filter) ?? 0) + 1);
      });
    }
    after(() => report(host.name, counts));
  });
}

/** A filter that is not for this root: a configuration that names it is refused, not silently without effect. */
async function checkForeign(host: VectorHost, one: Case): Promise<void> {
  const message = await host.refusal(one);
  assert.ok(message.includes(`the filter type "${one.filter}" is not for this root`), `got ${message}`);
}

async function check(host: VectorHost, one: Case): Promise<void> {
  const { expect, request = {} } = one.row;
  if (expect.refused !== undefined) {
    checkMessage(await host.refusal(one), expect.refused, expect);
    return;
  }
  const outcome = await host.run(one);
  const { delay_ms: delay = 0 } = expect;
  assert.ok(outcome.delayMs >= delay, `held for ${outcome.delayMs} ms, expected ${delay}`);
  if (host.latenessMs !== undefined) assert.ok(outcome.delayMs <= delay + host.latenessMs, `${outcome.delayMs} ms`);
  if (expect.logged === undefined) assert.equal(outcome.logged, undefined);
  else checkMessage(outcome.logged ?? "nothing", expect.logged, expect);
  if (expect.code !== undefined) {
    assert.equal(outcome.status, host.statusOf(expect.code));
    assert.equal(outcome.headers, undefined, "the request reached the server");
    return;
  }
  assert.equal(expect.passed, true, "the row expects nothing");
  assert.equal(outcome.status, undefined, "the server's answer");
  assert.deepEqual(outcome.headers, expect.headers ?? request.headers ?? []);
  assert.deepEqual(outcome.labels, expect.labels ?? {});
}

/** What the module says of a configuration: the path of what is wrong, and what is wrong with it. */
function checkMessage(text: string, path: string, expect: Expected): void {
  // A text that the module has read itself has lines and columns.
  const message = text.replace(/ \(line \d+, column \d+\)/, "");
  assert.ok(message.startsWith(`${path}: `), `expected ${path}, got ${message}`);
  assert.ok(message.includes(expect.message ?? ""), message);
}
