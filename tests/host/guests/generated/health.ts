/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript
// Made from ../protos/health.proto by `npm run protos`.
import { ByteBuffer } from "../../../../assembly/bytes/buffer";
import { View } from "../../../../assembly/bytes/view";
import { Message } from "../../../../assembly/protobuf/message";
import { ProtoReader } from "../../../../assembly/protobuf/reader";
import { putBytes, putVarint } from "../../../../assembly/protobuf/writer";

/** grpc.health.v1.HealthCheckRequest */
export class HealthCheckRequest extends Message {
  readonly service: View = new View();

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.service);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.service.length != 0) putBytes(out, 0x0a, this.service);
  }

  clear(): void {
    this.service.set(0, 0);
  }

  free(): void {}
}

/** grpc.health.v1.HealthCheckResponse */
export class HealthCheckResponse extends Message {
  status: i32 = 0;

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x08:
        this.status = reader.int32();
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.status != 0) putVarint(out, 0x08, this.status as u64);
  }

  clear(): void {
    this.status = 0;
  }

  free(): void {}
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
export const enum HealthCheckResponseServingStatus {
  UNKNOWN = 0,
  SERVING = 1,
  NOT_SERVING = 2,
  SERVICE_UNKNOWN = 3,
}
