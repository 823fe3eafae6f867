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

/** envoy.source.extensions.common.wasm.VerifySignatureArguments: Of verify_signature. */
export class VerifySignatureArguments extends Message {
  /** "sha256" and so on. */
  readonly hashFunction: View = new View();
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: View = new View();
  /** Of EC: DER. */
  readonly signature: View = new View();
  /** What is signed. */
  readonly text: View = new View();

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.hashFunction);
        return true;
      case 0x12:
        reader.bytes(this.publicKey);
        return true;
      case 0x1a:
        reader.bytes(this.signature);
        return true;
      case 0x22:
        reader.bytes(this.text);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.hashFunction.length != 0) putBytes(out, 0x0a, this.hashFunction);
    if (this.publicKey.length != 0) putBytes(out, 0x12, this.publicKey);
    if (this.signature.length != 0) putBytes(out, 0x1a, this.signature);
    if (this.text.length != 0) putBytes(out, 0x22, this.text);
  }

  clear(): void {
    this.hashFunction.set(0, 0);
    this.publicKey.set(0, 0);
    this.signature.set(0, 0);
    this.text.set(0, 0);
  }

  free(): void {}
}

/** envoy.source.extensions.common.wasm.VerifySignatureResult: What verify_signature returns. */
export class VerifySignatureResult extends Message {
  result: bool = false;

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x08:
        this.result = reader.bool();
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.result) putVarint(out, 0x08, this.result as u64);
  }

  clear(): void {
    this.result = false;
  }

  free(): void {}
}
