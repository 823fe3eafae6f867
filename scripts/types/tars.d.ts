// The parts of Tars for Node that the tests use: its own types do not compile on their own.
declare module "@tars/stream" {
  /** Bytes of a struct. */
  export interface BinBuffer {
    toNodeBuffer(): Buffer;
  }

  export interface TarsMap {
    insert(key: string, value: string): void;
    get(key: string): string | undefined;
    toObject(): Record<string, string>;
  }

  const stream: {
    TarsOutputStream: new () => {
      writeString(tag: number, value: string): void;
      writeInt32(tag: number, value: number): void;
      getBinBuffer(): BinBuffer;
    };
    TarsInputStream: new (bytes: BinBuffer) => {
      readString(tag: number, required: boolean, fallback?: string): string;
      readInt32(tag: number, required: boolean, fallback?: number): number;
    };
  };
  export default stream;
}

declare module "@tars/rpc" {
  import type { BinBuffer, TarsMap } from "@tars/stream";

  /** A call as its handler sees it. */
  export interface Current {
    getContext(): TarsMap;
    getRequest(): { sServantName: string; sFuncName: string; cPacketType: number; iTimeout: number };
    setResponseContext(context: Record<string, string>): void;
    doResponse(bytes: BinBuffer): void;
    sendErrorResponse(ret: number, message?: string): void;
  }

  export interface Handler {
    initialize(): void;
    /** Returns 0, or the return code of an error. */
    onDispatch(current: Current, method: string, bytes: BinBuffer): number;
  }

  export interface Worker {
    timeout: number;
    /** Rejects with the packet's return code where that is not 0, and for one-way calls as soon as they are sent. */
    tars_invoke(
      method: string,
      bytes: BinBuffer,
      options?: { context?: Record<string, string>; packetType?: 1 },
    ): Promise<{ response: { sBuffer: BinBuffer; context?: TarsMap; status: TarsMap } }>;
  }

  export interface Server {
    start(options: {
      endpoint: string;
      servant: string;
      name: string;
      protocolName: string;
      handleImp: new () => Handler;
    }): void;
    stop(): void;
  }

  export interface Communicator {
    setProperty(name: string, value: unknown): void;
    stringToProxy<T>(proxy: new () => T, address: string): T & { _worker: Worker };
    destroy(): void;
  }

  const tars: {
    server: { createServer(): Server };
    Communicator: { New(): Communicator };
  };
  export default tars;
}
