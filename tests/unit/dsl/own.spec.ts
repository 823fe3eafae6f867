// What is not MOSN's: differences (filters/stream/dsl/README.md), messages, bounds, hostile input, effects.
import { Bytes } from "../../../assembly/bytes/bytes";
import { Attribute } from "../../../assembly/dsl/attributes";
import { Expression } from "../../../assembly/dsl/expression";
import { Fault, lastFault } from "../../../assembly/dsl/fault";
import { TestAttributes } from "./attributes";
import { evaluate } from "./evaluate";

/** Expressions that MOSN makes something else of. */
const DIFFERENCES: string[][] = [
  ['dnsName("xn--bcher-kva.de")', "dnsName xn--bcher-kva.de"],
  ['dnsName("b\u00fccher.de")', "dnsName failed"],
  ['double("0x1p-2")', "double failed"],
  ["9223372036854775807 + 1", "int failed"],
  ["-9223372036854775808 - 1", "int failed"],
  ["-9223372036854775808 / -1", "int failed"],
  ["-9223372036854775808 % -1", "int 0"],
  ["-9223372036854775808 * -1", "int failed"],
  ["-1 * -9223372036854775808", "int failed"],
  ["3037000500 * 3037000500", "int failed"],
  ["-(-9223372036854775808)", "int failed"],
  ['"2562047h" + "1h"', "duration failed"],
  ["0x1f", "int 31"],
  ["0x7fffffffffffffff", "int 9223372036854775807"],
  ["-0x10", "int -16"],
  ['timestamp("2021-03-04T05:06:07Z").getMinutes("+05:30")', "int 36"],
  ['timestamp("2021-03-04T05:06:07Z").getHours("Europe/Berlin")', "int failed"],
  ['(request.headers["a"] | request.headers["b"]) | "c"', "string c"],
  ['toLower("A\u00c4")', "string a\u00c4"],
  ["true\n&& true", "bool true"],
  ["0.0 / 0.0 <= 1.0", "bool false"],
  ["has(response.headers) || has(request.headers) && has(request.query_params)", "bool true"],
];

/** Expressions that are refused, and parts of what is said. */
const REFUSED: string[][] = [
  ["", "line 1, column 1: expected a name, a number, a text or a parenthesis, got the end"],
  ["true\n  && x", 'line 2, column 6: unknown name "x"; allowed: true, false, origin, request'],
  ["request", '"request" is no value; allowed: request.time'],
  ["request.foo", '"request.foo" is unknown; allowed: request.time, request.host'],
  ["request.auth", '"request.auth" is no value; allowed: request.auth.principal'],
  ['request["host"]', '"request" is no map; write request.NAME'],
  ["request.host.foo", 'string has no field "foo"; only maps have'],
  ["request.headers[1]", "no index map[int]; allowed: map[string]"],
  ["1 + 1.0", "no int + double"],
  ["1 && true", "no int && bool; allowed: bool && bool"],
  ["!1", "no !int; allowed: !bool"],
  ['-"a"', "no -string; allowed: -int, -double"],
  ["f(1)", 'unknown function "f"; allowed: conditional, has'],
  ['match("a")', "no match(string); allowed: match(string, string)"],
  ['"a".contains(1)', "no string.contains(int); allowed: string.contains(string)"],
  ['ctx.rewrite_request_url("0")', '"0" is a duration'],
  ["size(request.headers)", "no size(map)"],
  ["request.headers == request.headers", "no map == map"],
  ["ctx == ctx", "no ctx == ctx"],
  ["null == null", 'unknown name "null"'],
  ["dyn(1) == 1", 'unknown function "dyn"'],
  ["duration(5)", "no duration(int)"],
  ['"a,b".split(",")', 'unknown function "split"'],
  ['"(".matches("a")', "missing )"],
  ['request.host.matches("a")', "the pattern of matches stands in front"],
  ['"a".matches(1)', "no string.matches(int)"],
  ['"a" | 1', "string | int: both sides must be of the same type"],
  ["conditional(true, 1)", "conditional needs three values"],
  ["conditional(1, 2, 3)", "no conditional(int, int, int)"],
  ['has("a")', "has needs an attribute"],
  ["pick()", "pick needs a value"],
  ["017", "no number"],
  ["9223372036854775808", "the number is too large"],
  ["0x8000000000000000", "the number is too large"],
  ["1e999", "the number is too large"],
  ["'ab'", "single quotes hold one character"],
  ["`a`", "no text in back quotes"],
  ['"\\q"', "no escape; allowed"],
  ['"\\ud800"', "no escape; allowed"],
  ['"a', "the text does not end"],
  ["/* a", "the comment does not end"],
  ["1 /* a", "the comment does not end"],
  ["a ? b : c", '"?" is no operator; allowed'],
  ["(true", 'expected ")", got the end'],
  ["true true", 'expected an operator, got "true"'],
  ["request.if", '"if" is a word of Go\'s'],
];

const source = new TestAttributes();
let next = 0;

describe("differences from MOSN", () => {
  for (let i = 0; i < DIFFERENCES.length; i++) {
    test(DIFFERENCES[i][0], () => {
      const row = DIFFERENCES[next++];
      expect(evaluate(row[0], source)).toBe(row[1], row[0]);
    });
  }
});

describe("messages", () => {
  test("say where, what, and what is allowed", () => {
    for (let i = 0; i < REFUSED.length; i++) {
      const got = evaluate(REFUSED[i][0], source);
      expect(got.startsWith("refused: expression line ")).toBe(true, REFUSED[i][0] + " -> " + got);
      expect(got.includes(REFUSED[i][1])).toBe(true, REFUSED[i][0] + " -> " + got);
    }
  });
});

describe("effects", () => {
  beforeEach(() => {
    source.effects = [];
    source.answer = true;
    source.calls = 0;
  });

  test("happen in order, with the values of then", () => {
    const text = `ctx.rewrite_request_url("/" + request.host) && ctx.add_request_header("a", "b") &&
      ctx.del_request_header("c") && ctx.add_response_header("d", "e") && ctx.del_response_header("f")`;
    expect(evaluate(text, source)).toBe("bool true");
    expect(source.effects.join("; ")).toBe("path /test.local; request a: b; request -c; response d: e; response -f");
  });

  test("that could not happen are false", () => {
    source.answer = false;
    expect(evaluate('ctx.add_request_header("a", "b") || ctx.del_request_header("a")', source)).toBe("bool false");
    expect(source.effects.length).toBe(2);
  });

  test("only the chosen side of conditional and | is evaluated", () => {
    const effect = 'ctx.add_request_header("n", "1")';
    evaluate(`conditional(false, ${effect}, true)`, source);
    evaluate(`conditional(true, true, ${effect})`, source);
    evaluate(`true || ${effect}`, source);
    evaluate(`false && ${effect}`, source);
    evaluate(`request.host | string(${effect})`, source);
    expect(source.effects.length).toBe(0);
    evaluate(`request.headers["x"] == "" || ${effect}`, source);
    expect(source.effects.length).toBe(1);
  });

  test("an attribute is asked for once for each place that names it", () => {
    evaluate('request.host | "x"', source);
    expect(source.calls).toBe(1);
    source.calls = 0;
    evaluate('request.headers["dsl"] | "x"', source);
    expect(source.calls).toBe(2);
  });
});

describe("bounds", () => {
  test("length, parts and levels", () => {
    expect(evaluate("1" + " ".repeat(8191), source)).toBe("int 1");
    expect(evaluate("1" + " ".repeat(8192), source).includes("longer than 8192 characters")).toBe(true);
    expect(evaluate("1" + " + 1".repeat(98), source)).toBe("int 99");
    expect(evaluate("1" + " + 1".repeat(99), source)).toBe("int 100");
    expect(evaluate("1" + " + 1".repeat(100), source).includes("more than 100 levels")).toBe(true);
    const deep: string[] = ["(", "!", "-", 'toLower("a"[', "f(", "a.", "conditional(true, "];
    for (let i = 0; i < deep.length; i++) {
      const got = evaluate(deep[i].repeat(8000 / deep[i].length), source);
      expect(got.startsWith("refused: ")).toBe(true, deep[i] + " -> " + got);
    }
    const wide = "true" + " && (true && true && true && true && true && true && true)".repeat(60);
    expect(evaluate(wide, source)).toBe("bool true");
    const flat = "pick(" + "1,".repeat(2000) + "1)";
    expect(evaluate(flat, source).includes("more than 1024 parts")).toBe(true);
  });

  test("the texts of an evaluation: what is too long fails, and the next evaluation is whole", () => {
    const request = new TestAttributes();
    request.give(Attribute.REQUEST_HOST, "x".repeat(100000));
    expect(evaluate("size(request.host + request.host)", request)).toBe("int 200000");
    const many = "request.host" + " + request.host".repeat(11);
    expect(evaluate("size(" + many + ")", request)).toBe("int failed");
    expect(lastFault()).toBe(Fault.TOO_LONG);
    expect(evaluate("size(request.host)", request)).toBe("int 100000");
    expect(evaluate('request.host.replace("x", request.host) == ""', request)).toBe("bool failed");
    expect(evaluate('request.host.replace("", "yyyyyyyyyyyyyyyyyyyyyyyy") == ""', request)).toBe("bool failed");
    expect(evaluate("request.host.contains(request.host)", request)).toBe("bool failed");
    expect(evaluate("request.host == request.host", request)).toBe("bool true");
  });

  test("an evaluation of 4,194,304 steps ends, one that takes more fails: of functions, searches, expressions, comparisons", () => {
    const request = new TestAttributes();
    request.give(Attribute.REQUEST_HOST, "a".repeat(60000));
    expect(evaluate("size(request.host" + ".trim()".repeat(68) + ")", request)).toBe("int 60000");
    expect(evaluate("size(request.host" + ".trim()".repeat(69) + ")", request)).toBe("int failed");
    expect(lastFault()).toBe(Fault.TOO_LONG);
    request.give(Attribute.REQUEST_HOST, "a".repeat(1000));
    const slow = '"(?:a?){200}b\\\\b".matches(request.host)';
    expect(evaluate(slow + (" || " + slow).repeat(5), request)).toBe("bool false");
    expect(evaluate(slow + (" || " + slow).repeat(20), request)).toBe("bool failed");
    request.give(Attribute.REQUEST_HOST, "a".repeat(4000));
    const search = 'request.host.contains("' + "a".repeat(80) + 'b")';
    expect(evaluate(search + (" || " + search).repeat(11), request)).toBe("bool false");
    expect(evaluate(search + (" || " + search).repeat(13), request)).toBe("bool failed");
    request.give(Attribute.REQUEST_HOST, "a".repeat(10000));
    const compare = 'request.host.trim() == "b"';
    expect(evaluate(compare + (" || " + compare).repeat(90), request)).toBe("bool false");
    // The next evaluation has all of them again.
    expect(evaluate(compare, request)).toBe("bool false");
  });

  test("bytes that are not UTF-8", () => {
    const request = new TestAttributes();
    const bytes = new StaticArray<u8>(3);
    bytes[0] = 0xff;
    bytes[1] = 0xc3;
    bytes[2] = 0x80;
    request.texts.set(Attribute.REQUEST_HOST, Bytes.copy(changetype<usize>(bytes), bytes.length));
    expect(evaluate("size(request.host)", request)).toBe("int 2");
    expect(evaluate("size(request.host.reverse())", request)).toBe("int 2");
    expect(evaluate("request.host.substring(1) == '\u00c0'", request)).toBe("bool true");
    expect(evaluate("dnsName(request.host) == dnsName(request.host)", request)).toBe("bool failed");
    expect(evaluate("string(uri(request.host))", request)).toBe("string %FF%C3%80");
  });
});

/** A generator that gives the same numbers each time. */
let seed: u32 = 12345;
function random(below: i32): i32 {
  seed = seed * 1664525 + 1013904223;
  return ((seed >> 8) % (below as u32)) as i32;
}

const TOKENS: string[] = [
  "request.host",
  "request.headers",
  "request.size",
  "request.time",
  "response.duration",
  "origin.ip",
  "ctx",
  "source.uid",
  '"a"',
  '"1s"',
  '"\u00e4bc"',
  "'0'",
  "0",
  "1",
  "-1",
  "9223372036854775807",
  "1.5",
  "true",
  "false",
  "(",
  ")",
  "[",
  "]",
  ",",
  ".",
  "+",
  "-",
  "*",
  "/",
  "%",
  "!",
  "|",
  "&&",
  "||",
  "==",
  "<",
  ">=",
  "match(",
  "reverse(",
  "toLower(",
  "size(",
  "string(",
  "int(",
  "double(",
  "bool(",
  "timestamp(",
  "duration(",
  "ip(",
  "uri(",
  "email(",
  "dnsName(",
  "has(",
  "pick(",
  "conditional(",
  ".charAt(",
  ".indexOf(",
  ".lastIndexOf(",
  ".replace(",
  ".substring(",
  ".trim()",
  ".getDate()",
  ".contains(",
  ".matches(",
  "//",
  "/*",
  "\n",
  "0x",
  "1e",
  "\\",
  "`",
  "\u{1f600}",
  "if",
  "emptyStringMap()",
  ".rewrite_request_url(",
  ".add_request_header(",
];

/** A text of a request that is no good anywhere. */
const TEXTS: string[] = [
  "",
  ":",
  "//",
  "http://",
  "[",
  "%",
  "%zz",
  "@",
  '"',
  "a@",
  "-",
  ".",
  "::",
  "+",
  "e",
  "0x",
  "*",
  "\t",
  "9".repeat(400),
];

describe("hostile input", () => {
  test("any sequence of tokens compiles or is refused, and what compiles evaluates or fails", () => {
    const request = new TestAttributes();
    let compiled = 0;
    let faults = 0;
    for (let i = 0; i < 8000; i++) {
      let text = "";
      for (let n = 1 + random(8); n > 0; n--) text += TOKENS[random(TOKENS.length)];
      const outcome = Expression.compile(text);
      const expression = outcome.expression;
      if ((expression === null) != outcome.error.length > 0) faults++;
      if (expression === null) continue;
      compiled++;
      expression.evaluate(request);
    }
    expect(faults).toBe(0);
    expect(compiled > 200).toBe(true, compiled.toString());
  });

  test("any text of a request goes through every function", () => {
    let faults = 0;
    const one: string[] = [
      "email",
      "dnsName",
      "uri",
      "ip",
      "int",
      "double",
      "bool",
      "timestamp",
      "duration",
      "reverse",
      "size",
    ];
    const request = new TestAttributes();
    for (let i = 0; i < one.length; i++) {
      const expression = Expression.compile(`${one[i]}(request.host) == ${one[i]}(request.path)`).expression;
      expect(expression !== null).toBe(true, one[i]);
      if (expression === null) continue;
      for (let j = 0; j < TEXTS.length * TEXTS.length; j++) {
        request.give(Attribute.REQUEST_HOST, TEXTS[j / TEXTS.length]);
        request.give(Attribute.REQUEST_PATH, TEXTS[j % TEXTS.length]);
        const value = expression.evaluate(request);
        if (value !== null && value.integer > 1) faults++;
      }
    }
    expect(faults).toBe(0);
  });
});
