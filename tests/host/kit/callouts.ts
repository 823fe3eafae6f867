import { BufferType, HeaderMapType, Result } from "./abi.ts";
import { ConstBuffer, type GuestBuffer } from "./buffer.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { GuestContext } from "./context.ts";
import { type HeaderInit, HeaderMap } from "./http/header-map.ts";
import type { RespondOptions } from "./http/upstream.ts";
import type { EventLoop } from "./loop.ts";
import type { Vm } from "./vm.ts";

/** gRPC's status for what Envoy could not send, or what was not answered in time. */
const UNAVAILABLE = 14;
const TIMED_OUT = "upstream request timeout";
/** Ids count in steps of four; what remains says which kind (proxy-wasm-cpp-host's wasm.h). */
const STEP = 4;
const KINDS = { http: 0, grpc: 1 };

/** Which clusters there are for callouts, and who answers them. */
export interface CalloutServers {
  /** Clusters that Envoy knows; null: any. */
  clusters: Set<string> | null;
  /** Those without a healthy host: callouts fail inside the call that begins them. */
  unhealthy: Set<string>;
  onCallout: (callout: Callout) => void;
}

interface Sent {
  kind: "http" | "grpc";
  cluster: string;
  headers: HeaderMap;
  body: Buffer;
  trailers: HeaderMap;
  timeoutMs: number;
  /** gRPC: the service with its package, and the method. */
  service: string;
  method: string;
}

/** What the guest can read while it is told of an answer. */
interface Answer {
  headers: HeaderMap;
  body: Buffer;
  trailers: HeaderMap;
}

/** A callout as its server sees it: test code answers it. Answers are events: inside a callback they come after it. */
export class Callout {
  /** It has been answered, has failed, or was given up. */
  ended = false;

  constructor(
    readonly sent: Sent,
    private readonly loop: EventLoop,
    private readonly end: (tell: "answer" | "reset" | "close", answer: Answer, status: number, text: string) => void,
  ) {}

  get cluster(): string {
    return this.sent.cluster;
  }

  get path(): string | null {
    return this.sent.headers.get(":path");
  }

  /** What was sent: a body, or a message of gRPC. */
  get body(): Buffer {
    return this.sent.body;
  }

  /** HTTP: a server's response. gRPC: its message is the body. */
  respond({ status = 200, headers = {}, body = "", trailers = {} }: RespondOptions = {}): void {
    const map = new HeaderMap([[":status", String(status)], ...new HeaderMap(headers).entries]);
    map.add("x-envoy-upstream-service-time", "0");
    this.finish("answer", { headers: map, body: Buffer.from(body as string), trailers: new HeaderMap(trailers) });
  }

  /** HTTP: an answer of Envoy's own. */
  answerLocally(status: number, text: string): void {
    const headers = { ":status": String(status), "content-length": String(text.length), "content-type": "text/plain" };
    this.finish("answer", { headers: new HeaderMap(headers), body: Buffer.from(text), trailers: new HeaderMap() });
  }

  /** HTTP: the response breaks off. */
  fail(): void {
    this.finish("reset");
  }

  /** gRPC: an error status, the server's or Envoy's. */
  close(status: number, text = ""): void {
    this.finish("close", undefined, status, text);
  }

  private finish(tell: "answer" | "reset" | "close", answer = empty(), status = 0, text = ""): void {
    this.loop.enter(() => this.end(tell, answer, status, text));
  }
}

const empty = (headers: HeaderInit = {}): Answer => ({
  headers: new HeaderMap(headers),
  body: Buffer.alloc(0),
  trailers: new HeaderMap(),
});

/** The callouts of one VM, after Envoy's Context::httpCall, grpcCall and what follows them. */
export class CalloutTable {
  private readonly flights = new Map<number, { callout: Callout; timer: TimerHandle | null }>();
  private readonly last = { http: 0, grpc: 0 };
  private current: Answer | null = null;
  private status = { code: 0, text: "" };

  constructor(
    private readonly vm: Vm,
    private readonly clock: Clock,
    private readonly servers: CalloutServers,
  ) {}

  /** Callouts that have not ended. */
  get size(): number {
    return this.flights.size;
  }

  /** Whether there is a cluster of that name. */
  knows(cluster: string): boolean {
    return this.servers.clusters === null || this.servers.clusters.has(cluster);
  }

  /** Begins a callout; a result where it is refused, or else its id. */
  begin(sent: Sent): { result: Result; id: number } {
    const refused = (result: Result) => ({ result, id: 0 });
    const known = this.knows(sent.cluster);
    const needed = [":method", ":path", ":authority"];
    if (sent.kind === "http" && (!known || needed.some((name) => sent.headers.get(name) === null))) {
      return refused(Result.BadArgument);
    }
    // Callouts belong to the root, whichever of its contexts begins them (exports.cc, http_call and grpc_call).
    const context = this.vm.context.root;
    const id = ++this.last[sent.kind] * STEP + KINDS[sent.kind];
    if (!known || this.servers.unhealthy.has(sent.cluster)) {
      // Envoy tells of the end of a gRPC call that it has not begun; of HTTP it does not.
      if (sent.kind === "grpc")
        this.vm.afterCall(() => this.tellClose(context, id, UNAVAILABLE, "no healthy upstream"));
      return refused(Result.InternalFailure);
    }
    const { loop } = this.vm.services;
    const callout = new Callout(sent, loop, (...how) => this.end(id, context, ...how));
    const late = () =>
      sent.kind === "http"
        ? callout.answerLocally(504, TIMED_OUT)
        : callout.close(UNAVAILABLE, `${TIMED_OUT}{response_timeout}`);
    const timer = sent.timeoutMs > 0 ? this.clock.after(sent.timeoutMs, late) : null;
    this.flights.set(id, { callout, timer });
    loop.post(() => {
      if (!callout.ended) this.servers.onCallout(callout);
    });
    return { result: Result.Ok, id };
  }

  private end(id: number, context: GuestContext, tell: string, answer: Answer, status: number, text: string): void {
    const flight = this.flights.get(id);
    if (flight === undefined || flight.callout.ended) return;
    this.drop(id);
    // A plugin that is gone takes its callouts with it.
    if (this.vm.contexts.get(context.id) !== context) return;
    if (tell === "close") this.tellClose(context, id, status, text);
    else if (flight.callout.sent.kind === "grpc")
      this.tell("proxy_on_grpc_receive", context, answer, id, answer.body.length);
    else {
      this.status = { code: tell === "reset" ? Result.BrokenConnection : this.status.code, text: "reset" };
      const counts = [answer.headers.entries.length, answer.body.length, answer.trailers.entries.length];
      this.tell("proxy_on_http_call_response", context, answer, id, ...counts);
    }
  }

  private tellClose(context: GuestContext, id: number, status: number, text: string): void {
    this.status = { code: status, text };
    this.tell("proxy_on_grpc_close", context, empty(), id, status);
  }

  private tell(callback: string, context: GuestContext, answer: Answer, ...args: number[]): void {
    this.current = answer;
    this.vm.callThen(callback, context, [context.id, ...args], () => {
      this.current = null;
      this.status.text = "";
    });
  }

  /** Gives a gRPC call up. */
  cancel(id: number): Result {
    if (id % STEP !== KINDS.grpc) return Result.BadArgument;
    if (!this.flights.has(id)) return Result.NotFound;
    this.drop(id);
    return Result.Ok;
  }

  private drop(id: number): void {
    const flight = this.flights.get(id);
    if (flight === undefined) return;
    flight.callout.ended = true;
    flight.timer?.cancel();
    this.flights.delete(id);
  }

  /** `proxy_get_status`. */
  get lastStatus(): { code: number; text: string } {
    return this.status;
  }

  headerMap(type: HeaderMapType): HeaderMap | null {
    if (type === HeaderMapType.HttpCallResponseHeaders) return this.current?.headers ?? null;
    return type === HeaderMapType.HttpCallResponseTrailers ? (this.current?.trailers ?? null) : null;
  }

  buffer(type: BufferType): GuestBuffer | null {
    if (this.current !== null) return new ConstBuffer(this.current.body);
    return type === BufferType.HttpCallResponseBody ? null : new ConstBuffer();
  }
}

/** The host calls for callouts. */
export function calloutFunctions(vm: Vm): Record<string, (...args: never[]) => number> {
  const begin = (sent: Omit<Sent, "headers" | "trailers">, parts: (Buffer | null)[], idAt: number): Result => {
    const [headers, trailers] = parts.map((part) => (part === null ? null : HeaderMap.fromBytes(part)));
    if (headers === null || trailers === null) return Result.InvalidMemoryAccess;
    const { result, id } = vm.callouts.begin({ ...sent, headers, trailers });
    if (result !== Result.Ok) return result;
    return vm.memory.writeU32(idAt, id) ? Result.Ok : Result.InvalidMemoryAccess;
  };
  return {
    proxy_http_call(...[to, toSize, head, headSize, data, dataSize, tail, tailSize, timeoutMs, idAt]: number[]) {
      const [cluster, body] = [vm.memory.text(to, toSize), vm.memory.read(data, dataSize)];
      if (cluster === null || body === null) return Result.InvalidMemoryAccess;
      if (timeoutMs < 0) return Result.BadArgument;
      const sent = { kind: "http" as const, cluster, body, timeoutMs, service: "", method: "" };
      return begin(sent, [vm.memory.read(head, headSize), vm.memory.read(tail, tailSize)], idAt);
    },
    proxy_grpc_call(...args: number[]) {
      const [to, toSize, service, serviceSize, method, methodSize, head, headSize, data, dataSize, timeoutMs, idAt] =
        args;
      const [target, body] = [vm.memory.read(to, toSize), vm.memory.read(data, dataSize)];
      const names = [vm.memory.text(service, serviceSize), vm.memory.text(method, methodSize)];
      if (target === null || body === null || names[0] === null || names[1] === null) return Result.InvalidMemoryAccess;
      const named = clusterIn(target);
      const cluster = named ?? target.toString();
      // What names no cluster is read as a message (Context::grpcCall).
      if (named === null && !vm.callouts.knows(cluster)) return Result.ParseFailure;
      const sent = { kind: "grpc" as const, cluster, body, timeoutMs, service: names[0], method: names[1] };
      return begin(sent, [vm.memory.read(head, headSize), Buffer.alloc(0)], idAt);
    },
    proxy_grpc_cancel: (id: number) => vm.callouts.cancel(id >>> 0),
    proxy_grpc_close: (id: number) => vm.callouts.cancel(id >>> 0),
    proxy_get_status(codeAt: number, at: number, sizeAt: number) {
      const { code, text } = vm.callouts.lastStatus;
      const fits = vm.memory.writeU32(codeAt, code) && vm.memory.give(Buffer.from(text), at, sizeAt);
      return fits ? Result.Ok : Result.InvalidMemoryAccess;
    },
  };
}

/** The cluster in an envoy.config.core.v3.GrpcService with nothing else in it; null where it is none. */
function clusterIn(target: Buffer): string | null {
  const service = onlyField(target);
  const name = service === null ? null : onlyField(service);
  return name === null ? null : name.toString();
}

/** The content of a protobuf message that is field 1 and nothing else; null when it is not. */
function onlyField(message: Buffer): Buffer | null {
  if (message[0] !== 0x0a) return null;
  let [length, at] = [0, 1];
  for (let shift = 0; at < message.length && shift < 28; shift += 7) {
    const byte = message[at++];
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return length === message.length - at ? message.subarray(at) : null;
  }
  return null;
}
