// HTTP/1 and HTTP/2 clients and servers.
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Scope } from "./scope.ts";
import { WAIT_MS } from "./wait.ts";

/** A request as a server got it, complete. */
export interface Arrived {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  /** The headers in their order, names as they came. */
  pairs: [name: string, value: string][];
  body: string;
}

export interface Response {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  trailers: Record<string, string | string[] | undefined>;
}

export interface RequestOptions {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  /** HTTP/1: all headers in their order, those of the protocol included, instead of `headers`. */
  pairs?: readonly (readonly [name: string, value: string])[];
  body?: string | Buffer;
  /** Pieces of the body; each is written when the one before is out and `between` has returned. */
  pieces?: (string | Buffer)[];
  between?: (written: number) => Promise<void>;
  trailers?: Record<string, string>;
  /** HTTP/1: bytes that go before the request. */
  preface?: string | Buffer;
  /** HTTP/1: the client goes, and its connection with it. */
  signal?: AbortSignal;
}

/** Answers a request; default: 200 with the name of the server and the body that it got. */
export type Answer = (request: Arrived) => {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  trailers?: Record<string, string>;
};

/** An HTTP/1 or HTTP/2 server (without TLS) that notes what it gets, for as long as the scope lasts. */
export class HttpServer {
  readonly arrived: Arrived[] = [];
  /** Requests whose headers have come. */
  begun = 0;
  port = 0;
  /** Whether the headers of the answer go out before the request's body has come. */
  early = false;
  answer: Answer = (request) => ({ headers: { "served-by": this.name }, body: request.body });

  private constructor(readonly name: string) {}

  static async start(scope: Scope, name: string, http2 = false): Promise<HttpServer> {
    const self = new HttpServer(name);
    const onRequest = (request: IncomingMessage, response: ServerResponse) => void self.serve(request, response);
    // Node's compatibility layer gives HTTP/2 the same requests and responses.
    const server = http2 ? createHttp2Server(onRequest as never) : createServer(onRequest);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    self.port = (server.address() as AddressInfo).port;
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    scope.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return self;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.begun++;
    request.on("error", () => {});
    response.on("error", () => {});
    const parts: Buffer[] = [];
    if (this.early) response.flushHeaders();
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return; // Envoy has given it up
    }
    const { method = "", url = "", headers, rawHeaders: raw } = request;
    const pairs = Array.from({ length: raw.length / 2 }, (_, i): [string, string] => [raw[2 * i], raw[2 * i + 1]]);
    const arrived = { method, path: url, headers, pairs, body: Buffer.concat(parts).toString() };
    this.arrived.push(arrived);
    const { status = 200, headers: more = {}, body = "", trailers } = this.answer(arrived);
    const length = body.length === 0 && !trailers ? { "content-length": "0" } : {};
    if (!this.early) response.writeHead(status, { ...length, ...more });
    if (body.length > 0) response.write(body);
    if (trailers) response.addTrailers(trailers);
    response.end();
  }
}

/** Makes an HTTP/1 request on a connection of its own. Rejects when the connection ends without a response. */
export function http1(port: number, options: RequestOptions = {}): Promise<Response> {
  const { method = options.body === undefined && !options.pieces ? "GET" : "POST", path = "/", preface } = options;
  const headers = options.pairs?.flat() ?? options.headers;
  // An agent would take no connection of ours.
  const connection = preface !== undefined && {
    agent: undefined,
    createConnection: () => {
      const socket = connect(port, "127.0.0.1");
      socket.write(preface);
      return socket;
    },
  };
  const { signal } = options;
  const to = { port, host: "127.0.0.1", method, path, headers, signal, agent: false as const, ...connection };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...to, timeout: WAIT_MS });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error(`no response to ${path} after ${WAIT_MS} ms`)));
    request.on("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers, trailers } = response;
        resolve({ status: statusCode, headers, trailers, body: Buffer.concat(parts).toString() });
        request.destroy();
      });
    });
    if (options.trailers) request.setHeader("transfer-encoding", "chunked").addTrailers(options.trailers);
    if (options.pieces) void writePieces(request, options).then(() => request.end());
    else request.end(options.body);
  });
}

async function writePieces(
  to: { write: (bytes: string | Buffer, done: () => void) => unknown },
  { pieces = [], between }: RequestOptions,
): Promise<void> {
  for (let i = 0; i < pieces.length; i++) {
    await new Promise<void>((done) => to.write(pieces[i], done));
    await between?.(i + 1);
  }
}

/** A connection of HTTP/2, for as long as the scope lasts. */
export class Http2Client {
  private constructor(private readonly session: ClientHttp2Session) {}

  static async connect(scope: Scope, port: number): Promise<Http2Client> {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    scope.after(() => session.destroy());
    await new Promise<void>((done) => session.once("connect", () => done()));
    return new Http2Client(session);
  }

  /** Closes the connection, whatever is under way; not inside a callback of it, where Node 20 damages its own heap. */
  close(): void {
    setImmediate(() => this.session.destroy());
  }

  request(options: RequestOptions = {}): Promise<Response> {
    const { method = options.body === undefined && !options.pieces ? "GET" : "POST", path = "/" } = options;
    const stream = this.session.request(
      { ":method": method, ":path": path, ...options.headers },
      { endStream: options.body === undefined && options.pieces === undefined, waitForTrailers: !!options.trailers },
    );
    stream.setTimeout(WAIT_MS, () => stream.close(constants.NGHTTP2_CANCEL));
    if (options.trailers) stream.on("wantTrailers", () => stream.sendTrailers(options.trailers ?? {}));
    if (options.pieces) void writePieces(stream, options).then(() => stream.end());
    else if (options.body !== undefined) stream.end(options.body);
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      let headers: IncomingHttpHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      stream.on("response", (got) => (headers = got));
      stream.on("trailers", (got) => (trailers = got));
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("error", reject);
      stream.on("close", () => reject(new Error("the stream was closed")));
      stream.on("end", () => {
        const status = Number((headers as Record<string, unknown>)[":status"] ?? 0);
        if (status === 0) reject(new Error(`the stream ended without a response (${stream.rstCode})`));
        else resolve({ status, headers, trailers, body: Buffer.concat(parts).toString() });
      });
    });
  }

  /** A unary gRPC call: a message, length-prefixed, and the status that came in trailers or headers. */
  async grpc(path: string, message: string, headers: Record<string, string> = {}): Promise<GrpcAnswer> {
    const all = { "content-type": "application/grpc", te: "trailers", ...headers };
    const answer = await this.request({ method: "POST", path, headers: all, body: grpcMessage(message) });
    const fields = { ...answer.headers, ...answer.trailers };
    return {
      status: Number(fields["grpc-status"]),
      message: String(fields["grpc-message"] ?? ""),
      body: answer.body.slice(5),
      http: answer.status,
      headers: answer.headers,
    };
  }
}

export interface GrpcAnswer {
  status: number;
  message: string;
  /** The message that came back. */
  body: string;
  http: number;
  headers: Response["headers"];
}

/** A message of gRPC: not compressed, its length, its bytes. */
export function grpcMessage(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}
