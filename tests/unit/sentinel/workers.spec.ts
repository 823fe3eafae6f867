// Workers that go without a word, and rules that go: what they held or counted comes back.
import { Engine } from "../../../assembly/sentinel/engine";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { Workers } from "../../../assembly/sentinel/workers";
import { TestStore, World } from "./world";

const ISOLATION = "{'isolation_rules':[{'resource':'abc','threshold':10}]}";
const SYSTEM = "{'system_rules':[{'metricType':2,'triggerCount':10}]}";
const HOT =
  "{'hot_param_rules':[{'resource':'abc','paramKey':'user','metricType':0,'threshold':10,'paramsMaxCapacity':64}]}";

/** One worker and another, of the same store. */
class Two {
  readonly a: World;
  readonly b: World;

  constructor(rules: string) {
    const store = new TestStore();
    this.a = new World(rules, store);
    this.b = new World(rules, store);
  }

  sleep(ms: i64): void {
    this.a.sleep(ms);
    this.b.sleep(ms);
  }
}

function enterAll(world: World, count: i32): Entry[] {
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const entry = new Entry();
    if (world.enter(entry, "abc", "v") == FlowVerdict.PASS) entries.push(entry);
  }
  return entries;
}

function exitAll(world: World, entries: Entry[]): void {
  for (let i = 0; i < entries.length; i++) world.engine.exit(entries[i], world.now, FlowOutcome.GOOD);
}

/** How many records of a store have something in them; those of the workers are always there. */
function full(store: TestStore): i32 {
  let count = 0;
  const values = store.values.values();
  for (let i = 0; i < values.length; i++) if (values[i].bytes.length > 0) count++;
  return count;
}

const KINDS: string[] = [ISOLATION, SYSTEM, HOT];

describe("a worker that is gone", () => {
  test("what it held comes back after ten seconds, not before", () => {
    for (let i = 0; i < KINDS.length; i++) {
      const two = new Two(KINDS[i]);
      expect(enterAll(two.a, 6).length).toBe(6, KINDS[i]);
      const own = enterAll(two.b, 6);
      expect(own.length).toBe(4, KINDS[i]);
      two.b.sleep(9000);
      two.b.engine.workers.renew(two.b.now / 1000000);
      expect(enterAll(two.b, 1).length).toBe(0, KINDS[i]);
      two.b.sleep(2000);
      expect(enterAll(two.b, 10).length).toBe(6, KINDS[i]);
      exitAll(two.b, own);
      expect(enterAll(two.b, 10).length).toBe(4, KINDS[i]);
    }
  });

  test("one that was only asleep takes another number, and nothing is counted twice", () => {
    for (let i = 0; i < KINDS.length; i++) {
      const two = new Two(KINDS[i]);
      const held = enterAll(two.a, 6);
      two.sleep(11000);
      const own = enterAll(two.b, 10);
      expect(own.length).toBe(10, KINDS[i]);
      exitAll(two.b, own);
      exitAll(two.a, held);
      expect(enterAll(two.a, 7).length + enterAll(two.b, 7).length).toBe(10, KINDS[i]);
    }
  });

  test("as long as it says that it lives it keeps what it holds", () => {
    const two = new Two(ISOLATION);
    const held = enterAll(two.a, 6);
    for (let second = 0; second < 30; second++) {
      two.sleep(1000);
      two.a.engine.workers.renew(two.a.now / 1000000);
      expect(enterAll(two.b, 5).length <= 4).toBe(true);
    }
    exitAll(two.a, held);
  });

  test("workers beyond the 64th share what nobody takes back, and get a number when one is free", () => {
    const store = new TestStore();
    const worlds: World[] = [];
    for (let i = 0; i < 66; i++) {
      worlds.push(new World("{'isolation_rules':[{'resource':'abc','threshold':1000}]}", store));
      expect(enterAll(worlds[i], 10).length).toBe(10);
    }
    expect(worlds[63].engine.workers.number >= 0).toBe(true);
    expect(worlds[64].engine.workers.number).toBe(-1);
    expect(enterAll(worlds[65], 1000).length).toBe(340);
    const last = worlds[65];
    last.sleep(11000);
    // All others are gone, but for what the other one without a number held.
    expect(enterAll(last, 1000).length).toBe(640);
    expect(last.engine.workers.number >= 0).toBe(true);
  });

  test("numbers and generations are never used twice", () => {
    const store = new TestStore();
    const seen: u32[] = [];
    let now: i64 = 1000;
    for (let i = 0; i < 200; i++) {
      const workers = new Workers(store);
      expect(workers.renew(now)).toBe(true);
      expect(seen.includes(workers.generation)).toBe(false);
      seen.push(workers.generation);
      now += 1000;
    }
  });
});

describe("rules that go", () => {
  const FLOW = "'rules':[{'resource':'abc','threshold':10}]";
  const BREAKER =
    "'circuit_breaker_rules':[{'resource':'abc','strategy':2,'threshold':1,'statIntervalMs':1000,'retryTimeoutMs':60000}]";

  test("nothing is kept of them but the keys", () => {
    const store = new TestStore();
    const hot =
      "'hot_param_rules':[{'resource':'abc','paramKey':'user','metricType':1,'durationInSec':1,'threshold':5}]";
    const system = "'system_rules':[{'metricType':3,'triggerCount':1000}]";
    const world = new World(`{${FLOW},${BREAKER},${hot},${system}}`, store);
    for (let i = 0; i < 8; i++) world.enter(new Entry(), "abc", `v${i}`);
    expect(full(store) > 4).toBe(true);
    world.engine.end([]);
    // That of the workers.
    expect(full(store)).toBe(1);
  });

  test("what another engine in the VM has rules for stays as it is", () => {
    const store = new TestStore();
    const workers = new Workers(store);
    const old = new World(`{${FLOW},${BREAKER}}`, store, 100, 0, workers);
    expect(old.passes(4)).toBe(4);
    const next = new World("{'rules':[{'resource':'a.*','match':'regex','threshold':10}]}", store, 100, 0, workers);
    old.engine.end([next.engine]);
    expect(next.passes(10)).toBe(6);
  });

  test("a breaker that is gone is closed when it comes again", () => {
    const store = new TestStore();
    const workers = new Workers(store);
    const old = new World(`{${FLOW},${BREAKER}}`, store, 100, 0, workers);
    old.call(1, true);
    expect(old.call(1, true)).toBe(FlowVerdict.BREAKER);
    const next = new World(`{${FLOW}}`, store, 100, 0, workers);
    old.engine.end([next.engine]);
    const again = new World(`{${FLOW},${BREAKER}}`, store, 100, 0, workers);
    expect(again.call(1, false)).toBe(FlowVerdict.PASS);
    // What the flow rule has counted is still there: two, and eight more.
    const left: Engine[] = [again.engine];
    next.engine.end(left);
    expect(again.passes(10)).toBe(8);
  });

  test("engines of another application are not asked", () => {
    const store = new TestStore();
    const world = new World(`{${FLOW}}`, store);
    world.passes(1);
    world.engine.end([new World(`{${FLOW}}`, new TestStore()).engine]);
    expect(full(store)).toBe(0);
  });
});
