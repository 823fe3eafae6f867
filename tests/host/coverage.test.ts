// What `npm run coverage` counts: each statement of a body once, and nothing of the program changes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { instrument } from "../coverage/instrument.ts";

/** The instrumented text without the declaration, and the lines. */
function instrumented(text: string): [string, number[]] {
  const { text: after, lines } = instrument(text, 10);
  return [after.split("\n// @ts-ignore: decorator\n@lazy")[0].replaceAll("__hit__", "hit"), lines];
}

describe("coverage", () => {
  it("a call before each statement of a body, numbered on", () => {
    const text = "const a = 1;\nfunction f(): i32 {\n  let b = a;\n  return b;\n}";
    const wanted = "const a = 1;\nfunction f(): i32 {\n  hit(10);let b = a;\n  hit(11);return b;\n}";
    assert.deepEqual(instrumented(text), [wanted, [3, 4]]);
  });

  it("bodies without braces get some, also behind else and in loops", () => {
    const text = "function f(a: i32): void {\n  if (a) g();\n  else if (b) h();\n  else for (;;) a++;\n}";
    const [after, lines] = instrumented(text);
    assert.equal(after.split("\n")[1], "  hit(10);if (a) {hit(11);g();}");
    assert.equal(after.split("\n")[2], "  else {hit(12);if (b) {hit(13);h();}");
    assert.equal(after.split("\n")[3], "  else {hit(14);for (;;) {hit(15);a++;}}}");
    assert.deepEqual(lines, [2, 2, 3, 3, 4, 4]);
  });

  it("cases, decorated functions, constructors", () => {
    const text =
      "class A extends B {\n  constructor() {\n    super();\n    this.a = 1;\n  }\n" +
      "  // @ts-ignore: decorator\n  @inline\n  f(a: i32): i32 {\n    switch (a) {\n      case 1:\n        return 1;\n      default:\n        break;\n    }\n    return 0;\n  }\n}";
    const [after] = instrumented(text);
    assert.ok(after.includes("    super();hit("), "nothing before super()");
    assert.ok(/case 1:\n {8}hit\(\d+\);return 1;\n {6}default:\n {8}hit\(\d+\);break;/.test(after));
    assert.ok(/@inline\n {2}f\(a: i32\): i32 \{\n {4}hit\(\d+\);switch/.test(after));
  });

  it("what has no body stays as it is", () => {
    const text =
      'export declare function f(a: i32): i32;\n// @ts-ignore: decorator\n@external("env", "g")\ndeclare function g(): void;\n';
    assert.deepEqual(instrument(text, 0), { text, lines: [] });
  });
});
