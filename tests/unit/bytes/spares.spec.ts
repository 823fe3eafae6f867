import { Spares } from "../../../assembly/bytes/spares";

class Thing {
  constructor(readonly number: i32) {}
}

function taken(spares: Spares<Thing>): i32 {
  const one = spares.take();
  return one === null ? -1 : one.number;
}

describe("Spares", () => {
  test("gives each object once, the last one first", () => {
    const spares = new Spares<Thing>(100);
    expect(taken(spares)).toBe(-1);
    for (let i = 0; i < 50; i++) expect(spares.keep(new Thing(i))).toBe(true);
    for (let i = 49; i >= 0; i--) expect(taken(spares)).toBe(i);
    expect(taken(spares)).toBe(-1);
  });

  test("keeps no more than it is told", () => {
    const spares = new Spares<Thing>(2);
    expect(spares.keep(new Thing(1))).toBe(true);
    expect(spares.keep(new Thing(2))).toBe(true);
    expect(spares.keep(new Thing(3))).toBe(false);
    expect(taken(spares)).toBe(2);
    expect(spares.keep(new Thing(4))).toBe(true);
    expect(taken(spares)).toBe(4);
    expect(taken(spares)).toBe(1);
    expect(taken(spares)).toBe(-1);
  });
});
