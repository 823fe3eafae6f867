import { ObjectReader } from "../config/object";
import { Regex } from "./regex";

/** Compiles the expression in a field; null, with an error, when it is refused. */
export function readRegex(from: ObjectReader, field: string): Regex | null {
  const compiled = Regex.compile(from.string(field));
  if (compiled.regex === null) from.fail(field, compiled.error);
  return compiled.regex;
}
