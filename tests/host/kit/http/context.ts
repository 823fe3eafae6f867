import {
  BufferType,
  DataStatus,
  HeaderMapType,
  HeadersStatus,
  LogLevel,
  Result,
  StreamType,
  TrailersStatus,
} from "../abi.ts";
import { ConstBuffer, type GuestBuffer, NetBuffer } from "../buffer.ts";
import { GuestContext, type RootContext } from "../context.ts";
import type { Properties } from "../properties.ts";
import type { FilterSide } from "./direction.ts";
import type { HeaderMap } from "./header-map.ts";
import type { HttpStream } from "./stream.ts";

/** More continues and local replies than this in one callback nest too deep for the VM's native stack. */
const MAX_CONTINUES = 16;

/** What the context keeps of one direction: Envoy's pointers into the message, null where it has dropped them. */
class Side {
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  data: NetBuffer | null = null;
  /** The filter's last answer had the data buffered. */
  buffering = false;
  /** The direction was told to go on since: Envoy before 1.40 does not notice, and buffers once more. */
  stale = false;
  /** The data is that of a callback that has returned, and is gone. */
  dangling = false;
}

/** The context of one HTTP stream, after Envoy's Context in its HTTP filter role. */
export class HttpContext extends GuestContext {
  private readonly request = new Side();
  private readonly response = new Side();
  private ended = false;
  private created = false;
  private logging = false;
  private failed = false;

  constructor(
    override readonly root: RootContext,
    private readonly stream: HttpStream,
    /** The plugin's `allow_on_headers_stop_iteration`. */
    private readonly allowStop: boolean,
    properties: Properties,
  ) {
    super(root.vm, properties);
  }

  readonly decoder: FilterSide = {
    headers: (headers, end) => this.onHeaders("request", headers, end),
    data: (data, end) => this.onData("request", data, end),
    trailers: (trailers) => this.onTrailers("request", trailers),
  };

  readonly encoder: FilterSide = {
    headers: (headers, end) => this.onHeaders("response", headers, end),
    data: (data, end) => this.onData("response", data, end),
    trailers: (trailers) => this.onTrailers("response", trailers),
  };

  private onHeaders(which: "request" | "response", headers: HeaderMap, end: boolean): HeadersStatus {
    if (which === "request") this.create();
    if (!this.created || this.failed) return HeadersStatus.Continue;
    const side = this[which];
    side.headers = headers;
    this.ended = end;
    const answer = this.guest(`proxy_on_${which}_headers`, headers.entries.length, Number(end));
    let status: HeadersStatus = HeadersStatus.StopAllIterationAndWatermark;
    if (answer === 0 || answer === 2) status = HeadersStatus.Continue;
    else if (answer === 1 && this.allowStop) status = HeadersStatus.StopIteration;
    else if (answer === 3) status = HeadersStatus.StopAllIterationAndBuffer;
    if (status === HeadersStatus.Continue) side.headers = null;
    return status;
  }

  private onData(which: "request" | "response", data: NetBuffer, end: boolean): DataStatus {
    if (!this.created || this.failed) return DataStatus.Continue;
    const side = this[which];
    const direction = which === "request" ? this.stream.decode : this.stream.encode;
    const atRisk = side.buffering && side.stale && data.length > 0;
    if (side.buffering) direction.addData(data);
    if (this.stream.destroyed) return DataStatus.StopIterationAndBuffer;
    side.data = data;
    side.dangling = false;
    this.ended = end;
    const size = this.bodyOf(which)?.length ?? 0;
    const answer = this.guest(`proxy_on_${which}_body`, size, Number(end));
    const status: DataStatus = answer > DataStatus.StopIterationNoBuffer ? DataStatus.StopIterationNoBuffer : answer;
    if (atRisk && status === DataStatus.Continue) {
      throw this.fault("lost-data", `Continue for a piece of the ${which}'s body after continue_stream: it is lost`);
    }
    side.buffering = status === DataStatus.StopIterationAndBuffer;
    side.stale = false;
    if (status === DataStatus.Continue) side.data = null;
    else side.dangling = !side.buffering;
    return status;
  }

  private onTrailers(which: "request" | "response", trailers: HeaderMap): TrailersStatus {
    if (!this.created || this.failed) return TrailersStatus.Continue;
    const side = this[which];
    side.trailers = trailers;
    const answer = this.guest(`proxy_on_${which}_trailers`, trailers.entries.length);
    if (answer === 0) side.trailers = null;
    return answer === 0 ? TrailersStatus.Continue : TrailersStatus.StopIteration;
  }

  /** A filter callback; 99 where it answers nothing that counts: the module has sent a local response, or is dead. */
  private guest(callback: string, ...args: number[]): number {
    let status = this.vm.has(callback) ? 99 : 0;
    this.vm.callThen(callback, this, [this.id, ...args], (answer) => {
      if (answer !== undefined && !this.vm.stopNext) status = answer >>> 0;
    });
    if (!this.vm.dead) return status;
    if (!this.failed) {
      this.failed = true;
      this.stream.sendLocalReply(503, "", [], "wasm_fail_stream");
    }
    return 99;
  }

  private create(): void {
    if (this.created) return;
    this.created = true;
    this.vm.call("proxy_on_context_create", this, this.id, this.root.id);
  }

  /** The end of the stream: the access log, then the filter's own end. */
  onLog(): void {
    this.create();
    this.logging = true;
    this.vm.call("proxy_on_log", this, this.id);
    this.logging = false;
  }

  onDestroy(): void {
    this.vm.call("proxy_on_done", this, this.id);
    this.vm.call("proxy_on_delete", this, this.id);
    this.vm.forget(this);
  }

  private bodyOf(which: "request" | "response"): NetBuffer | null {
    const direction = which === "request" ? this.stream.decode : this.stream.encode;
    return this[which].buffering ? direction.buffered : this[which].data;
  }

  override buffer(type: BufferType): GuestBuffer | null {
    if (type !== BufferType.HttpRequestBody && type !== BufferType.HttpResponseBody) return super.buffer(type);
    const which = type === BufferType.HttpRequestBody ? "request" : "response";
    if (this[which].dangling && !this.vm.frame.callback.startsWith(`proxy_on_${which}_body`)) {
      throw this.fault("dangling-buffer", `the ${which}'s body is read after an answer that did not buffer it`);
    }
    return this.bodyOf(which) ?? new ConstBuffer();
  }

  override headerMap(type: HeaderMapType, write: boolean): HeaderMap | null {
    const { decode, encode } = this.stream;
    if (this.logging && !write) {
      if (type === HeaderMapType.RequestHeaders) return decode.headers;
      if (type === HeaderMapType.ResponseHeaders) return encode.headers;
      return type === HeaderMapType.ResponseTrailers ? encode.trailers : null;
    }
    if (type === HeaderMapType.RequestHeaders) return this.request.headers;
    if (type === HeaderMapType.ResponseHeaders) return this.response.headers;
    if (type === HeaderMapType.RequestTrailers) return this.request.trailers;
    return type === HeaderMapType.ResponseTrailers ? this.response.trailers : null;
  }

  override headersModified(type: HeaderMapType): void {
    if (type === HeaderMapType.RequestHeaders) this.clearRouteCache();
  }

  override clearRouteCache(): void {
    this.stream.route.clear();
  }

  override property(path: string): Buffer | null {
    const mine = this.stream.property(path, this.request.headers ?? (this.logging ? this.stream.decode.headers : null));
    return mine === undefined ? super.property(path) : mine;
  }

  override setProperty(path: string, value: Buffer): Result {
    this.properties.set(path, value);
    return Result.Ok;
  }

  override sendLocalResponse(status: number, body: Buffer, headers: HeaderMap, details: string, grpc: number): void {
    this.countContinue("proxy_send_local_response");
    this.vm.afterCall(() => {
      this.stream.sendLocalReply(status, body.toString(), headers.entries, details.replaceAll(/\s/g, "_"), grpc);
    });
  }

  override continueStream(type: number): Result {
    if (type === StreamType.Upstream) return Result.Unimplemented;
    if (type === StreamType.Downstream) return Result.Ok;
    this.countContinue("proxy_continue_stream");
    const { decode, encode } = this.stream;
    this.vm.afterCall(() => (type === StreamType.Request ? decode : encode).continue());
    (type === StreamType.Request ? this.request : this.response).stale = true;
    this.request.headers = null;
    this.request.data = null;
    this.request.trailers = null;
    return Result.Ok;
  }

  override closeStream(type: number): Result {
    if (type === StreamType.Request || type === StreamType.Response)
      this.vm.afterCall(() => this.stream.reset("local"));
    return Result.Ok;
  }

  private countContinue(call: string): void {
    const { frame } = this.vm;
    if (++frame.continues <= MAX_CONTINUES) return;
    const where = `${frame.continues} times ${call} in one ${frame.callback}`;
    throw this.fault("continue-storm", `${where}: they nest, at most ${MAX_CONTINUES}`);
  }

  /** Records a broken rule. */
  fault(rule: string, message: string): Error {
    this.vm.services.log.write(LogLevel.critical, message, this.vm.worker);
    return this.vm.services.fault(rule, `stream ${this.stream.id}: ${message}`);
  }
}
