import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { StreamHandler } from "../stream/handler";
import { FilterMetrics } from "../stream/metrics";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../message/headers";
import { HeaderList } from "../message/list";
import { Payload } from "../message/payload";

const scratch = new View();

/** Which message filters can look at now: bytes are at hand only while they are dealt with, or held. */
export const enum Message {
  NONE,
  REQUEST,
  RESPONSE,
  LOCAL_REPLY,
}

/** The message of an RPC as its filters see it: the request, then the response or a local reply. */
export abstract class RpcMessage extends StreamHandler {
  /** The message's frame: of the request, then of the response. */
  frame: Frame = new Frame();
  /** Whether the body is another one than the frame's. */
  bodyChanged: bool = false;
  protected message: Message = Message.NONE;
  private readonly body: ByteBuffer = new ByteBuffer();
  private readonly reply: ByteBuffer = new ByteBuffer();
  private readonly localHeaders: HeaderList = new HeaderList();

  constructor(metrics: FilterMetrics) {
    super(metrics);
  }

  /** The frame's headers, with the changes made through them so far. */
  protected abstract get frameHeaders(): Headers | null;

  get requestHeaders(): Headers | null {
    return this.message == Message.REQUEST ? this.frameHeaders : null;
  }

  get responseHeaders(): Headers | null {
    if (this.message == Message.LOCAL_REPLY) return this.localHeaders;
    return this.message == Message.RESPONSE ? this.frameHeaders : null;
  }

  /** Points `out` at the message's content, with the changes that filters have made. */
  protected bodyOf(out: View): void {
    if (this.bodyChanged) out.set(this.body.ptr, this.body.length);
    else out.set(this.frame.ptr + (this.frame.contentOffset as usize), this.frame.contentLength);
  }

  requestBody(out: View): void {
    if (this.message == Message.REQUEST) this.bodyOf(out);
    else out.set(0, 0);
  }

  setRequestBody(ptr: usize, length: i32): void {
    if (this.message == Message.REQUEST) this.setBody(ptr, length);
  }

  responseBody(out: View): void {
    if (this.message == Message.LOCAL_REPLY) out.set(this.reply.ptr, this.reply.length);
    else if (this.message == Message.RESPONSE) this.bodyOf(out);
    else out.set(0, 0);
  }

  setResponseBody(ptr: usize, length: i32): void {
    if (this.message == Message.RESPONSE) this.setBody(ptr, length);
    else if (this.message == Message.LOCAL_REPLY) replace(this.reply, ptr, length);
  }

  private setBody(ptr: usize, length: i32): void {
    replace(this.body, ptr, length);
    this.bodyChanged = true;
  }

  payload(out: Payload): bool {
    const codec = this.frame.codec;
    if (codec === null || (this.message != Message.REQUEST && this.message != Message.RESPONSE)) return false;
    this.bodyOf(scratch);
    codec.payload(this.frame, scratch.ptr, scratch.length, out);
    return true;
  }

  get isException(): bool {
    const codec = this.frame.codec;
    return this.message == Message.RESPONSE && codec !== null && codec.isException(this.frame);
  }

  /** Sets the text of the local reply. */
  protected setReply(text: Bytes): void {
    replace(this.reply, text.ptr, text.length);
  }

  protected clearLocalHeaders(): void {
    this.localHeaders.clear();
  }

  /** Gives the memory of bodies back. */
  protected freeBodies(): void {
    this.body.free();
    this.reply.free();
  }
}

/** Replaces what is in a buffer by a copy of the range, which may be a part of it. */
function replace(buffer: ByteBuffer, ptr: usize, length: i32): void {
  buffer.clear();
  buffer.append(ptr, length);
}
