import {
  proxy_close_stream,
  proxy_continue_stream,
  proxy_set_effective_context,
  proxy_set_tick_period_milliseconds,
} from "../abi/imports";
import { Result, StreamType } from "../abi/types";

/** Makes later host calls act on this context; needed in callbacks of the root. False when the host has forgotten it. */
export function enterContext(id: u32): bool {
  return proxy_set_effective_context(id) == Result.OK;
}

/**
 * Hands the connection's whole read buffer to the next filter, after the current callback has returned. Never from
 * inside on_upstream_data (design.md §2.3).
 */
export function continueDownstream(): void {
  proxy_continue_stream(StreamType.DOWNSTREAM);
}

/** Closes the client's connection after the current callback, written bytes first. */
export function closeDownstream(): void {
  proxy_close_stream(StreamType.DOWNSTREAM);
}

/** Calls the current context's root every `ms` milliseconds; 0 never. The host's resolution is about 4 ms. */
export function setTickPeriod(ms: u32): void {
  proxy_set_tick_period_milliseconds(ms);
}
