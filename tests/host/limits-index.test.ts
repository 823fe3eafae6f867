// docs/limits.md, its tests and the bounds in the sources belong together: none without the others.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { resolve } from "node:path";
import { LIMITS } from "./limits-index.ts";
import { NO_ROWS } from "./limits-others.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");

/** The first columns of the tables under "## Bounds". */
function rows(): string[] {
  const [, bounds] = /^## Bounds$(.*?)^## /ms.exec(read("docs/limits.md")) ?? [];
  assert.ok(bounds, "docs/limits.md has no section Bounds");
  const cells = [...bounds.matchAll(/^\| (.*?) +\| .* \|$/gm)].map(([, first]) => first);
  return cells.filter((cell) => cell !== "what" && !/^-+$/.test(cell));
}

/** Every constant whose name says that it is a bound, as "FILE NAME". */
function constants(): string[] {
  const found: string[] = [];
  for (const file of sources()) {
    for (const [, name] of read(file).matchAll(/^(?:export )?const (MAX_\w+|\w+_MAX|\w+_LIMIT)\b.*=/gm)) {
      found.push(`${file} ${name}`);
    }
  }
  return found;
}

/** The module's own files: no tests, nothing generated. */
function sources(): string[] {
  const all = ["assembly", "filters"].flatMap((folder) =>
    readdirSync(resolve(root, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  return all.filter((file) => file.endsWith(".ts") && !/\.spec\.ts$|testing\.ts$|\/generated\//.test(file));
}

describe("the table of limits", () => {
  it("has rows, each with its tests, and no test without a row", () => {
    const all = rows();
    assert.ok(all.length > 40, `${all.length} rows`);
    assert.deepEqual(LIMITS.map(({ row }) => row).sort(), all.sort());
    for (const { row, tests } of LIMITS) assert.ok(tests.length > 0, `${row}: no test`);
  });

  it("names tests that there are", () => {
    for (const { row, tests } of LIMITS) {
      for (const test of tests) {
        const at = test.indexOf(": ");
        const [file, title] = [test.slice(0, at), test.slice(at + 2)];
        const quoted = ['"', "`"].flatMap((quote) => ["it", "test"].map((call) => `${call}(${quote}${title}${quote},`));
        const text = read(file).replace(/\b(it|test)\(\s+/g, "$1(");
        assert.ok(
          quoted.some((one) => text.includes(one)),
          `${row}: ${file} has no test "${title}"`,
        );
      }
    }
  });

  it("has every bound of the sources, but those that are named as none", () => {
    const named = [...LIMITS.flatMap((limit) => limit.constants ?? []), ...Object.values(NO_ROWS).flat()];
    assert.equal(new Set(named).size, named.length, "named twice");
    const inSources = constants();
    assert.ok(inSources.length > 80, `${inSources.length} bounds found`);
    for (const constant of inSources) assert.ok(named.includes(constant), `${constant}: no row of docs/limits.md`);
    for (const constant of named) {
      const [file, name] = constant.split(" ");
      assert.match(read(file), new RegExp(`\\b${name}\\b.*=`), `${constant} is gone`);
    }
  });
});
