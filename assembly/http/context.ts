import { Context } from "../abi/context";
import { DataStatus, HeadersStatus } from "../abi/types";
import { memoryIsShort } from "../bytes/buffer";
import { relieve } from "../bytes/holders";
import { enterContext } from "../host/stream";
import { HttpExchange } from "./exchange";
import { HttpPlugin } from "./plugin";

/** Streams that are given up in one callback while memory is short. */
const MOST_GIVEN_UP: i32 = 64;

/** Where streams come from, and go when they are over. */
export abstract class HttpStreams extends HttpPlugin {
  /** A stream to use for a request. */
  abstract take(): HttpExchange;
  /** Takes back a stream whose request is over. */
  abstract give(stream: HttpExchange): void;
  /** Changes of a stream have been lost. */
  abstract lostChanges(stream: HttpExchange): void;
}

/** An HTTP stream of the host, from its callbacks to the filters. Without filters everything passes. */
export class HttpContext extends Context {
  private stream: HttpExchange | null = null;
  private counted: bool = false;

  constructor(
    id: u32,
    private readonly root: HttpStreams,
  ) {
    super(id);
  }

  onRequestHeaders(count: i32, ended: bool): i32 {
    const root = this.root;
    this.enter();
    this.counted = true;
    root.stats.requests.add(1);
    root.stats.active.add(1);
    if (root.chains.empty) return HeadersStatus.CONTINUE;
    const stream = root.take();
    this.stream = stream;
    stream.begin(this.id, root.chains.take(), ended);
    // Reading them takes off what the client must not say.
    if (root.setsLabels) stream.request.headers.load();
    const status = stream.onRequestHeaders();
    stream.measure();
    return status;
  }

  onRequestBody(size: i32, ended: bool): i32 {
    const stream = this.enter();
    if (stream === null) return DataStatus.CONTINUE;
    const status = stream.onRequestBody(size, ended);
    stream.measure();
    return status;
  }

  onRequestTrailers(count: i32): i32 {
    const stream = this.enter();
    if (stream === null) return DataStatus.CONTINUE;
    const status = stream.onRequestTrailers();
    stream.measure();
    return status;
  }

  onResponseHeaders(count: i32, ended: bool): i32 {
    const stream = this.enter();
    if (stream === null) {
      if (this.counted) this.root.stats.responses.add(1);
      return HeadersStatus.CONTINUE;
    }
    const status = stream.onResponseHeaders(ended);
    stream.measure();
    return status;
  }

  onResponseBody(size: i32, ended: bool): i32 {
    const stream = this.enter();
    if (stream === null) return DataStatus.CONTINUE;
    const status = stream.onResponseBody(size, ended);
    stream.measure();
    return status;
  }

  onResponseTrailers(count: i32): i32 {
    const stream = this.enter();
    if (stream === null) return DataStatus.CONTINUE;
    const status = stream.onResponseTrailers();
    stream.measure();
    return status;
  }

  /** A callback begins: nobody's bytes are in use, so those who hold too much can go. */
  private enter(): HttpExchange | null {
    this.root.enter();
    if (memoryIsShort()) {
      relieve(MOST_GIVEN_UP);
      enterContext(this.id);
    }
    return this.stream;
  }

  onLog(): void {
    this.root.enter();
    const stream = this.stream;
    if (stream === null) return;
    if (stream.lost > 0) this.root.lostChanges(stream);
    stream.log();
  }

  onDelete(): void {
    const stream = this.stream;
    this.stream = null;
    if (this.counted) this.root.stats.active.add(-1);
    this.counted = false;
    if (stream !== null) this.root.give(stream);
  }
}
