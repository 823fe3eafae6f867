import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { declareText } from "../host/foreign";
import { setProperty } from "../host/properties";
import { fillWithSecret } from "../host/random";
import { appendLiteral } from "../http2/hpack/encoder";

const HEADER = Bytes.of("moe-key");
const PROPERTY = Bytes.of("moe.key");
/** Random bytes of a key, and the digits that they make. */
const SIZE: i32 = 16;
const DIGITS: i32 = 2 * SIZE;
const HEX = Bytes.of("0123456789abcdef");

const drawn: usize = heap.alloc(SIZE);

/** To be called by the root, before there are keys: the switchboard compares them as texts. */
export function declareKeys(): void {
  declareText(PROPERTY);
}

/**
 * What tells the switchboard that a CONNECT is the module's and not its client's: a random text, which it carries as a
 * header and which Envoy has as the connection's `wasm.moe.key`. Only the module can set that, and it never goes to a peer.
 * Each client connection has its own.
 */
export class SwitchboardKey {
  private text: Bytes = Bytes.EMPTY;
  private known: bool = false;

  /** Appends the header, drawing the key at first. Without randomness there is none: the switchboard then refuses. */
  append(out: ByteBuffer): void {
    if (this.text.length == 0) this.draw();
    appendLiteral(out, HEADER.ptr, HEADER.length, this.text.ptr, this.text.length);
  }

  private draw(): void {
    if (!fillWithSecret(drawn, SIZE)) return;
    const text = new ByteBuffer();
    for (let i = 0; i < SIZE; i++) {
      const byte = load<u8>(drawn + (i as usize)) as usize;
      text.appendByte(load<u8>(HEX.ptr + (byte >> 4)));
      text.appendByte(load<u8>(HEX.ptr + (byte & 15)));
    }
    this.text = Bytes.copy(text.ptr, DIGITS);
    text.free();
  }

  /** Tells Envoy the key, once; with the client connection as the context, before the switchboard gets its first bytes. */
  tell(): void {
    if (this.known || this.text.length == 0) return;
    this.known = setProperty(PROPERTY, this.text);
  }
}
