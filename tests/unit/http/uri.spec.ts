import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { decodePercent } from "../../../assembly/bytes/percent";
import { View } from "../../../assembly/bytes/view";
import { isPlain, normalisePath } from "../../../assembly/bytes/path";
import { escapePath, findArgument, findCookie, splitTarget } from "../../../assembly/http/uri";

const out = new ByteBuffer();
/** Keeps the bytes of views alive. */
let kept: Bytes = Bytes.EMPTY;

function viewOf(text: string): View {
  kept = Bytes.of(text);
  const view = new View();
  view.set(kept.ptr, kept.length);
  return view;
}

function textOf(view: View): string {
  return String.UTF8.decodeUnsafe(view.ptr, view.length);
}

function normalised(path: string): string {
  out.clear();
  normalisePath(viewOf(path), out);
  return String.UTF8.decodeUnsafe(out.ptr, out.length);
}

function escaped(path: string): string {
  out.clear();
  escapePath(viewOf(path), out);
  return String.UTF8.decodeUnsafe(out.ptr, out.length);
}

describe("paths (docs/reference/mosn.md#variables)", () => {
  test("are decoded once, then slashes and dot segments go", () => {
    const pairs = [
      "",
      "/",
      "/",
      "/",
      "//",
      "/",
      "/a",
      "/a",
      "a",
      "/a",
      "/a/",
      "/a/",
      "/a//b",
      "/a/b",
      "/./a/./b",
      "/a/b",
    ]
      .concat(["/a/../b", "/b", "/..", "/", "/../../a", "/a", "/a/b/../../..", "/", "/a/.", "/a/", "/a/..", "/"])
      .concat(["/a/b/..", "/a/", "/...", "/...", "/.a/..b", "/.a/..b", "/%2e%2E/a", "/a", "/%252e", "/%2e"])
      .concat(["/a%2f%2Fb", "/a/b", "/%", "/%", "/%4", "/%4", "/%4g", "/%4g", "/a+b", "/a+b"]);
    for (let i = 0; i < pairs.length; i += 2) expect(normalised(pairs[i])).toBe(pairs[i + 1], pairs[i]);
  });

  test("that are plain are what normalising leaves alone", () => {
    const paths = ["/", "/a", "/a/b.c/d", "/a/", "/a..b"];
    for (let i = 0; i < paths.length; i++) {
      expect(isPlain(viewOf(paths[i]))).toBe(true, paths[i]);
      expect(normalised(paths[i])).toBe(paths[i]);
    }
    const others = ["//", "/./", "/..", "/.a", "/%41"];
    for (let i = 0; i < others.length; i++) expect(isPlain(viewOf(others[i]))).toBe(false, others[i]);
  });

  test("are escaped where they must be", () => {
    expect(escaped("/a/b-._~!$&'()*+,;=:@")).toBe("/a/b-._~!$&'()*+,;=:@");
    expect(escaped('/a b?c#d%\n"é')).toBe("/a%20b%3Fc%23d%25%0A%22%C3%A9");
    expect(escaped("*")).toBe("*");
    expect(escaped("")).toBe("/");
  });

  test("and queries are split at the first question mark", () => {
    const path = new View();
    const query = new View();
    expect(splitTarget(viewOf("/a?b?c"), path, query)).toBe(true);
    expect(textOf(path) + " " + textOf(query)).toBe("/a b?c");
    expect(splitTarget(viewOf("/a"), path, query)).toBe(false);
    expect(textOf(path)).toBe("/a");
    expect(query.length).toBe(0);
    expect(splitTarget(viewOf(""), path, query)).toBe(false);
  });
});

function argument(query: string, name: string): string {
  const key = Bytes.of(name);
  const value = new View();
  return findArgument(viewOf(query), key.ptr, key.length, value) ? textOf(value) : "none";
}

function cookie(header: string, name: string): string {
  const key = Bytes.of(name);
  const value = new View();
  return findCookie(viewOf(header), key.ptr, key.length, value) ? textOf(value) : "none";
}

describe("arguments and cookies", () => {
  test("are found by their whole name; the first counts", () => {
    expect(argument("a=1&b=2&a=3", "a")).toBe("1");
    expect(argument("ab=1&b=2", "b")).toBe("2");
    expect(argument("a&b=", "a")).toBe("");
    expect(argument("a&b=", "b")).toBe("");
    expect(argument("a=b=c", "a")).toBe("b=c");
    expect(argument("", "a")).toBe("none");
    expect(argument("&&", "a")).toBe("none");
    expect(cookie("a=1; b=2", "b")).toBe("2");
    expect(cookie("a=1;b=2;  c=3", "c")).toBe("3");
    expect(cookie("ab=1", "b")).toBe("none");
    expect(cookie("", "b")).toBe("none");
  });

  test("are decoded, in queries with plus signs as spaces", () => {
    out.clear();
    decodePercent(viewOf("a+b%20c%2"), true, out);
    expect(String.UTF8.decodeUnsafe(out.ptr, out.length)).toBe("a b c%2");
  });
});
