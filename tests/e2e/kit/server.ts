import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { type BoltFrame, heartbeatAck, response } from "../../host/kit/bolt.ts";
import { FrameReader } from "./frame_reader.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

/** What a server sends back; nothing for a request that stays unanswered. */
export type Reply = Buffer | undefined;

/** Answers one request; may write to or close the connection itself. */
export type Handler = (frame: BoltFrame, connection: ServerConnection) => Reply | Promise<Reply>;

export interface ServerOptions {
  /** Default 0: chosen by the system. */
  port?: number;
  host?: string;
  /** Written into the header `served-by` of echoes; default the port. */
  name?: string;
  handler?: Handler;
  /** Answer heartbeats (default). Envoy's health check sends them too. */
  heartbeats?: boolean;
  /** Keep each frame (default). Without it only the counters work. */
  record?: boolean;
  tls?: TlsOptions;
  /** Connections that the kernel may hold until they are accepted; Node's default is 511. */
  backlog?: number;
}

/** One request as the server got it. */
export interface Arrival {
  connection: number;
  frame: BoltFrame;
  /** Milliseconds, Date.now(). */
  at: number;
}

/** A connection that the server has accepted. */
export class ServerConnection {
  bytesRead = 0;
  closed = false;
  /** Why the bytes could not be read as Bolt. */
  garbage: string | undefined;
  readonly reader = new FrameReader();

  constructor(
    readonly id: number,
    readonly socket: Socket,
  ) {}

  /** Writes any bytes: answers, requests to the client, garbage. */
  write(bytes: Buffer): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /** Sends FIN; the server goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Closes with RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}

/** A Bolt server that notes everything it gets and answers as told; by default it echoes. */
export class RawBoltServer {
  /** Requests and one-way requests in the order of arrival. */
  readonly arrivals: Arrival[] = [];
  readonly connections: ServerConnection[] = [];
  /** Counts also what is not recorded. */
  requests = 0;
  heartbeats = 0;
  handler: Handler;
  answersHeartbeats: boolean;
  private readonly server: Server;
  /** The port while the server does not listen. */
  private lastPort = 0;

  private constructor(private readonly options: ServerOptions) {
    this.answersHeartbeats = options.heartbeats ?? true;
    this.handler = options.handler ?? ((frame) => this.echo(frame));
    const accept = (socket: Socket) => this.accept(socket);
    // A server may go on answering after the client's FIN.
    this.server = options.tls
      ? createTlsServer({ ...options.tls, allowHalfOpen: true }, accept)
      : createServer({ allowHalfOpen: true, noDelay: true }, accept);
  }

  /** Starts listening. */
  static async start(options: ServerOptions = {}): Promise<RawBoltServer> {
    const server = new RawBoltServer(options);
    await server.listen(options.port ?? 0);
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo | null)?.port ?? this.lastPort;
  }

  get name(): string {
    return this.options.name ?? String(this.port);
  }

  /** Connections that are open now. */
  get open(): ServerConnection[] {
    return this.connections.filter((connection) => !connection.closed);
  }

  /** Ids of the recorded requests. */
  get ids(): number[] {
    return this.arrivals.map(({ frame }) => frame.id);
  }

  /** The default answer: the request's content, in the request's version, with a header that names the server. */
  echo(frame: BoltFrame): Buffer | undefined {
    if (frame.kind === "oneway") return undefined;
    return response(frame.id, {
      version: frame.version as 1 | 2,
      crc: frame.crc !== "none",
      codec: frame.codec,
      headers: [["served-by", this.name]],
      content: frame.content,
    });
  }

  /** Waits until so many requests have come. Throws after `ms`. */
  async waitForRequests(count: number, ms = WAIT_MS): Promise<void> {
    await waitUntil(
      () => this.requests >= count,
      ms,
      () => `${this.requests} of ${count} requests at ${this.name}`,
    );
  }

  /** Closes every connection with RST. */
  resetAll(): void {
    for (const connection of this.open) connection.reset();
  }

  /** Stops listening; open connections stay. New ones are refused until `listen`. */
  refuse(): void {
    this.lastPort = this.port;
    this.server.close();
  }

  async listen(port = this.lastPort): Promise<void> {
    await new Promise<void>((done, failed) => {
      this.server.once("error", failed);
      this.server.listen({ port, host: this.options.host ?? "127.0.0.1", backlog: this.options.backlog }, () => {
        this.server.off("error", failed);
        done();
      });
    });
    this.lastPort = this.port;
  }

  async close(): Promise<void> {
    for (const connection of this.open) connection.socket.destroy();
    if (this.server.listening) await new Promise((done) => this.server.close(done));
  }

  private accept(socket: Socket): void {
    const connection = new ServerConnection(this.connections.length, socket);
    this.connections.push(connection);
    socket.on("data", (chunk: Buffer) => this.read(connection, chunk));
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("close", () => (connection.closed = true));
  }

  private read(connection: ServerConnection, chunk: Buffer): void {
    connection.bytesRead += chunk.length;
    let frames: BoltFrame[];
    try {
      frames = connection.reader.push(chunk);
    } catch (error) {
      connection.garbage = (error as Error).message;
      connection.socket.destroy();
      return;
    }
    for (const frame of frames) void this.answer(frame, connection);
  }

  private async answer(frame: BoltFrame, connection: ServerConnection): Promise<void> {
    if (frame.kind === "heartbeat") {
      this.heartbeats++;
      if (this.answersHeartbeats) connection.write(heartbeatAck(frame.id, frame.version as 1 | 2));
      return;
    }
    this.requests++;
    if (this.options.record ?? true) this.arrivals.push({ connection: connection.id, frame, at: Date.now() });
    const reply = await this.handler(frame, connection);
    if (reply) connection.write(reply);
  }
}
