// What `npm run new` writes: files of a template with names filled in, and a line of registration.
import { createHash } from "node:crypto";

/** A name in all the forms that code needs. */
export interface Names {
  /** In configuration and statistics. */
  name: string;
  /** Folder and file. */
  file: string;
  class: string;
  instance: string;
}

export interface CodecNames extends Names {
  /** First two bytes of a frame in hex, to begin with: no other protocol's. */
  magic: string;
}

/** Names that the language, the module or the templates use themselves. */
const TAKEN = new Set(
  (
    "break case catch class const continue debugger default delete do else enum export extends false finally for function " +
    "if import in instanceof let new null return static super switch this throw true try type typeof var void while with " +
    "yield bool string memory heap load store min max select unreachable codecs filters bytes byteBuffer view code codec " +
    "decoded detected peer frame frameError frameKind headers headerList headerVisitor headerWriter status subject conform " +
    "hex toHex atEdge text decode write note plausible phase handler config bit chainOf testHandler describe test expect " +
    "isRefused filter rows row names next field integer pairs members ran request response abs as from of get set"
  ).split(" "),
);

/** A name as the class and the constant of something; `suffix` where the name itself is taken. */
function identifiers(name: string, suffix: string): Pick<Names, "class" | "instance"> {
  const words = name.split(/[_-]/);
  const pascal = words.map((word) => word[0].toUpperCase() + word.slice(1)).join("");
  const camel = pascal[0].toLowerCase() + pascal.slice(1);
  const added = TAKEN.has(camel) ? suffix : "";
  return { class: pascal + added, instance: camel + added };
}

/** Forms of a codec's name. Throws an Error for users when the name cannot be one. */
export function codecNames(name: string): CodecNames {
  if (!/^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new Error(`${name}: a name is up to 40 lower-case letters and digits, with single - or _ between them.`);
  }
  const hash = createHash("sha256").update(name).digest();
  // 0xe0 to 0xef: neither text nor TLS, nor the first byte of any codec here.
  const magic = Buffer.of(0xe0 | (hash[0] & 15), hash[1]).toString("hex");
  return { name, file: name.replaceAll("-", "_"), ...identifiers(name, "Codec"), magic };
}

/** The same for a filter: its name is that of its folder, so that there is no - in it. */
export function filterNames(name: string): Names {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new Error(`${name}: a filter's name is up to 40 lower-case letters and digits, with single _ between them.`);
  }
  return { name, file: name, ...identifiers(name, "Filter") };
}

/** A template with each `{{key}}` replaced. Throws if it asks for a value that there is not. */
export function render(template: string, values: Record<string, string>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    if (!(key in values)) throw new Error(`the template asks for ${key}`);
    return values[key];
  });
}

/** What is registered where: `codecs.register(x)`, imported from `FOLDER/x/x`. */
export interface Registration {
  registry: "codecs" | "filters";
  /** Of the things registered, as imports of that file have it. */
  folder: string;
  /** For messages. */
  path: string;
}

/** A source with something registered after the others. Throws if it has that name already. */
export function register(source: string, names: Names, { registry, folder, path }: Registration): string {
  const taken = new RegExp(`\\b(${names.instance}|${names.class})\\b`);
  if (taken.test(source)) throw new Error(`${names.instance} is in ${path} already.`);
  const from = folder.replaceAll(".", "\\.");
  const added = `import { ${names.instance} } from "${folder}/${names.file}/${names.file}";`;
  const withImport = afterLast(source, new RegExp(`^import .* from "${from}/.*;$`, "gm"), added, path);
  const call = new RegExp(`^${registry}\\.register\\(.*\\);$`, "gm");
  return afterLast(withImport, call, `${registry}.register(${names.instance});`, path);
}

/** The text with a line put in after the last one that matches. */
function afterLast(text: string, line: RegExp, added: string, path: string): string {
  const last = [...text.matchAll(line)].at(-1);
  if (last === undefined) throw new Error(`${path} has no line like ${line.source}`);
  const end = last.index + last[0].length;
  return `${text.slice(0, end)}\n${added}${text.slice(end)}`;
}
