import type { RootContext } from "../context.ts";
import type { EventLoop } from "../loop.ts";
import { type HeaderInit, HeaderMap } from "./header-map.ts";
import { pieces } from "./pieces.ts";
import type { HttpClientSide, HttpStream } from "./stream.ts";

export interface RequestOptions {
  /** Default GET. */
  method?: string;
  /** Default `/`. */
  path?: string;
  authority?: string;
  headers?: HeaderInit;
  /** The headers, pseudo-headers and all, as they are: none of the above counts. */
  map?: HeaderMap;
  /** The whole body; the request is complete with it. */
  body?: string | Uint8Array;
  /** The request goes on: the body comes by `write`. */
  open?: boolean;
  protocol?: "HTTP/1.1" | "HTTP/2";
  /** Index of the worker; default 0. */
  worker?: number;
  /** Buffer limit of the stream, bytes; default 1 MiB as in Envoy, 0: none. */
  bufferLimit?: number;
  properties?: Record<string, string | number | boolean | Uint8Array>;
  /** The configuration that the connection got when it came; default: the one in force. */
  root?: RootContext;
}

/** The headers of a request as Envoy's filters see them. */
export function requestHeaders(options: RequestOptions): HeaderMap {
  if (options.map !== undefined) return options.map;
  const { method = "GET", path = "/", authority = "test", headers = {}, body } = options;
  const map = new HeaderMap([
    [":authority", authority],
    [":path", path],
    [":method", method],
    [":scheme", "http"],
  ]);
  for (const [name, value] of new HeaderMap(headers).entries) map.add(name, value);
  const fixed = body !== undefined && !map.get("content-type")?.startsWith("application/grpc");
  if (fixed && map.get("content-length") === null) map.set("content-length", String(Buffer.byteLength(body as string)));
  return map;
}

/** A request as its client sees it, with the response so far. */
export class HttpExchange implements HttpClientSide {
  /** Set by the host once the stream exists. */
  stream!: HttpStream;
  /** Headers of the response; null: not there. */
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  /** How the stream ended; null: it lives. */
  closed: "complete" | "reset" | null = null;
  /** Envoy does not read the request's body. */
  readDisabled = false;
  private readonly parts: Buffer[] = [];
  /** What the client has sent and Envoy has not read. */
  private readonly unread: (() => void)[] = [];

  constructor(
    private readonly loop: EventLoop,
    private readonly protocol: string,
  ) {}

  /** Status of the response; null: none yet. */
  get status(): number | null {
    return this.headers === null ? null : Number(this.headers.get(":status"));
  }

  /** What has come of the response's body. */
  get body(): string {
    return this.bytes.toString();
  }

  /** The same, as it is. */
  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Sends a piece of the body. */
  write(bytes: string | Uint8Array, end = false): void {
    for (const [piece, last] of pieces(Buffer.from(bytes as string), end, this.protocol)) {
      this.send(() => this.stream.receiveData(piece, last));
    }
  }

  /** Sends trailers, which end the request. */
  sendTrailers(trailers: HeaderInit): void {
    this.send(() => this.stream.receiveTrailers(new HeaderMap(trailers)));
  }

  /** Resets the stream: the client has gone. */
  cancel(): void {
    this.loop.enter(() => this.stream.reset("remote"));
  }

  private send(event: () => void): void {
    this.unread.push(event);
    this.loop.enter(() => this.read());
  }

  private read(): void {
    while (!this.readDisabled) {
      const event = this.unread.shift();
      if (event === undefined) return;
      event();
    }
  }

  onHeaders(headers: HeaderMap): void {
    this.headers = headers;
  }

  onData(bytes: Buffer): void {
    this.parts.push(bytes);
  }

  onTrailers(trailers: HeaderMap): void {
    this.trailers = trailers;
  }

  onClose(how: "complete" | "reset"): void {
    this.closed = how;
  }

  onReadDisable(disable: boolean): void {
    this.readDisabled = disable;
    if (!disable) this.loop.post(() => this.read());
  }
}
