// google.protobuf.Struct as Envoy serializes it for a plugin, by protobufjs.
import protobuf from "protobufjs";

const Struct = protobuf.Root.fromJSON(
  protobuf.common.get("google/protobuf/struct.proto") as protobuf.INamespace,
).lookupType("google.protobuf.Struct");

/** A value in the shape that protobufjs wants for google.protobuf.Value. */
function toValue(value: unknown): object {
  if (value === null || value === undefined) return { nullValue: 0 };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  return { structValue: toStruct(value as object) };
}

function toStruct(object: object): object {
  return { fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, toValue(value)])) };
}

/** The bytes that Envoy gives a plugin whose configuration is this Struct. */
export function structBytes(object: object): Buffer {
  return Buffer.from(Struct.encode(Struct.fromObject(toStruct(object))).finish());
}
