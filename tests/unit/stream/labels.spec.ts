import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { LabelSet } from "../../../assembly/stream/labels";

const labels = new LabelSet();
const view = new View();

function set(key: string, value: string): bool {
  const bytes = Bytes.of(value);
  return labels.set(Bytes.of(key), bytes.ptr, bytes.length);
}

function all(): string {
  const lines: string[] = [];
  for (let i = 0; i < labels.count; i++) {
    labels.value(i, view);
    lines.push(labels.key(i).toString() + "=" + String.UTF8.decodeUnsafe(view.ptr, view.length));
  }
  return lines.join(" ");
}

describe("LabelSet", () => {
  afterEach(() => labels.clear());

  test("is sorted by key, whatever the order", () => {
    const keys = ["b", "a", "c", "ab", "aa", "B", "abc", ""];
    for (let i = 0; i < keys.length; i++) expect(set(keys[i], i.toString())).toBe(true);
    expect(all()).toBe("=7 B=5 a=1 aa=4 ab=3 abc=6 b=0 c=2");
  });

  test("takes no key that would be a header of the proxy's own, or none of HTTP", () => {
    const keys = ["cluster", "pin", "ask", "host", "destination", "Cluster", "PIN", "a b", "a:", "ä"];
    for (let i = 0; i < keys.length; i++) expect(set(keys[i], "1")).toBe(false, keys[i]);
    expect(set("clusters", "1") && set("pin-1", "2") && set("as", "3")).toBe(true);
    expect(all()).toBe("as=3 clusters=1 pin-1=2");
  });

  test("has one value for a key: the last one", () => {
    set("a", "1");
    set("b", "2");
    set("a", "longer-than-before");
    expect(all()).toBe("a=longer-than-before b=2");
  });

  test("forgets", () => {
    set("a", "1");
    labels.clear();
    expect(labels.count).toBe(0);
    set("b", "2");
    expect(all()).toBe("b=2");
  });

  test("takes values that can be headers", () => {
    const good = ["a", "!~", "x".repeat(255)];
    for (let i = 0; i < good.length; i++) expect(set("k", good[i])).toBe(true, good[i]);
    const bad = ["", " ", "a b", "a\nb", "a\0", "\x7f", "\u00e9", "x".repeat(256)];
    for (let i = 0; i < bad.length; i++) expect(set("k", bad[i])).toBe(false, bad[i]);
    expect(all()).toBe("k=" + "x".repeat(255));
  });

  test("has room for 16, and bounded memory for values that are replaced", () => {
    for (let i = 0; i < 16; i++) expect(set("k" + i.toString(), "v")).toBe(true);
    expect(set("k16", "v")).toBe(false);
    expect(set("k7", "w")).toBe(true);
    expect(labels.count).toBe(16);
    let replaced = 0;
    while (replaced < 1000 && set("k7", "x".repeat(200))) replaced++;
    expect(replaced > 50 && replaced < 100).toBe(true);
    labels.clear();
    expect(set("k7", "x")).toBe(true);
  });
});
