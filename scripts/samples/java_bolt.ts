// Bolt as SOFARPC in Java writes it: sofa-bolt-node leaves out of a request's header all but the service.
import bolt from "sofa-bolt-node";
import RpcRequestCommand from "sofa-bolt-node/lib/protocol/rpc_req_cmd.js";

/** What Java calls the caller where nothing is configured. */
const APP = "moe-samples";

type Pair = [key: string, value: string];

function headerBlock(pairs: Pair[]): Buffer {
  const parts = pairs.flat().map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat(parts);
}

class JavaRequest extends RpcRequestCommand {
  /** The keys of SofaRpcSerialization and of the client's invoker; the properties of the call flat behind them. */
  override serializeHeader(bytes: { put(bytes: Buffer): void }): void {
    const { serverSignature, methodName, oneway, requestProps = {} } = this.obj;
    const own: Pair[] = [
      ["service", serverSignature],
      ["sofa_head_target_service", serverSignature],
      ["sofa_head_method_name", methodName],
      ["app", APP],
      ["protocol", "bolt"],
      ["type", oneway ? "oneway" : "sync"],
    ];
    const names = new Set(own.map(([key]) => key));
    bytes.put(headerBlock([...own, ...flat("", requestProps).filter(([key]) => !names.has(key))]));
  }
}

function flat(prefix: string, props: object): Pair[] {
  return Object.entries(props).flatMap(([key, value]): Pair[] => {
    if (typeof value === "object" && value !== null) return flat(`${prefix}${key}.`, value as object);
    return typeof value === "string" || typeof value === "number" ? [[prefix + key, String(value)]] : [];
  });
}

/** Wire protocol of a sofa-rpc-node client. */
export const javaBolt = {
  ...bolt,
  encoder(options: object) {
    const encoder = bolt.encoder(options);
    const write = encoder.writeRequest.bind(encoder);
    encoder.writeRequest = (id, request, callback) => write(id, new JavaRequest(request), callback);
    return encoder;
  },
};
