import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { JsonValue } from "../../../assembly/config/value";
import { budget, Found } from "../../../assembly/regex/budget";
import { Regex } from "../../../assembly/regex/regex";
import { textAt } from "../router/request";
import { REGEX_VECTORS } from "./vectors";

/** "1" or "0", or why the pattern is refused. */
function match(pattern: string, text: string): string {
  const compiled = Regex.compile(pattern);
  const regex = compiled.regex;
  if (regex === null) return compiled.error;
  const bytes = Bytes.of(text);
  const first = regex.search(bytes.ptr, bytes.length);
  // The second time the automaton is warm.
  if (first != Found.FAILED) assert(regex.search(bytes.ptr, bytes.length) == first, pattern);
  return first == Found.FAILED ? "failed" : (first as i32).toString();
}

function replace(pattern: string, text: string, by: string): string {
  const compiled = Regex.compile(pattern);
  const regex = compiled.regex;
  if (regex === null) return compiled.error;
  const replacement = regex.replacement(by);
  if (replacement === null) return "too large";
  const bytes = Bytes.of(text);
  const out = new ByteBuffer();
  const replaced = regex.replaceAll(bytes.ptr, bytes.length, replacement, out);
  expect(replaced || out.length == 0).toBe(true);
  const result = replaced ? textAt(out.ptr, out.length) : text;
  out.free();
  return result;
}

function row(text: string): JsonValue[] {
  const bytes = Bytes.of(text);
  const value = parseJson(bytes.ptr, bytes.length, new ConfigErrors());
  return value === null ? [] : value.items;
}

/** Pattern, texts that match, texts that do not; as Go's regexp has it. */
const MATCHES: string[][][] = [
  [["abc"], ["abc", "xabcx"], ["ab", "ABC", ""]],
  [["^abc$"], ["abc"], ["abc\n", "\nabc", "xabc"]],
  [[""], ["", "x"], []],
  [["a.c"], ["abc", "a\u65e5c", "a\ud83d\ude00c"], ["a\nc", "ac"]],
  [["(?s)a.c"], ["a\nc"], ["ac"]],
  [["(?m)^b$"], ["a\nb\nc", "b"], ["ab", "bc"]],
  [["\\Ab\\z"], ["b"], ["a\nb", "b\n"]],
  [["(?m)\\Ab\\z"], ["b"], ["a\nb", "b\nc"]],
  [["a|b|"], ["a", "b", "c"], []],
  [["^(?:a|bc)*$"], ["", "abcabc"], ["ab"]],
  [["^a{2,3}$"], ["aa", "aaa"], ["a", "aaaa"]],
  [["^a{2}$"], ["aa"], ["a", "aaa"]],
  [["^a{2,}$"], ["aa", "aaaaa"], ["a"]],
  [["^a{0}$"], [""], ["a"]],
  [["^a{,2}$"], ["a{,2}"], ["a", "aa"]],
  [["^a{01}$"], ["a{01}"], ["a"]],
  [["^x{$"], ["x{"], []],
  [["^[a-c]+$"], ["abc"], ["", "abd"]],
  [["^[^a-c]+$"], ["xyz", "\n", "\u65e5"], ["a"]],
  [["^[]a]+$"], ["]a"], ["b"]],
  [["^[^]a]$"], ["b"], ["]", "a"]],
  [["^[a-]$"], ["-", "a"], ["b"]],
  [["^[\\d\\-x]+$"], ["1-x"], ["y"]],
  [["^[\\w\\s]+$"], ["aZ_9 \t"], ["-", "\u00e9"]],
  [["^[^\\W\\d]$"], ["a", "_"], ["1", "-"]],
  [["^[[:alpha:][:digit:]]+$"], ["aZ9"], ["_"]],
  [["^[[:^space:]]$"], ["a", "\u65e5"], [" ", "\u000b"]],
  [["^\\s$"], [" ", "\t", "\n", "\r", "\f"], ["\u000b", "\u00a0"]],
  [["^\\S\\D\\W$"], ["a-\u00e9"], ["a1-", " --"]],
  [["^[\u00e0-\u00fc\u65e5]+$"], ["\u00e9\u65e5"], ["e", "\u00fd"]],
  [["\\bfoo\\b"], ["foo", "a foo.", "\u00e9foo"], ["food", "_foo"]],
  [["\\Boo\\b"], ["foo"], ["oo", "foo1"]],
  [["^(?i)Foo-1$"], ["fOO-1"], ["foo_1"]],
  [["^a(?i)b(?-i)c$"], ["aBc", "abc"], ["Abc", "abC"]],
  [["^a(?i:b)c$"], ["aBc"], ["aBC"]],
  [["^(?i)[a-c]+$"], ["aBC"], ["d"]],
  [["^(?i)[^a-c]$"], ["d"], ["A", "a"]],
  [["^(?i)k$"], ["k", "K", "\u212a"], ["s"]],
  [["^(?i)[s\u212a]+$"], ["S\u017fkK"], ["x"]],
  [["^(?i)\\W$"], ["-"], ["\u017f", "\u212a", "a"]],
  [["(?i:a|b)|c"], ["A", "c"], ["C"]],
  [["a(?i)b|c"], ["aB", "C"], ["A"]],
  [["^\\x41\\x{e9}\\101\\t\\n\\.\\-\\_\\0$"], ["A\u00e9A\t\n.-_\0"], ["A"]],
  [["^\\Qa.b*\\E+$"], ["a.b*", "a.b***"], ["a.b", "axb*"]],
  [["\\Q(["], ["x(["], ["x("]],
  [["^(?P<x>a)(?<y>b)$"], ["ab"], ["a"]],
  [["^(?U)a+b$"], ["aab"], ["b"]],
  [["(a*)*$"], ["", "aa", "b"], []],
  [["^(a|b)*a(a|b){12}$"], ["abbbbbbbbbbbb", "bbabbbbbbbbbbbb"], ["bbbbbbbbbbbbb", "a"]],
  [["^[^\\x00-\\x{10FFFF}]"], [], ["", "a"]],
  [["x*$"], ["xx", ""], []],
  [["$^"], [""], ["a"]],
  [["(^|/)v1(/|$)"], ["v1", "/v1/", "a/v1"], ["v10", "av1/"]],
];

/** Pattern, text, replacement, result; as Go's ReplaceAllString has it. */
const REPLACEMENTS: string[][] = [
  ["a(x*)b", "-ab-axxb-", "$1", "--xx-"],
  ["a(x*)b", "-ab-axxb-", "$1W", "---"],
  ["a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"],
  ["(?P<n>x)(y)?", "xxy", "[${n}$2]", "[x][xy]"],
  ["a*", "baaac", "x", "xbxcx"],
  ["a*?", "baa", "x", "xbxaxax"],
  ["", "\u65e5b", "-", "-\u65e5-b-"],
  ["^", "ab", "-", "-ab"],
  ["$", "ab", "-", "ab-"],
  ["\\b", "ab cd", "|", "|ab| |cd|"],
  ["x", "x", "$$1", "$1"],
  ["x", "x", "$", "$"],
  ["x", "x", "a$ b", "a$ b"],
  ["x", "x", "${", "${"],
  ["x", "x", "${1", "${1"],
  ["x", "x", "$9-$x-${y}", "--"],
  ["x", "x", "$0$0", "xx"],
  ["x", "abc", "y", "abc"],
  ["(a)|b", "ab", "<$1>", "<a><>"],
  ["(a+)(b+)", "aabbab", "$2$1", "bbaaba"],
  ["(a|ab)(c|bcd)", "abcd", "[$1|$2]", "[a|bcd]"],
  ["(?:(a)|b)*", "abab", "<$1>", "<a>"],
  ["(|a)*", "aa", "<$0>", "<>a<>a<>"],
  ["(|a)+", "aa", "<$0>", "<>a<>a<>"],
  ["a{0}", "aa", "-", "-a-a-"],
  ["a{1,2}?", "aaa", "-", "---"],
  ["[\u00e0-\u00fc]", "\u00e9x\u00e8", "$0$0", "\u00e9\u00e9x\u00e8\u00e8"],
];

const REFUSED: string[][] = [
  ["(a", "missing ) for the group at offset 0"],
  ["a)", "unexpected ) at offset 1"],
  ["a(?:b", "missing ) for the group at offset 1"],
  ["[a", "missing ] for the class at offset 0"],
  ["[", "missing ] for the class at offset 0"],
  ["[]", "missing ] for the class at offset 0"],
  ["x[b-a]", "backward range in the class at offset 2"],
  ["[a-\\d]", "unknown escape at offset 3"],
  ["[[:foo:]]", "unknown class name at offset 1"],
  ["*a", "nothing to repeat at offset 0"],
  ["a|+", "nothing to repeat at offset 2"],
  ["(?i)*", "nothing to repeat at offset 4"],
  ["({2})", "nothing to repeat at offset 1"],
  ["a**", "nested repetition operators at offset 1"],
  ["a*?+", "nested repetition operators at offset 1"],
  ["a{2}{3}", "nested repetition operators at offset 1"],
  ["a{1001}", "repeat count beyond 1000 or backwards at offset 1"],
  ["a{1,99999999999}", "repeat count beyond 1000 or backwards at offset 1"],
  ["a{3,2}", "repeat count beyond 1000 or backwards at offset 1"],
  ["(?:(?:a{1000}){1000}){1000}", "pattern too large: its repetitions multiply"],
  ["(?:(?:(?:){1000}){1000}){1000}", "pattern too large: its repetitions multiply"],
  ["a\\", "trailing backslash at offset 1"],
  ["\\1", "backreferences are not supported at offset 0"],
  ["(a)\\1", "backreferences are not supported at offset 3"],
  ["\\q", "unknown escape at offset 0"],
  ["\\Z", "unknown escape at offset 0"],
  ["\\C", "unknown escape at offset 0"],
  ["\\x4", "unknown escape at offset 0"],
  ["\\x{}", "unknown escape at offset 0"],
  ["\\x{110000}", "unknown escape at offset 0"],
  ["\\pL", "Unicode classes (\\p) are not supported at offset 0"],
  ["[\\P{Greek}]", "Unicode classes (\\p) are not supported at offset 1"],
  ["a(?=b)", "look-around is not supported at offset 1"],
  ["a(?!b)", "look-around is not supported at offset 1"],
  ["(?<=a)b", "look-around is not supported at offset 0"],
  ["(?<!a)b", "look-around is not supported at offset 0"],
  ["(?>a)", "unknown group flags at offset 0"],
  ["(?x)a", "unknown group flags at offset 0"],
  ["(?i-)a", "unknown group flags at offset 0"],
  ["(?P<>a)", "malformed group name at offset 0"],
  ["(?P<a-b>a)", "malformed group name at offset 0"],
  ["(?P<a>a)(?P<a>b)", "duplicate group name at offset 8"],
  ["(?P=a)", "unknown group flags at offset 0"],
  ["(?i)\u00e9", "case-insensitive matching beyond ASCII is not supported at offset 4"],
  ["(?i)[a-\u00e9]", "case-insensitive matching beyond ASCII is not supported at offset 5"],
];

describe("Regex", () => {
  test("matches as Go's", () => {
    for (let i = 0; i < MATCHES.length; i++) {
      const pattern = MATCHES[i][0][0];
      for (let j = 0; j < MATCHES[i][1].length; j++)
        expect(match(pattern, MATCHES[i][1][j])).toBe("1", `${pattern} ${j}`);
      for (let j = 0; j < MATCHES[i][2].length; j++)
        expect(match(pattern, MATCHES[i][2][j])).toBe("0", `${pattern} !${j}`);
    }
  });

  test("matches and finds as JavaScript's, where the two agree", () => {
    for (let i = 0; i < REGEX_VECTORS.length; i++) {
      const cells = row(REGEX_VECTORS[i]);
      expect(match(cells[0].text, cells[1].text)).toBe(cells[2].text, REGEX_VECTORS[i]);
      expect(replace(cells[0].text, cells[1].text, "<$0>")).toBe(cells[3].text, REGEX_VECTORS[i]);
    }
  });

  test("replaces as Go's", () => {
    for (let i = 0; i < REPLACEMENTS.length; i++) {
      const cells = REPLACEMENTS[i];
      expect(replace(cells[0], cells[1], cells[2])).toBe(cells[3], cells.join(" "));
    }
  });

  test("refuses the rest, with the place", () => {
    for (let i = 0; i < REFUSED.length; i++) expect(match(REFUSED[i][0], "")).toBe(REFUSED[i][1], REFUSED[i][0]);
    expect(match("a".repeat(4096), "a")).toBe("0");
    expect(match("a".repeat(4097), "a")).toBe("pattern too long at offset 4096");
    expect(match("(".repeat(100) + ")".repeat(100), "pattern too long at offset 4096")).toBe(
      "more than 99 groups at offset 99",
    );
    expect(match("(?:".repeat(101) + ")".repeat(101), "")).toBe("groups nested deeper than 100 at offset 300");
    expect(match("(?:".repeat(100) + ")".repeat(100), "")).toBe("1");
  });

  test("takes bytes that are not UTF-8 for U+FFFD, one by one", () => {
    const bytes = heap.alloc(4);
    store<u32>(bytes, 0x62ff8061);
    const two = Regex.compile("^a..b$").regex;
    const replacement = Regex.compile("^a\ufffd\ufffdb$").regex;
    const byte = Regex.compile("\\x{ff}").regex;
    expect(two !== null && two.search(bytes, 4) == Found.YES).toBe(true);
    expect(replacement !== null && replacement.search(bytes, 4) == Found.YES).toBe(true);
    expect(byte !== null && byte.search(bytes, 4) == Found.YES).toBe(false);
    heap.free(bytes);
  });

  test("takes time linear in the text, whatever the pattern", () => {
    const patterns = [
      "(a*)*b",
      "(a|a)*b",
      "(a|aa)+$b",
      "(?:a?){500}a{500}b",
      "(.*)(.*)(.*)(.*)b",
      "^(([a-z])+.)+[A-Z]([a-z])+$",
    ];
    const text = "a".repeat(20000);
    for (let i = 0; i < patterns.length; i++)
      expect(match(patterns[i], text.substring(0, i == 3 ? 600 : 20000))).toBe("0");
    expect(replace("(a*)*b", text, "")).toBe(text);
  });

  test("goes on when the automaton has too many states", () => {
    const regex = Regex.compile("^(a|b)*a(a|b){10}$").regex;
    if (regex === null) return;
    let random: u32 = 3;
    for (let round = 0; round < 3000; round++) {
      let text = "";
      for (let i = 0; i < 40; i++) {
        random = random * 1664525 + 1013904223;
        text += random >> 31 == 0 ? "a" : "b";
      }
      const bytes = Bytes.of(text);
      assert((regex.search(bytes.ptr, bytes.length) == Found.YES) == (text.charAt(29) == "a"), text);
    }
  });

  test("refuses a replacement that needs too much memory", () => {
    expect(replace("(a{1000}){5}" + "()".repeat(60), "a", "")).toBe("too large");
    expect(replace("(a{100}){5}", "a".repeat(501), "$1").length).toBe(101);
  });

  test("a text of 65,536 bytes is searched, a longer one fails", () => {
    const patterns = ["b", "b$", "[bc]$", "\\bb"];
    for (let i = 0; i < patterns.length; i++) {
      expect(match(patterns[i], "-".repeat(65535) + "b")).toBe("1");
      expect(match(patterns[i], "-".repeat(65536) + "b")).toBe("failed");
      expect(match(patterns[i], "-".repeat(65536))).toBe("0");
    }
    expect(replace("b+", "-".repeat(65535) + "b", "c")).toBe("-".repeat(65535) + "c");
    expect(replace("b+", "-".repeat(65535) + "bb", "c")).toBe("-".repeat(65535) + "bb");
  });

  test("a search of 1,048,576 steps ends, one that takes more fails: of the machine, the automaton, a prefix", () => {
    // A word boundary has no automaton; at each character two hundred repetitions wait.
    const slow = "(?:a?){200}b\\b";
    expect(match(slow, "a".repeat(1000))).toBe("0");
    expect(match(slow, "a".repeat(4000))).toBe("failed");
    // Characters that are not ASCII are no column of the table.
    const wide = "(?:\u00e9?){400}b$";
    expect(match(wide, "\u00e9".repeat(500))).toBe("0");
    expect(match(wide, "\u00e9".repeat(3000))).toBe("failed");
    expect(match("a".repeat(60) + "b", "a".repeat(16000))).toBe("0");
    expect(match("a".repeat(60) + "b", "a".repeat(20000))).toBe("failed");
    // Replacing has one budget, not one for each match.
    expect(replace("a(?:.*b)?", "a".repeat(100), "c")).toBe("c".repeat(100));
    expect(replace("a(?:.*b)?", "a".repeat(3000), "c")).toBe("a".repeat(3000));
  });

  test("odd texts cannot disable the automaton for good", () => {
    const compiled = Regex.compile("(a|b)*a(a|b){10}c|d").regex;
    if (compiled === null) return;
    let random: u32 = 3;
    const plain = Bytes.of("x".repeat(1000) + "d");
    for (let round = 0; round < 40; round++) {
      let text = "";
      for (let i = 0; i < 400; i++) {
        random = random * 1664525 + 1013904223;
        text += random >> 31 == 0 ? "a" : "b";
      }
      const bytes = Bytes.of(text);
      expect(compiled.search(bytes.ptr, bytes.length)).toBe(Found.NO);
    }
    // The machine takes a dozen steps for each character; the automaton, once it is warm, none that count.
    expect(compiled.search(plain.ptr, plain.length)).toBe(Found.YES);
    expect(budget.spent > 5000).toBe(true);
    for (let i = 0; i < 128; i++) compiled.search(plain.ptr, plain.length);
    expect(budget.spent).toBe(0);
  });

  test("never traps on any pattern", () => {
    const alphabet = "()[]{}*+?\\|^$.-,a1:Pidsw<>=!\u00e9";
    let random: u32 = 11;
    for (let round = 0; round < 20000; round++) {
      let pattern = "";
      for (let i = 0; i < round % 12; i++) {
        random = random * 1664525 + 1013904223;
        pattern += alphabet.charAt(((random >> 8) % (alphabet.length as u32)) as i32);
      }
      match(pattern, "a1-\u00e9:");
    }
  });
});
