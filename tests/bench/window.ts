// One measurement, as its connections see it.
import type { Socket } from "node:net";
import { Histogram } from "./histogram.ts";

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
export interface Client {
  readonly socket: Socket;
  /** Nothing is under way but what is to be held. */
  readonly idle: boolean;
  /** Sends the requests that are to be held. */
  hold(): void;
  /** Sends the first requests, in one write. */
  start(): void;
  /** Closes it from this side. The event comes later, perhaps within the next measurement. */
  close(): void;
}
