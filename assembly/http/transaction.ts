import { BufferType, HeaderMapType } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { enterContext } from "../host/stream";
import { Headers } from "../message/headers";
import { Part, StreamHandler } from "../stream/handler";
import { Identity } from "../stream/identity";
import { Phase } from "../stream/phase";
import { VariableTable } from "../stream/variables";
import { HttpClient } from "./clients";
import { connectionId, sizeOf } from "./live";
import { HttpMessage } from "./message";
import { HttpPlugin } from "./plugin";
import { StreamProperties } from "./property";

const UPGRADE = Bytes.of("upgrade");
const METHOD = Bytes.of(":method");
const CONNECT = Bytes.of("CONNECT");

const view = new View();

/** An HTTP request and its response, as Envoy and the module have them: messages, properties, variables. */
export abstract class HttpTransaction extends StreamHandler {
  /** The host's context id; 0: it is over. */
  id: u32 = 0;
  phase: Phase = Phase.BEFORE_ROUTE;
  readonly request: HttpMessage = new HttpMessage(
    HeaderMapType.REQUEST_HEADERS,
    HeaderMapType.REQUEST_TRAILERS,
    BufferType.HTTP_REQUEST_BODY,
  );
  readonly response: HttpMessage = new HttpMessage(
    HeaderMapType.RESPONSE_HEADERS,
    HeaderMapType.RESPONSE_TRAILERS,
    BufferType.HTTP_RESPONSE_BODY,
  );
  hasResponse: bool = false;
  /** All of the response has come. */
  responseEnded: bool = false;
  /** The response is a local reply of ours. */
  isLocal: bool = false;
  readonly variables: VariableTable = new VariableTable();
  readonly properties: StreamProperties = new StreamProperties();
  private readonly kept: Bytes[] = [];

  constructor(readonly plugin: HttpPlugin) {
    super(plugin.filterMetrics);
  }

  /** The connection that it belongs to; asked for, in a callback of the stream, when it first needs a share of something. */
  abstract joinClient(): HttpClient;

  /** The wait is over; with the stream as the effective context. */
  abstract resumeHeld(): void;

  /** Its time has come; in a tick, with the stream as the effective context. */
  abstract onTurn(): void;

  /** Memory is short, and it holds most: it ends; with the stream as the effective context. */
  abstract giveUp(): void;

  /** Makes host calls of a tick act on this stream; false when it is gone. */
  enter(): bool {
    return this.id != 0 && enterContext(this.id);
  }

  get requestHeaders(): Headers | null {
    return this.phase == Phase.BEFORE_SEND ? null : this.request.headers;
  }

  get responseHeaders(): Headers | null {
    return this.hasResponse ? this.response.headers : null;
  }

  get responseTrailers(): Headers | null {
    const here = this.phase == Phase.ACCESS_LOG ? this.hasResponse : this.response.hasTrailers;
    return here ? this.response.trailers : null;
  }

  /** Whether what follows the request's headers is no body, but another protocol. */
  get isTunnel(): bool {
    const headers = this.request.headers;
    if (headers.find(UPGRADE, view)) return true;
    return headers.find(METHOD, view) && CONNECT.equals(view.ptr, view.length);
  }

  get tunnels(): bool {
    return this.phase < Phase.BEFORE_SEND && this.isTunnel;
  }

  requestBody(out: View): void {
    if (this.phase < Phase.BEFORE_SEND) this.request.body(out);
    else out.set(0, 0);
  }

  setRequestBody(ptr: usize, length: i32): void {
    if (this.phase < Phase.BEFORE_SEND) this.request.setBody(ptr, length);
  }

  responseBody(out: View): void {
    if (this.phase == Phase.BEFORE_SEND) this.response.body(out);
    else out.set(0, 0);
  }

  setResponseBody(ptr: usize, length: i32): void {
    if (this.phase == Phase.BEFORE_SEND) this.response.setBody(ptr, length);
  }

  routeName(out: View): bool {
    return this.properties.route.read(out);
  }

  clusterName(out: View): bool {
    return this.properties.cluster.read(out);
  }

  hostAddress(out: View): bool {
    return this.hasResponse && this.properties.host.read(out);
  }

  sourceAddress(out: View): bool {
    return this.properties.source.read(out);
  }

  get hasCertificate(): bool {
    return this.properties.identity.presented(this.id);
  }

  identity(what: Identity, out: View): bool {
    return this.properties.identity.read(what, this.id, out);
  }

  get connectionId(): u64 {
    return this.joinClient().id as u64;
  }

  get startTime(): i64 {
    return this.properties.start.integer();
  }

  size(part: Part): i64 {
    return sizeOf(part);
  }

  /** Changes that came too late, or that HTTP cannot carry. */
  get lost(): i32 {
    const request = this.request;
    const response = this.response;
    return request.headers.lost + request.trailers.lost + response.headers.lost + response.trailers.lost;
  }

  /** Keeps a value that a filter is lent, until the stream ends. */
  keep(value: Bytes): Bytes {
    this.kept.push(value);
    return value;
  }

  /** The id of its connection, 0 where it has none; in a callback of the stream. */
  protected connection(): i64 {
    return connectionId();
  }

  /** Forgets the request and its response. */
  protected forget(): void {
    this.id = 0;
    this.hasResponse = false;
    this.responseEnded = false;
    this.isLocal = false;
    this.lacksBody = false;
    this.flags = 0;
    this.responseCode = 0;
    this.why = null;
    this.request.end();
    this.response.end();
    this.variables.clear();
    this.kept.length = 0;
    this.properties.forget();
  }

  /** Gives back memory that the collector does not know of. */
  free(): void {
    this.request.free();
    this.response.free();
    this.properties.free();
  }
}
