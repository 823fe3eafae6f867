import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Regex } from "../../../assembly/router/regex/regex";

function match(pattern: string, text: string): string {
  const compiled = Regex.compile(pattern);
  const regex = compiled.regex;
  if (regex === null) return compiled.error;
  const bytes = Bytes.of(text);
  return regex.matches(bytes.ptr, bytes.length) ? "yes" : "no";
}

function replace(pattern: string, text: string, by: string): string {
  const compiled = Regex.compile(pattern);
  const regex = compiled.regex;
  if (regex === null) return compiled.error;
  const replacement = regex.replacement(by);
  if (replacement === null) return "too large";
  const bytes = Bytes.of(text);
  const out = new ByteBuffer();
  regex.replaceAll(bytes.ptr, bytes.length, replacement, out);
  const result = String.UTF8.decodeUnsafe(out.ptr, out.length, false);
  out.free();
  return result;
}

describe("Regex", () => {
  test("matches", () => {
    expect(match("a(b|c)*d", "xxabcbcdxx")).toBe("yes");
    expect(match("^a(b|c)*d$", "xabd")).toBe("no");
    expect(match("(a*)*b", "a".repeat(5000))).toBe("no");
    expect(match("(?i)k", "\u212a")).toBe("yes");
    expect(match("a(?=b)", "ab")).toBe("look-around is not supported at offset 1");
    expect(replace("a(x*)b", "-ab-axxb-", "${1}W")).toBe("-W-xxW-");
  });
});
