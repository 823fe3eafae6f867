// Requests that a server sends to the client on one of its connections (SOFABolt's server push): they go to the client
// under ids of ours, because two servers may use the same, and the answers go back.
import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { StreamState } from "../tunnel/tunnel_stream";
import { Code } from "../message/code";
import { Frame, FrameKind } from "../xprotocol/frame";
import { Connection } from "./connection";
import { Server } from "./server";
import { pushTimeoutOf } from "./timeouts";

/** Requests of servers that may wait for one client, of which one server may have half, and how many of one server connection always may. */
const MAX_PUSHES: i32 = 2048;
const FEW_PUSHES: i32 = 16;
const TOO_MANY = Bytes.of("too many requests wait for the client");

/** A server's request that the client has not answered. As a timer it is forgotten: the server has its own timeout. */
export class Push extends Timer {
  /** Id towards the client. */
  id: u32 = 0;

  constructor(
    private readonly connection: Connection,
    readonly server: Server,
    readonly serverId: u64,
  ) {
    super();
  }

  onTimer(now: i64): void {
    this.release();
  }

  /** It waits no longer. */
  release(): void {
    this.connection.pushes.release(this.id);
    this.server.pushes--;
  }
}

/** Forgets the requests to the client that can no longer be answered: those of a server, or with null all. */
export function dropPushes(connection: Connection, server: Server | null): void {
  for (let i = 0; i < connection.pushes.capacity; i++) {
    const push = connection.pushes.at(i);
    if (push === null || (server !== null && push.server !== server)) continue;
    connection.root.cancelTimer(push);
    push.release();
  }
}

/** A request or one-way request has come from a server. */
export function onServerRequest(connection: Connection, server: Server, frame: Frame): void {
  const codec = frame.codec;
  if (codec === null) return;
  const root = connection.root;
  root.protocol(codec).serverRequests.add(1);
  let id = frame.id;
  if (frame.kind == FrameKind.REQUEST) {
    const push = new Push(connection, server, frame.id);
    noteGarbage(1);
    // A server may have as many as are free, so that none takes all.
    const free = server.pushes < max(MAX_PUSHES - connection.pushes.count, FEW_PUSHES);
    push.id = free ? connection.pushes.add(push) : 0;
    if (push.id == 0) {
      refusePush(server, frame, Code.UPSTREAM_OVERFLOW, TOO_MANY);
      return;
    }
    server.pushes++;
    connection.wasPushed = true;
    id = push.id;
    root.setTimer(push, root.now() + pushTimeoutOf(root, frame.timeout), false);
  }
  codec.copy(frame, id, connection.toClient);
  connection.wroteClient();
}

/** Answers a request of a server with an error. */
export function refusePush(server: Server, frame: Frame, code: i32, reason: Bytes): void {
  const codec = frame.codec;
  if (codec === null) return;
  const before = server.queue.length;
  codec.reply(frame.id, frame.aux, codec.toStatus(code), reason.ptr, reason.length, server.queue);
  server.answered(server.queue.length - before);
}

/** The client answered a request of a server. False when none was ever sent to it. */
export function onClientResponse(connection: Connection, frame: Frame): bool {
  const codec = frame.codec;
  const push = connection.pushes.find(frame.id);
  if (push === null || codec === null) return connection.wasPushed;
  const server = push.server;
  connection.root.cancelTimer(push);
  push.release();
  if (server.state != StreamState.OPEN) return true;
  connection.tunnel.wrote(server, codec.copy(frame, push.serverId, server.queue));
  return true;
}
