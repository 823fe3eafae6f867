// The same request as a client of each protocol makes it, and what became of it.
import type { IncomingHttpHeaders } from "node:http";
import * as bolt from "../../host/kit/bolt.ts";
import { boltStatus } from "../../vectors/bolt.ts";
import { reasonOf, servedBy } from "./calls.ts";
import { RawBoltClient } from "./client.ts";
import { DubboClient, dubboAnswer, type DubboServer } from "./dubbo_peers.ts";
import { http1, Http2Client, type HttpServer } from "./http_peers.ts";
import type { Scope } from "./scope.ts";
import type { RawBoltServer } from "./server.ts";

export interface ChainRequest {
  headers?: Record<string, string>;
  /** Bytes of its content; default 10. */
  size?: number;
}

export interface ChainAnswer {
  /** The protocol's. */
  status: number;
  /** What the proxy says in an answer of its own. */
  reason: string;
  /** The server that answered; undefined: the proxy did. */
  servedBy: string | undefined;
}

/** One connection of a client. HTTP/1 has a connection for each request. */
export interface ChainClient {
  call(request: ChainRequest): Promise<ChainAnswer>;
}

/** A protocol: its clients, its statuses, and what its servers got. */
export interface ChainPeer {
  name: string;
  ok: number;
  /** The protocol's status for one of MOSN's codes. */
  statusOf(code: number): number;
  connect(scope: Scope): Promise<ChainClient>;
  /** Headers of the last request that the server got. */
  lastHeaders(server: string): Record<string, unknown>;
}

/** What the routes of RPC go by: the service that each protocol's requests are for. */
export const SERVICES = { bolt: "test.Bolt:1.0", dubbo: "test.Dubbo" };

const content = ({ size = 10 }: ChainRequest): string => "x".repeat(size);

/** The last of what a server got. Throws if it got nothing. */
function last<T>(server: { name: string } | undefined, arrived: T[] | undefined): T {
  const found = arrived?.at(-1);
  if (found === undefined) throw new Error(`nothing came to ${server?.name}`);
  return found;
}

const named = <T extends { name: string }>(servers: T[], name: string): T | undefined =>
  servers.find((server) => server.name === name);

export function boltPeer(port: number, servers: RawBoltServer[]): ChainPeer {
  return {
    name: "Bolt",
    ok: bolt.BoltStatus.SUCCESS,
    statusOf: boltStatus,
    async connect(scope) {
      const client = await RawBoltClient.connect(port);
      scope.after(() => client.close());
      let id = 0;
      return {
        async call(request) {
          const headers: bolt.Headers = [["service", SERVICES.bolt], ...Object.entries(request.headers ?? {})];
          const answer = await client.call(++id, { headers, content: content(request) });
          return { status: answer.status, reason: reasonOf(answer), servedBy: servedBy(answer) };
        },
      };
    },
    lastHeaders(name) {
      const server = named(servers, name);
      return Object.fromEntries(last(server, server?.arrivals).frame.headers);
    },
  };
}

/** Dubbo's statuses (docs/reference/mosn.md#dubbo). */
const DUBBO_STATUS: Record<number, number> = { 403: 80, 503: 40, 413: 70 };

export function dubboPeer(port: number, servers: DubboServer[]): ChainPeer {
  return {
    name: "Dubbo",
    ok: 20,
    statusOf: (code) => DUBBO_STATUS[code],
    async connect(scope) {
      const client = await DubboClient.connect(scope, port);
      return {
        async call(request) {
          const answer = await client.call({
            service: SERVICES.dubbo,
            args: [content(request)],
            attachments: request.headers,
          });
          const text = dubboAnswer(answer);
          const good = answer.status === 20;
          return { status: answer.status, reason: good ? "" : text, servedBy: good ? text : undefined };
        },
      };
    },
    lastHeaders(name) {
      const server = named(servers, name);
      return last(server, server?.arrived).attachments;
    },
  };
}

/** What is alike in all that HTTP carries: the servers, and how they name themselves. */
function httpPeer(name: string, ok: number, servers: HttpServer[]): Omit<ChainPeer, "connect"> {
  return {
    name,
    ok,
    statusOf: (code) => code,
    lastHeaders(name) {
      const server = named(servers, name);
      return last(server, server?.arrived).headers;
    },
  };
}

const serverOf = (headers: IncomingHttpHeaders): string | undefined => headers["served-by"] as string | undefined;

export function http1Peer(port: number, servers: HttpServer[]): ChainPeer {
  const call = async (request: ChainRequest): Promise<ChainAnswer> => {
    const { status, headers, body } = await http1(port, { headers: request.headers, body: content(request) });
    return { status, reason: body, servedBy: serverOf(headers) };
  };
  return { ...httpPeer("HTTP/1", 200, servers), connect: () => Promise.resolve({ call }) };
}

export function http2Peer(port: number, servers: HttpServer[]): ChainPeer {
  return {
    ...httpPeer("HTTP/2", 200, servers),
    async connect(scope) {
      const client = await Http2Client.connect(scope, port);
      return {
        async call(request) {
          const { status, headers, body } = await client.request({ headers: request.headers, body: content(request) });
          return { status, reason: body, servedBy: serverOf(headers) };
        },
      };
    },
  };
}

/** gRPC's statuses for those of HTTP (doc/http-grpc-status-mapping.md of gRPC); all others are UNKNOWN. */
const GRPC_STATUS: Record<number, number> = { 403: 7, 503: 14 };

export function grpcPeer(port: number, servers: HttpServer[]): ChainPeer {
  return {
    ...httpPeer("gRPC", 0, servers),
    statusOf: (code) => GRPC_STATUS[code] ?? 2,
    async connect(scope) {
      const client = await Http2Client.connect(scope, port);
      return {
        async call(request) {
          const { status, message, headers } = await client.grpc("/test.Grpc/Call", content(request), request.headers);
          return { status, reason: message, servedBy: serverOf(headers) };
        },
      };
    },
  };
}
