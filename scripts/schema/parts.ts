// What the JSON schemas of the configuration are put together from: one function for each getter of ObjectReader.

export type Schema = { [keyword: string]: unknown };

/** A duration as Go spells it; `sign` is what may stand before it. */
const durationOf = (sign: string): string =>
  `^${sign}(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$`;
const NUMBER_TEXT = "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$";
export const U32_MAX = 4294967295;

const withDefault = (fallback: unknown): Schema => (fallback === undefined ? {} : { default: fallback });

export const flag = (description: string, fallback = false): Schema => ({
  description,
  type: "boolean",
  default: fallback,
});

export const text = (description: string, more: Schema = {}): Schema => ({ description, type: "string", ...more });

/** A string that must not be empty. */
export const name = (description: string): Schema => text(description, { minLength: 1 });

export const choice = (description: string, allowed: string[], fallback?: string): Schema => ({
  description,
  enum: allowed,
  ...withDefault(fallback),
});

export const integer = (description: string, minimum: number, maximum: number, fallback?: number): Schema => ({
  description,
  type: "integer",
  minimum,
  maximum,
  ...withDefault(fallback),
});

/** The schema without these keywords. */
export const without = (schema: Schema, ...keywords: string[]): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.includes(keyword)));

/** A number that may have a fraction: also as a string, whose range no schema can tell. */
export function decimal(schema: Schema): Schema {
  const { minimum, maximum } = schema;
  return {
    ...without(schema, "type", "minimum", "maximum"),
    anyOf: [
      { type: "number", minimum, maximum },
      { type: "string", pattern: NUMBER_TEXT },
    ],
  };
}

/** A duration; a schema cannot tell its range, so the description does. */
export function duration(description: string, from: string, to: string, fallback?: string): Schema {
  const pattern = durationOf(from.startsWith("-") ? "[-+]?" : "[+]?");
  return text(`${description}; ${from} to ${to}.`, { pattern, ...withDefault(fallback) });
}

export const list = (description: string, items: Schema, more: Schema = {}): Schema => ({
  description,
  type: "array",
  items,
  ...more,
});

/** An object with these fields and no others. */
export const object = (description: string, properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  description,
  type: "object",
  additionalProperties: false,
  properties,
  ...more,
});

/** An object whose fields have names of the user's own. */
export const map = (description: string, keys: Schema, values: Schema, more: Schema = {}): Schema => ({
  description,
  type: "object",
  propertyNames: keys,
  additionalProperties: values,
  ...more,
});

/** A field that the reader knows and refuses. */
export const refused = (description: string): Schema => ({ description, not: {} });

/** A field of MOSN's that may be given without effect only. */
export const inert = (description: string, value: string | boolean): Schema => ({
  description,
  type: typeof value,
  const: value,
});

/** One of the definitions. */
export const ref = (definition: string, description?: string): Schema => ({
  ...(description === undefined ? {} : { description }),
  $ref: `#/definitions/${definition}`,
});

/** An expression for a word in upper or lower case. */
export const anyCase = (word: string): string =>
  [...word].map((letter) => `[${letter.toUpperCase()}${letter}]`).join("");

/** What travels to Envoy as the value of a header. */
export const VISIBLE = "^[!-~]{1,255}$";
