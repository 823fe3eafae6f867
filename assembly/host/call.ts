import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { PairList } from "./pairs";

/** A callout without a limit of its own waits so long, ms; and the longest there may be. */
const DEFAULT_TIMEOUT_MS: i32 = 1000;
const MAX_TIMEOUT_MS: i32 = 3600000;

const METHOD = Bytes.of(":method");
const PATH = Bytes.of(":path");
const AUTHORITY = Bytes.of(":authority");

/** A timeout that Envoy takes: it would understand 0 as none. */
function clamp(ms: i32): i32 {
  return max(1, min(ms, MAX_TIMEOUT_MS));
}

/** What a callout by HTTP sends. Reused: `begin` before each use. A filter type or its configuration owns one. */
export class HttpCall {
  cluster: Bytes = Bytes.EMPTY;
  readonly headers: PairList = new PairList();
  readonly body: ByteBuffer = new ByteBuffer();
  readonly trailers: PairList = new PairList();
  timeoutMs: i32 = DEFAULT_TIMEOUT_MS;

  /**
   * Begins a call to a cluster of Envoy's with the three headers that it needs; add others to `headers`, and a body
   * (its length becomes content-length).
   */
  begin(cluster: Bytes, method: Bytes, path: Bytes, authority: Bytes): void {
    this.clear(cluster);
    this.headers.put(METHOD, method);
    this.headers.put(PATH, path);
    this.headers.put(AUTHORITY, authority);
  }

  /** Begins a call without any header: the caller adds :method, :path and :authority, too. */
  clear(cluster: Bytes): void {
    this.cluster = cluster;
    this.headers.clear();
    this.body.clear();
    this.trailers.clear();
    this.timeoutMs = DEFAULT_TIMEOUT_MS;
  }

  /** The timeout as it counts: 1 ms to an hour. */
  get limitMs(): i32 {
    return clamp(this.timeoutMs);
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.headers.allocated + this.body.allocated + this.trailers.allocated;
  }

  /** Gives all memory back. */
  free(): void {
    this.headers.free();
    this.body.free();
    this.trailers.free();
  }
}

/** What a callout by gRPC sends: one message, for one message. Reused: `begin` before each use. */
export class GrpcCall {
  cluster: Bytes = Bytes.EMPTY;
  service: Bytes = Bytes.EMPTY;
  method: Bytes = Bytes.EMPTY;
  readonly metadata: PairList = new PairList();
  /** The encoded message. */
  readonly message: ByteBuffer = new ByteBuffer();
  timeoutMs: i32 = DEFAULT_TIMEOUT_MS;

  /**
   * Begins a call to a cluster of Envoy's.
   * @param service with its package ("grpc.health.v1.Health")
   */
  begin(cluster: Bytes, service: Bytes, method: Bytes): void {
    this.cluster = cluster;
    this.service = service;
    this.method = method;
    this.metadata.clear();
    this.message.clear();
    this.timeoutMs = DEFAULT_TIMEOUT_MS;
  }

  /** The timeout as it counts: 1 ms to an hour. */
  get limitMs(): i32 {
    return clamp(this.timeoutMs);
  }

  /** Gives all memory back. */
  free(): void {
    this.metadata.free();
    this.message.free();
  }
}
