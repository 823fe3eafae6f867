// Rows of tests/vectors as HTTP requests, for the hosts of the root `http`.
import type { Case, RowRequest } from "./rows.ts";

export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** Headers that clients and proxies add to a request: no row speaks of them. */
const OF_TRANSPORT =
  /^(:.*|host|connection|content-length|transfer-encoding|x-forwarded-(for|proto)|x-request-id|x-envoy-.*)$/;
const LABEL = "x-moe-";

/** The request that a row describes: one with a body is a POST. Throws where a header could not be told apart. */
export function httpRequest({ headers = [], body_length: length = 0, method }: RowRequest = {}): {
  method: string;
  headers: HeaderPairs;
  body: string | undefined;
} {
  for (const [name] of headers) {
    if (OF_TRANSPORT.test(name) || name !== name.toLowerCase()) throw new Error(`a row of HTTP has the header ${name}`);
  }
  return {
    method: method ?? (length > 0 ? "POST" : "GET"),
    headers,
    body: length > 0 ? "x".repeat(length) : undefined,
  };
}

/** The row's headers of those that the server got. */
export function rowHeaders(headers: HeaderPairs): [name: string, value: string][] {
  const own = headers.filter(([name]) => !OF_TRANSPORT.test(name) && !name.startsWith(LABEL));
  return own.map(([name, value]) => [name, value]);
}

/** The labels that came with the request. */
export function rowLabels(headers: HeaderPairs): Record<string, string> {
  const labels = headers.filter(([name]) => name.startsWith(LABEL));
  return Object.fromEntries(labels.map(([name, value]) => [name.slice(LABEL.length), value]));
}

/** The HTTP status for one of MOSN's codes (docs/filters-on-http.md). */
export function httpStatus(code: number): number {
  return code >= 200 && code <= 599 ? code : 500;
}

/** The configuration of the root `http` for a row: one filter. */
export function httpConfig({ filter, row }: Case): object {
  return { stream_filters: [{ type: filter, config: row.config }] };
}

/** The metadata of the row's route (`filter_metadata`): the filter's configuration for it. */
export function routeMetadata({ filter, row }: Case): Record<string, Record<string, string>> {
  return row.route_config === undefined ? {} : { moe: { [filter]: JSON.stringify(row.route_config) } };
}

/** What the module says of a route's wrong configuration, in a line of its log; undefined: it is another line. */
export function routeComplaint(line: string): string | undefined {
  return /the route's metadata filter_metadata\.moe\.\w+, which must be a string of JSON: (.*)/.exec(line)?.[1];
}
