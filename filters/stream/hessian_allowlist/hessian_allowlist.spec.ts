// What tests/vectors/hessian_allowlist.json cannot say: sets of names, counts, and other serializations.
import { Bytes } from "../../../assembly/bytes/bytes";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { FilterRoots } from "../../../assembly/stream/filter";
import { Serialization } from "../../../assembly/message/payload";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { builtinNames } from "./builtin";
import { ClassSet } from "./class_set";
import { hessianAllowlist } from "./hessian_allowlist";

function has(set: ClassSet, name: string): bool {
  const bytes = Bytes.of(name);
  return set.has(bytes.ptr, bytes.length);
}

/** A map of type "a.B", or of an untyped one, in Hessian 2.0: its first byte is not that of a definition. */
const TYPED = "4d03612e425a";
const PLAIN = "0161";

function handle(config: string, serialization: Serialization, body: string): TestHandler {
  const handler = new TestHandler().withBytes(body);
  handler.serialization = serialization;
  const status = handler.run(chainOf(hessianAllowlist, config), Phase.AFTER_ROUTE);
  expect(status).toBe(handler.answered ? FilterStatus.STOP : FilterStatus.CONTINUE);
  if (handler.answered) expect(handler.responseCode).toBe(403);
  return handler;
}

describe("ClassSet", () => {
  test("has classes by their whole names and packages with all that is below", () => {
    const set = new ClassSet(["a.B", "a.b.*", "C", "a.B", "漢.*"]);
    expect(set.wrong.length).toBe(0);
    const its = ["a.B", "a.b.C", "a.b.c.d.E", "C", "漢.字"];
    for (let i = 0; i < its.length; i++) expect(has(set, its[i])).toBe(true, its[i]);
    const others = ["", "a", "a.", "B", "a.BB", "a.B.C", "a.B$C", "a.b", "a.bb.C", "b.a.b.C", "c", "字.漢"];
    for (let i = 0; i < others.length; i++) expect(has(set, others[i])).toBe(false, others[i]);
  });

  test("of 10,000 has each, and no neighbour", () => {
    const names: string[] = [];
    for (let i = 0; i < 5000; i++) {
      names.push(`com.example.C${i}`);
      names.push(`com.p${i}.*`);
    }
    const set = new ClassSet(names);
    for (let i = 0; i < 5000; i++) {
      if (!has(set, `com.example.C${i}`) || !has(set, `com.p${i}.X`)) expect(i).toBe(-1);
      if (has(set, `com.example.D${i}`) || has(set, `com.q${i}.X`)) expect(i).toBe(-1);
    }
  });

  test("names the text that is none", () => {
    const bad = ["", ".", "*", ".*", "a..B", ".a", "a.", "a.*.B", "a*", "a b", "a/B", "[a", "a..*"];
    for (let i = 0; i < bad.length; i++) expect(new ClassSet(["a.B", bad[i]]).wrong).toStrictEqual([1], bad[i]);
    expect(new ClassSet([]).wrong.length).toBe(0);
    expect(has(new ClassSet([]), "a")).toBe(false);
  });

  test("all names that are built in are names", () => {
    expect(new ClassSet(builtinNames()).wrong.length).toBe(0);
  });
});

describe("hessian_allowlist", () => {
  test("counts what it denies, and by class", () => {
    const handler = handle("{}", Serialization.HESSIAN, TYPED);
    expect(handler.answered).toBe(true);
    expect(handler.answer.includes("class")).toBe(true);
    expect(handler.counted.value("moe.filter.hessian_allowlist.denied")).toBe(1);
    expect(handler.counted.value("moe.filter.hessian_allowlist.class.a.B.in.request.denied")).toBe(1);
    expect(handler.failures.length).toBe(0);
  });

  test("what cannot be read counts as a failure and is denied", () => {
    const handler = handle("{}", Serialization.HESSIAN, "4d");
    expect(handler.answered).toBe(true);
    expect(handler.failures.join()).toBe("hessian_allowlist");
    expect(handler.counted.value("moe.filter.hessian_allowlist.denied")).toBe(1);
    const unknown = handle("{}", Serialization.UNKNOWN, PLAIN);
    expect(unknown.answered).toBe(true);
    expect(unknown.failures.length).toBe(1);
  });

  test("other serializations", () => {
    const denied = handle("{}", Serialization.OTHER, PLAIN);
    expect(denied.answered).toBe(true);
    expect(denied.counted.value("moe.filter.hessian_allowlist.other")).toBe(1);
    expect(handle("{'other':'pass'}", Serialization.OTHER, PLAIN).answered).toBe(false);
    const reported = handle("{'mode':'report'}", Serialization.OTHER, PLAIN);
    expect(reported.answered).toBe(false);
    expect(reported.counted.value("moe.filter.hessian_allowlist.reported")).toBe(1);
  });

  test("nothing is counted of what passes", () => {
    const handler = handle("{'allow':['a.*']}", Serialization.HESSIAN, TYPED);
    expect(handler.answered || handler.failures.length > 0).toBe(false);
    expect(handler.counted.value("moe.filter.hessian_allowlist.denied")).toBe(0);
  });

  test("protects, on RPC only", () => {
    expect(hessianAllowlist.protective).toBe(true);
    expect(hessianAllowlist.roots).toBe(FilterRoots.PROXY);
  });
});
