// Bolt v1 frames for the benchmark: the header blocks of a recorded SOFARPC call around a content of any size.
import { readFileSync } from "node:fs";
import { parseFrame, request, type RequestOptions, response, type ResponseOptions } from "../host/kit/bolt.ts";

/** Offset of the 32-bit request id, in requests and responses. */
export const ID_AT = 5;
export const REQUEST_HEADER = 22;
export const RESPONSE_HEADER = 20;
export const TYPE_RESPONSE = 0;
export const COMMAND_HEARTBEAT = 0;

const FRAMES = new URL("../frames/", import.meta.url);

/** A request as sofa-rpc 5.13 sends it (class name and all header pairs), with `size` bytes of content. */
export function requestFrame(size: number): Buffer {
  return request(0, { ...recorded("sofa-hello.c2s.bin"), content: Buffer.alloc(size, "moe ") });
}

/** The server's response to it, with `size` bytes of content. */
export function responseFrame(size: number): Buffer {
  return response(0, { ...recorded("sofa-hello.s2c.bin"), content: Buffer.alloc(size, "moe ") });
}

/** What a recorded frame has in common with the ones made after it. */
function recorded(file: string): RequestOptions & ResponseOptions {
  const frame = parseFrame(readFileSync(new URL(file, FRAMES)));
  if (!frame) throw new Error(`${file} holds no whole frame`);
  const { class: className, headers, codec, timeout } = frame;
  return { class: className, headers, codec, timeout };
}

/** `count` copies of a frame, back to back. */
export function repeated(frame: Buffer, count: number): Buffer {
  return Buffer.alloc(frame.length * count, frame);
}

/** Cuts a stream of frames at their lengths; of each frame it looks at the fixed header only. */
export class FrameWalker {
  private readonly partial: Buffer;
  private have = 0;
  private rest = 0;

  /**
   * `fixed`: size of the fixed header. `onHeader` gets each complete header (bytes and offset, valid during the call),
   * `onFrame` follows when the frame's last byte is there.
   */
  constructor(
    private readonly fixed: number,
    private readonly onHeader: (bytes: Buffer, at: number) => void,
    private readonly onFrame: () => void,
  ) {
    this.partial = Buffer.alloc(fixed);
  }

  /** Takes the next `length` bytes of the stream. */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.rest > 0) {
        const step = Math.min(this.rest, length - at);
        at += step;
        this.rest -= step;
        if (this.rest === 0) this.onFrame();
      } else if (this.have === 0 && length - at >= this.fixed) {
        this.begin(bytes, at);
        at += this.fixed;
      } else {
        const step = Math.min(this.fixed - this.have, length - at);
        bytes.copy(this.partial, this.have, at, at + step);
        at += step;
        this.have += step;
        if (this.have === this.fixed) {
          this.have = 0;
          this.begin(this.partial, 0);
        }
      }
    }
  }

  private begin(bytes: Buffer, at: number): void {
    this.onHeader(bytes, at);
    const lengths = at + this.fixed - 8;
    this.rest =
      ((bytes[lengths] << 8) | bytes[lengths + 1]) +
      ((bytes[lengths + 2] << 8) | bytes[lengths + 3]) +
      bytes.readUInt32BE(lengths + 4);
    if (this.rest === 0) this.onFrame();
  }
}
