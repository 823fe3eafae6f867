// Message classes of AssemblyScript from .proto files (proto3), read by protobufjs.
import protobuf from "protobufjs";

/** What the scalar types are in AssemblyScript, and on the wire. */
interface Scalar {
  type: string;
  wire: 0 | 1 | 5;
  /** The expression that is written. */
  raw: (value: string) => string;
}

const plain = (value: string): string => value;
const bits = (type: string) => (value: string) => `reinterpret<${type}>(${value})`;
const wide = (value: string): string => `${value} as u64`;

const SCALARS: Record<string, Scalar> = {
  int32: { type: "i32", wire: 0, raw: wide },
  int64: { type: "i64", wire: 0, raw: wide },
  uint32: { type: "u32", wire: 0, raw: wide },
  uint64: { type: "u64", wire: 0, raw: plain },
  sint32: { type: "i32", wire: 0, raw: (value) => `zigzag32(${value})` },
  sint64: { type: "i64", wire: 0, raw: (value) => `zigzag64(${value})` },
  bool: { type: "bool", wire: 0, raw: wide },
  fixed32: { type: "u32", wire: 5, raw: plain },
  sfixed32: { type: "i32", wire: 5, raw: plain },
  float: { type: "f32", wire: 5, raw: bits("u32") },
  fixed64: { type: "u64", wire: 1, raw: plain },
  sfixed64: { type: "i64", wire: 1, raw: plain },
  double: { type: "f64", wire: 1, raw: bits("u64") },
};

const WRITERS = { 0: "Varint", 1: "Fixed64", 5: "Fixed32" };
const BYTES_WIRE = 2;

/** Names that a field cannot have as a member: of the base class, and of the language. */
const TAKEN =
  /^(decode|encode|clear|free|take|merge|decodeField|encodeField|constructor|readonly|static|get|set|private)$/;

const pascal = (name: string): string =>
  name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const constant = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

/** The name of a type: inner ones have their outer ones' before theirs. */
function nameOf(type: protobuf.ReflectionObject): string {
  return type.parent instanceof protobuf.Type ? nameOf(type.parent) + type.name : type.name;
}

const comment = (text: string | null): string => (text ? `/** ${text.split("\n").join("\n * ")} */\n` : "");

/** Whether messages of a type can be inside of such of another one. */
function contains(outer: protobuf.Type, inner: protobuf.Type, seen: Set<protobuf.Type>): boolean {
  if (seen.has(outer)) return false;
  seen.add(outer);
  return outer.fieldsArray.some((field) => {
    const type = field.resolve().resolvedType;
    return type instanceof protobuf.Type && (type === inner || contains(type, inner, seen));
  });
}

/** One field of a message. */
class Field {
  readonly name: string;
  private readonly scalar: Scalar | null;
  private readonly message: string | null;
  /** The oneof that it is a member of. */
  private readonly oneof: string | null;
  private readonly present: boolean;
  /** Its messages may contain such messages: they are not kept, as there is no bound to what shapes they may have. */
  private readonly recursive: boolean;

  constructor(readonly of: protobuf.Field) {
    of.resolve();
    const where = of.fullName.slice(1);
    if (of.map) throw new Error(`${where}: maps are not supported`);
    if (of.required || of.delimited) throw new Error(`${where}: proto3 only`);
    const camelName = camel(of.name);
    this.name = TAKEN.test(camelName) ? `${camelName}_` : camelName;
    this.scalar = of.resolvedType instanceof protobuf.Enum ? SCALARS.int32 : (SCALARS[of.type] ?? null);
    this.message = of.resolvedType instanceof protobuf.Type ? nameOf(of.resolvedType) : null;
    const member = of.partOf !== null && !of.options?.proto3_optional;
    this.oneof = member && of.partOf !== null ? camel(of.partOf.name) : null;
    this.present = !of.repeated && !member && (this.message !== null || of.hasPresence);
    this.recursive = of.resolvedType instanceof protobuf.Type && contains(of.resolvedType, of.resolvedType, new Set());
  }

  private tag(wire: number): string {
    return `0x${(((this.of.id << 3) | wire) >>> 0).toString(16).padStart(2, "0")}`;
  }

  private get flag(): string {
    return `has${this.name[0].toUpperCase()}${this.name.slice(1)}`;
  }

  private get listType(): string {
    if (this.message !== null) return `MessageList<${this.message}>`;
    return this.scalar !== null ? `NumberList<${this.scalar.type}>` : "ViewList";
  }

  private get read(): string {
    return this.of.resolvedType instanceof protobuf.Enum ? "int32" : this.of.type;
  }

  get member(): string {
    const about = comment(this.of.comment);
    const flag = this.present ? `${this.flag}: bool = false;\n` : "";
    if (this.of.repeated) return `${about}readonly ${this.name}: ${this.listType} = new ${this.listType}();\n`;
    if (this.message !== null) return `${flag}private _${this.name}: ${this.message} | null = null;\n`;
    if (this.scalar === null) return `${about}readonly ${this.name}: View = new View();\n${flag}`;
    const zero = this.scalar.type === "bool" ? "false" : "0";
    return `${about}${this.name}: ${this.scalar.type} = ${zero};\n${flag}`;
  }

  /** A message is made when it is first needed, as it may contain itself. */
  get getter(): string {
    if (this.message === null || this.of.repeated) return "";
    return `
      ${comment(this.of.comment)}get ${this.name}(): ${this.message} {
        const known = this._${this.name};
        if (known !== null) return known;
        const made = new ${this.message}();
        this._${this.name} = made;
        return made;
      }\n`;
  }

  /** What has to be done before the value is read. */
  private get begin(): string {
    if (this.present) return `this.${this.flag} = true;`;
    if (this.oneof === null) return "";
    const clear = this.message !== null ? `if (this.${this.oneof} != ${this.of.id}) this.${this.name}.clear();` : "";
    return `${clear} this.${this.oneof} = ${this.of.id};`;
  }

  /** The cases of the switch that reads. */
  get cases(): string {
    const one = (wire: number, body: string): string =>
      `case ${this.tag(wire)}:\n${this.begin} ${body}\nreturn true;\n`;
    const self = `this.${this.name}`;
    if (this.message !== null) {
      return one(BYTES_WIRE, `${self}${this.of.repeated ? ".add()" : ""}.decodeField(reader);`);
    }
    if (this.scalar === null) {
      const list = `reader.${this.read}(view);\n${self}.add(view.ptr, view.length);`;
      return one(BYTES_WIRE, this.of.repeated ? list : `reader.${this.read}(${self});`);
    }
    const value = `reader.${this.read}()`;
    if (!this.of.repeated) return one(this.scalar.wire, `${self} = ${value};`);
    const packed = `case ${this.tag(BYTES_WIRE)}: {
      const outer = reader.enter();
      while (reader.more) ${self}.add(${value});
      reader.leave(outer);
      return true;
    }\n`;
    return packed + one(this.scalar.wire, `${self}.add(${value});`);
  }

  get encode(): string {
    const self = `this.${this.name}`;
    if (this.of.repeated) return this.encodeList(self);
    const put =
      this.message !== null
        ? `${self}.encodeField(out, ${this.tag(BYTES_WIRE)});`
        : this.scalar === null
          ? `putBytes(out, ${this.tag(BYTES_WIRE)}, ${self});`
          : `put${WRITERS[this.scalar.wire]}(out, ${this.tag(this.scalar.wire)}, ${this.scalar.raw(self)});`;
    if (this.oneof !== null) return `if (this.${this.oneof} == ${this.of.id}) ${put}\n`;
    if (this.present) return `if (this.${this.flag}) ${put}\n`;
    if (this.scalar === null) return `if (${self}.length != 0) ${put}\n`;
    if (this.scalar.type === "bool") return `if (${self}) ${put}\n`;
    // The sign of a float's zero is written.
    const value = this.scalar.type.startsWith("f") ? this.scalar.raw(self) : self;
    return `if (${value} != 0) ${put}\n`;
  }

  private encodeList(self: string): string {
    const each = (body: string): string => `for (let i = 0; i < ${self}.length; i++) ${body}\n`;
    if (this.message !== null) {
      return each(`{
        const item = ${self}.get(i);
        if (item !== null) item.encodeField(out, ${this.tag(BYTES_WIRE)});
      }`);
    }
    if (this.scalar === null) return each(`{ ${self}.get(i, view); putBytes(out, ${this.tag(BYTES_WIRE)}, view); }`);
    const value = this.scalar.raw(`${self}.get(i)`);
    const writer = WRITERS[this.scalar.wire];
    if (!this.of.packed) return each(`put${writer}(out, ${this.tag(this.scalar.wire)}, ${value});`);
    return `if (${self}.length != 0) {
      const start = beginField(out, ${this.tag(BYTES_WIRE)});
      ${each(`append${writer}(out, ${value});`)}endField(out, start);
    }\n`;
  }

  get clear(): string {
    const self = `this.${this.name}`;
    const flag = this.present ? `this.${this.flag} = false;\n` : "";
    if (this.of.repeated) return `${self}.${this.recursive ? "free" : "clear"}();\n`;
    if (this.message !== null) {
      const forget = this.recursive ? `{ ${this.name}.free(); this._${this.name} = null; }` : `${this.name}.clear();`;
      return `${flag}const ${this.name} = this._${this.name};\nif (${this.name} !== null) ${forget}\n`;
    }
    if (this.scalar === null) return `${flag}${self}.set(0, 0);\n`;
    return `${flag}${self} = ${this.scalar.type === "bool" ? "false" : "0"};\n`;
  }

  get free(): string {
    if (this.of.repeated) return `this.${this.name}.free();\n`;
    if (this.message === null) return "";
    return `const ${this.name} = this._${this.name};\nif (${this.name} !== null) ${this.name}.free();\n`;
  }
}

function messageClass(type: protobuf.Type): string {
  if (type.extensions) throw new Error(`${type.fullName.slice(1)}: proto3 only`);
  const fields = type.fieldsArray.map((field) => new Field(field)).sort((a, b) => a.of.id - b.of.id);
  const oneofs = type.oneofsArray.filter((one) => !one.fieldsArray.some((field) => field.options?.proto3_optional));
  const join = (what: (field: Field) => string): string => fields.map(what).join("");
  const caseName = (one: protobuf.OneOf): string => nameOf(type) + pascal(one.name);
  const cases = oneofs.map((one) => `/** Which there is: a ${caseName(one)}. */\n${camel(one.name)}: i32 = 0;\n`);
  const noCases = oneofs.map((one) => `this.${camel(one.name)} = 0;\n`).join("");
  return `
${comment([type.fullName.slice(1), type.comment].filter((text) => text).join(": "))}export class ${nameOf(type)} extends Message {
  ${join((field) => field.member)}${cases.join("")}
  ${join((field) => field.getter)}
  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      ${join((field) => field.cases)}default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    ${join((field) => field.encode)}
  }

  clear(): void {
    ${noCases}${join((field) => field.clear)}
  }

  free(): void {
    ${join((field) => field.free)}
  }
}
${oneofs.map((one) => oneofEnum(caseName(one), one)).join("")}`;
}

/** The members of a oneof, by the numbers of their fields. */
function oneofEnum(name: string, one: protobuf.OneOf): string {
  const members = one.fieldsArray.map((field) => `${constant(field.name)} = ${field.id},`);
  return `\n/** Members of the oneof ${one.fullName.slice(1)}. */\nexport const enum ${name} {\nNONE = 0,\n${members.join("\n")}\n}\n`;
}

function enumClass(type: protobuf.Enum): string {
  const values = Object.entries(type.values).map(([name, value]) => `${constant(name)} = ${value},`);
  const about = comment([type.fullName.slice(1), type.comment].filter((text) => text).join(": "));
  return `\n${about}export const enum ${nameOf(type)} {\n${values.join("\n")}\n}\n`;
}

/** All types in a namespace, outer ones first. */
function types(namespace: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((one) =>
    one instanceof protobuf.Namespace ? (one instanceof protobuf.Type ? [one, ...types(one)] : types(one)) : [one],
  );
}

/** Where the classes that generated ones need come from, below the folder of the module. */
const IMPORTS: Record<string, string[]> = {
  "bytes/buffer": ["ByteBuffer"],
  "bytes/view": ["View"],
  "protobuf/lists": ["MessageList", "NumberList", "ViewList"],
  "protobuf/message": ["Message"],
  "protobuf/reader": ["ProtoReader"],
  "protobuf/writer": [
    ...["appendFixed32", "appendFixed64", "appendVarint", "beginField", "endField", "putBytes", "putFixed32"],
    ...["putFixed64", "putVarint", "zigzag32", "zigzag64"],
  ],
};

/**
 * The classes for a .proto file's text, not formatted yet.
 * @param source how the file is called in what is written
 * @param module the module's folder, assembly, from where the classes will be
 * @throws an Error for users about what is not supported
 */
export function messageClasses(text: string, source: string, module: string): string {
  const root = new protobuf.Root();
  const parsed = protobuf.parse(text, root, {
    keepCase: true,
    alternateCommentMode: true,
    preferTrailingComment: false,
  });
  if ((parsed.imports?.length ?? 0) > 0) throw new Error(`${source}: imports are not supported`);
  root.resolveAll();
  const body = types(root)
    .map((type) =>
      type instanceof protobuf.Type ? messageClass(type) : type instanceof protobuf.Enum ? enumClass(type) : "",
    )
    .join("");
  const shared = /\bview\b/.test(body) ? "\nconst view = new View();\n" : "";
  const used = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(body + shared);
  const imports = Object.entries(IMPORTS)
    .map(([path, names]) => ({ path, names: names.filter(used) }))
    .filter(({ names }) => names.length > 0)
    .map(({ path, names }) => `import { ${names.join(", ")} } from "${module}/${path}";\n`);
  return `// Made from ${source} by \`npm run protos\`.\n${imports.join("")}${shared}${body}`;
}
