// Made from ../protos/grpc_service.proto by `npm run protos`.
import { ByteBuffer } from "../../bytes/buffer";
import { View } from "../../bytes/view";
import { Message } from "../../protobuf/message";
import { ProtoReader } from "../../protobuf/reader";
import { putBytes } from "../../protobuf/writer";

/** envoy.config.core.v3.GrpcService: Who serves a gRPC call. */
export class GrpcService extends Message {
  private _envoyGrpc: GrpcServiceEnvoyGrpc | null = null;
  /** Which there is: a GrpcServiceTargetSpecifier. */
  targetSpecifier: i32 = 0;

  get envoyGrpc(): GrpcServiceEnvoyGrpc {
    const known = this._envoyGrpc;
    if (known !== null) return known;
    const made = new GrpcServiceEnvoyGrpc();
    this._envoyGrpc = made;
    return made;
  }

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        if (this.targetSpecifier != 1) this.envoyGrpc.clear();
        this.targetSpecifier = 1;
        this.envoyGrpc.decodeField(reader);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.targetSpecifier == 1) this.envoyGrpc.encodeField(out, 0x0a);
  }

  clear(): void {
    this.targetSpecifier = 0;
    const envoyGrpc = this._envoyGrpc;
    if (envoyGrpc !== null) envoyGrpc.clear();
  }

  free(): void {
    const envoyGrpc = this._envoyGrpc;
    if (envoyGrpc !== null) envoyGrpc.free();
  }
}

/** Members of the oneof envoy.config.core.v3.GrpcService.target_specifier. */
export const enum GrpcServiceTargetSpecifier {
  NONE = 0,
  ENVOY_GRPC = 1,
}

/** envoy.config.core.v3.GrpcService.EnvoyGrpc: By Envoy's own gRPC client. */
export class GrpcServiceEnvoyGrpc extends Message {
  /** A cluster of Envoy's. */
  readonly clusterName: View = new View();
  /** The :authority header; the cluster's name where it is empty. */
  readonly authority: View = new View();

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.clusterName);
        return true;
      case 0x12:
        reader.string(this.authority);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.clusterName.length != 0) putBytes(out, 0x0a, this.clusterName);
    if (this.authority.length != 0) putBytes(out, 0x12, this.authority);
  }

  clear(): void {
    this.clusterName.set(0, 0);
    this.authority.set(0, 0);
  }

  free(): void {}
}
