import {
  proxy_close_stream,
  proxy_continue_stream,
  proxy_send_local_response,
  proxy_set_effective_context,
  proxy_set_tick_period_milliseconds,
} from "../abi/imports";
import { Result, StreamType } from "../abi/types";
import { Bytes } from "../bytes/bytes";

/** Makes later host calls act on this context; needed in callbacks of the root. False when the host has forgotten it. */
export function enterContext(id: u32): bool {
  return proxy_set_effective_context(id) == Result.OK;
}

/**
 * Hands the connection's whole read buffer to the next filter, after the current callback has returned. Never from
 * inside on_upstream_data (docs/reference/envoy.md#pushing).
 */
export function continueDownstream(): void {
  proxy_continue_stream(StreamType.DOWNSTREAM);
}

/** Closes the client's connection after the current callback, written bytes first. */
export function closeDownstream(): void {
  proxy_close_stream(StreamType.DOWNSTREAM);
}

/** What Envoy's access log says of our local replies where filters say nothing else; and of no status for gRPC. */
const DETAILS = Bytes.of("moe_filter");
const NO_GRPC_STATUS: u32 = u32.MAX_VALUE;

/**
 * Answers the current HTTP stream after the current callback has returned, and lets nothing more of it pass. Where the
 * request is gRPC Envoy makes trailers of it, with the gRPC status that belongs to the HTTP status (gRPC's
 * http-grpc-status-mapping) and the body as message.
 * @param status 200 to 599
 * @param why what the access log says (%RESPONSE_CODE_DETAILS%); null: "moe_filter"
 */
export function sendLocalResponse(status: i32, body: usize, length: i32, why: Bytes | null = null): void {
  const details = why !== null ? why : DETAILS;
  proxy_send_local_response(status, details.ptr, details.length, body, length, 0, 0, NO_GRPC_STATUS);
}

/** Lets a direction of the current HTTP stream that was stopped go on, after the current callback has returned. */
export function continueHttp(type: StreamType): void {
  proxy_continue_stream(type);
}

/** Resets the current HTTP stream after the current callback has returned. */
export function resetHttp(type: StreamType): void {
  proxy_close_stream(type);
}

/** Calls the current context's root every `ms` milliseconds; 0 never. The host's resolution is about 4 ms. */
export function setTickPeriod(ms: u32): void {
  proxy_set_tick_period_milliseconds(ms);
}
