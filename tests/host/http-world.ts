// The root `http` of the release module in the emulator, for tests.
import assert from "node:assert/strict";
import { Host, type HostOptions, LoadError, type UpstreamRequest } from "./kit/index.ts";
import { module } from "./proxy-world.ts";

export interface HttpWorldOptions extends Partial<HostOptions> {
  /** allow_on_headers_stop_iteration; default true, as shipped. */
  allow?: boolean;
}

/** A host with these stream filters; servers answer a complete request with its body. */
export async function startHttp(filters: object[], options: HttpWorldOptions = {}): Promise<Host> {
  const { allow = true, ...rest } = options;
  const config = { stream_filters: filters };
  const host = await Host.start({ module, root: "http", config, allowOnHeadersStopIteration: allow, ...rest });
  host.onRequest = (request) => (request.onEnd = () => request.respond({ body: request.body }));
  return host;
}

/** Has the servers keep their requests; returns those that have come. */
export function keepRequests(host: Host): UpstreamRequest[] {
  const kept: UpstreamRequest[] = [];
  host.onRequest = (request) => kept.push(request);
  return kept;
}

/** A counter or gauge `moe.http.NAME` as Envoy has it once the module has told it. */
export function stat(host: Host, name: string): number {
  host.advance(1000);
  const full = `moe.http.${name}`;
  return name === "active" ? host.metrics.gauge(full) : host.metrics.counter(full);
}

/** Host calls of all callbacks during an action, by name. */
export function callsOf(host: Host, action: () => void): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { calls } of host.trace(action)) {
    for (const [name, count] of Object.entries(calls)) total[name] = (total[name] ?? 0) + count;
  }
  return total;
}

/** Types of filters that a root of the module has, as it says itself. */
export async function registered(root: string): Promise<string[]> {
  const config = { stream_filters: [{ type: "none of them" }] };
  const error: unknown = await Host.start({ module, root, config }).catch((error: unknown) => error);
  assert.ok(error instanceof LoadError);
  const [, names] = /unknown filter type "none of them"; allowed: (.*)/.exec(error.message) ?? [];
  assert.ok(names, error.message);
  return names.split(", ").sort();
}
