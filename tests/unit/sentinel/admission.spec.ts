// Names that clients make up, where rules are for patterns: who keeps a resource of its own, and who gets one.
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome } from "../../../assembly/sentinel/verdict";
import { TestStore, World } from "./world";

describe("resources of patterns", () => {
  test("a name that is asked for three times takes the place of one that was not for a second; others have to wait", () => {
    const world = new World("{'rules':[{'resource':'/','match':'prefix','threshold':2}]}", new TestStore(), 100);
    for (let i = 0; i < 300; i++) world.visits(1, `/made up ${i}`);
    expect(world.engine.crowded > 150).toBe(true);
    // Within the second nobody gives way, and the rest is crowded.
    expect(world.visits(9, "/real")).toBe(0);
    world.sleep(1000);
    // The first two share with all others; from the third request on it has a resource.
    for (let i = 0; i < 2; i++) world.visits(1, "/next");
    let crowded = world.engine.crowded;
    expect(world.visits(9, "/next")).toBe(2);
    expect(world.visits(9, "/real")).toBe(2);
    expect(world.engine.crowded).toBe(crowded);
    // Made-up names are never asked for often: they push nobody out.
    for (let i = 0; i < 3000; i++) world.visits(1, `/more ${i}`);
    world.sleep(1000);
    crowded = world.engine.crowded;
    expect(world.visits(3, "/next")).toBe(2);
    expect(world.visits(3, "/real")).toBe(2);
    expect(world.engine.crowded).toBe(crowded);
  });

  test("cold resources go 64 at once and one each second, idle ones as many as there are; those in use stay", () => {
    const world = new World("{'rules':[{'resource':'/','match':'prefix','threshold':2000}]}", new TestStore(), 200);
    const held = new Entry();
    world.enter(held, "/held");
    for (let i = 0; i < 300; i++) world.visits(1, `/made up ${i}`);
    world.sleep(2000);
    let crowded = world.engine.crowded;
    for (let i = 0; i < 100; i++) world.visits(3, `/repeated ${i}`);
    // Each is crowded twice; from the 65th on also the third time.
    const third = world.engine.crowded - crowded - 200;
    expect(third >= 100 - 64 - 2 && third <= 100 - 64).toBe(true, third.toString());
    world.sleep(60001);
    crowded = world.engine.crowded;
    for (let i = 0; i < 120; i++) world.visits(1, `/later ${i}`);
    expect(world.engine.crowded).toBe(crowded);
    expect(world.visits(1, "/held")).toBe(1);
    expect(world.engine.crowded).toBe(crowded);
    world.engine.exit(held, world.now, FlowOutcome.GOOD);
  });

  test("what a resource has counted is there when it comes back", () => {
    const world = new World(
      "{'rules':[{'resource':'/','match':'prefix','threshold':2,'statIntervalInMs':600000}]}",
      new TestStore(),
      10,
    );
    expect(world.visits(9, "/a")).toBe(2);
    world.sleep(61000);
    for (let i = 0; i < 40; i++) world.visits(1, `/made up ${i}`);
    world.sleep(61000);
    expect(world.visits(9, "/a")).toBe(0);
  });
});
