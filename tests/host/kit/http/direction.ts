import { DataStatus, HeadersStatus, TrailersStatus } from "../abi.ts";
import { NetBuffer } from "../buffer.ts";
import type { HeaderMap } from "./header-map.ts";

/** The wasm filter, in one direction. */
export interface FilterSide {
  headers(headers: HeaderMap, end: boolean): HeadersStatus;
  /** `data` is what comes now; the filter may have all that has gathered, see `Direction.buffered`. */
  data(data: NetBuffer, end: boolean): DataStatus;
  trailers(trailers: HeaderMap): TrailersStatus;
}

/** What comes after the filter: the router, or the client's codec. It takes the bytes out of the buffer. */
export interface NextSide {
  headers(headers: HeaderMap, end: boolean): void;
  data(data: NetBuffer, end: boolean): void;
  trailers(trailers: HeaderMap): void;
}

/** What a direction needs of its stream. */
export interface DirectionOwner {
  readonly destroyed: boolean;
  /** A local reply was prepared during a callback: it is sent now. */
  executeLocalReply(): void;
  /** More has gathered than the limit allows, and nobody can be slowed. */
  tooLarge(): void;
  /** The sender has to stop, or may go on. */
  readDisable(disable: boolean): void;
  fault(rule: string, message: string): Error;
}

/**
 * One direction of an HTTP stream with one filter, after Envoy's FilterManager and ActiveStreamFilterBase: what each
 * answer of the StopIteration family does, what is buffered, and what a continue hands on.
 */
export class Direction {
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  /** What the filter has left in Envoy's buffer. */
  buffered: NetBuffer | null = null;
  /** A callback of the filter is running. */
  inCallback = false;
  /** A local reply has ended this direction. */
  aborted = false;
  private iteration: "go" | "single" | "all-buffer" | "all-watermark" = "go";
  private headersContinued = false;
  private filterSawEnd = false;
  private observedEnd = false;
  private streaming = false;
  private aboveLimit = false;

  constructor(
    private readonly owner: DirectionOwner,
    private readonly filter: FilterSide,
    private readonly next: NextSide,
    /** Most bytes that gather; 0: any number. */
    private readonly limit: number,
  ) {}

  /** Whether the sender's END_STREAM was seen. */
  get complete(): boolean {
    return this.observedEnd;
  }

  private get stopped(): boolean {
    return this.owner.destroyed || this.aborted;
  }

  private get stoppedAll(): boolean {
    return this.iteration === "all-buffer" || this.iteration === "all-watermark";
  }

  receiveHeaders(headers: HeaderMap, end: boolean): void {
    this.headers = headers;
    this.observedEnd = end;
    this.filterSawEnd = end;
    const status = this.callback(() => this.filter.headers(headers, end));
    if (this.stopped || !this.afterHeaders(status)) return;
    this.next.headers(headers, end);
  }

  receiveData(bytes: Buffer, end: boolean): void {
    if (this.stopped) return;
    if (end) this.observedEnd = true;
    const data = new NetBuffer();
    data.append(bytes);
    this.runData(data, end);
  }

  receiveTrailers(trailers: HeaderMap): void {
    if (this.stopped) return;
    this.trailers = trailers;
    this.observedEnd = true;
    this.runTrailers(trailers);
  }

  private callback<T>(call: () => T): T {
    this.inCallback = true;
    try {
      return call();
    } finally {
      this.inCallback = false;
      if (this.aborted) this.owner.executeLocalReply();
    }
  }

  private runData(data: NetBuffer, end: boolean): void {
    if (this.stoppedAll) {
      this.streaming = this.iteration === "all-watermark";
      this.bufferData(data);
      return;
    }
    if (this.filterSawEnd) return;
    this.filterSawEnd = end && this.trailers === null;
    const status = this.callback(() => this.filter.data(data, this.filterSawEnd));
    if (this.stopped || !this.afterData(status, data)) return;
    this.next.data(data, end);
  }

  private runTrailers(trailers: HeaderMap): void {
    if (this.stoppedAll) return;
    this.filterSawEnd = true;
    const status = this.callback(() => this.filter.trailers(trailers));
    if (this.stopped || !this.afterTrailers(status)) return;
    this.next.trailers(trailers);
  }

  private afterHeaders(status: HeadersStatus): boolean {
    if (status === HeadersStatus.Continue) this.headersContinued = true;
    else if (status === HeadersStatus.StopIteration) this.iteration = "single";
    else this.iteration = status === HeadersStatus.StopAllIterationAndBuffer ? "all-buffer" : "all-watermark";
    return status === HeadersStatus.Continue;
  }

  private afterData(status: DataStatus, data: NetBuffer): boolean {
    if (status === DataStatus.Continue) {
      if (this.iteration !== "single") return true;
      this.bufferData(data);
      this.resume();
      return false;
    }
    this.iteration = "single";
    if (status === DataStatus.StopIterationNoBuffer) {
      if (this.observedEnd && this.trailers === null) this.buffered ??= this.makeBuffer();
    } else {
      this.streaming = status === DataStatus.StopIterationAndWatermark;
      this.bufferData(data);
    }
    return false;
  }

  private afterTrailers(status: TrailersStatus): boolean {
    if (status === TrailersStatus.Continue) {
      if (this.iteration !== "single") return true;
      this.resume();
    } else if (this.iteration === "go") this.iteration = "single";
    return false;
  }

  /** Puts what has come to what has gathered (Envoy's addDecodedData and its like). */
  addData(data: NetBuffer): void {
    this.streaming = false;
    this.bufferData(data);
  }

  private bufferData(data: NetBuffer): void {
    if (this.buffered === data) return;
    this.buffered ??= this.makeBuffer();
    this.buffered.append(data.take());
  }

  private makeBuffer(): NetBuffer {
    const buffer = new NetBuffer(() => this.watermarks(buffer.length));
    return buffer;
  }

  private watermarks(length: number): void {
    if (this.limit === 0 || this.owner.destroyed) return;
    if (!this.aboveLimit && length > this.limit) {
      this.aboveLimit = true;
      if (this.streaming) this.owner.readDisable(true);
      else this.owner.tooLarge();
    } else if (this.aboveLimit && length <= this.limit / 2) {
      this.aboveLimit = false;
      this.owner.readDisable(false);
    }
  }

  /** continueDecoding or continueEncoding, called by the filter. */
  continue(): void {
    if (this.stopped) return;
    if (this.iteration === "go") throw this.owner.fault("continue", "proxy_continue_stream where nothing is stopped");
    this.resume();
  }

  private resume(): void {
    // A filter that was spared everything gets what has gathered itself.
    const fromCurrent = this.stoppedAll;
    this.iteration = "go";
    const { headers, buffered, trailers } = this;
    if (!this.headersContinued && headers !== null) {
      this.headersContinued = true;
      this.next.headers(headers, this.observedEnd && buffered === null && trailers === null);
    }
    if (buffered !== null && !this.stopped) {
      const end = this.observedEnd && trailers === null;
      if (fromCurrent) this.runData(buffered, end);
      else this.next.data(buffered, end);
    }
    if (trailers !== null && !this.stopped) {
      if (fromCurrent) this.runTrailers(trailers);
      else this.next.trailers(trailers);
    }
  }
}
