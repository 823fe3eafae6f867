import { Context } from "../abi/context";
import { DataStatus, HeadersStatus } from "../abi/types";
import {
  onRequestBody,
  onRequestHeaders,
  onRequestTrailers,
  onResponseBody,
  onResponseHeaders,
  onResponseTrailers,
} from "./exchange";
import { HttpRoot } from "./root";
import { HttpStream } from "./stream";

/** An HTTP stream of the host, from its callbacks to the filters. Without filters everything passes. */
export class HttpContext extends Context {
  private stream: HttpStream | null = null;
  private counted: bool = false;

  constructor(
    id: u32,
    private readonly root: HttpRoot,
  ) {
    super(id);
  }

  onRequestHeaders(count: i32, ended: bool): i32 {
    const root = this.root;
    root.enter();
    this.counted = true;
    root.stats.requests.add(1);
    root.stats.active.add(1);
    if (root.chains.empty) return HeadersStatus.CONTINUE;
    const stream = root.take();
    this.stream = stream;
    stream.begin(this.id, root.chains.take(), ended);
    // Reading them takes off what the client must not say.
    if (root.setsLabels) stream.request.headers.load();
    return onRequestHeaders(stream, ended);
  }

  onRequestBody(size: i32, ended: bool): i32 {
    const stream = this.enter();
    return stream === null ? DataStatus.CONTINUE : onRequestBody(stream, size, ended);
  }

  onRequestTrailers(count: i32): i32 {
    const stream = this.enter();
    return stream === null ? DataStatus.CONTINUE : onRequestTrailers(stream);
  }

  onResponseHeaders(count: i32, ended: bool): i32 {
    const stream = this.enter();
    if (stream !== null) return onResponseHeaders(stream, ended);
    if (this.counted) this.root.stats.responses.add(1);
    return HeadersStatus.CONTINUE;
  }

  onResponseBody(size: i32, ended: bool): i32 {
    const stream = this.enter();
    return stream === null ? DataStatus.CONTINUE : onResponseBody(stream, size, ended);
  }

  onResponseTrailers(count: i32): i32 {
    const stream = this.enter();
    return stream === null ? DataStatus.CONTINUE : onResponseTrailers(stream);
  }

  private enter(): HttpStream | null {
    this.root.enter();
    return this.stream;
  }

  onLog(): void {
    const stream = this.enter();
    if (stream !== null) stream.log();
  }

  onDelete(): void {
    const stream = this.stream;
    this.stream = null;
    if (this.counted) this.root.stats.active.add(-1);
    this.counted = false;
    if (stream !== null) this.root.give(stream);
  }
}
