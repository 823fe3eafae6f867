// Requests that a server sends to the client on one of its connections (SOFABolt's server push): they go to the client
// under ids of ours, because two servers may use the same, and the answers go back.
import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { SlotTable } from "../bytes/slots";
import { Timer } from "../host/timers";
import { StreamState } from "../tunnel/tunnel_stream";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { ClientOutput } from "./client_output";
import { DEFAULT_TIMEOUT_MS, ProxyConfig } from "./config";
import { Services } from "./services";

/** Requests of servers that may wait for one client: one server may have half of them, and always a few. */
const MAX_SERVER_REQUESTS: i32 = 2048;
const FEW_SERVER_REQUESTS: i32 = 16;
const TOO_MANY = Bytes.of("too many requests wait for the client");

/** The requests of servers that one client has not answered. */
export class ServerRequests {
  readonly table: SlotTable<ServerRequest> = new SlotTable<ServerRequest>();
  /** Whether a server ever sent a request to this client. */
  private any: bool = false;

  constructor(
    private readonly services: Services,
    private readonly output: ClientOutput,
  ) {}

  /** Forwards a request or one-way request of a server to the client. */
  forward(from: UpstreamConnection, codec: Codec, frame: Frame): void {
    this.services.protocol(codec).serverRequests.add(1);
    let id = frame.id;
    if (frame.kind == FrameKind.REQUEST) {
      id = this.add(from, frame);
      if (id == 0) {
        from.refuseRequest(frame, Code.UPSTREAM_OVERFLOW, TOO_MANY);
        return;
      }
    }
    codec.copy(frame, id, this.output.bytes);
    this.output.wrote();
  }

  /** Gives a request an id towards the client; 0 when too many wait. */
  private add(from: UpstreamConnection, frame: Frame): u32 {
    const services = this.services;
    const table = this.table;
    const request = new ServerRequest(this, from, frame.id);
    noteGarbage(1);
    // A server may have as many as are free, so that none takes all.
    if (from.serverRequests >= max(MAX_SERVER_REQUESTS - table.count, FEW_SERVER_REQUESTS)) return 0;
    request.id = table.add(request);
    if (request.id == 0) return 0;
    from.serverRequests++;
    this.any = true;
    services.setTimer(request, services.now() + timeoutOf(services.config, frame.timeout), false);
    return request.id;
  }

  /** The client sent a response: it goes to the server that asked. False when none has ever asked. */
  onResponse(codec: Codec, frame: Frame): bool {
    const request = this.table.find(frame.id);
    if (request === null) return this.any;
    const server = request.server;
    this.services.cancelTimer(request);
    request.release();
    if (server.state == StreamState.OPEN) server.forward(codec, frame, request.serverId);
    return true;
  }

  /** Forgets those that can no longer be answered: of one server connection, or with null all. */
  drop(server: UpstreamConnection | null): void {
    if (server !== null && server.serverRequests == 0) return;
    for (let i = 0; i < this.table.capacity; i++) {
      const request = this.table.at(i);
      if (request === null || (server !== null && request.server !== server)) continue;
      this.services.cancelTimer(request);
      request.release();
    }
  }
}

/** A server's request that the client has not answered. As a timer it is forgotten: the server has its own timeout. */
class ServerRequest extends Timer {
  /** Id towards the client. */
  id: u32 = 0;

  constructor(
    private readonly all: ServerRequests,
    readonly server: UpstreamConnection,
    readonly serverId: u64,
  ) {
    super();
  }

  onTimer(now: i64): void {
    this.release();
  }

  /** It waits no longer. */
  release(): void {
    this.all.table.release(this.id);
    this.server.serverRequests--;
  }
}

/** How long the client's answer is waited for, ms: what the frame says, `max_request_timeout` at most. */
function timeoutOf(config: ProxyConfig, own: i32): i64 {
  return own > 0 ? min(own as i64, max(config.maxRequestTimeoutMs, DEFAULT_TIMEOUT_MS)) : DEFAULT_TIMEOUT_MS;
}
