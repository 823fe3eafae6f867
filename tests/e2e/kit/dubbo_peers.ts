// A Dubbo server and a Dubbo client of raw frames.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import * as dubbo from "../../host/kit/dubbo.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS } from "./wait.ts";

/** Calls `onFrame` for each frame that the socket brings; bytes that are no Dubbo end it. */
function readFrames(socket: Socket, onFrame: (frame: dubbo.DubboFrame) => void): void {
  let rest = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    try {
      const parsed = dubbo.parseFrames(Buffer.concat([rest, chunk]));
      rest = Buffer.from(parsed.rest);
      parsed.frames.forEach(onFrame);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
}

/** A server that answers every call with its own name and keeps what it got, for as long as the scope lasts. */
export class DubboServer {
  readonly arrived: dubbo.Invocation[] = [];
  /** The answer to a call. */
  answer: (frame: dubbo.DubboFrame) => Buffer = ({ id }) => dubbo.response(id, this.name);
  port = 0;

  private constructor(readonly name: string) {}

  static async start(scope: Scope, name: string): Promise<DubboServer> {
    const self = new DubboServer(name);
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      readFrames(socket, (frame) => {
        if (frame.kind === "event") socket.write(dubbo.heartbeatAck(frame.id));
        if (frame.kind !== "request") return;
        self.arrived.push(dubbo.invocation(frame.body));
        socket.write(self.answer(frame));
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    self.port = (server.address() as AddressInfo).port;
    scope.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return self;
  }
}

/** One connection of a client, for as long as the scope lasts. */
export class DubboClient {
  private readonly waiting = new Map<bigint, (frame: dubbo.DubboFrame) => void>();
  private lastId = 0n;

  private constructor(private readonly socket: Socket) {
    readFrames(socket, (frame) => this.waiting.get(frame.id)?.(frame));
  }

  static async connect(scope: Scope, port: number): Promise<DubboClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    scope.after(() => socket.destroy());
    await new Promise<void>((done, failed) => socket.once("connect", done).once("error", failed));
    return new DubboClient(socket);
  }

  /** Makes a call and waits for its answer. */
  call(options: dubbo.RequestOptions, ms = WAIT_MS): Promise<dubbo.DubboFrame> {
    const id = ++this.lastId;
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`no answer ${id} after ${ms} ms`)), ms);
      this.waiting.set(id, (frame) => {
        clearTimeout(timer);
        done(frame);
      });
      this.socket.write(dubbo.request(id, options));
    });
  }
}

/** What an answer says: the value of a good one, the message of an error. */
export function dubboAnswer(frame: dubbo.DubboFrame): string {
  const good = frame.status === 20;
  return String(dubbo.decode(frame.body, good ? 2 : 1)[good ? 1 : 0]);
}
