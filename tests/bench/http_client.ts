// A client of HTTP/1.1 with K outstanding requests in a pipeline, and one of HTTP/2 whose requests are held.
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { repeated } from "./frames.ts";
import { HELD_HEADER } from "./headers.ts";
import { httpRequest, HttpReader } from "./http.ts";
import { Client, type Window } from "./window.ts";

const SUCCESS = Buffer.from("HTTP/1.1 200");
/** Streams of one connection: Envoy allows 1,024 at a time. */
const HELD_STREAMS = 625;

export interface HttpLoad {
  port: number;
  /** Requests under way. */
  outstanding: number;
  /** Bytes of body in requests and responses. */
  content: number;
}

export class HttpClient extends Client {
  private readonly reader: HttpReader;
  private readonly requests: Buffer;
  private readonly requestLength: number;
  /** When the requests under way were sent, the oldest at `first`: answers come in order. */
  private readonly starts: Float64Array;
  private first = 0;

  constructor(
    private readonly load: HttpLoad,
    window: Window,
  ) {
    super(load.port, window);
    const request = httpRequest(load.content);
    this.requestLength = request.length;
    this.requests = repeated(request, load.outstanding);
    this.starts = new Float64Array(load.outstanding);
    this.reader = new HttpReader(this.onHead, this.onMessage);
  }

  protected receive(bytes: Buffer, length: number): void {
    this.reader.push(bytes, length);
  }

  /** They have connections of their own: `holdHttp`. */
  hold(): void {}

  private readonly onHead = (bytes: Buffer, at: number, size: number): void => {
    if (this.open === 0) this.window.fail("an answer to no request");
    if (bytes.compare(SUCCESS, 0, SUCCESS.length, at, at + SUCCESS.length) !== 0)
      this.window.fail(`an answer that begins with ${bytes.toString("latin1", at, at + SUCCESS.length)}`);
    if (size !== this.load.content) this.window.fail("a body of another size");
  };

  private readonly onMessage = (): void => {
    this.window.histogram.record(this.now - this.starts[this.first]);
    this.first = (this.first + 1) % this.starts.length;
    this.open -= 1;
  };

  protected send(): void {
    if (this.window.stopping || this.window.failure !== undefined) return;
    const count = this.load.outstanding - this.open;
    if (count === 0) return;
    for (let i = 0; i < count; i++) this.starts[(this.first + this.open + i) % this.starts.length] = this.now;
    this.open += count;
    this.socket.write(this.requests.subarray(0, count * this.requestLength));
  }
}

/** Sends `count` requests that are to be held, on HTTP/2 connections of their own; returns what ends them. */
export function holdHttp(port: number, count: number, window: Window): () => void {
  const sessions: ClientHttp2Session[] = [];
  let ended = false;
  const fail = (reason: string) => ended || window.fail(reason);
  for (let left = count; left > 0; left -= HELD_STREAMS) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", (error) => fail(error.message));
    for (let i = 0; i < Math.min(left, HELD_STREAMS); i++) {
      const [name, value] = HELD_HEADER;
      const stream = session.request({ ":path": "/held", [name]: value });
      stream.on("error", (error) => fail(error.message));
      stream.on("response", () => fail("an answer to a request that is to be held"));
    }
    sessions.push(session);
  }
  return () => {
    ended = true;
    for (const session of sessions) session.destroy();
  };
}
