// System rules under a virtual clock: rows from sentinel-golang v1.0.4, each naming its test or line.
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { MS } from "../../../assembly/sentinel/rules";
import { Workers } from "../../../assembly/sentinel/workers";
import { Parsed, TestBusy, TestStore, World } from "./world";

/** A worker whose callbacks take as long as the spec says. */
class Busy extends World {
  constructor(
    rules: string,
    store: TestStore = new TestStore(),
    readonly busy: TestBusy = new TestBusy(),
  ) {
    super(`{'system_rules':[${rules}]}`, store, 100, 0, new Workers(store, busy));
  }

  /** Half a second, of which so many ms go to callbacks; a request at its end, that is made nothing of. */
  half(spent: i64): FlowVerdict {
    this.sleep(500);
    this.busy.spent += spent * MS;
    return this.ask();
  }

  /** What a request comes to that is made nothing of. */
  ask(): FlowVerdict {
    const entry = new Entry();
    const verdict = this.enter(entry);
    if (verdict == FlowVerdict.PASS) this.engine.cancel(entry, this.now);
    return verdict;
  }

  /** A second in which callbacks take such a share, 0 to 1. */
  second(share: f64): FlowVerdict {
    this.ask();
    this.half((500.0 * share) as i64);
    return this.half((500.0 * share) as i64);
  }
}

const CPU = "{'metricType':4,'triggerCount':0.5}";
const CPU_BBR = "{'metricType':4,'triggerCount':0.5,'strategy':1}";
const LOAD = "{'metricType':0,'triggerCount':0.5}";
const LOAD_BBR = "{'metricType':0,'triggerCount':0.5,'strategy':1}";
const BOTH: string[] = [CPU, LOAD];
const ADAPTIVE: string[] = [CPU_BBR, LOAD_BBR];

describe("system rules", () => {
  test("rule_manager_test.go TestIsValidSystemRule", () => {
    const bad = [
      "'metricType':3,'triggerCount':-1",
      "'metricType':5",
      "'metricType':4,'triggerCount':75",
      "'triggerCount':1",
      "'metricType':0,'strategy':2",
      "'metricType':0,'strategy':-2",
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(new Parsed(`{'system_rules':[{${bad[i]}}]}`).error.includes("config.system_rules[0]")).toBe(true, bad[i]);
    }
    const good = ["'metricType':0,'triggerCount':12,'strategy':1", "'metricType':4,'triggerCount':1,'strategy':-1"];
    for (let i = 0; i < good.length; i++) {
      expect(new Parsed(`{'system_rules':[{${good[i]}}]}`).error).toBe("", good[i]);
    }
  });

  test("slot_test.go TestDoCheckRuleConcurrency: 0 is below 0.5, 1 is not", () => {
    const world = new World("{'system_rules':[{'metricType':2,'triggerCount':0.5}]}");
    const entry = new Entry();
    expect(world.enter(entry, "any")).toBe(FlowVerdict.PASS);
    expect(world.enter(new Entry(), "other")).toBe(FlowVerdict.SYSTEM);
    world.engine.exit(entry, world.now, FlowOutcome.GOOD);
    expect(world.enter(new Entry(), "other")).toBe(FlowVerdict.PASS);
  });

  test("inbound QPS over all resources, and what another rule blocks does not count", () => {
    const world = new World(
      "{'system_rules':[{'metricType':3,'triggerCount':10}],'rules':[{'resource':'abc','threshold':0}]}",
    );
    expect(world.passes(20, "abc")).toBe(0);
    expect(world.passes(20, "a")).toBe(10);
    expect(world.passes(20, "b")).toBe(0);
    world.sleep(1000);
    expect(world.passes(20, "b")).toBe(10);
  });

  test("average response time", () => {
    const world = new World("{'system_rules':[{'metricType':1,'triggerCount':100}]}");
    expect(world.call(150, false)).toBe(FlowVerdict.PASS);
    expect(world.call(0, false)).toBe(FlowVerdict.SYSTEM);
    world.sleep(1000);
    expect(world.call(0, false)).toBe(FlowVerdict.PASS);
  });
});

describe("rules by how busy workers are", () => {
  test("slot_test.go TrueLoad, TrueCpuUsage: what was never measured blocks nothing, whatever the threshold", () => {
    expect(new Busy("{'metricType':0,'triggerCount':0}").ask()).toBe(FlowVerdict.PASS);
    expect(new Busy("{'metricType':4,'triggerCount':0}").ask()).toBe(FlowVerdict.PASS);
  });

  test("slot.go: l > threshold blocks, what is equal does not", () => {
    for (let i = 0; i < BOTH.length; i++) {
      expect(new Busy(BOTH[i]).second(0.5)).toBe(FlowVerdict.PASS, BOTH[i]);
      expect(new Busy(BOTH[i]).second(0.51)).toBe(FlowVerdict.SYSTEM, BOTH[i]);
      // rule.Strategy != BBR: 0, which has no name, is as NoAdaptive.
      const none = BOTH[i].replace("}", ",'strategy':-1}");
      expect(new Busy(none).second(0.51)).toBe(FlowVerdict.SYSTEM, none);
    }
  });

  test("slot_test.go BBRTrueLoad, BBRTrueCpuUsage: no request is under way", () => {
    for (let i = 0; i < ADAPTIVE.length; i++) {
      expect(new Busy(ADAPTIVE[i]).second(1)).toBe(FlowVerdict.PASS, ADAPTIVE[i]);
    }
  });

  test("slot.go checkBbrSimple: concurrency > 1 and > the best throughput times the shortest time", () => {
    for (let i = 0; i < ADAPTIVE.length; i++) {
      const world = new Busy(ADAPTIVE[i]);
      world.second(1);
      // Nothing was completed within a second: the throughput is 0. One may be under way all the same.
      expect(world.passes(5)).toBe(2, ADAPTIVE[i]);
      // Ten in a bucket, of 150 ms the shortest: 10 * 2 * 150 / 1000 = 3 go along.
      const ten: Entry[] = [];
      const other = new Busy(ADAPTIVE[i]);
      for (let n = 0; n < 10; n++) {
        const entry = new Entry();
        other.enter(entry);
        ten.push(entry);
      }
      other.sleep(150);
      other.engine.exit(ten[0], other.now, FlowOutcome.GOOD);
      other.sleep(100);
      for (let n = 1; n < 10; n++) other.engine.exit(ten[n], other.now, FlowOutcome.GOOD);
      other.sleep(250);
      other.busy.spent += 500 * MS;
      // The fourth finds three, which is not above 3.
      expect(other.passes(10)).toBe(4, ADAPTIVE[i]);
      // Not busy, and nothing holds them.
      other.half(0);
      other.half(0);
      expect(other.passes(10)).toBe(10, ADAPTIVE[i]);
    }
  });

  test("the shortest time is 1 ms at least, and of the last second", () => {
    const world = new Busy(CPU_BBR);
    world.ask();
    for (let n = 0; n < 3000; n++) world.call(0, false);
    world.sleep(500);
    world.busy.spent += 500 * MS;
    // 3000 * 2 * 1 / 1000 = 6.
    expect(world.passes(10)).toBe(7);
    world.half(500);
    world.half(500);
    world.half(500);
    expect(world.ask()).toBe(FlowVerdict.SYSTEM);
  });

  test("the share is of the last second, and anew each half of it", () => {
    const world = new Busy(CPU);
    world.ask();
    expect(world.half(500)).toBe(FlowVerdict.SYSTEM);
    expect(world.half(0)).toBe(FlowVerdict.PASS);
    expect(world.busy.value).toBe(0.5);
    world.half(100);
    expect(world.busy.value).toBe(0.1);
    world.busy.spent += 100 * MS;
    world.sleep(100);
    world.ask();
    expect(world.busy.value).toBe(0.1);
    // More than there was cannot have been spent: the clock was read apart.
    world.half(9000);
    world.half(9000);
    expect(world.busy.value).toBe(1);
  });

  test("what is blocked, and what another rule blocks, does not count as under way", () => {
    const world = new Busy("{'metricType':3,'triggerCount':1}," + CPU);
    expect(world.second(1)).toBe(FlowVerdict.SYSTEM);
    world.half(0);
    world.half(0);
    expect(world.passes(5)).toBe(1);
  });
});

describe("the load of all workers", () => {
  test("is the sum of their shares", () => {
    const store = new TestStore();
    const rule = "{'metricType':0,'triggerCount':1}";
    const a = new Busy(rule, store);
    const b = new Busy(rule, store);
    a.second(0.6);
    b.second(0.3);
    expect(Math.round(b.engine.workers.load(b.now) * 1000)).toBe(900);
    b.second(0.6);
    a.sleep(1000);
    expect(a.second(0.6)).toBe(FlowVerdict.SYSTEM);
    expect(b.second(0.6)).toBe(FlowVerdict.SYSTEM);
    // The share of each is no more than its own: CPU usage is not the sum.
    expect(Math.round(a.busy.value * 1000)).toBe(600);
  });

  test("a worker that says nothing counts for three seconds, and what stopped measuring not at all", () => {
    const store = new TestStore();
    const rule = "{'metricType':0,'triggerCount':0.9}";
    const a = new Busy(rule, store);
    const b = new Busy(rule, store);
    a.second(0.8);
    expect(b.second(0.2)).toBe(FlowVerdict.SYSTEM);
    b.sleep(2500);
    b.busy.spent += 500 * MS;
    expect(b.ask()).toBe(FlowVerdict.SYSTEM);
    b.sleep(600);
    b.busy.spent += 200 * MS;
    expect(b.ask()).toBe(FlowVerdict.PASS);
    a.sleep(3000);
    expect(a.second(0.8)).toBe(FlowVerdict.SYSTEM);
    a.busy.clear();
    a.engine.workers.load(a.now);
    b.sleep(500);
    expect(b.ask()).toBe(FlowVerdict.PASS);
  });

  test("a worker that is new knows of the others with its first request", () => {
    const store = new TestStore();
    new Busy(LOAD, store).second(1);
    const other = new Busy(LOAD, store);
    other.sleep(1000);
    expect(other.ask()).toBe(FlowVerdict.SYSTEM);
  });

  test("a worker whose number another one took has its share no longer", () => {
    const store = new TestStore();
    const rule = "{'metricType':0,'triggerCount':0.5}";
    const a = new Busy(rule, store);
    a.second(1);
    const b = new Busy(rule, store);
    b.now = a.now + 11000 * MS;
    expect(b.ask()).toBe(FlowVerdict.PASS);
    expect(b.second(0.1)).toBe(FlowVerdict.PASS);
    expect(b.engine.workers.number).toBe(0);
  });

  test("records that cannot be read: nobody knows", () => {
    const store = new TestStore();
    const world = new Busy(LOAD, store);
    world.second(0.1);
    store.broken = true;
    expect(world.half(0)).toBe(FlowVerdict.UNKNOWN);
    store.broken = false;
    world.half(500);
    expect(world.half(500)).toBe(FlowVerdict.SYSTEM);
  });

  test("without a rule on all workers nobody is told", () => {
    const store = new TestStore();
    const world = new Busy(CPU, store);
    world.ask();
    const saves = store.saves;
    world.ask();
    const usual = store.saves - saves;
    world.sleep(500);
    world.ask();
    expect(store.saves - saves).toBe(2 * usual);
  });
});
