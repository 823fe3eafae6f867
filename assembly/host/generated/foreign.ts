// Made from ../protos/foreign.proto by `npm run protos`.
import { ByteBuffer } from "../../bytes/buffer";
import { View } from "../../bytes/view";
import { Message } from "../../protobuf/message";
import { ProtoReader } from "../../protobuf/reader";
import { putBytes, putVarint } from "../../protobuf/writer";

/** envoy.source.extensions.common.wasm.LifeSpan: How long a value is kept. */
export const enum LifeSpan {
  FILTER_CHAIN = 0,
  DOWNSTREAM_REQUEST = 1,
  DOWNSTREAM_CONNECTION = 2,
}

/** envoy.source.extensions.common.wasm.SetEnvoyFilterStateArguments: Of set_envoy_filter_state. */
export class SetEnvoyFilterStateArguments extends Message {
  /** The key, of which Envoy knows how to make an object. */
  readonly path: View = new View();
  /** What the object is made of. */
  readonly value: View = new View();
  span: i32 = 0;

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.path);
        return true;
      case 0x12:
        reader.string(this.value);
        return true;
      case 0x18:
        this.span = reader.int32();
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.path.length != 0) putBytes(out, 0x0a, this.path);
    if (this.value.length != 0) putBytes(out, 0x12, this.value);
    if (this.span != 0) putVarint(out, 0x18, this.span as u64);
  }

  clear(): void {
    this.path.set(0, 0);
    this.value.set(0, 0);
    this.span = 0;
  }

  free(): void {}
}

/** envoy.source.extensions.common.wasm.WasmType: What a property is taken for. */
export const enum WasmType {
  BYTES = 0,
  STRING = 1,
  FLAT_BUFFERS = 2,
  PROTOBUF = 3,
}

/** envoy.source.extensions.common.wasm.DeclarePropertyArguments: Of declare_property. */
export class DeclarePropertyArguments extends Message {
  /** Its name, as set_property has it. */
  readonly name: View = new View();
  type: i32 = 0;

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.name);
        return true;
      case 0x18:
        this.type = reader.int32();
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.name.length != 0) putBytes(out, 0x0a, this.name);
    if (this.type != 0) putVarint(out, 0x18, this.type as u64);
  }

  clear(): void {
    this.name.set(0, 0);
    this.type = 0;
  }

  free(): void {}
}
