import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Detected } from "../../../assembly/xprotocol/codec";
import { BoltCodec, Command, Type } from "./codec";

/** Bolt version 1, what sofa-rpc speaks. */
export class Bolt extends BoltCodec {
  constructor() {
    super("bolt", 1, 1, 10);
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != 1) return Detected.NO;
    if (length < 2) return Detected.MORE;
    return load<u8>(ptr, 1) <= 2 ? Detected.YES : Detected.NO;
  }

  /** MOSN's go-away (command 100). sofa-bolt has no such command and closes the connection over it. */
  goAway(id: u64, out: ByteBuffer): bool {
    const total = 22;
    this.begin(Type.REQUEST, Command.GOAWAY, id, 0, out, total);
    out.commit(total);
    return true;
  }
}

/** The one instance: codecs have no state of connections. */
export const bolt = new Bolt();
