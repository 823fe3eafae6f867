// One measurement, as its connections see it.
import { connect, type Socket } from "node:net";
import { Histogram } from "./histogram.ts";

const READ_BUFFER = 256 * 1024;

/** What all connections of a measurement share. */
export class Window {
  readonly histogram = new Histogram();
  /** Why the measurement is void: the first reason. */
  failure: string | undefined;
  /** No request follows an answer any more. */
  stopping = false;

  fail(reason: string): void {
    this.failure ??= reason;
  }
}

/** A connection that keeps its number of requests under way. */
export abstract class Client {
  readonly socket: Socket;
  /** Requests under way, but for those that are to be held. */
  protected open = 0;
  /** The time of what happens now, milliseconds. */
  protected now = 0;

  constructor(
    port: number,
    protected readonly window: Window,
  ) {
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER),
        callback: (length, bytes) => {
          this.now = performance.now();
          this.receive(bytes as Buffer, length);
          this.send();
          return true;
        },
      },
    });
    this.socket.on("error", (error) => window.fail(error.message));
    this.socket.on("close", this.onClose);
  }

  /** The first `length` of these bytes have come. */
  protected abstract receive(bytes: Buffer, length: number): void;

  /** Sends a new request for each one that was answered, in one write. */
  protected abstract send(): void;

  /** Sends the requests that are to be held. */
  abstract hold(): void;

  /** Nothing is under way but what is to be held. */
  get idle(): boolean {
    return this.open === 0;
  }

  /** Sends the first requests, in one write. */
  start(): void {
    this.now = performance.now();
    this.send();
  }

  /** Closes it from this side. The event comes later, perhaps within the next measurement. */
  close(): void {
    this.socket.removeListener("close", this.onClose);
    this.socket.destroy();
  }

  private readonly onClose = (): void => this.window.fail("a connection was closed");
}
