// The sample service over HTTP/1 and gRPC, on what Node has of both.
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import protobuf from "protobufjs";
import { type Answer, helloService } from "./hello.ts";

/** Where the service greets: `GET /hello/NAME`. */
export const HTTP_PATH = "/hello/";
/** The gRPC method. */
export const GRPC_PATH = "/moe.samples.HelloService/SayHello";

const { root } = protobuf.parse(`
  syntax = "proto3";
  message HelloRequest { string name = 1; }
  message HelloReply { string result = 1; string version = 2; uint32 port = 3; }
`);
const HelloRequest = root.lookupType("HelloRequest");
const HelloReply = root.lookupType("HelloReply");

/** Bytes of gRPC's prefix: not compressed, the length. */
const PREFIX = 5;

/** A message of gRPC with its prefix. */
function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A gRPC call's request. */
export function encodeRequest(name: string): Buffer {
  return framed(HelloRequest.encode({ name }).finish());
}

/** What such a call is answered with. Throws if it is no such message. */
export function decodeReply(bytes: Buffer): Answer {
  return HelloReply.toObject(HelloReply.decode(bytes.subarray(PREFIX)), { defaults: true }) as Answer;
}

/** Greets with JSON. */
export function httpServer(self: { version: string; port: number }): Server {
  const service = helloService(self);
  return createServer((request, response) => {
    const name = request.url?.startsWith(HTTP_PATH) ? decodeURIComponent(request.url.slice(HTTP_PATH.length)) : "";
    if (request.method !== "GET" || name === "") {
      response.writeHead(404).end(`GET ${HTTP_PATH}NAME is all there is.\n`);
      return;
    }
    void service.sayHello(name).then((answer) => {
      response.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(answer)}\n`);
    });
  });
}

/** Greets by gRPC; the connections end with the server. */
export function grpcServer(self: { version: string; port: number }): Http2Server {
  const service = helloService(self);
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server();
  server.on("session", (session) => sessions.add(session.once("close", () => sessions.delete(session))));
  server.on("close", () => sessions.forEach((session) => session.destroy()));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const start = { ":status": 200, "content-type": "application/grpc" };
    if (headers[":path"] !== GRPC_PATH) {
      stream.respond({ ...start, "grpc-status": "12", "grpc-message": `only ${GRPC_PATH}` }, { endStream: true });
      return;
    }
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const { name } = HelloRequest.decode(Buffer.concat(parts).subarray(PREFIX)) as unknown as { name: string };
      void service.sayHello(name).then((answer) => {
        stream.respond(start, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(framed(HelloReply.encode({ ...answer }).finish()));
      });
    });
  });
  return server;
}
