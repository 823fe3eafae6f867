// Bolt v1 frames for the benchmark: the header blocks of a recorded SOFARPC call around a content of any size.
import { readFileSync } from "node:fs";

/** Offset of the 32-bit request id, in requests and responses. */
export const ID_AT = 5;
export const REQUEST_HEADER = 22;
export const RESPONSE_HEADER = 20;
export const TYPE_RESPONSE = 0;
export const COMMAND_HEARTBEAT = 0;

const FRAMES = new URL("../frames/", import.meta.url);

/** A request as sofa-rpc 5.13 sends it (class name and all header pairs), with `size` bytes of content. */
export function requestFrame(size: number): Buffer {
  const recorded = readFileSync(new URL("sofa-hello.c2s.bin", FRAMES));
  return resized(recorded, REQUEST_HEADER, size);
}

/** The server's response to it, with `size` bytes of content. */
export function responseFrame(size: number): Buffer {
  const recorded = readFileSync(new URL("sofa-hello.s2c.bin", FRAMES));
  return resized(recorded, RESPONSE_HEADER, size);
}

/** The ack of a heartbeat: a response header and nothing behind it. */
export function heartbeatAck(): Buffer {
  const frame = Buffer.alloc(RESPONSE_HEADER);
  frame.set([1, TYPE_RESPONSE, 0, COMMAND_HEARTBEAT, 1]);
  frame[9] = 1;
  return frame;
}

/** The last eight bytes of both fixed headers are class length, header length and content length. */
function resized(recorded: Buffer, fixed: number, size: number): Buffer {
  const content = fixed + recorded.readUInt16BE(fixed - 8) + recorded.readUInt16BE(fixed - 6);
  const frame = Buffer.alloc(content + size, "moe ");
  recorded.copy(frame, 0, 0, content);
  frame.writeUInt32BE(size, fixed - 4);
  return frame;
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
