import { Bytes } from "../bytes/bytes";
import { ByteBuffer } from "../bytes/buffer";
import { isAlphanumeric } from "../bytes/ascii";

/** A replacement text taken apart: literal parts, and the groups that go between them. */
export class Replacement {
  /** `literals[i]` stands before `groups[i]`; the last one has no group (-1). */
  private readonly literals: Bytes[] = [];
  private readonly groups: i32[] = [];

  /** @param names of the groups by number */
  constructor(text: string, names: string[]) {
    let literal = "";
    let at = 0;
    while (at < text.length) {
      const dollar = text.indexOf("$", at);
      if (dollar < 0) break;
      literal += text.substring(at, dollar);
      const braced = dollar + 1 < text.length && text.charCodeAt(dollar + 1) == 0x7b;
      const start = dollar + (braced ? 2 : 1);
      const end = nameEnd(text, start);
      const closed = end < text.length && text.charCodeAt(end) == 0x7d;
      if (end > start && (!braced || closed)) {
        this.push(literal, groupOf(text.substring(start, end), names));
        literal = "";
        at = braced ? end + 1 : end;
      } else {
        literal += "$";
        // "$$" is one dollar sign, one that starts no name stands for itself.
        at = dollar + (text.startsWith("$", dollar + 1) ? 2 : 1);
      }
    }
    this.push(literal + text.substring(at), -1);
  }

  private push(literal: string, group: i32): void {
    this.literals.push(Bytes.of(literal));
    this.groups.push(group);
  }

  /** Appends the replacement for a match in the text at `ptr`, whose groups are at `places`. */
  append(ptr: usize, places: StaticArray<i32>, out: ByteBuffer): void {
    for (let i = 0; i < this.literals.length; i++) {
      const literal = this.literals[i];
      const slot = this.groups[i] * 2;
      out.append(literal.ptr, literal.length);
      if (slot < 0 || slot + 1 >= places.length) continue;
      const start = places[slot];
      if (start >= 0) out.append(ptr + (start as usize), places[slot + 1] - start);
    }
  }
}

function nameEnd(text: string, from: i32): i32 {
  let at = from;
  while (at < text.length && (isAlphanumeric(text.charCodeAt(at)) || text.charCodeAt(at) == 0x5f)) at++;
  return at;
}

/** The number of the group; -1 when there is none. */
function groupOf(name: string, names: string[]): i32 {
  let number = 0;
  for (let i = 0; i < name.length; i++) {
    const digit = name.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return names.indexOf(name);
    number = min(number * 10 + digit, 1000);
  }
  return number < names.length ? number : -1;
}
