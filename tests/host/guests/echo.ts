/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the test
// The ping pump in its smallest form: whatever a client sends comes back in the answer to an HTTP/2 PING.
import * as host from "./env";
import { DOWNSTREAM, UPSTREAM, bufferText, replace } from "./sdk";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\0\x04\0\0\0\0\0";
const PING = "\0\0\x08\x06\0\0\0\0\0echoecho";
let greeted = false;
let waiting = "";

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_downstream_data(id: u32, size: u32, end: u32): u32 {
  waiting += bufferText(DOWNSTREAM);
  replace(DOWNSTREAM, greeted ? PING : PREFACE + PING);
  greeted = true;
  host.proxy_continue_stream(2);
  return 1;
}

export function proxy_on_upstream_data(id: u32, size: u32, end: u32): u32 {
  replace(UPSTREAM, waiting);
  waiting = "";
  return 0;
}
