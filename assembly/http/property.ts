import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { appendProperty, propertyPath } from "../host/properties";

/** Memory kept for the next stream, bytes. */
const KEEP: i32 = 512;

/** A property of Envoy's, asked for once in a stream's life and kept. */
export class Property {
  private readonly path: Bytes;
  private readonly value: ByteBuffer = new ByteBuffer();
  private known: bool = false;

  /** @param path with slashes ("source/address") */
  constructor(path: string) {
    this.path = propertyPath(path);
  }

  /** Points `out` at the property; false while there is none. */
  read(out: View): bool {
    if (!this.known) this.known = appendProperty(this.path, this.value);
    out.set(this.value.ptr, this.value.length);
    return this.known;
  }

  /** The property as an integer of 8 bytes; 0 while there is none. */
  integer(): i64 {
    if (!this.known) this.known = appendProperty(this.path, this.value);
    return this.value.length == 8 ? load<i64>(this.value.ptr) : 0;
  }

  forget(): void {
    this.known = false;
    this.value.reset(KEEP);
  }

  /** Gives the memory back. */
  free(): void {
    this.known = false;
    this.value.free();
  }
}
