import { type HeaderInit, HeaderMap } from "./header-map.ts";

/** Where an upstream's answer goes; the stream implements it. */
export interface UpstreamOwner {
  /** Runs as an event of its own, or at once where the loop is idle. */
  act(action: () => void): void;
  responseHeaders(headers: HeaderMap, end: boolean): void;
  responseData(bytes: Uint8Array, end: boolean): void;
  responseTrailers(trailers: HeaderMap): void;
  upstreamReset(): void;
  upstreamTimeout(): void;
}

export interface RespondOptions {
  /** Default 200. */
  status?: number;
  headers?: HeaderInit;
  body?: string | Uint8Array;
  trailers?: HeaderInit;
}

/** A request as its server sees it: test code answers it. Calls are events: inside a callback they come after it. */
export class UpstreamRequest {
  /** Called with each piece of the body. */
  onData: (bytes: Buffer) => void = () => {};
  /** Called when the request is complete. */
  onEnd: () => void = () => {};
  /** Called when Envoy resets the request. */
  onReset: () => void = () => {};
  trailers: HeaderMap | null = null;
  ended = false;
  /** The client or a filter has given it up, or the test has reset it. */
  reset = false;
  /** Not all of the response is out. */
  answering = true;
  private readonly parts: Buffer[] = [];

  constructor(
    private readonly owner: UpstreamOwner,
    readonly headers: HeaderMap,
    readonly cluster: string,
  ) {}

  get method(): string | null {
    return this.headers.get(":method");
  }

  get path(): string | null {
    return this.headers.get(":path");
  }

  /** What has come of the body. */
  get body(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Sends a whole response. */
  respond({ status = 200, headers = {}, body = "", trailers }: RespondOptions = {}): void {
    const bytes = Buffer.from(body as string);
    this.sendHeaders(status, headers, bytes.length === 0 && trailers === undefined);
    if (bytes.length > 0) this.write(bytes, trailers === undefined);
    if (trailers !== undefined) this.sendTrailers(trailers);
  }

  sendHeaders(status = 200, headers: HeaderInit = {}, end = false): void {
    this.sendMap(new HeaderMap([[":status", String(status)], ...new HeaderMap(headers).entries]), end);
  }

  /** Sends headers as they are. */
  sendMap(map: HeaderMap, end = false): void {
    this.act(end, () => this.owner.responseHeaders(map, end));
  }

  write(bytes: string | Uint8Array, end = false): void {
    this.act(end, () => this.owner.responseData(Buffer.from(bytes as string), end));
  }

  sendTrailers(trailers: HeaderInit): void {
    this.act(true, () => this.owner.responseTrailers(new HeaderMap(trailers)));
  }

  /** Envoy's timeout of the request has passed. */
  expire(): void {
    this.act(true, () => this.owner.upstreamTimeout());
  }

  /** Resets the request, as a server that has crashed. */
  fail(): void {
    this.act(true, () => this.owner.upstreamReset());
  }

  private act(last: boolean, action: () => void): void {
    this.owner.act(() => {
      if (this.reset || !this.answering) return;
      if (last) this.answering = false;
      action();
    });
  }

  /** The stream's: a piece of the body arrives. */
  receive(bytes: Buffer, end: boolean): void {
    if (bytes.length > 0) {
      this.parts.push(bytes);
      this.onData(bytes);
    }
    if (end) this.finish();
  }

  /** The stream's: the request is complete. */
  finish(): void {
    this.ended = true;
    this.onEnd();
  }

  /** The stream's: nobody wants an answer any more. */
  abandon(): void {
    if (!this.answering || this.reset) return;
    this.reset = true;
    this.onReset();
  }
}
