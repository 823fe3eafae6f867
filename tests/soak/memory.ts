// How much memory Envoy takes, and how much of it is the linear memory of wasm VMs (Linux).
import { readFileSync } from "node:fs";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";

export interface Memory {
  /** Bytes of the process. */
  rss: number;
  /** Bytes that the VMs' modules have, all together, and how many VMs there are. */
  linear: number;
  vms: number;
}

/** V8 reserves so much behind a module's memory, so that an access out of bounds ends there. */
const LEAST_RESERVED = 2 ** 32;

/** Reads /proc. Throws if the process is gone. */
export function memoryOf(pid: number): Memory {
  const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  const found: Memory = { rss, linear: 0, vms: 0 };
  let before = { end: 0, size: 0, writable: false };
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, from, to, access] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
    if (from === undefined) continue;
    const [start, end] = [parseInt(from, 16), parseInt(to, 16)];
    const reserved = access.startsWith("---") && end - start >= LEAST_RESERVED;
    if (reserved && before.writable && before.end === start) {
      found.linear += before.size;
      found.vms++;
    }
    before = { end, size: end - start, writable: access.startsWith("rw") };
  }
  return found;
}

/** What Envoy's allocator says (`/memory`), bytes, and how many numbers Envoy keeps. */
export interface Heap {
  /** What the program has and has not given back: what a leak would make grow. */
  allocated: number;
  /** What the allocator holds of the system's memory: that, and free blocks between others. */
  heap: number;
  stats: number;
}

/** Reads Envoy's admin pages. */
export async function heapOf(envoy: EnvoyProcess): Promise<Heap> {
  const page = JSON.parse(await envoy.admin("/memory")) as Record<string, string>;
  const stats = (await envoy.admin("/stats")).split("\n").length;
  return { allocated: Number(page.allocated), heap: Number(page.heap_size) - Number(page.pageheap_unmapped), stats };
}

/** What of a process' memory is in use: without the blocks that Envoy's allocator keeps to hand out again. */
export function usedOf({ rss, heap, allocated }: Memory & Heap): number {
  return rss - (heap - allocated);
}
