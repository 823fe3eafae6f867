// What Envoy knows of the current stream that changes while it lives: read anew each time.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { currentTime } from "../host/clock";
import { Part } from "../stream/handler";
import { HttpHeaders } from "./headers";
import { Property } from "./property";

/** Envoy's response flags that mean the same in MOSN, bit by bit: all from NO_HEALTHY_UPSTREAM to RATE_LIMITED. */
const SHARED_FLAGS: i64 = 0xffe;
const VIA_UPSTREAM = Bytes.of("via_upstream");

const requestSize = new Property("request/total_size");
const requestBodySize = new Property("request/size");
const responseSize = new Property("response/total_size");
const responseBodySize = new Property("response/size");
const flags = new Property("response/flags");
const details = new Property("response/code_details");
const connection = new Property("connection/id");
const view = new View();

/** Envoy's id of the downstream connection; 0 where it has none. */
export function connectionId(): i64 {
  return readOnce(connection);
}

/** Bytes of a part of the stream that Envoy has got so far. */
export function sizeOf(part: Part): i64 {
  if (part == Part.REQUEST_BODY) return readOnce(requestBodySize);
  if (part == Part.REQUEST) return readOnce(requestSize);
  return readOnce(part == Part.RESPONSE ? responseSize : responseBodySize);
}

/** Envoy's response flags, those that MOSN has too. */
export function sharedFlags(): u32 {
  return (readOnce(flags) & SHARED_FLAGS) as u32;
}

/** Whether the response is a server's, not Envoy's own. */
export function isFromServer(): bool {
  const found = details.read(view) && VIA_UPSTREAM.equals(view.ptr, view.length);
  details.forget();
  return found;
}

/** Headers by which a caller chooses Envoy's timeout, where Envoy lets it. */
const TIMEOUT = Bytes.of("x-envoy-upstream-rq-timeout-ms");
const TRY_TIMEOUT = Bytes.of("x-envoy-upstream-rq-per-try-timeout-ms");
const GRPC_TIMEOUT = Bytes.of("grpc-timeout");

/** Whether a request that came at `start` (ns by the wall clock) and timed out had a timeout of its own, and not `least` ms. */
export function isImpatient(headers: HttpHeaders, start: i64, least: i64): bool {
  const own = headers.find(TIMEOUT, view) || headers.find(TRY_TIMEOUT, view) || headers.find(GRPC_TIMEOUT, view);
  return own && start > 0 && ((currentTime() as i64) - start) / 1000000 < least;
}

function readOnce(property: Property): i64 {
  const value = property.integer();
  property.forget();
  return value;
}
