// What sources, tests, vectors and documents cite stands in the repository: every link and every anchor resolves.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, it } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ +(.*)$/gm);
  return new Set([...headings].map(([, title]) => anchorOf(title)));
}

const anchorOf = (title: string) =>
  title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");

/** What is wrong with a reference to `path#anchor` from a file; nothing where it resolves. */
function wrong(file: string, path: string, anchor: string | undefined): string[] {
  const target = path === "" ? file : path;
  if (!existsSync(join(root, target))) return [`${file}: ${target} is not there`];
  if (anchor === undefined || !target.endsWith(".md")) return [];
  return anchorsOf(read(target)).has(anchor) ? [] : [`${file}: ${target} has no #${anchor}`];
}

describe("citations", () => {
  it("of docs/reference in sources, tests and vectors resolve", () => {
    const cited = files
      .filter((file) => /\.(ts|json|md|yaml|template)$/.test(file))
      .flatMap((file) =>
        [...read(file).matchAll(/docs\/reference\/(\w+)\.md(?:#([\w-]+))?/g)].map(([, page, anchor]) => ({
          file,
          page,
          anchor,
        })),
      );
    assert.ok(cited.length > 150, `only ${cited.length} citations`);
    assert.deepEqual(
      cited.flatMap(({ file, page, anchor }) => wrong(file, `docs/reference/${page}.md`, anchor)),
      [],
    );
  });

  it("links between pages resolve", () => {
    const broken = files
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) =>
        [
          ...read(file)
            .replace(/^```[\s\S]*?^```/gm, "")
            .matchAll(/\]\(([^)#:\s]*)(?:#([^)\s]+))?\)/g),
        ].flatMap(([, path, anchor]) => wrong(file, path === "" ? "" : join(dirname(file), path), anchor)),
      );
    assert.deepEqual(broken, []);
  });

  it("name no document that is not in the repository", () => {
    const absent = /mosn-semantics|envoy-wasm-facts|field-notes\.md|design\.md/;
    const names = files.filter((file) => /\.(ts|json|md|yaml)$/.test(file) && !file.endsWith("citations.test.ts"));
    assert.deepEqual(
      names.filter((file) => absent.test(read(file))),
      [],
    );
  });
});
