// Hessian 2 by hand, for what no library writes: both versions of it, as sofa-hessian 3 (the draft) and hessian-lite and
// sofa-hessian 4 read them.

/** The bytes of a value, or of a definition before it. */
export type Bytes = Buffer;

const bytes = (...parts: (number | Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));

export const NULL = bytes(0x4e);

/** An int. */
export function int(value: number): Buffer {
  if (value >= -16 && value <= 47) return bytes(0x90 + value);
  const out = Buffer.alloc(5, 0x49);
  out.writeInt32BE(value, 1);
  return out;
}

/** A string of so many UTF-16 units; `utf8` spells it. */
export function string(text: string, utf8: Buffer = Buffer.from(text)): Buffer {
  if (text.length < 32) return bytes(text.length, utf8);
  return bytes(0x53, text.length >> 8, text.length & 0xff, utf8);
}

/** ASCII with two bytes for each character: an UTF-8 that only Java takes. */
export const overlong = (text: string): Buffer =>
  Buffer.from([...text].flatMap((c) => [0xc0 | (c.charCodeAt(0) >> 6), 0x80 | (c.charCodeAt(0) & 0x3f)]));

/** A version of Hessian 2. */
export interface Wire {
  name: "draft" | "2.0";
  /** A class with these fields; `spelled` is its name's UTF-8. */
  define(name: string, fields?: string[], spelled?: Buffer): Buffer;
  /** An object of the class with this number. */
  object(index: number, ...fields: Buffer[]): Buffer;
  /** Pairs; the type is a name, or the number of an earlier one, or none. */
  map(type: string | number | undefined, ...pairs: Buffer[]): Buffer;
  list(type: string | number | undefined, ...values: Buffer[]): Buffer;
  reference(index: number): Buffer;
  /** A string in two chunks. */
  chunks(first: string, second: string): Buffer;
}

const u16 = (value: number): Buffer => bytes((value >> 8) & 0xff, value & 0xff);

/** Hessian 2.0. */
export const FINISHED: Wire = {
  name: "2.0",
  define: (name, fields = [], spelled) =>
    bytes("C", string(name, spelled), int(fields.length), ...fields.map((field) => string(field))),
  object: (index, ...fields) => bytes("O", int(index), ...fields),
  map: (type, ...pairs) => bytes(type === undefined ? "H" : "M", type === undefined ? "" : typeOf(type), ...pairs, "Z"),
  list: (type, ...values) =>
    type === undefined
      ? bytes("X", int(values.length), ...values)
      : bytes("V", typeOf(type), int(values.length), ...values),
  reference: (index) => bytes("Q", int(index)),
  chunks: (first, second) => bytes("R", u16(first.length), first, "S", u16(second.length), second),
};

const typeOf = (type: string | number): Buffer => (typeof type === "number" ? int(type) : string(type));

/** Its draft. */
export const DRAFT: Wire = {
  name: "draft",
  define: (name, fields = [], spelled = Buffer.from(name)) =>
    bytes("O", int(name.length), spelled, int(fields.length), ...fields.map((field) => string(field))),
  object: (index, ...fields) => bytes("o", int(index), ...fields),
  map: (type, ...pairs) => bytes("M", draftType(type), ...pairs, "z"),
  list: (type, ...values) => bytes("V", draftType(type), "n", values.length, ...values, "z"),
  reference: (index) => bytes("J", index),
  chunks: (first, second) => bytes("s", u16(first.length), first, "S", u16(second.length), second),
};

function draftType(type: string | number | undefined): Buffer {
  if (type === undefined) return Buffer.alloc(0);
  return typeof type === "number" ? bytes("u", int(type)) : bytes("t", u16(type.length), type);
}

const REQUEST = "com.alipay.sofa.rpc.core.request.SofaRequest";
const REQUEST_FIELDS = ["targetAppName", "methodName", "targetServiceUniqueName", "requestProps", "methodArgSigs"];

/** What sofa-rpc sends: a request whose arguments are of the classes `signatures`, and behind it these. */
export function sofaRequest(
  wire: Wire,
  { signatures = ["java.lang.Object"], props = wire.map(undefined), sigs = sofaList(wire, signatures) } = {},
  ...args: Buffer[]
): Buffer {
  const fields = [NULL, string("hi"), string("com.example.Hello:1.0"), props, sigs];
  return Buffer.concat([wire.define(REQUEST, REQUEST_FIELDS), wire.object(0, ...fields), ...args]);
}

const sofaList = (wire: Wire, names: string[]): Buffer => wire.list("[string", ...names.map((name) => string(name)));

/** What sofa-rpc answers with. */
export function sofaResponse(wire: Wire, value: Buffer): Buffer {
  const fields = ["isError", "errorMsg", "appResponse", "responseProps"];
  const name = "com.alipay.sofa.rpc.core.response.SofaResponse";
  return Buffer.concat([wire.define(name, fields), wire.object(0, Buffer.from("F"), NULL, value, NULL)]);
}

/** The body of a Dubbo request: Hessian 2.0. */
export function dubboBody(
  { method = "hi", types = "Ljava/lang/Object;", attachments = FINISHED.map(undefined) } = {},
  ...args: Buffer[]
): Buffer {
  const strings = ["2.0.2", "com.example.Hello", "1.0", method, types];
  return Buffer.concat([...strings.map((text) => string(text)), ...args, attachments]);
}
