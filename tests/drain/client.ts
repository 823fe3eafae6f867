import { connect, type Socket } from "node:net";
import { type BoltFrame, BoltStatus, request, type RequestOptions } from "../host/kit/bolt.ts";
import { FrameReader } from "../e2e/kit/frame_reader.ts";

/** Command of MOSN's go-away in Bolt. */
const GOAWAY = 100;

/** How a call ended: answered by a server, answered with an error by the proxy, or not at all. */
export type Outcome = "answered" | "refused" | "cut";

interface Link {
  socket: Socket;
  /** Who waits for the answer with an id. */
  pending: Map<number, (answer?: BoltFrame) => void>;
  /** Told to leave: it gets no new calls, and closes after the last answer. */
  leaving: boolean;
}

/**
 * A Bolt client with one connection that connects anew when that is closed or told to go away, and never makes a call
 * twice: every call that its connection takes with it counts.
 */
export class ReconnectingClient {
  /** Connections made so far, go-aways heard. */
  connections = 0;
  goAways = 0;
  private link: Link | undefined;
  private opening: Promise<Link> | undefined;
  private ids = 0;

  /** @param ports where a new connection may go, the best first; asked each time */
  constructor(private readonly ports: () => number[]) {}

  /** Makes one call; the answer has to have the request's content. Throws where no port takes a connection. */
  async call(options: RequestOptions & { content: string }): Promise<Outcome> {
    const link = this.link ?? (await (this.opening ??= this.open()));
    const id = ++this.ids;
    const answer = await new Promise<BoltFrame | undefined>((done) => {
      link.pending.set(id, done);
      link.socket.write(request(id, options));
    });
    if (!answer) return "cut";
    if (answer.status !== BoltStatus.SUCCESS) return "refused";
    if (answer.content.toString() !== options.content) throw new Error(`the answer to ${options.content} is another's`);
    return "answered";
  }

  close(): void {
    this.link?.socket.destroy();
  }

  private async open(): Promise<Link> {
    for (const port of this.ports()) {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      const connected = await new Promise<boolean>((done) => {
        socket.once("connect", () => done(true));
        socket.once("error", () => done(false));
      });
      if (connected) return this.use(socket);
    }
    this.opening = undefined;
    throw new Error("no port takes a connection");
  }

  private use(socket: Socket): Link {
    const link: Link = { socket, pending: new Map(), leaving: false };
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.read(link, frame);
    });
    socket.on("error", () => {});
    // A FIN from the proxy: it reads no more either.
    for (const event of ["end", "close"]) socket.on(event, () => this.drop(link));
    this.connections++;
    this.opening = undefined;
    return (this.link = link);
  }

  private read(link: Link, frame: BoltFrame): void {
    if (frame.type === 1 && frame.command === GOAWAY) {
      this.goAways++;
      link.leaving = true;
      if (this.link === link) this.link = undefined;
    } else {
      link.pending.get(frame.id)?.(frame);
      link.pending.delete(frame.id);
    }
    if (link.leaving && link.pending.size === 0) link.socket.end();
  }

  private drop(link: Link): void {
    link.socket.destroy();
    if (this.link === link) this.link = undefined;
    for (const settle of link.pending.values()) settle();
    link.pending.clear();
  }
}
