import type { Clock } from "../clock.ts";
import type { NetBuffer } from "../buffer.ts";
import type { RootContext } from "../context.ts";
import type { EventLoop } from "../loop.ts";
import { Properties, type PropertyValue } from "../properties.ts";
import { HttpContext } from "./context.ts";
import { Direction, type DirectionOwner, type NextSide } from "./direction.ts";
import type { HeaderMap } from "./header-map.ts";
import { grpcStatusOf, localHeaders } from "./local-reply.ts";
import { StreamProperties } from "./properties.ts";
import { pieces } from "./pieces.ts";
import { type RouteTable, StreamRoute } from "./route.ts";
import { UpstreamRequest } from "./upstream.ts";

/** What a stream tells its client. */
export interface HttpClientSide {
  onHeaders(headers: HeaderMap, end: boolean): void;
  onData(bytes: Buffer, end: boolean): void;
  onTrailers(trailers: HeaderMap): void;
  /** The stream is over: `complete`, or reset by Envoy. */
  onClose(how: "complete" | "reset"): void;
  /** Whether the client may send. */
  onReadDisable(disable: boolean): void;
}

/** What a stream needs of the host. */
export interface HttpHost {
  readonly loop: EventLoop;
  readonly clock: Clock;
  readonly routes: RouteTable;
  /** The server: it gets each request whose headers Envoy has forwarded. */
  onRequest(request: UpstreamRequest): void;
}

/** Response flags of Envoy that the kit sets. */
export enum ResponseFlag {
  None = 0,
  UpstreamRequestTimeout = 0x4,
  UpstreamRemoteReset = 0x10,
  NoRouteFound = 0x100,
}

interface LocalReply {
  status: number;
  body: string;
  headers: readonly (readonly [string, string])[];
  grpc: number | null;
}

export interface HttpStreamOptions {
  /** Buffer limit of each direction, bytes; 0: none. */
  bufferLimit: number;
  allowOnHeadersStopIteration: boolean;
  /** "HTTP/1.1" or "HTTP/2". */
  protocol: string;
  properties: Record<string, PropertyValue>;
}

/** One HTTP stream of a connection manager: the wasm filter, then a router and the server behind it. */
export class HttpStream implements DirectionOwner {
  readonly context: HttpContext;
  readonly route: StreamRoute;
  readonly decode: Direction;
  readonly encode: Direction;
  readonly state: StreamProperties;
  destroyed = false;
  private upstream: UpstreamRequest | null = null;
  private prepared: LocalReply | null = null;
  /** Response headers are out to the client's codec. */
  private encoded = false;
  /** Bytes of the body that the response has announced, and that came. */
  private readonly sent = { request: 0, response: 0 };

  constructor(
    readonly id: number,
    private readonly root: RootContext,
    private readonly host: HttpHost,
    private readonly client: HttpClientSide,
    private readonly options: HttpStreamOptions,
  ) {
    this.route = new StreamRoute((headers) => host.routes(headers));
    this.state = new StreamProperties(options.protocol, host.clock.realtimeNs);
    const properties = new Properties(options.properties);
    this.context = new HttpContext(root, this, options.allowOnHeadersStopIteration, properties);
    this.decode = new Direction(this, this.context.decoder, this.router(), options.bufferLimit);
    this.encode = new Direction(this.responseOwner(), this.context.encoder, this.codec(), options.bufferLimit);
  }

  private responseOwner(): DirectionOwner {
    const isDestroyed = () => this.destroyed;
    return {
      get destroyed() {
        return isDestroyed();
      },
      executeLocalReply: () => this.executeLocalReply(),
      tooLarge: () => this.sendLocalReply(500, "Internal Server Error", [], "response_payload_too_large"),
      readDisable: () => {}, // a server that is slowed changes nothing that the filter sees
      fault: (rule, message) => this.fault(rule, message),
    };
  }

  fault(rule: string, message: string): Error {
    return this.context.fault(rule, message);
  }

  tooLarge(): void {
    this.sendLocalReply(413, "Payload Too Large", [], "request_payload_too_large");
  }

  readDisable(disable: boolean): void {
    this.client.onReadDisable(disable);
  }

  /** The request's headers come from the client. */
  receiveHeaders(headers: HeaderMap, end: boolean): void {
    this.route.match(headers);
    this.decode.receiveHeaders(headers, end);
  }

  receiveData(bytes: Buffer, end: boolean): void {
    if (this.destroyed) return;
    this.state.bytesReceived += bytes.length;
    this.decode.receiveData(bytes, end);
  }

  receiveTrailers(trailers: HeaderMap): void {
    if (!this.destroyed) this.decode.receiveTrailers(trailers);
  }

  /** A property of this stream: null where it has none now, undefined where it is none of its own. */
  property(path: string, requestHeaders: HeaderMap | null): Buffer | null | undefined {
    const route = this.route.property(path);
    return route !== undefined ? route : this.state.get(path, requestHeaders, this.encode.headers);
  }

  /** The terminal filter: it finds the route and has the server get the request. */
  private router(): NextSide {
    return {
      headers: (headers, end) => this.forward(headers, end),
      data: (data, end) => this.forwardData(data, end),
      trailers: (trailers) => {
        const { upstream } = this;
        if (upstream === null) return;
        upstream.trailers = trailers;
        this.checkLength("request", this.decode.headers);
        this.host.loop.post(() => upstream.finish());
      },
    };
  }

  private forward(headers: HeaderMap, end: boolean): void {
    const route = this.route.resolve(headers);
    this.route.show(route);
    if (route === null) {
      this.state.flags |= ResponseFlag.NoRouteFound;
      this.sendLocalReply(404, "", [], "route_not_found");
      return;
    }
    const upstream = new UpstreamRequest(this.upstreamOwner(), headers, route.cluster ?? "upstream");
    this.upstream = upstream;
    this.host.loop.post(() => {
      if (this.destroyed || upstream.reset) return;
      this.state.upstreamAddress = "10.0.0.1:8080";
      this.host.onRequest(upstream);
    });
    if (end) this.checkLength("request", headers);
    if (end) this.host.loop.post(() => upstream.finish());
  }

  private forwardData(data: NetBuffer, end: boolean): void {
    const { upstream } = this;
    const bytes = data.take();
    if (upstream === null) return;
    this.sent.request += bytes.length;
    if (end) this.checkLength("request", this.decode.headers);
    this.host.loop.post(() => upstream.receive(bytes, end));
  }

  private upstreamOwner() {
    return {
      act: (action: () => void) => this.host.loop.enter(action),
      responseHeaders: (headers: HeaderMap, end: boolean) => {
        if (this.destroyed) return;
        this.state.details = "via_upstream";
        this.encode.receiveHeaders(headers, end);
      },
      responseData: (bytes: Uint8Array, end: boolean) => {
        // The server speaks what the client speaks.
        for (const [piece, last] of pieces(Buffer.from(bytes), end, this.options.protocol)) {
          if (!this.destroyed) this.encode.receiveData(piece, last);
        }
      },
      responseTrailers: (trailers: HeaderMap) => {
        if (!this.destroyed) this.encode.receiveTrailers(trailers);
      },
      upstreamTimeout: () => {
        if (this.destroyed) return;
        this.state.flags |= ResponseFlag.UpstreamRequestTimeout;
        this.sendLocalReply(504, "upstream request timeout", [], "response_timeout");
      },
      upstreamReset: () => {
        if (this.destroyed) return;
        this.state.flags |= ResponseFlag.UpstreamRemoteReset;
        this.sendLocalReply(503, "upstream connect error", [], "upstream_reset_before_response_started");
      },
    };
  }

  /** The client's codec, and the end of the stream once the response is out. */
  private codec(): NextSide {
    return {
      headers: (headers, end) => {
        this.encoded = true;
        this.client.onHeaders(headers, end);
        this.sentPart(0, end);
      },
      data: (data, end) => {
        const bytes = data.take();
        this.client.onData(bytes, end);
        this.sentPart(bytes.length, end);
      },
      trailers: (trailers) => {
        this.client.onTrailers(trailers);
        this.sentPart(0, true);
      },
    };
  }

  private sentPart(length: number, end: boolean): void {
    this.sent.response += length;
    this.state.bytesSent += length;
    if (!end) return;
    this.checkLength("response", this.encode.headers);
    this.destroy("complete");
  }

  /** Envoy does not mend the length: the peer would hang, or take what follows for a part of the message. */
  private checkLength(which: "request" | "response", headers: HeaderMap | null): void {
    const announced = headers?.get("content-length") ?? null;
    if (announced === null || Number(announced) === this.sent[which]) return;
    if (which === "response" && this.decode.headers?.get(":method") === "HEAD") return;
    const message = `content-length of the ${which} is ${announced}, its body has ${this.sent[which]} bytes`;
    throw this.fault("content-length", message);
  }

  /** Envoy's sendLocalReply: through the filter, in place of a response that is not out yet, or a reset. */
  sendLocalReply(
    status: number,
    body: string,
    headers: readonly (readonly [string, string])[],
    details: string,
    grpc: number | null = null,
  ): void {
    if (this.destroyed) return;
    this.state.details = details;
    const reply = { status, body, headers, grpc: grpc !== null && grpc <= 16 ? grpc : null };
    if (this.decode.inCallback) this.decode.aborted = true;
    else if (this.encode.inCallback) this.encode.aborted = true;
    if (this.encode.headers === null) {
      this.prepared = reply;
      if (!this.decode.inCallback) this.executeLocalReply();
    } else if (!this.encoded) this.replyDirectly(reply);
    else this.reset("local");
  }

  executeLocalReply(): void {
    const reply = this.prepared;
    this.prepared = null;
    if (reply === null || this.destroyed) return;
    const [headers, body] = this.messageOf(reply);
    this.encode.receiveHeaders(headers, body.length === 0);
    if (body.length > 0 && !this.destroyed) this.encode.receiveData(body, true);
  }

  private messageOf(reply: LocalReply): [HeaderMap, Buffer] {
    const request = this.decode.headers;
    const isGrpc = request?.get("content-type")?.startsWith("application/grpc") ?? false;
    const grpc = isGrpc ? (reply.grpc ?? grpcStatusOf(reply.status)) : null;
    const body = isGrpc || request?.get(":method") === "HEAD" ? "" : reply.body;
    return [localHeaders(reply, grpc), Buffer.from(body)];
  }

  private replyDirectly(reply: LocalReply): void {
    const [headers, body] = this.messageOf(reply);
    this.encode.aborted = true;
    this.encode.headers = headers;
    this.encoded = true;
    this.client.onHeaders(headers, body.length === 0);
    if (body.length > 0) this.client.onData(body, true);
    this.sentPart(body.length, true);
  }

  /** Ends the stream at once: `local` by Envoy, `remote` by its client. */
  reset(by: "local" | "remote"): void {
    if (this.destroyed) return;
    if (by === "local") this.state.details ||= "wasm_close_stream";
    this.destroy("reset");
  }

  private destroy(how: "complete" | "reset"): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.upstream?.abandon();
    this.client.onClose(how);
    this.context.onLog();
    this.context.onDestroy();
  }
}
