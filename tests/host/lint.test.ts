// The static gate finds what it is there for, and lets pass what is right.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolve } from "node:path";
import { ESLint } from "eslint";
import { gateFaults } from "../../scripts/gate.ts";

const root = resolve(import.meta.dirname, "../..");
const eslint = new ESLint({ cwd: root });

/** The rules that a text in place of this file breaks, in order. */
async function broken(path: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: resolve(root, path) });
  return result.messages.map(({ ruleId, message }) => ruleId ?? message);
}

const IN_PROXY = "assembly/proxy/some.ts";
const inFunction = (line: string) => `export function some(at: i32): i32 {\n  ${line}\n  return at;\n}\n`;

/** What is refused in a file of the module: what it is, the rule, the file, its text. */
const REFUSED: [string, string, string, string][] = [
  ["throw", "no-restricted-syntax", IN_PROXY, inFunction(`throw new Error("no");`)],
  ["throw in a filter", "no-restricted-syntax", "filters/stream/fault/some.ts", inFunction(`throw new Error("no");`)],
  ["an unchecked !", "no-restricted-syntax", IN_PROXY, inFunction("at = find(at)!.value;")],
  ["an assertion", "no-restricted-syntax", IN_PROXY, inFunction("assert(at > 0);")],
  ["an import of a higher layer", "moe/layers", "assembly/bytes/some.ts", `import "../host/log";\n`],
  ["the same as an export", "moe/layers", "assembly/bytes/some.ts", `export { log } from "../host/log";\n`],
  ["HTTP in the RPC proxy", "moe/layers", IN_PROXY, `import "../http/uri";\n`],
  [
    "a filter that imports a filter",
    "moe/layers",
    "filters/stream/fault/some.ts",
    `import "../ip_access/ip_access";\n`,
  ],
  ["a codec that imports a filter", "moe/layers", "filters/codec/bolt/some.ts", `import "../../stream/fault/fault";\n`],
  ["a codec that imports a codec", "moe/layers", "filters/codec/bolt/some.ts", `import "../boltv2/boltv2";\n`],
  ["the module in a filter", "moe/layers", "filters/stream/fault/some.ts", `import "../../network/moe";\n`],
  ["tests in the module", "moe/layers", IN_PROXY, `import "../../tests/unit/frames";\n`],
  ["an import circle of three files", "moe/circles", "assembly/upstream/host.ts", `import "./pool";\n`],
  ["a folder that is no layer", "moe/layers", "assembly/other/some.ts", `import "../bytes/bytes";\n`],
  ["a log line without a guard", "moe/guarded-log", "assembly/proxy/root.ts", inFunction("log(1, `at ${at}`);")],
  ["one that is glued", "moe/guarded-log", IN_PROXY, inFunction(`log(1, "at " + name(at));`)],
  ["one in the else of a guard", "moe/guarded-log", IN_PROXY, inFunction("if (logs(1)) at++; else log(1, name(at));")],
  ["one after the wrong guard", "moe/guarded-log", IN_PROXY, inFunction("if (logs(1)) return 0;\n  log(1, name(at));")],
  [
    "one after a guard that goes on",
    "moe/guarded-log",
    IN_PROXY,
    inFunction("if (!logs(1)) at++;\n  log(1, name(at));"),
  ],
  ["an unlimited line about a peer", "moe/guarded-log", IN_PROXY, inFunction(`this.lines.warn("bad");`)],
  ["a table by names of peers", "moe/keyed-names", IN_PROXY, "export const byName = new Map<string, i32>();\n"],
  [
    "a set of them",
    "moe/keyed-names",
    "filters/stream/fault/fault.ts",
    "export let seen: Set<string> | null = null;\n",
  ],
  ["text on the hot path", "moe/no-built-text", IN_PROXY, inFunction("use(`${at}`);")],
  [
    "the host's log",
    "no-restricted-imports",
    IN_PROXY,
    `import { proxy_log } from "../abi/imports";\nproxy_log(1, 0, 0);\n`,
  ],
  ["a long file", "max-lines", IN_PROXY, "// line\n".repeat(401)],
];

/** What is right there. */
const ACCEPTED: [string, string, string][] = [
  ["imports of lower layers", IN_PROXY, `import "../stream/filter";\nimport "./pool";\n`],
  [
    "the module in a filter",
    "filters/stream/fault/some.ts",
    `import "../../../assembly/stream/filter";\nimport "./config";\n`,
  ],
  ["Bolt 2 on Bolt 1", "filters/codec/boltv2/some.ts", `import "../bolt/codec";\n`],
  ["a guarded line", IN_PROXY, inFunction("if (logs(1)) log(1, `at ${at}`);")],
  ["a guard before it", IN_PROXY, inFunction("if (!this.lines.allows(at)) return 0;\n  this.lines.warn(`at ${at}`);")],
  ["a constant line", IN_PROXY, inFunction(`log(1, "a " + "b");`)],
  ["text where configuration is read", "filters/stream/fault/config.ts", inFunction("use(`${at}`);")],
  [
    "a table by names of a configuration",
    "filters/stream/fault/config.ts",
    "export const all = new Map<string, i32>();\n",
  ],
  ["a table by numbers", IN_PROXY, "export const byId = new Map<u64, i32>();\n"],
  ["what AssemblyScript has more", IN_PROXY, "// @ts-ignore: decorator\n@inline\nexport function some(): void {}\n"],
  ["throw in a spec", "filters/stream/fault/some.spec.ts", inFunction(`throw new Error("no");`)],
];

describe("static gate", () => {
  for (const [what, rule, path, text] of REFUSED) {
    it(`refuses ${what}`, async () => assert.deepEqual(await broken(path, text), [rule]));
  }
  for (const [what, path, text] of ACCEPTED) {
    it(`accepts ${what}`, async () => assert.deepEqual(await broken(path, text), []));
  }
  it("finds what names a machine or a registry", () => {
    const lines = [
      "/ho" + "me/someone/x",
      "see /wo" + "rk/main",
      "C:\\Us" + "ers\\x",
      "https://regis" + "try.npmjs.org/x",
    ];
    for (const line of lines) {
      const faults = gateFaults("a.md", `fine\n${line}\n`);
      assert.equal(faults.length, 1, line);
      assert.match(faults[0], /^a\.md:2: /);
    }
    for (const line of ["assembly/work/x", "https://example.com/home/x", "/var/run/x", "registry.names.join()"]) {
      assert.deepEqual(gateFaults("a.md", line), [], line);
    }
  });
});
