import type { HttpExchange, UpstreamRequest } from "../../host/kit/index.ts";
import { Finding } from "../epoch.ts";

/** Header by which answers of servers are told from others, and whose they are. */
export const SERVER = "x-server";
/** Header that says which exchange a request, or a copy of it, belongs to. */
export const ID = "x-id";
/** Header of requests that keep to the protocol and meet no rule. */
export const CLEAN = "x-clean";

/** One request and its response: what both ends have sent and got, and what is wrong with it. */
export class Exchange {
  /** The server's side, once the request has come there. */
  server: UpstreamRequest | null = null;
  /** The client's side; set as soon as the request has begun. */
  client!: HttpExchange;
  /** What the client has sent of the body, and whether that is all. */
  readonly sent: Buffer[] = [];
  sentEnd = false;
  cancelled = false;
  /** What the server has sent. */
  readonly answered: Buffer[] = [];
  answering = false;
  answeredEnd = false;
  failed = false;

  constructor(
    readonly number: number,
    /** Both ends keep to the protocol, and no filter has a reason to refuse it: it has to have its answer. */
    readonly clean: boolean,
    /** A HEAD request: the response has no body, whatever the server sends. */
    readonly head: boolean,
  ) {}

  /** Bytes of the body that the client has sent. */
  get size(): number {
    return this.sent.reduce((sum, { length }) => sum + length, 0);
  }

  /** Nothing more can happen to it. */
  get over(): boolean {
    return this.client.closed !== null;
  }

  /** The server may go on with its answer. */
  get serverFree(): boolean {
    return this.server !== null && !this.over && !this.failed && !this.answeredEnd && !this.server.reset;
  }

  /** Whether a server's answer has come through whole. */
  get completed(): boolean {
    return this.client.closed === "complete" && this.fromServer;
  }

  private get fromServer(): boolean {
    return this.client.headers !== null && this.client.headers.get(SERVER) !== null;
  }

  /** The client got what the server sent, the server what the client sent, and nobody anything else. */
  check(): void {
    this.checkRequest();
    this.checkResponse();
    if (!this.clean || this.cancelled) return;
    if (this.client.closed === null) throw this.wrong("kept to the protocol and has no answer");
    const { status } = this.client;
    if (status !== 200 || !this.completed) {
      throw this.wrong(
        `kept to the protocol: ${this.client.closed}, status ${status}, ${this.client.body.slice(0, 80)}`,
      );
    }
  }

  private checkRequest(): void {
    const { server } = this;
    if (server === null) return;
    const [sent, got] = [Buffer.concat(this.sent), server.body];
    if (!isStart(got, sent)) throw this.wrong("the server got another body than the client sent");
    if (!server.ended) return;
    if (!this.sentEnd) throw this.wrong("the server was told the end of a request that has none");
    if (got.length !== sent.length) throw this.wrong(`the server got ${got.length} of ${sent.length} bytes`);
  }

  private checkResponse(): void {
    const { client, server } = this;
    if (client.headers === null) {
      if (client.closed === "complete") throw this.wrong("ended without a response");
      return;
    }
    const { status } = client;
    if (status === null || !(status >= 200 && status <= 599)) throw this.wrong(`got status ${status}`);
    if (!this.fromServer) return;
    if (server === null || client.headers.get(SERVER) !== `${this.number}`) {
      throw this.wrong(`got the answer to ${client.headers.get(SERVER)}`);
    }
    const [sent, got] = [Buffer.concat(this.answered), client.bytes];
    if (!isStart(got, sent)) throw this.wrong("the client got another body than the server sent");
    if (client.closed !== "complete") return;
    if (!this.answeredEnd) throw this.wrong("the client was told the end of a response that has none");
    if (got.length !== sent.length) throw this.wrong(`the client got ${got.length} of ${sent.length} bytes`);
  }

  /** Whether it should be over: its client has sent all, and its server has done all that it will. */
  checkOver(): void {
    if (this.over || !this.sentEnd) return;
    if (this.server === null) throw this.wrong("is held for ever");
    if (this.answeredEnd || this.failed) throw this.wrong("never gets its answer");
  }

  private wrong(what: string): Finding {
    return new Finding(`exchange ${this.number} ${what}`);
  }
}

const isStart = (part: Buffer, whole: Buffer): boolean =>
  part.length <= whole.length && part.equals(whole.subarray(0, part.length));
