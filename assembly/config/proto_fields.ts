import { ObjectReader } from "./object";

/**
 * Gives the fields of a protobuf message the names that the message has: JSON of protobuf also spells them in camelCase
 * ("prefixLen" for "prefix_len"), and MOSN takes both. Not for maps, whose keys are names of users.
 */
export function protoFields(from: ObjectReader): ObjectReader {
  const members = from.value.members;
  const names = members.keys();
  for (let i = 0; i < names.length; i++) {
    const name = snakeCase(names[i]);
    // With both spellings the other one is unknown.
    if (name == names[i] || members.has(name)) continue;
    members.set(name, members.get(names[i]));
    members.delete(names[i]);
  }
  return from;
}

function snakeCase(name: string): string {
  let out = "";
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const capital = c >= 0x41 && c <= 0x5a;
    out += capital ? "_" + String.fromCharCode(c | 0x20) : name.charAt(i);
  }
  return out;
}

/**
 * The name of the one field of a `oneof` that an object has; "" with an error where there is none, or more than one.
 * @param names all of them
 */
export function oneOf(from: ObjectReader, names: string[]): string {
  let found = "";
  let count = 0;
  for (let i = 0; i < names.length; i++) {
    if (!from.has(names[i])) continue;
    if (count++ == 0) found = names[i];
  }
  if (count == 1) return found;
  from.refuse("expected exactly one of " + names.join(", "));
  return "";
}
