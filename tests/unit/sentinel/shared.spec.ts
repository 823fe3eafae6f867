// Records that several workers share: nothing is lost, whoever writes in between; leases; rules that come and go.
import { Bytes } from "../../../assembly/bytes/bytes";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { recordKey } from "../../../assembly/sentinel/keys";
import { Layout } from "../../../assembly/sentinel/record";
import { LocalStore, SharedRecord } from "../../../assembly/sentinel/store";
import { TestStore, World } from "./world";

const LIMIT = "{'rules':[{'resource':'abc','threshold':1000}]}";
const ISOLATION = "{'isolation_rules':[{'resource':'abc','threshold':50}]}";

class Workers {
  readonly store: TestStore = new TestStore();
  readonly all: World[] = [];

  constructor(count: i32, rules: string, lease: i32 = 0) {
    for (let i = 0; i < count; i++) this.all.push(new World(rules, this.store, 100, lease));
  }

  sleep(ms: i64): void {
    for (let i = 0; i < this.all.length; i++) this.all[i].sleep(ms);
  }

  /** One request of each worker after the other, so many times; how many pass. */
  passes(rounds: i32): i32 {
    let passed = 0;
    for (let n = 0; n < rounds; n++) for (let i = 0; i < this.all.length; i++) passed += this.all[i].passes(1);
    return passed;
  }
}

describe("workers", () => {
  test("1, 2 and 4 of them pass the limit together, in each window", () => {
    for (let count = 1; count <= 4; count <<= 1) {
      const workers = new Workers(count, LIMIT);
      for (let second = 0; second < 3; second++) {
        expect(workers.passes(2000 / count)).toBe(1000);
        workers.sleep(1000);
      }
    }
  });

  test("writes that lose against others are made again, and no count is lost", () => {
    const workers = new Workers(2, LIMIT);
    let passed = 0;
    for (let n = 0; n < 1500; n++) {
      workers.store.conflicts = n % 7;
      passed += workers.all[n & 1].passes(1);
    }
    expect(passed).toBe(1000);
  });

  test("without an end to conflicts, or without records, it is unknown", () => {
    const world = new Workers(1, LIMIT).all[0];
    const store = world.store as TestStore;
    store.conflicts = i32.MAX_VALUE;
    expect(world.enter(new Entry())).toBe(FlowVerdict.UNKNOWN);
    store.conflicts = 0;
    store.broken = true;
    expect(world.enter(new Entry())).toBe(FlowVerdict.UNKNOWN);
    store.broken = false;
    expect(world.passes(1001)).toBe(1000);
  });

  test("requests at the same time are never more than the limit, and all places come back", () => {
    const workers = new Workers(4, ISOLATION);
    const entries: Entry[] = [];
    for (let n = 0; n < 200; n++) {
      const entry = new Entry();
      workers.store.conflicts = n % 5;
      if (workers.all[n & 3].enter(entry) == FlowVerdict.PASS) entries.push(entry);
    }
    expect(entries.length).toBe(50);
    for (let n = 0; n < 50; n++) workers.all[n & 3].engine.exit(entries[n], workers.all[0].now, FlowOutcome.GOOD);
    expect(workers.passes(100)).toBe(50);
  });

  test("an exit that could not be noted is noted with the next change", () => {
    const workers = new Workers(1, ISOLATION);
    const world = workers.all[0];
    const entry = new Entry();
    expect(world.passes(49)).toBe(49);
    expect(world.enter(entry)).toBe(FlowVerdict.PASS);
    workers.store.broken = true;
    expect(world.engine.exit(entry, world.now, FlowOutcome.GOOD)).toBe(false);
    workers.store.broken = false;
    expect(world.passes(5)).toBe(1);
  });

  test("one may be alone: it counts for itself", () => {
    const a = new World(LIMIT, new LocalStore());
    const b = new World(LIMIT, new LocalStore());
    expect(a.passes(1500)).toBe(1000);
    expect(b.passes(1500)).toBe(1000);
  });
});

describe("leases", () => {
  test("together never more than the limit, and at least the limit less the workers' leases", () => {
    for (let count = 1; count <= 4; count <<= 1) {
      const workers = new Workers(count, LIMIT, 1);
      for (let second = 0; second < 5; second++) {
        // The last worker takes a lease, and asks no more.
        let passed = workers.all[count - 1].passes(1);
        for (let n = 0; n < 3000; n++) passed += workers.all[n % max(1, count - 1)].passes(1);
        expect(passed <= 1000 && passed >= 1000 - count * 9).toBe(true, `${count} workers: ${passed}`);
        workers.sleep(1000);
      }
    }
  });

  test("they ask the records once for ten requests", () => {
    const workers = new Workers(1, LIMIT, 1);
    expect(workers.all[0].passes(900)).toBe(900);
    expect(workers.store.loads < 110).toBe(true, workers.store.loads.toString());
  });

  test("tokens of a window that is over are not used in the next one", () => {
    const workers = new Workers(2, LIMIT, 1);
    for (let window = 0; window < 20; window++) {
      expect(workers.passes(3) == 6).toBe(true);
      workers.sleep(500);
    }
    workers.sleep(500);
    const passed = workers.passes(2000);
    expect(passed <= 1000 && passed >= 982).toBe(true, passed.toString());
  });

  test("resources that need more than a count have none", () => {
    const workers = new Workers(1, "{'rules':[{'resource':'abc','threshold':1000,'controlBehavior':1}]}", 1);
    workers.all[0].passes(3);
    expect(workers.store.loads).toBe(3);
  });
});

describe("rules that change", () => {
  test("what has passed stays, also when limits change and rules come and go", () => {
    const store = new TestStore();
    expect(new World("{'rules':[{'resource':'abc','threshold':10}]}", store).passes(8)).toBe(8);
    const more =
      "{'rules':[{'resource':'abc','threshold':12},{'resource':'abc','threshold':100,'statIntervalInMs':700}]}";
    expect(new World(more, store).passes(8)).toBe(4);
    expect(new World("{'rules':[{'resource':'abc','threshold':13}]}", store).passes(8)).toBe(1);
  });

  test("old and new rules at the same time count together", () => {
    const store = new TestStore();
    const old = new World("{'rules':[{'resource':'abc','threshold':100}]}", store);
    const breakers =
      "'circuit_breaker_rules':[{'resource':'abc','statIntervalMs':1000,'retryTimeoutMs':1,'strategy':1}]";
    const next = new World(`{'rules':[{'resource':'abc','threshold':100}],${breakers}}`, store);
    let passed = 0;
    for (let n = 0; n < 100; n++) passed += old.passes(1) + next.passes(1);
    expect(passed).toBe(100);
  });

  test("what is not a record of ours is begun anew", () => {
    const record = new SharedRecord(recordKey(1, 0));
    record.resize(100);
    memory.fill(record.ptr, 0xff, 100);
    const layout = new Layout();
    const section = layout.add(5, 16);
    layout.locate(record);
    expect(load<i64>(record.ptr + section.offset)).toBe(0);
    store<u32>(record.ptr, 1);
    for (let cut = 0; cut < record.length; cut++) {
      record.length = cut;
      new Layout().locate(record);
      const again = new Layout();
      again.add(7, 24);
      again.locate(record);
      expect(record.length >= 16 + 8 + 24).toBe(true);
    }
  });

  test("sections of rules that are gone go when there is no room", () => {
    const record = new SharedRecord(recordKey(1, 0));
    for (let i = 0; i < 1000; i++) {
      const layout = new Layout();
      layout.add(i + 1, 200);
      layout.locate(record);
      expect(record.length <= 4096).toBe(true);
    }
    expect(record.length > 2000).toBe(true);
  });

  test("keys are of one length and different", () => {
    expect(recordKey(1, 0).length).toBe(20);
    expect(recordKey(1, 0).equals(recordKey(1, 1).ptr, 20)).toBe(false);
    expect(Bytes.of("me.flow.").isPrefixOf(recordKey(1, 0).ptr, 20)).toBe(true);
  });
});
