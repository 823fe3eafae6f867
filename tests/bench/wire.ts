// What the load generator and the echo servers know of a protocol: whole frames, and where the fixed header says what.
import { BOLT } from "./bolt.ts";
import { DUBBO } from "./dubbo.ts";
import type { Header } from "./headers.ts";

export const PROTOCOLS = ["bolt", "dubbo"] as const;
export type Protocol = (typeof PROTOCOLS)[number];
/** What the load generator speaks. */
export type LoadProtocol = Protocol | "http";

export interface Wire {
  /** Offset of the request id (of its low 32 bits), in requests and responses. */
  idAt: number;
  /** Sizes of the fixed headers. */
  requestHeader: number;
  responseHeader: number;
  /** The answer to a heartbeat, for any id. */
  heartbeatAck: Buffer;
  /** A request as a real client sends it, with `size` bytes of content, and with one more header (Bolt only). */
  requestFrame(size: number, header?: Header): Buffer;
  /** The server's response to it, with `size` bytes of content. */
  responseFrame(size: number): Buffer;
  /** Bytes that follow the fixed header at `at`, which is `fixed` long. */
  rest(bytes: Buffer, at: number, fixed: number): number;
  isHeartbeat(bytes: Buffer, at: number): boolean;
  /** What is wrong with a response, from its fixed header; undefined: nothing. */
  failure(bytes: Buffer, at: number): string | undefined;
}

export const WIRES: Record<Protocol, Wire> = { bolt: BOLT, dubbo: DUBBO };
