import { Detected } from "../../../assembly/xprotocol/codec";
import { bolt } from "../bolt/bolt";
import { BoltCodec } from "../bolt/codec";

/** Bolt version 2: adds a version of the protocol (ver1), a switch byte and an optional checksum. */
export class BoltV2 extends BoltCodec {
  constructor() {
    super("boltv2", 2, 2, 12);
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != 2) return Detected.NO;
    if (length < 2) return Detected.MORE;
    const ver1 = load<u8>(ptr, 1);
    if (ver1 != 1 && ver1 != 2) return Detected.NO;
    if (length < 3) return Detected.MORE;
    return load<u8>(ptr, 2) <= 2 ? Detected.YES : Detected.NO;
  }
}

/** The one instance; from here on `bolt` understands its frames too. */
export const boltv2 = new BoltV2();
BoltCodec.pair(bolt, boltv2);
