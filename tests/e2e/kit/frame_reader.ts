import { type BoltFrame, frameLength, parseFrames } from "../../host/kit/bolt.ts";

/** Cuts a stream of chunks into Bolt frames; the chunks of a large frame are joined only once. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private held = 0;
  /** Nothing is parsed before this many bytes are there. */
  private needed = 1;

  /** The frames that this chunk completes. Throws on bytes that are not Bolt. */
  push(chunk: Buffer): BoltFrame[] {
    this.chunks.push(chunk);
    this.held += chunk.length;
    if (this.held < this.needed) return [];
    const { frames, rest } = parseFrames(this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks));
    this.chunks = rest.length > 0 ? [rest] : [];
    this.held = rest.length;
    this.needed = frameLength(rest) ?? 1;
    return frames;
  }

  /** Bytes held of a frame that is not complete. */
  get incomplete(): number {
    return this.held;
  }
}
