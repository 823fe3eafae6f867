// The part of sofa-rpc-node (which has no types) that the samples and tests use.
declare module "sofa-rpc-node" {
  import type { EventEmitter } from "node:events";

  export interface Logger {
    info(...parts: unknown[]): void;
    warn(...parts: unknown[]): void;
    error(...parts: unknown[]): void;
    debug(...parts: unknown[]): void;
  }

  export interface Consumer {
    ready(): Promise<void>;
    invoke(
      method: string,
      args: unknown[],
      options?: { responseTimeout?: number; requestProps?: Record<string, string> },
    ): Promise<unknown>;
    close(): void;
  }

  export interface RpcClient extends EventEmitter {
    createConsumer(options: {
      interfaceName: string;
      serverHost: string;
      version?: string;
      /** Milliseconds between attempts at addresses that failed; a closed consumer's process lives that much longer. */
      retryFaultInterval?: number;
    }): Consumer;
    close(): Promise<void>;
  }

  export interface RpcServer extends EventEmitter {
    /** The port; after start() the real one where 0 was asked for. */
    publishPort: number;
    addService(info: { interfaceName: string; version?: string }, methods: object): void;
    start(): Promise<void>;
    close(): Promise<void>;
  }

  type ClientOptions = { logger: Logger; [option: string]: unknown };
  type ServerOptions = { logger: Logger; port: number; [option: string]: unknown };

  const rpc: {
    client: { RpcClient: new (options: ClientOptions) => RpcClient };
    server: { RpcServer: new (options: ServerOptions) => RpcServer };
  };
  export default rpc;
}
