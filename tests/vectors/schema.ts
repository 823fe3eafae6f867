// The part of JSON Schema (draft 2020-12) that the filters' schemas use. A keyword that it does not know is an error.

export type Schema = { [keyword: string]: unknown };
type Check = (value: unknown, argument: never, schema: Schema, root: Schema) => string[];

const NOTES = ["$schema", "$defs", "title", "description", "default"];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function hasType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  return type === "object" ? isObject(value) : typeof value === type;
}

const fail = (wrong: boolean, text: string): string[] => (wrong ? [text] : []);

const CHECKS: Record<string, Check> = {
  type: (value, type: string) => fail(!hasType(value, type), `is no ${type}`),
  enum: (value, allowed: unknown[]) => fail(!allowed.includes(value), "is none of those allowed"),
  minimum: (value, least: number) => fail(typeof value === "number" && value < least, `is below ${least}`),
  maximum: (value, most: number) => fail(typeof value === "number" && value > most, `is above ${most}`),
  minLength: (value, least: number) => fail(typeof value === "string" && value.length < least, "is too short"),
  pattern: (value, text: string) =>
    fail(typeof value === "string" && !new RegExp(text, "u").test(value), "matches not"),
  minItems: (value, least: number) => fail(Array.isArray(value) && value.length < least, "has too few items"),
  maxLength: (value, most: number) => fail(typeof value === "string" && value.length > most, "is too long"),
  maxItems: (value, most: number) => fail(Array.isArray(value) && value.length > most, "has too many items"),
  items: (value, item: Schema, _, root) =>
    Array.isArray(value) ? value.flatMap((one) => violations(one, item, root)) : [],
  required: (value, names: string[]) =>
    isObject(value) ? names.filter((name) => !(name in value)).map((name) => `lacks ${name}`) : [],
  properties: (value, properties: Record<string, Schema>, _, root) =>
    Object.entries(isObject(value) ? value : {}).flatMap(([name, one]) =>
      name in properties ? violations(one, properties[name], root).map((text) => `${name} ${text}`) : [],
    ),
  additionalProperties: (value, allowed: false | Schema, schema, root) => {
    const known = Object.keys((schema.properties as object | undefined) ?? {});
    const unknown = Object.entries(isObject(value) ? value : {}).filter(([name]) => !known.includes(name));
    return unknown.flatMap(([name, one]) =>
      allowed === false ? [`must not have ${JSON.stringify(name)}`] : violations(one, allowed, root),
    );
  },
  $ref: (value, path: string, _, root) =>
    violations(value, (root.$defs as Record<string, Schema>)[path.replace("#/$defs/", "")], root),
  oneOf: (value, schemas: Schema[], _, root) =>
    fail(schemas.filter((schema) => violations(value, schema, root).length === 0).length !== 1, "fits not exactly one"),
};

/** What is wrong with a value; empty: it is valid. Throws on a keyword that is not known. `root` has the `$defs`. */
export function violations(value: unknown, schema: Schema, root: Schema = schema): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (NOTES.includes(keyword)) return [];
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    return check(value, argument as never, schema, root);
  });
}
