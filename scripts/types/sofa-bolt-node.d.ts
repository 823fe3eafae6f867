// The part of sofa-bolt-node (which has no types) that the samples use: Bolt's wire protocol for sofa-rpc-node's clients.
declare module "sofa-bolt-node" {
  export interface Encoder {
    writeRequest(id: number, request: object, callback?: (...parts: unknown[]) => void): void;
  }

  const protocol: { encoder(options: object): Encoder; decoder(options: object): object };
  export default protocol;
}

declare module "sofa-bolt-node/lib/protocol/rpc_req_cmd.js" {
  /** A request that knows how to write its parts. */
  export default class RpcRequestCommand {
    constructor(request: object);
    obj: { serverSignature: string; methodName: string; oneway?: boolean; requestProps?: Record<string, unknown> };
    serializeHeader(bytes: { put(bytes: Buffer): void }): void;
  }
}
