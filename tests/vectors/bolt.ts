// Rows of tests/vectors as Bolt frames.
import * as bolt from "../host/kit/bolt.ts";
import type { RowRequest } from "./rows.ts";

/** Headers of the protocol, which no row speaks of. */
const SERVICE = "service";
const METHOD = "sofa_head_method_name";

/** The row's request. */
export function boltRequest(id: number, { headers = [], body_length = 0, body, method }: RowRequest = {}): Buffer {
  const methods: bolt.Headers = method === undefined ? [] : [[METHOD, method]];
  return bolt.request(id, {
    class: "com.alipay.sofa.rpc.core.request.SofaRequest",
    headers: [[SERVICE, "test.Vectors:1.0"], ...methods, ...headers],
    content: body === undefined ? Buffer.alloc(body_length, "x") : Buffer.from(body, "hex"),
  });
}

/** The row's headers in a frame. */
export function rowHeaders(frame: bolt.BoltFrame): bolt.Headers {
  return frame.headers.filter(([key]) => key !== SERVICE && key !== METHOD);
}

/** Bolt's status for one of MOSN's codes (docs/reference/mosn.md#bolts-statuses). */
export function boltStatus(code: number): number {
  const known: Record<number, number> = { 200: 0, 404: 6, 502: 6, 503: 4, 0: 9, 3: 18, 504: 7, 403: 2 };
  return known[code] ?? bolt.BoltStatus.UNKNOWN;
}
