import * as bolt from "./bolt.ts";
import type { ConnectStream } from "./connect-stream.ts";

/** A call that a server has read: its frame, and the means to answer it, now or later. */
export interface Call {
  frame: bolt.BoltFrame;
  stream: ConnectStream;
  server: BoltServer;
  reply(options?: bolt.ResponseOptions): void;
}

/** One upstream host that speaks Bolt: answers heartbeats, records everything else. */
export class BoltServer {
  /** `refuse`: 503 at once; `hang`: the CONNECT is never answered. */
  state: "up" | "refuse" | "hang" = "up";
  /** Requests and one-way requests, in order of arrival. */
  readonly calls: Call[] = [];
  heartbeats = 0;
  /** Whether heartbeats are answered. */
  alive = true;
  readonly streams: ConnectStream[] = [];
  /** What a request gets; by default its own content from this address. One-way calls are not asked. */
  onCall: (call: Call) => void = (call) => call.reply({ content: `${this.address} ${call.frame.content.toString()}` });

  constructor(readonly address: string) {}

  get pin(): string {
    return Buffer.from(this.address).toString("base64");
  }

  connect(stream: ConnectStream): void {
    if (this.state === "refuse") return stream.refuse(503);
    if (this.state === "hang") return;
    this.streams.push(stream);
    stream.accept({ host: this.address, pin: this.pin });
    let rest = Buffer.alloc(0);
    stream.onData = (bytes) => {
      const parsed = bolt.parseFrames(Buffer.concat([rest, bytes]));
      rest = Buffer.from(parsed.rest);
      for (const frame of parsed.frames) this.onFrame(frame, stream);
    };
  }

  private onFrame(frame: bolt.BoltFrame, stream: ConnectStream): void {
    if (frame.kind === "heartbeat") {
      this.heartbeats++;
      if (this.alive) stream.write(bolt.heartbeatAck(frame.id, frame.version === 2 ? 2 : 1));
      return;
    }
    const shape: bolt.ResponseOptions = { version: frame.version === 2 ? 2 : 1, crc: frame.crc === "good" };
    const reply = (options: bolt.ResponseOptions = {}): void =>
      stream.write(bolt.response(frame.id, { ...shape, ...options }));
    const call = { frame, stream, server: this, reply };
    this.calls.push(call);
    if (frame.kind === "request") this.onCall(call);
  }
}

/** A cluster of such hosts as Envoy shows it to the module: round robin, or the host that a pin names. */
export class BoltCluster {
  readonly servers: BoltServer[];
  /** CONNECT requests so far. */
  connects = 0;
  private next = 0;

  constructor(...addresses: string[]) {
    this.servers = addresses.map((address) => new BoltServer(address));
  }

  /** To be a host's or a switchboard's `onConnect`. */
  readonly connect = (stream: ConnectStream): void => {
    this.connects++;
    const { pin } = stream;
    if (pin === null) return this.servers[this.next++ % this.servers.length].connect(stream);
    const pinned = this.servers.find((server) => server.pin === pin);
    if (pinned === undefined) stream.refuseUnhealthy();
    else pinned.connect(stream);
  };

  get calls(): Call[] {
    return this.servers.flatMap((server) => server.calls);
  }
}
