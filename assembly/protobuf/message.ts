import { ByteBuffer } from "../bytes/buffer";
import { ProtoReader, ProtoStatus } from "./reader";
import { beginField, endField } from "./writer";

const reader = new ProtoReader();

/**
 * A message; its classes are made from .proto files (`npm run protos`). One object is reused for many messages: it
 * allocates only what the largest of them needed, and at most MAX_MESSAGES messages inside; those of types that contain
 * themselves are made anew each time and left to the collector. Its strings and bytes are borrowed, those that it has read as well
 * as those that it will write, so they are valid only as long as the bytes they point to.
 */
export abstract class Message {
  /**
   * Reads a message; fields that it does not know are skipped.
   * @returns why it is refused: it is empty then
   */
  decode(ptr: usize, length: i32): ProtoStatus {
    this.clear();
    reader.bind(ptr, length);
    this.merge(reader);
    if (reader.status != ProtoStatus.OK) this.clear();
    return reader.status;
  }

  /** Appends the message; what has its default is left out. */
  abstract encode(out: ByteBuffer): void;

  /** Gives all fields their defaults, and keeps memory for the next message. */
  abstract clear(): void;

  /** Gives the memory of repeated fields back. */
  abstract free(): void;

  /** Reads the reader's current field if it is known. */
  protected abstract take(reader: ProtoReader): bool;

  private merge(reader: ProtoReader): void {
    while (reader.next()) if (!this.take(reader)) reader.skip();
  }

  /** Reads the reader's current field as this message, into what it has already. */
  decodeField(reader: ProtoReader): void {
    const outer = reader.openMessage();
    this.merge(reader);
    reader.closeMessage(outer);
  }

  /** Appends the message as a field of another. */
  encodeField(out: ByteBuffer, tag: u32): void {
    const start = beginField(out, tag);
    this.encode(out);
    endField(out, start);
  }
}
