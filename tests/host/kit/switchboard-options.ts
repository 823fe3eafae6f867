import type { HuffmanMode } from "./http2/hpack.ts";

/** Settings of the fake HTTP connection manager; the defaults are those that the design prescribes. */
export interface SwitchboardOptions {
  initialStreamWindow: number;
  initialConnectionWindow: number;
  maxConcurrentStreams: number;
  /**
   * What is taken for an upstream that is not there yet or does not read before the windows close, bytes. Envoy takes
   * about 1 MiB; none, the default, lets tests count.
   */
  upstreamBufferLimit: number;
  huffman: HuffmanMode;
  /** How output is cut into writes: a frame each (Envoy), all of a dispatch in one, or pieces of so many bytes. */
  writeUnit: "frame" | "dispatch" | number;
  drainTimeoutMs: number;
  /** Answer to the question whether it drains: 304 by the shipped route, 404 without one; 200 opens a connection, null: none. */
  askedStatus: 304 | 404 | 200 | null;
  delayedCloseMs: number;
}

export const SWITCHBOARD_DEFAULTS: SwitchboardOptions = {
  initialStreamWindow: 1 << 20,
  initialConnectionWindow: 16 << 20,
  maxConcurrentStreams: 1024,
  upstreamBufferLimit: 0,
  huffman: "shorter",
  writeUnit: "frame",
  drainTimeoutMs: 5000,
  askedStatus: 304,
  delayedCloseMs: 1000,
};
