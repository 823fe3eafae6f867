import { LogLevel } from "./abi.ts";
import type { Vm } from "./vm.ts";

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const FAULT = 21;
const INVALID = 28;

/** The `wasi_snapshot_preview1` functions for one VM; output goes to the log, as in Envoy. */
export function wasiFunctions(vm: Vm): Record<string, (...args: never[]) => number> {
  const { clock, log } = vm.services;
  let random = vm.worker + 1;
  const noEntries = (countAt: number, sizeAt: number): number =>
    vm.memory.writeU32(countAt, 0) && vm.memory.writeU32(sizeAt, 0) ? SUCCESS : FAULT;
  return {
    fd_write(descriptor: number, vectors: number, count: number, writtenAt: number) {
      if (descriptor !== 1 && descriptor !== 2) return BAD_DESCRIPTOR;
      const parts: Buffer[] = [];
      for (let i = 0; i < count; i++) {
        const vector = vm.memory.read(vectors + 8 * i, 8);
        const part = vector && vm.memory.read(vector.readUInt32LE(0), vector.readUInt32LE(4));
        if (part === null) return FAULT;
        parts.push(part);
      }
      const text = Buffer.concat(parts);
      log.write(descriptor === 1 ? LogLevel.info : LogLevel.error, text.toString(), vm.worker);
      return vm.memory.writeU32(writtenAt, text.length) ? SUCCESS : FAULT;
    },
    clock_time_get(id: number, _precision: bigint, at: number) {
      if (id > 1) return INVALID;
      return vm.memory.writeU64(at, id === 0 ? clock.realtimeNs : clock.monotonicNs) ? SUCCESS : FAULT;
    },
    environ_sizes_get: noEntries,
    environ_get: () => SUCCESS,
    args_sizes_get: noEntries,
    args_get: () => SUCCESS,
    random_get(at: number, size: number) {
      // The same bytes for every VM of that worker: tests must not depend on luck.
      const bytes = Buffer.alloc(size);
      for (let i = 0; i < size; i++) bytes[i] = (random = (Math.imul(random, 1664525) + 1013904223) >>> 0) >>> 24;
      return vm.memory.write(at, bytes) ? SUCCESS : FAULT;
    },
    proc_exit(code: number) {
      // Envoy only notes it; AssemblyScript's abort goes on to trap.
      log.write(LogLevel.error, `wasi proc_exit(${code})`, vm.worker);
      return SUCCESS;
    },
  };
}
