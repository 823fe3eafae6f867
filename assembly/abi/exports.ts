// What the host calls. Nothing here traps: an unknown context id gets the answer of a filter that does nothing.
import "./abort";
import { allocate, returned, trimScratch } from "./inbox";
import { Context, RootContext } from "./context";
import {
  addContext,
  addRoot,
  collectGarbage,
  findContext,
  findFactory,
  findRoot,
  removeContext,
  rootIds,
} from "./dispatch";
import { proxy_get_property, proxy_log } from "./imports";
import { callbackBegins, callbackEnds } from "./observer";
import { Action, LogLevel, Result } from "./types";

export function proxy_abi_version_0_2_1(): void {}

/** A callback for a connection or stream begins; null once the host has closed it. */
// @ts-ignore: decorator
@inline
function enter(id: u32): Context | null {
  const context = findContext(id);
  callbackBegins();
  return context;
}

/** The same for a root. */
// @ts-ignore: decorator
@inline
function enterRoot(id: u32): RootContext | null {
  const root = findRoot(id);
  callbackBegins();
  return root;
}

/** A callback is over: the last act of one that has entered. */
// @ts-ignore: decorator
@inline
function leave(answer: u32 = 0): u32 {
  callbackEnds();
  return answer;
}

/** The host asks for memory for what a host call returns. */
export function malloc(size: usize): usize {
  return allocate(size);
}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return 1;
}

/** The plugin's `root_id`; "" when the host has none. */
function pluginRootId(): string {
  const path = String.UTF8.encode("plugin_root_id");
  const result = proxy_get_property(changetype<usize>(path), path.byteLength, returned, returned + sizeof<usize>());
  if (result != Result.OK) return "";
  return String.UTF8.decodeUnsafe(load<usize>(returned), load<usize>(returned, sizeof<usize>()));
}

export function proxy_on_context_create(id: u32, parent: u32): void {
  if (parent == 0) {
    const factory = findFactory(pluginRootId());
    if (factory !== null) addRoot(factory(id));
    return;
  }
  const root = findRoot(parent);
  if (root !== null) addContext(root.createContext(id));
}

export function proxy_on_configure(id: u32, size: u32): u32 {
  const root = findRoot(id);
  if (root === null) {
    const text = String.UTF8.encode(`moe-wasm: unknown root_id "${pluginRootId()}"; there are: ${rootIds()}`);
    proxy_log(LogLevel.ERROR, changetype<usize>(text), text.byteLength);
    return 0;
  }
  return root.onConfigure(size) ? 1 : 0;
}

export function proxy_on_tick(id: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onTick();
  trimScratch();
  collectGarbage();
  leave();
}

export function proxy_on_new_connection(id: u32): u32 {
  const context = enter(id);
  return leave(context === null ? Action.CONTINUE : context.onNewConnection());
}

export function proxy_on_downstream_data(id: u32, size: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? Action.CONTINUE : context.onDownstreamData(size, end != 0));
}

export function proxy_on_upstream_data(id: u32, size: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? Action.CONTINUE : context.onUpstreamData(size, end != 0));
}

export function proxy_on_downstream_connection_close(id: u32, closeType: u32): void {
  const context = enter(id);
  if (context !== null) context.onDownstreamConnectionClose(closeType);
  leave();
}

export function proxy_on_upstream_connection_close(id: u32, closeType: u32): void {
  const context = enter(id);
  if (context !== null) context.onUpstreamConnectionClose(closeType);
  leave();
}

export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onRequestHeaders(count, end != 0));
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onRequestBody(size, end != 0));
}

export function proxy_on_request_trailers(id: u32, count: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onRequestTrailers(count));
}

export function proxy_on_response_headers(id: u32, count: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onResponseHeaders(count, end != 0));
}

export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onResponseBody(size, end != 0));
}

export function proxy_on_response_trailers(id: u32, count: u32): u32 {
  const context = enter(id);
  return leave(context === null ? 0 : context.onResponseTrailers(count));
}

/** A callback for an id of either kind begins. */
function enterAny(id: u32): Context | null {
  const context = findContext(id);
  const any = context !== null ? context : findRoot(id);
  callbackBegins();
  return any;
}

export function proxy_on_done(id: u32): u32 {
  const context = enterAny(id);
  return leave(context === null || context.onDone() ? 1 : 0);
}

export function proxy_on_log(id: u32): void {
  const context = enterAny(id);
  if (context !== null) context.onLog();
  leave();
}

export function proxy_on_delete(id: u32): void {
  const context = enterAny(id);
  if (context !== null) context.onDelete();
  removeContext(id);
  collectGarbage();
  leave();
}

export function proxy_on_queue_ready(id: u32, queue: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onQueueReady(queue);
  leave();
}

export function proxy_on_http_call_response(id: u32, call: u32, headers: u32, bodySize: u32, trailers: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onHttpCallResponse(call, headers, bodySize, trailers);
  leave();
}

export function proxy_on_grpc_receive_initial_metadata(id: u32, call: u32, headers: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onGrpcReceiveInitialMetadata(call, headers);
  leave();
}

export function proxy_on_grpc_receive(id: u32, call: u32, size: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onGrpcReceive(call, size);
  leave();
}

export function proxy_on_grpc_receive_trailing_metadata(id: u32, call: u32, trailers: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onGrpcReceiveTrailingMetadata(call, trailers);
  leave();
}

export function proxy_on_grpc_close(id: u32, call: u32, status: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onGrpcClose(call, status);
  leave();
}

export function proxy_on_foreign_function(id: u32, fn: u32, size: u32): void {
  const root = enterRoot(id);
  if (root !== null) root.onForeignFunction(fn, size);
  leave();
}
