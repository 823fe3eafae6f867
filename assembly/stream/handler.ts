import { View } from "../bytes/view";
import { Bytes } from "../bytes/bytes";
import { GrpcCall, HttpCall } from "../host/call";
import { Callout } from "../host/callout";
import { Headers } from "../message/headers";
import { Payload } from "../message/payload";
import { FilterConfig, FilterType } from "./filter";
import { Identity } from "./identity";
import { FilterMetrics } from "./metrics";
import { UpstreamHost } from "./upstream_host";
import { Waiting } from "./waiting";

/** What `StreamHandler.size` is of. */
export const enum Part {
  /** The request's body, of an RPC its content, as far as it is here. */
  REQUEST_BODY = 0,
  /** All of the request: headers too. */
  REQUEST = 1,
  /** The same of the response; of one of HTTP what has been sent of it. */
  RESPONSE_BODY = 2,
  RESPONSE = 3,
}

/**
 * A request as its filters see it (MOSN's StreamReceiverFilterHandler and StreamSenderFilterHandler), the same for RPC
 * and HTTP. Ranges handed out are borrowed until the filter returns or changes the same thing.
 */
export abstract class StreamHandler {
  /** MOSN's response flags of the request (`ResponseFlag`). */
  flags: u32 = 0;
  /** MOSN's code of the response, `Code`; 0 while there is none. */
  responseCode: i32 = 0;
  /** The body of the request, or of the response once there is one, is not complete: HTTP's bodies come in pieces. */
  lacksBody: bool = false;
  /** What `explain` was told; null: nothing. */
  why: Bytes | null = null;

  /** @param metrics where its filters count; the root's to change */
  constructor(public metrics: FilterMetrics) {}

  /** The request's headers; null once the request has been sent. */
  abstract get requestHeaders(): Headers | null;
  /** The response's headers; null before there is a response. Those of a local reply are empty at first. */
  abstract get responseHeaders(): Headers | null;
  /**
   * The response's trailers, to be read; null before they are here, and where there are none. HTTP has them when the body
   * was complete before the filter ran, and in ACCESS_LOG. A status of gRPC is there, or in the headers.
   */
  get responseTrailers(): Headers | null {
    return null;
  }

  /**
   * The code of how the call ended as its protocol sees it: `responseCode`, and of a gRPC call on HTTP the code that its
   * status means. 0 while that is not known: it comes with the trailers, so ask in ACCESS_LOG, too.
   */
  get outcomeCode(): i32 {
    return this.responseCode;
  }

  /**
   * Whether a server's response, which has no failure in its code, carries an exception or an error of the application
   * (`Codec.isException`); false on HTTP. To be asked in BEFORE_SEND.
   */
  get isException(): bool {
    return false;
  }

  /** The request's body, of an RPC its content alone; empty once the request has been sent. */
  abstract requestBody(out: View): void;
  /** Replaces the request's body by a copy of the range. */
  abstract setRequestBody(ptr: usize, length: i32): void;
  /** The response's body; of a local reply its text. */
  abstract responseBody(out: View): void;
  /** Replaces the response's body by a copy of the range. */
  abstract setResponseBody(ptr: usize, length: i32): void;

  /** Whether what follows the request's headers is no body, but another protocol: upgrades and CONNECT on HTTP. */
  get tunnels(): bool {
    return false;
  }

  /**
   * What a peer is to deserialize of the message at hand, the request or the response of a server; false where there is
   * none, and on HTTP.
   */
  payload(out: Payload): bool {
    return false;
  }

  /**
   * Answers the request with MOSN's code and a body (MOSN's SendHijackReplyWithBody; empty: SendHijackReply): it is not
   * sent, or its response is dropped. The filter then returns STOP.
   */
  abstract hijack(code: i32, body: Bytes): void;

  /**
   * Says to access logs why the request was answered, in a text without spaces: on HTTP it is the answer's
   * `%RESPONSE_CODE_DETAILS%`; on RPC, where a connection has one line, its `%FILTER_STATE(envoy.string:PLAIN)%`, of the
   * last request that had one. Kept, not copied: on RPC a host call where it is not the object of the time before.
   */
  explain(why: Bytes): void {
    this.why = why;
  }

  /** Ends a request that waits for its response with MOSN's code (MOSN's TerminateStream). False when it has one. */
  abstract terminate(code: i32): bool;

  /** The configuration of this filter type for the request's route; null before the route is known, or without one. */
  abstract routeConfig(type: FilterType): FilterConfig | null;

  /** The configuration that counts for this request: the route's if it has one, or else the filter's own. */
  configOf(type: FilterType, own: FilterConfig): FilterConfig {
    const routed = this.routeConfig(type);
    return routed !== null ? routed : own;
  }

  /** Whether a route was matched, and its name. */
  abstract routeName(out: View): bool;
  /** The cluster that the request goes to; false before it is known. */
  abstract clusterName(out: View): bool;
  /** The host that the request goes to, "IP:PORT"; false before it is known. */
  abstract hostAddress(out: View): bool;
  /** The client's address, "IP:PORT". */
  abstract sourceAddress(out: View): bool;

  /** Whether the client's TLS connection has a certificate of the client's; which are good is for Envoy to check. */
  get hasCertificate(): bool {
    return false;
  }

  /** What the client's TLS connection says of it; false where it says no such thing. */
  identity(what: Identity, out: View): bool {
    return false;
  }

  /**
   * The number of the client's connection, which no peer chooses; 0: not known. To be asked where a request waits or takes its
   * share of something: on HTTP it may be a host call, once for a request.
   */
  get connectionId(): u64 {
    return 0;
  }

  /** The host that the request was sent to last, for filters that judge hosts; null: to none, or on HTTP. */
  get upstreamHost(): UpstreamHost | null {
    return null;
  }

  /** How many of a hundred requests of this route are to be mirrored (MOSN's request_mirror_policies); none on HTTP. */
  get mirrorPercent(): i32 {
    return 0;
  }

  /**
   * Sends copies of the request, as it is now, to the cluster of the route's mirror policy: so many, or with 0 one to
   * each of its hosts. Nobody waits for them, and what cannot be sent is counted and dropped.
   */
  mirror(copies: i32): void {}

  /**
   * On HTTP: sends so many copies of the request to a cluster of Envoy's: its headers and, if it is here, its body as they
   * are now, or else its body as it passes. Nobody waits, and what cannot be sent is counted and dropped. On RPC none.
   */
  mirrorTo(cluster: Bytes, copies: i32): void {}

  /** When the request came: ns since 1970 by the wall clock. */
  abstract get startTime(): i64;
  /** Bytes of a part of the request or the response; 0 while there is none. It does not wait for bodies. */
  abstract size(part: Part): i64;

  /** A variable of MOSN's; false where it has no value. */
  abstract variable(name: Bytes, out: View): bool;
  /** Whether the request ran into a timeout that its caller chose, too short to say anything of the server. */
  get impatient(): bool {
    return false;
  }

  /** Sets a variable for the rest of the request. False when it is not one that can be set, or there are too many. */
  abstract setVariable(name: Bytes, value: usize, length: i32): bool;
  /** Sets a label that the request's host must have (MOSN's x-mosn-router-meta); false when there are too many. */
  abstract setLabel(key: Bytes, value: usize, length: i32): bool;

  /** Counts that a filter of this type could not do its work (`moe.filter.TYPE.failures`). */
  countFailure(type: FilterType): void {
    this.metrics.count(type.failures, 1);
  }

  /** What filters have this request wait for. */
  abstract get waiting(): Waiting;

  /** Holds this request alone for `ms` milliseconds; the filter then returns WAIT. */
  wait(ms: i32): void {
    this.waiting.wait(ms);
  }

  /**
   * Sends an HTTP request to a cluster of Envoy's and holds this request alone until it is answered, or has failed; the
   * filter then returns WAIT, and in `onResume` `callout` has what came. What the call says is copied. False when it is
   * not begun (`Outcome.UNREACHABLE`): then there is no wait, and the filter decides at once.
   */
  callHttp(call: HttpCall): bool {
    return this.waiting.callHttp(call);
  }

  /** The same with one message by gRPC, answered by one. */
  callGrpc(call: GrpcCall): bool {
    return this.waiting.callGrpc(call);
  }

  /** Sends an HTTP request whose answer nobody wants; never holds the request. False when it is not begun. */
  notifyHttp(call: HttpCall): bool {
    return this.waiting.notifyHttp(call);
  }

  /** The same with one message by gRPC. */
  notifyGrpc(call: GrpcCall): bool {
    return this.waiting.notifyGrpc(call);
  }

  /** What became of the latest callout that this request waited for; null when there was none. Borrowed as all is. */
  get callout(): Callout | null {
    return this.waiting.callout;
  }
}
