import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Connection } from "./connection";

/** A message that a filter holds: its bytes with the changes made so far, because the host's will be gone. */
export class HeldFrame {
  private bytes: ByteBuffer = new ByteBuffer();
  /** Memory for the next version. */
  private next: ByteBuffer = new ByteBuffer();

  /** @param frame becomes the message, once it is held */
  constructor(readonly frame: Frame) {}

  /**
   * Keeps a message; `changed`: with its present headers and this body. False when there is no room for it, or it is
   * none any more.
   */
  keep(from: Frame, codec: Codec, peer: Peer, connection: Connection, changed: bool, body: View): bool {
    const out = this.next;
    out.clear();
    const all = changed ? connection.root.input.headers : null;
    const kept = all !== null && codec.encode(from, all, body.ptr, body.length, from.id, out);
    if (!kept) out.append(from.ptr, from.length);
    if (!connection.mayKeep(out.length)) return false;
    connection.keptBytes += out.length - this.bytes.length;
    this.next = this.bytes;
    this.bytes = out;
    this.next.free();
    return codec.decode(out.ptr, out.length, peer, i32.MAX_VALUE, this.frame) == Decoded.FRAME;
  }

  /** Gives the bytes back. */
  drop(connection: Connection | null): void {
    if (connection !== null) connection.keptBytes -= this.bytes.length;
    this.bytes.free();
    this.next.free();
  }
}
