// Clients of the sample service in each of its protocols, none of them ours: sofa-rpc-node with its protocols Bolt and
// Dubbo (dubbo-remoting), and Node's HTTP.
import { Agent, get, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import dubbo from "dubbo-remoting";
import rpc, { type Logger } from "sofa-rpc-node";
import { type Answer, DUBBO_VERSIONS, INTERFACE } from "./hello.ts";
import { javaBolt } from "./java_bolt.ts";
import { decodeReply, encodeRequest, GRPC_PATH, HTTP_PATH } from "./web.ts";

const quiet: Logger = { info() {}, debug() {}, warn() {}, error() {} };
const TIMEOUT_MS = 3000;
/** Between attempts to connect again; a process with a closed client lives that much longer. */
const RETRY_MS = 500;

/** One call: what it is, and how to make it. */
export interface Call {
  service: string;
  method: string;
  invoke(): Promise<Answer>;
}

/** A client with one connection. */
export interface Client {
  protocol: string;
  /** The call of this number: different numbers, different methods, arguments and versions. */
  call(number: number): Call;
  close(): Promise<void>;
}

/** A sofa-rpc-node client; `protocol` is its wire protocol, and `versions` those that it asks for. */
async function rpcClient(name: string, port: number, versions: string[], protocol: object): Promise<Client> {
  // Options of its own: the protocol would else become the default of all clients to come.
  const connectionOpts = { noDelay: true, connectTimeout: TIMEOUT_MS, protocol };
  const client = new rpc.client.RpcClient({ logger: quiet, connectionOpts });
  // What becomes of a connection shows in its calls.
  client.on("error", () => {});
  const consumers = versions.map((version) =>
    client.createConsumer({
      interfaceName: INTERFACE,
      serverHost: `127.0.0.1:${port}`,
      version,
      retryFaultInterval: RETRY_MS,
    }),
  );
  for (const consumer of consumers) await consumer.ready();
  const invoke = (number: number, method: string, args: unknown[]) =>
    consumers[number % consumers.length].invoke(method, args, { responseTimeout: TIMEOUT_MS }) as Promise<Answer>;
  const call = (number: number): Call => {
    const [method, args] = number % 3 === 0 ? ["plus", [number, 1]] : ["sayHello", [`caller ${number}`]];
    return {
      service: INTERFACE,
      method: method as string,
      invoke: () => invoke(number, method as string, args as unknown[]),
    };
  };
  return { protocol: name, call, close: () => client.close() };
}

/** SOFARPC over Bolt, with the header that Java writes. */
export const boltClient = (port: number): Promise<Client> => rpcClient("bolt", port, ["1.0"], javaBolt);

/** Dubbo: both versions over one connection. */
export const dubboClient = (port: number): Promise<Client> =>
  rpcClient("dubbo", port, Object.values(DUBBO_VERSIONS), dubbo);

/** HTTP/1, with one connection that is kept. */
export async function httpClient(port: number): Promise<Client> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { agent, host: "127.0.0.1", port, timeout: TIMEOUT_MS };
  const fetchJson = (path: string) =>
    new Promise<Answer>((done, failed) => {
      const request = get({ ...options, path }, (response) => void textOf(response).then(settle, failed));
      const settle = ([status, text]: [number, string]) => {
        if (status === 200) done(JSON.parse(text) as Answer);
        else failed(new Error(`${status} ${text.trim()}`));
      };
      request.on("timeout", () => request.destroy(new Error("timeout")));
      request.on("error", failed);
    });
  const call = (number: number): Call => ({
    service: HTTP_PATH,
    method: "GET",
    invoke: () => fetchJson(`${HTTP_PATH}caller%20${number}`),
  });
  return { protocol: "http", call, close: async () => agent.destroy() };
}

async function textOf(response: IncomingMessage): Promise<[number, string]> {
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part as string;
  return [response.statusCode ?? 0, text];
}

/** gRPC over HTTP/2 with prior knowledge. */
export async function grpcClient(port: number): Promise<Client> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const [, service, method] = GRPC_PATH.split("/");
  const call = (number: number): Call => ({ service, method, invoke: () => grpcCall(session, `caller ${number}`) });
  return { protocol: "grpc", call, close: async () => session.destroy() };
}

function grpcCall(session: ClientHttp2Session, name: string): Promise<Answer> {
  const headers = { ":method": "POST", ":path": GRPC_PATH, "content-type": "application/grpc", te: "trailers" };
  return new Promise((done, failed) => {
    const stream = session.request(headers);
    const parts: Buffer[] = [];
    let fields: Record<string, unknown> = {};
    stream.setTimeout(TIMEOUT_MS, () => stream.destroy(new Error("timeout")));
    for (const event of ["response", "trailers"]) stream.on(event, (more) => (fields = { ...fields, ...more }));
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("error", failed);
    stream.on("close", () => failed(new Error("the connection closed")));
    stream.on("end", () => {
      if (fields["grpc-status"] === "0") done(decodeReply(Buffer.concat(parts)));
      else failed(new Error(`grpc-status ${fields["grpc-status"]} ${fields["grpc-message"] ?? ""}`));
    });
    stream.end(encodeRequest(name));
  });
}
