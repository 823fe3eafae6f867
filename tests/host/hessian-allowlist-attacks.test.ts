// hessian_allowlist in the release module: published lists of classes that attack, in every place where Hessian can name a
// class, for both versions of Hessian.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { DRAFT, dubboBody, FINISHED, int, NULL, sofaRequest, string, type Wire } from "./kit/hessian-wire.ts";
import { ALLOW, isDenied, isPassed, made, order, suiteWorld, type World } from "./hessian-world.ts";

/** One value that names a class; `at` definitions are before it in its stream. */
type Shape = (wire: Wire, name: string, at: number) => Buffer[];

const SHAPES: Record<string, Shape> = {
  "an object": (w, name, at) => [made(w, name, at)],
  "an object in an object": (w, name, at) => [order(w), w.object(at, made(w, name, at + 1))],
  "an object in a list": (w, name, at) => [w.list(undefined, made(w, name, at))],
  "an object as a key": (w, name, at) => [w.map(undefined, made(w, name, at), NULL)],
  "an object as a value": (w, name, at) => [w.map(undefined, int(1), made(w, name, at))],
  "the type of a map": (w, name) => [w.map(name, string("k"), string("v"))],
  "the type of an empty map": (w, name) => [w.map(name)],
  "the type of a list": (w, name) => [w.list(name, int(1))],
  "the type of an array": (w, name) => [w.list(`[${name}`)],
  "an array of arrays": (w, name) => [w.list(`[[${name}`, w.list(`[${name}`))],
  "a type that repeats": (w, name) => [w.list(undefined, w.map("java.util.TreeMap"), w.map(name), w.map(0))],
  "behind references": (w, name, at) => [
    order(w),
    w.list(undefined, w.object(at, NULL), w.reference(0), w.reference(1), made(w, name, at + 1), w.reference(2)),
  ],
  "a cause": (w, name, at) => [
    w.define("java.lang.RuntimeException", ["detailMessage", "cause"]),
    w.object(at, NULL, made(w, name, at + 1)),
  ],
  "a definition without an object": (w, name) => [w.define(name), NULL],
  "a third definition after two of a class": (w, name, at) => [order(w), order(w), w.define(name), w.object(at + 2)],
  "a definition before an object of another class": (w, name, at) => [order(w), w.define(name), w.object(at, NULL)],
};

/** The ways to send a value: as an argument of sofa-rpc, in both versions, and of Dubbo. */
const WAYS: Record<string, (world: World, shape: Shape, name: string) => number> = {
  "sofa-hessian 3": (world, shape, name) => world.bolt(sofaRequest(DRAFT, {}, ...shape(DRAFT, name, 1))),
  "sofa-hessian 4": (world, shape, name) => world.bolt(sofaRequest(FINISHED, {}, ...shape(FINISHED, name, 1))),
  Dubbo: (world, shape, name) => world.dubbo(dubboBody({}, ...shape(FINISHED, name, 0))),
};
interface List {
  source: string;
  names: string[];
}

const { lists: LISTS } = JSON.parse(readFileSync(join(import.meta.dirname, "data/attack-classes.json"), "utf8")) as {
  lists: Record<string, List>;
};
/** Of a package, a class in it. */
const ATTACKS = Object.values(LISTS).flatMap(({ names }) =>
  names.map((name) => (name.endsWith(".") ? `${name}Gadget` : name)),
);

describe("classes that attack", () => {
  const world = suiteWorld({ allow: ALLOW });

  for (const [way, send] of Object.entries(WAYS)) {
    for (const [what, shape] of Object.entries(SHAPES)) {
      it(`${way}: ${what}`, () => {
        const before = world().sent;
        for (const name of ATTACKS) assert.ok(isDenied(send(world(), shape, name)), name);
        assert.equal(world().sent, before, "one reached the server");
        for (const name of ["com.example.Order", "com.example.model.Item", "com.example.model.deep.Item$Part"])
          assert.ok(isPassed(send(world(), shape, name)), name);
        for (const name of ["com.example.Orders", "com.example.Orde", "com.example.modelx.Item", "com.example.model"])
          assert.ok(isDenied(send(world(), shape, name)), name);
      });
    }
  }

  it("every one counted as denied, none as a failure", () => {
    const each = Object.keys(WAYS).length * Object.keys(SHAPES).length;
    assert.equal(world().count("denied"), each * (ATTACKS.length + 4));
    assert.equal(world().count("failures"), 0);
    assert.equal(world().count("class.com.example.Orders.in.request.denied"), each);
  });

  it("are not built in", () => {
    const text = readFileSync(join(import.meta.dirname, "../../filters/stream/hessian_allowlist/builtin.ts"), "utf8");
    const names = [...text.matchAll(/^ {2}"([\w.$]+)",$/gm)].map(([, name]) => name);
    assert.ok(names.length > 150, `${names.length}`);
    const [sofa, dubbos] = [LISTS["sofa-hessian"].names, LISTS.dubbo.names];
    assert.deepEqual(
      names.filter((name) => sofa.some((one) => name === one || name.startsWith(`${one}.`))),
      [],
    );
    const prefixed = names.filter((name) => dubbos.some((one) => name.toLowerCase().startsWith(one)));
    // Dubbo's prefixes; of these its list of what is allowed has some, which comes first, and others are what services
    // declare as types: an interface, or what everything is.
    const known =
      /^java\.(lang\.(Object|ClassCastException|ClassNotFoundException|CloneNotSupportedException)|util\.Collection(s\$\w+)?|net\.SocketTimeoutException)$/;
    assert.deepEqual(
      prefixed.filter((name) => !known.test(name)),
      [],
    );
  });
});
