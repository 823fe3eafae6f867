import { HeaderMap } from "./header-map.ts";

/** gRPC's status for an HTTP status (gRPC's http-grpc-status-mapping), as Envoy gives it. */
export function grpcStatusOf(status: number): number {
  const known: Record<number, number> = { 400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14 };
  return known[status] ?? 2;
}

/** Headers of a local reply; with a gRPC status it is one of gRPC, trailers only. */
export function localHeaders(
  reply: { status: number; body: string; headers: readonly (readonly [string, string])[] },
  grpc: number | null,
): HeaderMap {
  const map = new HeaderMap([[":status", grpc === null ? String(reply.status) : "200"]]);
  for (const [name, value] of reply.headers) map.add(name, value);
  if (grpc !== null) {
    map.set("content-type", "application/grpc");
    map.set("grpc-status", String(grpc));
    if (reply.body !== "") map.set("grpc-message", encodeURIComponent(reply.body).replaceAll("%20", " "));
  } else if (reply.body !== "") {
    map.set("content-length", String(Buffer.byteLength(reply.body)));
    map.set("content-type", "text/plain");
  }
  return map;
}
