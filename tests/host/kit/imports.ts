import { BufferType, HeaderMapType, LogLevel, Result, StreamType } from "./abi.ts";
import type { GuestBuffer } from "./buffer.ts";
import { calloutFunctions } from "./callouts.ts";
import { HeaderMap } from "./http/header-map.ts";
import { propertyPath } from "./properties.ts";
import type { Vm } from "./vm.ts";

type HostFunctions = Record<string, (...args: never[]) => number>;

/** The `env.proxy_*` functions for one VM, after proxy-wasm-cpp-host's exports.cc. */
export function hostFunctions(vm: Vm): HostFunctions {
  const streams = { ...general(vm), ...headers(vm), ...buffers(vm), ...properties(vm) };
  return { ...streams, ...metrics(vm), ...shared(vm), ...calloutFunctions(vm) };
}

function general(vm: Vm): HostFunctions {
  const { services } = vm;
  return {
    proxy_log(level: number, pointer: number, size: number) {
      const text = vm.memory.text(pointer, size);
      if (level > LogLevel.critical) return Result.BadArgument;
      if (text === null) return Result.InvalidMemoryAccess;
      services.log.write(level, text, vm.worker);
      return Result.Ok;
    },
    proxy_get_log_level: (levelAt: number) => stored(vm.memory.writeU32(levelAt, services.log.level)),
    proxy_get_current_time_nanoseconds: (at: number) => stored(vm.memory.writeU64(at, services.clock.realtimeNs)),
    proxy_set_tick_period_milliseconds(period: number) {
      vm.setTickPeriod(vm.context.root, period >>> 0);
      return Result.Ok;
    },
    proxy_set_effective_context(id: number) {
      if (!vm.contexts.has(id >>> 0)) return Result.BadArgument;
      vm.frame.effective = id >>> 0;
      return Result.Ok;
    },
    // Nothing in the kit waits for an asynchronous end of a context.
    proxy_done: () => Result.NotFound,
    proxy_continue_stream: (type: number) =>
      type >>> 0 > StreamType.Upstream ? Result.BadArgument : vm.context.continueStream(type),
    proxy_close_stream: (type: number) =>
      type >>> 0 > StreamType.Upstream ? Result.BadArgument : vm.context.closeStream(type),
    proxy_call_foreign_function(
      name: number,
      nameSize: number,
      arg: number,
      argSize: number,
      at: number,
      sizeAt: number,
    ) {
      const [text, argument] = [vm.memory.text(name, nameSize), vm.memory.read(arg, argSize)];
      if (text === null || argument === null) return Result.InvalidMemoryAccess;
      if (text === "clear_route_cache") {
        vm.context.clearRouteCache();
        return Result.Ok;
      }
      const run = services.foreign.get(text);
      if (run === undefined) return Result.NotFound;
      const answer = run(argument);
      if (typeof answer === "number") return answer;
      return at === 0 ? Result.Ok : stored(vm.memory.give(answer, at, sizeAt));
    },
  };
}

function headers(vm: Vm): HostFunctions {
  /** The map of that type, an answer's or the context's. */
  const mapOf = (type: HeaderMapType): HeaderMap | null =>
    type > HeaderMapType.ResponseTrailers ? vm.callouts.headerMap(type) : vm.context.headerMap(type, false);
  /** Changes a map by a name and perhaps a value. */
  const change =
    (act: (map: HeaderMap, name: string, value: string) => void) =>
    (type: number, key: number, keySize: number, value = 0, valueSize = 0): number => {
      if (type >>> 0 > HeaderMapType.HttpCallResponseTrailers) return Result.BadArgument;
      const [name, text] = [vm.memory.text(key, keySize), vm.memory.text(value, valueSize)];
      if (name === null || text === null) return Result.InvalidMemoryAccess;
      const map = vm.context.headerMap(type, true);
      if (map === null) return Result.BadArgument;
      act(map, name, text);
      vm.context.headersModified(type);
      return Result.Ok;
    };
  return {
    proxy_get_header_map_pairs(type: number, at: number, sizeAt: number) {
      if (type >>> 0 > HeaderMapType.HttpCallResponseTrailers) return Result.BadArgument;
      const map = mapOf(type) ?? new HeaderMap();
      return stored(vm.memory.give(map.toBytes(), at, sizeAt));
    },
    proxy_get_header_map_size(type: number, sizeAt: number) {
      const map = mapOf(type);
      return map === null ? Result.BadArgument : stored(vm.memory.writeU32(sizeAt, map.byteSize));
    },
    proxy_get_header_map_value(type: number, key: number, keySize: number, at: number, sizeAt: number) {
      const name = vm.memory.text(key, keySize);
      if (name === null) return Result.InvalidMemoryAccess;
      const map = mapOf(type);
      if (map === null) return vm.frame.callback === "proxy_on_log" ? Result.NotFound : Result.BadArgument;
      const value = map.get(name);
      return value === null ? Result.NotFound : stored(vm.memory.give(map.bytes(value), at, sizeAt));
    },
    proxy_add_header_map_value: change((map, name, value) => map.add(name, value)),
    proxy_replace_header_map_value: change((map, name, value) => map.set(name, value)),
    proxy_remove_header_map_value: change((map, name) => map.remove(name)),
    proxy_send_local_response(
      status: number,
      details: number,
      detailsSize: number,
      body: number,
      bodySize: number,
      pairs: number,
      pairsSize: number,
      grpc: number,
    ) {
      const [text, bytes] = [vm.memory.text(details, detailsSize), vm.memory.read(body, bodySize)];
      const more = vm.memory.read(pairs, pairsSize);
      if (text === null || bytes === null || more === null) return Result.InvalidMemoryAccess;
      vm.context.sendLocalResponse(status >>> 0, bytes, HeaderMap.fromBytes(more) ?? new HeaderMap(), text, grpc >>> 0);
      vm.stopNext = true;
      return Result.Ok;
    },
  };
}

function buffers(vm: Vm): HostFunctions {
  const bufferOf = (type: BufferType): GuestBuffer | null => {
    const isAnswer = type === BufferType.HttpCallResponseBody || type === BufferType.GrpcReceiveBuffer;
    return isAnswer ? vm.callouts.buffer(type) : vm.context.buffer(type);
  };
  return {
    proxy_get_buffer_bytes(type: number, start: number, length: number, at: number, sizeAt: number) {
      if (type >>> 0 > BufferType.CallData) return Result.BadArgument;
      const buffer = bufferOf(type);
      if (buffer === null) return Result.NotFound;
      return stored(vm.memory.give(buffer.view(start >>> 0, length >>> 0), at, sizeAt));
    },
    proxy_get_buffer_status(type: number, lengthAt: number, flagsAt: number) {
      if (type >>> 0 > BufferType.CallData) return Result.BadArgument;
      const buffer = bufferOf(type);
      if (buffer === null) return Result.NotFound;
      return stored(vm.memory.writeU32(lengthAt, buffer.length) && vm.memory.writeU32(flagsAt, 0));
    },
    proxy_set_buffer_bytes(type: number, start: number, length: number, data: number, size: number) {
      if (type >>> 0 > BufferType.CallData) return Result.BadArgument;
      const buffer = bufferOf(type);
      if (buffer === null) return Result.NotFound;
      const bytes = vm.memory.read(data, size);
      if (bytes === null) return Result.InvalidMemoryAccess;
      return buffer.assign(start >>> 0, length >>> 0, bytes);
    },
  };
}

function properties(vm: Vm): HostFunctions {
  return {
    proxy_get_property(path: number, pathSize: number, at: number, sizeAt: number) {
      const wire = vm.memory.read(path, pathSize);
      if (wire === null) return Result.InvalidMemoryAccess;
      const value = vm.context.property(propertyPath(wire));
      return value === null ? Result.NotFound : stored(vm.memory.give(value, at, sizeAt));
    },
    proxy_set_property(path: number, pathSize: number, data: number, size: number) {
      const [wire, value] = [vm.memory.read(path, pathSize), vm.memory.read(data, size)];
      if (wire === null || value === null) return Result.InvalidMemoryAccess;
      return vm.context.setProperty(propertyPath(wire), value);
    },
  };
}

function metrics(vm: Vm): HostFunctions {
  return {
    proxy_define_metric(type: number, name: number, nameSize: number, idAt: number) {
      const text = vm.memory.text(name, nameSize);
      if (text === null) return Result.InvalidMemoryAccess;
      const id = vm.metrics.define(type >>> 0, text);
      return id === null ? Result.BadArgument : stored(vm.memory.writeU32(idAt, id));
    },
    proxy_increment_metric: (id: number, offset: bigint) => vm.metrics.increment(id, offset),
    proxy_record_metric: (id: number, value: bigint) => vm.metrics.record(id, BigInt.asUintN(64, value)),
    proxy_get_metric(id: number, valueAt: number) {
      const value = vm.metrics.get(id);
      return value === null ? Result.NotFound : stored(vm.memory.writeU64(valueAt, value));
    },
  };
}

/** A key of shared data as a string: any bytes, one character each. Null: not in memory. */
function keyOf(vm: Vm, at: number, size: number): string | null {
  return vm.memory.read(at, size)?.toString("latin1") ?? null;
}

function shared(vm: Vm): HostFunctions {
  const { services } = vm;
  return {
    proxy_get_shared_data(key: number, keySize: number, at: number, sizeAt: number, casAt: number) {
      const name = keyOf(vm, key, keySize);
      if (name === null) return Result.InvalidMemoryAccess;
      const entry = services.shared.get(name);
      if (entry === null) return Result.NotFound;
      return stored(vm.memory.give(entry.data, at, sizeAt) && vm.memory.writeU32(casAt, entry.cas));
    },
    proxy_set_shared_data(key: number, keySize: number, data: number, size: number, cas: number) {
      const [name, value] = [keyOf(vm, key, keySize), vm.memory.read(data, size)];
      if (name === null || value === null) return Result.InvalidMemoryAccess;
      return services.shared.set(name, value, cas >>> 0);
    },
    proxy_register_shared_queue(name: number, nameSize: number, tokenAt: number) {
      const text = vm.memory.text(name, nameSize);
      if (text === null) return Result.InvalidMemoryAccess;
      const root = vm.context.root;
      const token = services.queues.register(vm.id, text, (ready) =>
        services.loop.post(() => vm.call("proxy_on_queue_ready", root, root.id, ready)),
      );
      return stored(vm.memory.writeU32(tokenAt, token));
    },
    proxy_resolve_shared_queue(vmId: number, vmIdSize: number, name: number, nameSize: number, tokenAt: number) {
      const [owner, text] = [vm.memory.text(vmId, vmIdSize), vm.memory.text(name, nameSize)];
      if (owner === null || text === null) return Result.InvalidMemoryAccess;
      const token = services.queues.resolve(owner || vm.id, text);
      return token === null ? Result.NotFound : stored(vm.memory.writeU32(tokenAt, token));
    },
    proxy_enqueue_shared_queue(token: number, data: number, size: number) {
      const item = vm.memory.read(data, size);
      return item === null ? Result.InvalidMemoryAccess : services.queues.enqueue(token, item);
    },
    proxy_dequeue_shared_queue(token: number, at: number, sizeAt: number) {
      const item = services.queues.dequeue(token);
      return typeof item === "number" ? item : stored(vm.memory.give(item, at, sizeAt));
    },
  };
}

function stored(fits: boolean): Result {
  return fits ? Result.Ok : Result.InvalidMemoryAccess;
}
