// HTTP/1.1 messages for the benchmark: whole requests and responses, and a reader that cuts them.

const HEAD_END = Buffer.from("\r\n\r\n");
const CONTENT_LENGTH = Buffer.from("content-length: ");
const MAX_HEAD = 8192;
/** The service and caller of the recorded call of Bolt; gRPC's type has `grpc_metric` count it. */
const REQUEST_HEADERS = {
  host: "bench.example",
  service: "interop.api.HelloService:1.0",
  app: "sofa-client-app",
  rpc_trace_id: "c00002021795255696922100127738",
  "user-agent": "bench/1.0",
  "content-type": "application/grpc",
};
const RESPONSE_HEADERS = { "content-type": "application/grpc", "grpc-status": "0", "x-served-by": "bench" };

function message(first: string, headers: Record<string, string>, size: number): Buffer {
  const lines = Object.entries({ ...headers, "content-length": String(size) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.concat([Buffer.from(`${[first, ...lines].join("\r\n")}\r\n\r\n`), Buffer.alloc(size, "moe ")]);
}

/** A request with `size` bytes of body. */
export function httpRequest(size: number): Buffer {
  return message("POST /interop.api.HelloService/sayHello HTTP/1.1", REQUEST_HEADERS, size);
}

/** The server's response to it. */
export function httpResponse(size: number): Buffer {
  return message("HTTP/1.1 200 OK", RESPONSE_HEADERS, size);
}

/** Cuts a stream of HTTP/1.1 messages with content-length; of the heads it looks only for that. */
export class HttpReader {
  private readonly partial = Buffer.alloc(MAX_HEAD);
  private have = 0;
  private left = 0;

  /**
   * `onHead` gets each complete head (bytes and offset, valid during the call) and the size of its body, -1 where it does
   * not say; `onMessage` follows when the body's last byte is there.
   */
  constructor(
    private readonly onHead: (bytes: Buffer, at: number, size: number) => void,
    private readonly onMessage: () => void,
  ) {}

  /** Takes the next `length` bytes of the stream. Throws at a head of more than 8 KiB. */
  push(bytes: Buffer, length: number): void {
    const chunk = bytes.subarray(0, length);
    let at = 0;
    while (at < length) {
      if (this.left > 0) {
        const step = Math.min(this.left, length - at);
        at += step;
        this.left -= step;
        if (this.left === 0) this.onMessage();
      } else {
        at = this.have > 0 ? this.continueHead(chunk, at) : this.head(chunk, at);
      }
    }
  }

  /** A head that begins at `at`; returns how far it was taken. */
  private head(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(HEAD_END, at);
    if (end >= 0) {
      this.begin(chunk, at, end);
      return end + HEAD_END.length;
    }
    this.keep(chunk, at, chunk.length);
    return chunk.length;
  }

  /** The rest of a head of which some is kept. */
  private continueHead(chunk: Buffer, at: number): number {
    const had = this.have;
    const to = Math.min(chunk.length, at + MAX_HEAD - had);
    this.keep(chunk, at, to);
    const end = this.partial.subarray(0, this.have).indexOf(HEAD_END);
    if (end < 0) return to;
    this.have = 0;
    this.begin(this.partial, 0, end);
    return at + end + HEAD_END.length - had;
  }

  private keep(chunk: Buffer, from: number, to: number): void {
    if (this.have + to - from >= MAX_HEAD) throw new Error("a head of more than 8 KiB");
    this.have += chunk.copy(this.partial, this.have, from, to);
  }

  private begin(bytes: Buffer, at: number, end: number): void {
    const key = bytes.indexOf(CONTENT_LENGTH, at);
    let size = key >= 0 && key < end ? 0 : -1;
    if (size === 0) {
      for (let i = key + CONTENT_LENGTH.length; i < end && bytes[i] >= 0x30; i++) size = size * 10 + bytes[i] - 0x30;
    }
    this.onHead(bytes, at, size);
    this.left = Math.max(size, 0);
    if (this.left === 0) this.onMessage();
  }
}
