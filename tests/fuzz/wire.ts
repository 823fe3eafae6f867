// What the fuzzer knows of a protocol, apart from the code under test.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dice } from "./dice.ts";

/** `length` when more bytes are needed to tell, and when the bytes are no frame: the module must close there. */
export const MORE = 0;
export const NO_FRAME = -1;

export type Kind = "request" | "oneway" | "heartbeat" | "response" | "heartbeatAck" | "other";

/** A field of a frame: where, how many bytes. */
export type Field = readonly [offset: number, size: number];

export interface Wire {
  /** Names of the codecs that are to detect it; the first is that of the counters. */
  readonly codecs: readonly string[];
  /** Fixed fields worth to be changed: lengths, types, ids, versions, flags. */
  readonly fields: readonly Field[];
  /** Recorded requests, whole frames. */
  readonly recorded: readonly Buffer[];
  /** Length of the frame at the front, MORE or NO_FRAME. */
  length(bytes: Buffer): number;
  /** The id, as text; null: it cannot be told, also because bytes are missing. */
  id(frame: Buffer): string | null;
  kind(frame: Buffer): Kind;
  /**
   * Whole requests that keep to the frame's lengths and are hostile all the same: very many pairs, keys that repeat, names in
   * overlong UTF-8, extreme timeouts.
   */
  readonly hostile: readonly Buffer[];
  /** A good request that carries `text` in its content. */
  request(dice: Dice, text: string): Buffer;
  heartbeat?(dice: Dice): Buffer;
  /** A good answer to a request or heartbeat, as the module forwarded it, with `text` in its content. */
  answer(request: Buffer, text: string, dice: Dice): Buffer;
  /** The frame with its checksum put right, and lengths where that can be done. */
  seal?(frame: Buffer): Buffer;
}

const FRAMES = join(import.meta.dirname, "../frames");
/** Longer recordings test nothing more, and cost time. */
const LONGEST = 8192;

/** The frames that clients sent in recordings of these names. */
export function recordings(pattern: RegExp, length: Wire["length"]): Buffer[] {
  const frames: Buffer[] = [];
  for (const name of readdirSync(FRAMES).sort()) {
    if (!pattern.test(name) || !name.endsWith(".c2s.bin")) continue;
    let bytes = readFileSync(join(FRAMES, name));
    for (let next = length(bytes); next > 0 && next <= bytes.length; next = length(bytes)) {
      if (next <= LONGEST) frames.push(bytes.subarray(0, next));
      bytes = bytes.subarray(next);
    }
  }
  return frames;
}
