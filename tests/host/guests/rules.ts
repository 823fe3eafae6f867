/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the test
// A guest that breaks one rule of the host, or shows one behaviour of it: the configuration names which.
import * as host from "./env";
import {
  DOWNSTREAM,
  UPSTREAM,
  append,
  bufferText,
  configuration,
  count,
  log,
  now,
  property,
  replace,
  dequeue,
  enqueue,
  foreign,
  register,
} from "./sdk";

let mode = "";
let stream: u32 = 0;
let seen = 0;

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_context_create(id: u32, root: u32): void {
  if (mode == "lifecycle") log("create " + id.toString() + " " + root.toString());
}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return 1;
}

export function proxy_on_configure(root: u32, size: u32): u32 {
  mode = configuration();
  if (mode == "refuse") {
    log("no such thing: config.router");
    return 0;
  }
  if (mode == "metrics") log("ids differ: " + (count("moe.calls") != count("moe.calls")).toString());
  if (mode == "shared") log("set " + append("list", "x", false).toString());
  if (mode == "stale") log("set " + append("list", "x", false).toString() + append("list", "y", true).toString());
  if (mode == "queue") log("registered " + register("work").toString());
  if (mode.startsWith("tick")) host.proxy_set_tick_period_milliseconds(<u32>parseInt(mode.substring(4)));
  if (mode == "continue-storm" || mode == "reentrant" || mode == "after-continue")
    host.proxy_set_tick_period_milliseconds(100);
  return 1;
}

export function proxy_on_tick(root: u32): void {
  if (mode.startsWith("tick")) log(now().toString());
  if (stream == 0) return;
  host.proxy_set_effective_context(stream);
  if (mode == "continue-storm") for (let i = 0; i < 17; i++) host.proxy_continue_stream(2);
  if (mode == "after-continue") log("set " + replace(DOWNSTREAM, "late").toString() + " get " + bufferText(DOWNSTREAM));
  if (mode != "reentrant") return;
  replace(DOWNSTREAM, "one");
  host.proxy_continue_stream(2);
  host.proxy_continue_stream(2);
}

export function proxy_on_new_connection(id: u32): u32 {
  stream = id;
  if (mode == "lifecycle") log("new " + id.toString());
  if (mode == "properties")
    log(property("source\0address") + " " + property("plugin_root_id") + " " + property("no\0such"));
  return 0;
}

export function proxy_on_downstream_data(id: u32, size: u32, end: u32): u32 {
  if (mode == "lifecycle") log("down " + size.toString() + " " + end.toString());
  if (mode == "trap") unreachable();
  if (mode == "unimplemented") host.proxy_grpc_stream(0, 0, 0, 0, 0, 0, 0, 0, 0);
  if (mode == "queue") {
    log("put " + enqueue("", "work", bufferText(DOWNSTREAM)).toString());
    log("elsewhere " + enqueue("other", "work", "x").toString());
  }
  if (mode == "foreign") log(foreign("double", bufferText(DOWNSTREAM)) + " " + foreign("none", ""));
  if (mode == "upstream-outside") log("set " + replace(UPSTREAM, "x").toString());
  if (mode == "close") host.proxy_close_stream(2);
  if (mode == "hold" || mode == "reentrant") return 1;
  if (mode == "half") {
    // Takes what came, passes on the second half of the whole.
    const text = bufferText(DOWNSTREAM);
    if (text.length < 8) return 1;
    replace(DOWNSTREAM, text.substring(4));
    host.proxy_continue_stream(2);
    return 1;
  }
  return 0;
}

export function proxy_on_upstream_data(id: u32, size: u32, end: u32): u32 {
  if (mode == "lifecycle") log("up " + size.toString() + " " + end.toString());
  if (mode == "continue-in-upstream") host.proxy_continue_stream(2);
  if (mode == "reentrant" && seen++ == 0) replace(DOWNSTREAM, "two");
  if (mode == "upper") replace(UPSTREAM, bufferText(UPSTREAM).toUpperCase());
  return mode == "stop-in-upstream" ? 1 : 0;
}

export function proxy_on_queue_ready(root: u32, token: u32): void {
  log("got " + dequeue(token) + " " + dequeue(token));
}

export function proxy_on_downstream_connection_close(id: u32, type: u32): void {
  stream = 0;
  if (mode == "lifecycle") log("close " + type.toString());
}

export function proxy_on_done(id: u32): u32 {
  if (mode == "lifecycle") log("done");
  return 1;
}

export function proxy_on_log(id: u32): void {
  if (mode == "lifecycle") log("log");
}

export function proxy_on_delete(id: u32): void {
  if (mode == "lifecycle") log("delete");
}
