// What happened from outside, so that it can be done again without the generator: the format of tests/fuzz/seeds.
import type { HttpEvent } from "./http/events.ts";

/** One thing that clients, servers or time did: who (a client's index), and what. */
export type Event =
  | ["connect", client: number]
  | ["write", client: number, hex: string]
  | ["fin" | "rst" | "pause" | "resume", client: number]
  | ["advance", ms: number]
  | ["accept" | "refuse" | "unhealthy" | "end" | "reset", client: number, stream: number]
  | ["answer", client: number, stream: number, hex: string]
  | ["http2", client: number, hex: string];

export interface Seed {
  /** What it found. */
  about: string;
  protocol: string;
  events: Event[] | HttpEvent[];
}

/** Events of the current round. Bytes are kept as they are and turned into text only when asked for. */
export class Transcript {
  private readonly kept: (string | number | Buffer)[][] = [];

  note(...event: (string | number | Buffer)[]): void {
    this.kept.push(event);
  }

  clear(): void {
    this.kept.length = 0;
  }

  get events(): Event[] {
    return this.kept.map(
      (event) => event.map((part) => (Buffer.isBuffer(part) ? part.toString("hex") : part)) as Event,
    );
  }
}
