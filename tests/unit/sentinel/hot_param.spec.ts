// Rules on parameters under a virtual clock: rows from sentinel-golang v1.0.4, each naming its test.
import { Bytes } from "../../../assembly/bytes/bytes";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { LocalStore } from "../../../assembly/sentinel/store";
import { MS } from "../../../assembly/sentinel/rules";
import { Parsed, World } from "./world";

function rules(fields: string): string {
  return `{'hot_param_rules':[{'resource':'abc','paramKey':'user',${fields}}]}`;
}

const QPS = "'metricType':1,'threshold':10,'durationInSec':1";

describe("hot parameters", () => {
  test("rule_manager_test.go Test_IsValidRule", () => {
    expect(new Parsed(rules(QPS)).error).toBe("");
    const bad = [
      "'metricType':1,'threshold':-1,'durationInSec':1",
      "'metricType':1,'threshold':1",
      "'metricType':2",
      "'metricType':1,'durationInSec':1,'controlBehavior':2",
      "'metricType':1,'durationInSec':1,'burstCount':-1",
      "'metricType':1,'durationInSec':1,'controlBehavior':1,'maxQueueingTimeMs':-1",
      "'metricType':1,'durationInSec':1,'paramIndex':1",
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(new Parsed(rules(bad[i])).error.includes("config.hot_param_rules[0]")).toBe(true, bad[i]);
    }
  });

  test("each value has a rate of its own; requests without one pass", () => {
    const world = new World(rules(QPS));
    expect(world.passes(30, "abc", "a")).toBe(10);
    expect(world.passes(30, "abc", "b")).toBe(10);
    expect(world.passes(30, "abc")).toBe(30);
    expect(world.passes(30, "other", "a")).toBe(30);
  });

  test("traffic_shaping_test.go performChecking First_Fill_Token, Refill_Token: after the duration, not before", () => {
    const world = new World(rules(QPS + ",'burstCount':5"));
    expect(world.passes(30, "abc", "a")).toBe(15);
    world.sleep(1000);
    expect(world.passes(30, "abc", "a")).toBe(0);
    world.sleep(1);
    expect(world.passes(30, "abc", "a")).toBe(10);
    world.sleep(60000);
    expect(world.passes(30, "abc", "a")).toBe(15);
  });

  test("traffic_shaping_test.go performChecking: threshold 0 blocks; specificItems have thresholds of their own", () => {
    const world = new World(rules(QPS + ",'specificItems':{'vip':100,'bad':0}"));
    expect(world.passes(200, "abc", "vip")).toBe(100);
    expect(world.passes(200, "abc", "bad")).toBe(0);
    expect(world.passes(200, "abc", "a")).toBe(10);
  });

  test("traffic_shaping_test.go throttling: requests of a value pass one after the other", () => {
    const world = new World(rules(QPS + ",'controlBehavior':1,'maxQueueingTimeMs':301"));
    const entry = new Entry();
    for (let i: i64 = 0; i < 6; i++) {
      expect(world.enter(entry, "abc", "a")).toBe(i < 4 ? FlowVerdict.PASS : FlowVerdict.HOT_PARAM);
      if (i < 4) expect(entry.waitNs).toBe(i * 100 * MS);
    }
    world.sleep(201);
    expect(world.enter(entry, "abc", "a")).toBe(FlowVerdict.PASS);
    world.engine.cancel(entry, world.now);
    expect(world.enter(entry, "abc", "a")).toBe(FlowVerdict.PASS);
    expect(entry.waitNs).toBe(199 * MS);
  });

  test("traffic_shaping_test.go performCheckingForConcurrencyMetric: at the same time, by value", () => {
    const world = new World(rules("'metricType':0,'threshold':2,'specificItems':{'vip':3}"));
    const entries = [new Entry(), new Entry()];
    expect(world.enter(entries[0], "abc", "a")).toBe(FlowVerdict.PASS);
    expect(world.enter(entries[1], "abc", "a")).toBe(FlowVerdict.PASS);
    expect(world.passes(1, "abc", "a")).toBe(0);
    expect(world.passes(5, "abc", "vip")).toBe(3);
    world.engine.exit(entries[0], world.now, FlowOutcome.GOOD);
    expect(world.passes(2, "abc", "a")).toBe(1);
  });

  test("a request that another rule on a parameter blocks takes no token", () => {
    const second = "{'resource':'abc','paramKey':'other','metricType':1,'durationInSec':1,'threshold':3}";
    const first = `{'resource':'abc','paramKey':'user',${QPS}}`;
    const flow = "{'resource':'abc','threshold':100}";
    const world = new World(`{'rules':[${flow}],'hot_param_rules':[${first},${second}]}`);
    expect(world.passes(20, "abc", "a")).toBe(3);
    for (let i = 0; i < 40; i++) expect(world.passes(20, "abc", `v${i}`)).toBe(i < 32 ? 3 : i == 32 ? 1 : 0);
  });

  test("traffic_shaping_test.go newBaseTrafficShapingController: a million values in bounded memory, those in use stay", () => {
    const rule = "'metricType':1,'threshold':10,'durationInSec':3600,'paramsMaxCapacity':16000";
    const world = new World(rules(rule), new LocalStore());
    for (let i = 0; i < 20; i++) expect(world.passes(10, "abc", `hot${i}`)).toBe(10);
    const entry = new Entry();
    const number = Bytes.of("--------");
    let before = 0;
    for (let i = 0; i < 1000000; i++) {
      if (i == 100000) before = memory.size();
      if (i % 1000 == 0) {
        // They have no tokens left, which is known only as long as they are.
        for (let n = 0; n < 20; n++) expect(world.passes(1, "abc", `hot${n}`)).toBe(0);
      }
      world.params.value = number;
      world.enterNumber(entry, i);
      if (i % 5 == 0) world.sleep(1);
    }
    expect(memory.size() - before < 512).toBe(true);
  });

  test("values that are made up do not push out those in use, nor give them their tokens back", () => {
    // One record for all.
    const world = new World(rules("'metricType':1,'threshold':3,'durationInSec':3600,'paramsMaxCapacity':16"));
    for (let i = 0; i < 8; i++) expect(world.passes(5, "abc", `hot${i}`)).toBe(3);
    let passed = 0;
    for (let i = 0; i < 10000; i++) {
      passed += world.passes(1, "abc", `made up ${i}`);
      if (i % 100 == 0) for (let n = 0; n < 8; n++) expect(world.passes(1, "abc", `hot${n}`)).toBe(0);
    }
    // A new one is as cold as those before: it takes the place of one of them.
    expect(passed).toBe(10000);
  });

  test("new values between warm ones share sixteen times the threshold, and have their place in the end", () => {
    const world = new World(rules("'metricType':1,'threshold':1,'durationInSec':3600,'paramsMaxCapacity':16"));
    for (let i = 0; i < 15; i++) expect(world.passes(10, "abc", `hot${i}`)).toBe(1);
    let passed = 0;
    for (let i = 0; i < 30; i++) passed += world.passes(1, "abc", `new ${i}`);
    expect(passed).toBe(16);
    for (let i = 0; i < 15; i++) expect(world.passes(1, "abc", `hot${i}`)).toBe(0);
    // What is over after twice the duration makes room.
    world.sleep(2 * 3600000 + 1);
    for (let i = 0; i < 15; i++) expect(world.passes(5, "abc", `late ${i}`)).toBe(1);
  });

  test("a new value that waits for its turn among the rest gives it back", () => {
    const world = new World(rules("'metricType':0,'threshold':1,'paramsMaxCapacity':16"));
    const held: Entry[] = [];
    for (let i = 0; i < 15 + 16; i++) {
      const entry = new Entry();
      expect(world.enter(entry, "abc", `v${i}`)).toBe(FlowVerdict.PASS);
      held.push(entry);
    }
    expect(world.passes(1, "abc", "one more")).toBe(0);
    expect(world.passes(1, "abc", "v0")).toBe(0);
    for (let i = 0; i < held.length; i++) world.engine.exit(held[i], world.now, FlowOutcome.GOOD);
    const again: Entry[] = [];
    for (let i = 0; i < 31; i++) {
      const entry = new Entry();
      expect(world.enter(entry, "abc", `w${i}`)).toBe(FlowVerdict.PASS);
      again.push(entry);
    }
  });
});
