import { Action } from "./types";

/**
 * One connection (network filter) or one HTTP stream (HTTP filter) of the host. Every callback has the answer of a
 * filter that does nothing. The names are the ABI's.
 */
export abstract class Context {
  /** @param id the host's context id */
  constructor(readonly id: u32) {}

  // Network filter.
  onNewConnection(): Action {
    return Action.CONTINUE;
  }
  /** `size` bytes are in the read buffer, all that no Continue has passed on. */
  onDownstreamData(size: i32, endOfStream: bool): Action {
    return Action.CONTINUE;
  }
  onUpstreamData(size: i32, endOfStream: bool): Action {
    return Action.CONTINUE;
  }
  onDownstreamConnectionClose(closeType: i32): void {}
  onUpstreamConnectionClose(closeType: i32): void {}

  // HTTP filter.
  onRequestHeaders(count: i32, endOfStream: bool): i32 {
    return 0;
  }
  onRequestBody(size: i32, endOfStream: bool): i32 {
    return 0;
  }
  onRequestTrailers(count: i32): i32 {
    return 0;
  }
  onResponseHeaders(count: i32, endOfStream: bool): i32 {
    return 0;
  }
  onResponseBody(size: i32, endOfStream: bool): i32 {
    return 0;
  }
  onResponseTrailers(count: i32): i32 {
    return 0;
  }

  onDone(): bool {
    return true;
  }
  onLog(): void {}
  /** The host forgets the context: release what it holds. */
  onDelete(): void {}
}

/** One plugin configuration in one VM. */
export abstract class RootContext extends Context {
  /** False refuses the configuration: Envoy does not load the plugin. */
  abstract onConfigure(size: i32): bool;
  /** The context of a new connection or HTTP stream. */
  abstract createContext(id: u32): Context;
  onTick(): void {}
  onQueueReady(queue: u32): void {}
  onHttpCallResponse(call: u32, headers: i32, bodySize: i32, trailers: i32): void {}
  onGrpcReceiveInitialMetadata(call: u32, headers: i32): void {}
  onGrpcReceive(call: u32, size: i32): void {}
  onGrpcReceiveTrailingMetadata(call: u32, trailers: i32): void {}
  onGrpcClose(call: u32, status: i32): void {}
  onForeignFunction(fn: u32, size: i32): void {}
}
