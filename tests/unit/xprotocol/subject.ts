import { load16be, load32be, load64be, store16be, store32be, store64be } from "../../../assembly/bytes/memory";
import { Codec, Peer } from "../../../assembly/xprotocol/codec";
import { hex } from "./support";
import { testCodec } from "./test_codec";

/** Frames back to back, as one peer sent them. */
export class Sample {
  constructor(
    readonly name: string,
    readonly bytes: StaticArray<u8>,
    readonly peer: Peer,
    readonly frames: i32,
    /** Of another protocol that the codec also decodes, though it does not detect it. */
    readonly foreign: bool,
  ) {}

  get ptr(): usize {
    return changetype<usize>(this.bytes);
  }

  get length(): i32 {
    return this.bytes.length;
  }
}

/** Where a length is written in a sample, big-endian. */
export class LengthField {
  constructor(
    readonly sample: i32,
    readonly offset: i32,
    readonly width: i32,
  ) {}

  read(bytes: usize): u64 {
    const at = bytes + this.offset;
    return this.width == 1
      ? load<u8>(at)
      : this.width == 2
        ? load16be(at)
        : this.width == 4
          ? load32be(at)
          : load64be(at);
  }

  write(bytes: usize, value: u64): void {
    const at = bytes + this.offset;
    if (this.width == 1) store<u8>(at, value as u8);
    else if (this.width == 2) store16be(at, value as u32);
    else if (this.width == 4) store32be(at, value as u32);
    else store64be(at, value);
  }
}

/** What the conformance suite needs to know of a codec. */
export class Subject {
  samples: Sample[] = [];
  lengths: LengthField[] = [];
  /** The statuses that peers know. */
  statuses: i32[] = [];
  /** Whether the protocol has headers that can be changed, the longest block, and whether a request names a service. */
  hasHeaders: bool = true;
  maxHeaderBlock: i32 = 65535;
  /** Headers that stand for fields of the frame, with rules of their own: the suite leaves them alone. */
  fields: string[] = [];
  /** Whether of a name that is there twice the last value is what `get` gives, because peers take that one. */
  lastValueCounts: bool = false;
  /** Whether a name cannot have two values. */
  uniqueNames: bool = false;
  /** Whether id 0 is an id like others. */
  zeroId: bool = true;
  /** Whether keys and values of headers are text, not any bytes. */
  textHeaders: bool = false;
  /** Whether a key has one value, so that to add another one is to set it. */
  uniqueKeys: bool = false;
  /** Whether a body may be any bytes. */
  opaqueContent: bool = true;
  /** Whether the protocol has a go-away. */
  goAway: bool = false;
  /** Whether the reason of a local reply has a place. */
  readable: bool = true;

  constructor(readonly codec: Codec = testCodec) {}

  /** Adds a recording of `frames` frames, in hex. */
  add(name: string, bytes: string, peer: Peer, frames: i32 = 1, foreign: bool = false): Subject {
    this.samples.push(new Sample(name, hex(bytes), peer, frames, foreign));
    return this;
  }

  /** Tells where a length is in the sample added last. */
  length(offset: i32, width: i32): Subject {
    this.lengths.push(new LengthField(this.samples.length - 1, offset, width));
    return this;
  }
}
