// Child process: the servers of the soak. Each port takes all protocols; told `restart`, a port's connections end and it refuses others for a while.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { blank, letterOf } from "./content.ts";
import { SLOW_MS } from "./operations.ts";
import { FrameCutter, span, type Wire, wireOf } from "./wire.ts";

/** What the parent may ask for. */
export type ServerCommand = { restart: number; refuseMs: number } | { count: true };

/** What the servers have done so far. */
export interface ServerCount {
  requests: number;
  oneways: number;
  goAways: number;
  heartbeats: number;
}

/** Requests after which a connection gets a go-away. */
const GO_AWAY_AFTER = 2000;

const count: ServerCount = { requests: 0, oneways: 0, goAways: 0, heartbeats: 0 };
const responses = new Map<Wire, Map<number, Buffer>>();

/** The answer to a content of so many bytes. */
function responseOf(wire: Wire, length: number): Buffer {
  let bySize = responses.get(wire);
  if (!bySize) responses.set(wire, (bySize = new Map<number, Buffer>()));
  let response = bySize.get(length);
  if (!response) bySize.set(length, (response = wire.response(blank(length, " "))));
  return response;
}

class Connection {
  private wire: Wire | undefined;
  private readonly out: Buffer[] = [];
  private requests = 0;
  private failing = false;

  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    const cutter = new FrameCutter(() => this.wire as Wire, this.onFrame);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      this.wire ??= wireOf(chunk[0]);
      cutter.push(chunk);
      this.flush();
    });
  }

  private readonly onFrame = (bytes: Buffer, at: number, length: number): void => {
    const wire = this.wire as Wire;
    const id = wire.id(bytes, at);
    if (wire.isHeartbeat(bytes, at)) {
      count.heartbeats++;
      this.reply(wire.heartbeatAck, id);
      return;
    }
    wire.content(bytes, at, length);
    count.requests++;
    const letter = letterOf(bytes, span.from);
    if (letter === "O") count.oneways++;
    else if (letter === "S") this.answerLate(bytes.subarray(span.from, span.from + span.length), id);
    else if (letter === "R" && (this.failing = !this.failing)) this.reply(wire.failure, id);
    else this.answer(bytes, span.from, span.length, id);
    if (++this.requests === GO_AWAY_AFTER && wire.goAway) {
      count.goAways++;
      this.out.push(wire.goAway);
    }
  };

  private add(frame: Buffer, id: number): Buffer {
    const wire = this.wire as Wire;
    const copy = Buffer.from(frame);
    wire.setId(copy, 0, id);
    this.out.push(copy);
    return copy;
  }

  private reply(frame: Buffer, id: number): void {
    const copy = this.add(frame, id);
    this.wire?.seal(copy, 0, copy.length);
  }

  private answer(bytes: Buffer, from: number, length: number, id: number): void {
    const wire = this.wire as Wire;
    const copy = this.add(responseOf(wire, length), id);
    wire.content(copy, 0, copy.length);
    bytes.copy(copy, span.from, from, from + length);
    wire.seal(copy, 0, copy.length);
  }

  private answerLate(content: Buffer, id: number): void {
    const copy = Buffer.from(content);
    setTimeout(() => {
      if (this.socket.destroyed) return;
      this.answer(copy, 0, copy.length, id);
      this.flush();
    }, SLOW_MS);
  }

  private flush(): void {
    if (this.out.length === 0) return;
    this.socket.write(this.out.length === 1 ? this.out[0] : Buffer.concat(this.out));
    this.out.length = 0;
  }
}

/** One port. */
class Port {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    new Connection(socket);
  });
  private port = 0;

  async listen(): Promise<number> {
    const at = { port: this.port, host: "127.0.0.1", backlog: 1024 };
    await new Promise<void>((done) => this.server.listen(at, done));
    return (this.port = (this.server.address() as AddressInfo).port);
  }

  /** Every second one resets its connections. */
  restart(refuseMs: number): void {
    this.server.close();
    let reset = false;
    for (const socket of this.sockets) {
      reset = !reset;
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
    setTimeout(() => void this.listen(), refuseMs);
  }
}

const ports = Array.from({ length: Number(process.argv[2]) }, () => new Port());
process.on("message", (command: ServerCommand) => {
  if ("restart" in command) ports[command.restart].restart(command.refuseMs);
  else process.send?.(count);
});
process.once("disconnect", () => process.exit());
process.send?.(await Promise.all(ports.map((port) => port.listen())));
