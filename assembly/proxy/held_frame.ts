import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { writeChanged } from "./changes";
import { Client } from "./client";

/** Whether a message is held. */
export const enum Held {
  YES,
  /** There is no room for it. */
  NO_ROOM,
  /** It is refused for its changes. */
  REFUSED,
}

/** A message that a filter holds: its bytes with the changes made so far, because the host's will be gone. */
export class HeldFrame {
  private bytes: ByteBuffer = new ByteBuffer();
  /** Memory for the next version. */
  private next: ByteBuffer = new ByteBuffer();

  /** @param frame becomes the message, once it is held */
  constructor(readonly frame: Frame) {}

  /**
   * Keeps a message; `changed`: with its present headers and this body, which is a new one with `newBody`. What cannot be
   * expressed of that is lost, or refused (`writeChanged`).
   */
  keep(from: Frame, codec: Codec, peer: Peer, client: Client, changed: bool, body: View, newBody: bool): Held {
    const out = this.next;
    out.clear();
    if (!changed) out.append(from.ptr, from.length);
    else if (!writeChanged(client, codec, from, body, newBody, from.id, out)) return Held.REFUSED;
    if (!client.mayKeep(out.length)) return Held.NO_ROOM;
    client.keptBytes += out.length - this.bytes.length;
    this.next = this.bytes;
    this.bytes = out;
    this.next.free();
    const requestAux = from.requestAux;
    const decoded = codec.decode(out.ptr, out.length, peer, i32.MAX_VALUE, this.frame);
    this.frame.requestAux = requestAux;
    return decoded == Decoded.FRAME ? Held.YES : Held.REFUSED;
  }

  /** Gives the bytes back. */
  drop(client: Client): void {
    client.keptBytes -= this.bytes.length;
    this.bytes.free();
    this.next.free();
  }
}
