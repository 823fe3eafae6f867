import { Bytes } from "../bytes/bytes";
import { ByteBuffer } from "../bytes/buffer";
import { decodeRune } from "../bytes/utf8";
import { budget, Found, MAX_TEXT } from "./budget";
import { Compiler } from "./compiler";
import { Dfa } from "./dfa";
import { machine } from "./machine";
import { Parser } from "./parser";
import { NOWHERE, Program } from "./program";
import { Replacement } from "./replacement";
import { Scanner } from "./scanner";

/** Longest pattern, bytes. */
const MAX_PATTERN: i32 = 4096;
/** Most places kept for a replacement: instructions times slots. */
const MAX_PLACES: i32 = 1 << 18;

/** Outcome of `Regex.compile`. */
export class CompiledRegex {
  regex: Regex | null = null;
  /** Why there is none, with the byte offset in the pattern. */
  error: string = "";
}

/**
 * A regular expression with RE2's meaning (MOSN uses Go's regexp), matched in time linear in the text. What is not
 * accepted: see `Parser`. Texts are UTF-8; other bytes match as U+FFFD, one at a time.
 */
export class Regex {
  private readonly dfa: Dfa | null;

  private constructor(
    private readonly program: Program,
    private readonly names: string[],
  ) {
    this.dfa = program.literal ? null : Dfa.of(program);
  }

  /** Compiles `pattern`. */
  static compile(pattern: string): CompiledRegex {
    const out = new CompiledRegex();
    const bytes = Bytes.of(pattern);
    const scanner = new Scanner(bytes.ptr, bytes.length);
    if (bytes.length > MAX_PATTERN) scanner.fail(MAX_PATTERN, "pattern too long");
    const parser = new Parser(scanner);
    const node = parser.pattern();
    out.error = scanner.error;
    if (out.error.length > 0) return out;
    const program = new Compiler().program(node);
    if (program === null) {
      out.error = "pattern too large: its repetitions multiply";
      return out;
    }
    machine.prepare(program, 0);
    out.regex = new Regex(program, parser.names);
    return out;
  }

  /** Whether the pattern matches anywhere in the bytes. A text that is too long, or takes too many steps, fails. */
  search(ptr: usize, length: i32): Found {
    if (length > MAX_TEXT) return Found.FAILED;
    budget.begin();
    if (this.program.literal) {
      const at = this.program.skip(ptr, length, 0);
      return at >= 0 ? Found.YES : at == NOWHERE ? Found.NO : Found.FAILED;
    }
    const dfa = this.dfa;
    if (dfa !== null && dfa.worthwhile()) {
      const answer = dfa.search(ptr, length);
      if (answer >= 0) return answer as Found;
    }
    return machine.run(this.program, ptr, length, 0, 0);
  }

  /**
   * Prepares a replacement text in Go's syntax: $1, ${1}, $name, ${name}, $$; the name is as long as can be, and a group
   * that does not exist is empty. Null when the pattern is too large for replacements.
   */
  replacement(text: string): Replacement | null {
    const slots = this.names.length * 2;
    if (this.program.length * slots > MAX_PLACES) return null;
    machine.prepare(this.program, slots);
    return new Replacement(text, this.names);
  }

  /**
   * Appends the text to `out` with every match replaced, as Go's ReplaceAll: leftmost matches that do not overlap, an
   * empty one not right after another. `replacement` comes from this object's `replacement()`. False, and nothing is
   * appended: there is no match, or it fails as `search` does.
   */
  replaceAll(ptr: usize, length: i32, replacement: Replacement, out: ByteBuffer): bool {
    if (length > MAX_TEXT) return false;
    budget.begin();
    const slots = this.names.length * 2;
    const before = out.length;
    let copied = 0;
    let from = 0;
    let found = Found.YES;
    while (from <= length) {
      found = machine.run(this.program, ptr, length, from, slots);
      if (found != Found.YES) break;
      const start = machine.found[0];
      const end = machine.found[1];
      out.append(ptr + (copied as usize), start - copied);
      if (end > copied || start == 0) replacement.append(ptr, machine.found, out);
      copied = end;
      const width = from < length ? ((decodeRune(ptr + (from as usize), length - from) & 7) as i32) : 1;
      from = max(end, from + width);
    }
    if (found == Found.FAILED || from == 0) {
      out.truncate(before);
      return false;
    }
    out.append(ptr + (copied as usize), length - copied);
    return true;
  }
}
