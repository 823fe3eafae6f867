// Flow rules and isolation under a virtual clock: rows from sentinel-golang v1.0.4, each naming its test, and the formulas.
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { MS } from "../../../assembly/sentinel/rules";
import { Parsed, TestStore, World } from "./world";

function rule(fields: string): string {
  return `{'rules':[{'resource':'abc',${fields}}]}`;
}

describe("validity", () => {
  test("core/flow/rule_manager_test.go TestIsValidFlowRule", () => {
    const bad = [
      "{'rules':[{'resource':'','threshold':1}]}",
      "{'rules':[{'resource':'test','threshold':-1.9}]}",
      "{'rules':[{'resource':'test','threshold':5,'tokenCalculateStrategy':1}]}",
      "{'rules':[{'resource':'test','threshold':5,'tokenCalculateStrategy':1,'statIntervalInMs':3600000}]}",
    ];
    for (let i = 0; i < bad.length; i++) expect(new Parsed(bad[i]).error.includes("config.rules[0]")).toBe(true);
    const warm = "'tokenCalculateStrategy':1,'controlBehavior':1,'warmUpPeriodSec':10,'statIntervalInMs':1000";
    expect(new Parsed(rule(`'threshold':10,${warm},'maxQueueingTimeMs':10`)).error).toBe("");
    expect(new Parsed(rule(`'threshold':10,${warm},'maxQueueingTimeMs':0`)).error).toBe("");
  });

  test("core/flow/rule_manager_test.go TestIsValidRule: by memory", () => {
    const rows = ["2 1 1 2", "9 9 1 2", "10 9 1 2", "10 9 0 2", "10 9 100 300", "10 9 100 0", "10 9 100 30"];
    const valid = [true, false, true, false, true, false, false];
    for (let i = 0; i < rows.length; i++) {
      const part = rows[i].split(" ");
      const text = rule(
        `'tokenCalculateStrategy':2,'statIntervalInMs':10,'lowMemUsageThreshold':${part[0]},'highMemUsageThreshold':${part[1]},` +
          `'memLowWaterMarkBytes':${part[2]},'memHighWaterMarkBytes':${part[3]}`,
      );
      expect(new Parsed(text).error.length == 0).toBe(valid[i], rows[i]);
    }
  });

  test("one that is not valid refuses all, with its path", () => {
    const parsed = new Parsed("{'rules':[{'resource':'a','threshold':1},{'resource':'b','relationStrategy':1}]}");
    expect(parsed.error.includes("config.rules[1]")).toBe(true);
    expect(parsed.error.includes("refResource")).toBe(true);
    expect(
      new Parsed("{'isolation_rules':[{'resource':'a','threshold':0}]}").error.includes("isolation_rules[0].threshold"),
    ).toBe(true);
    expect(
      new Parsed("{'isolation_rules':[{'resource':'a','threshold':1,'metricType':1}]}").error.includes("metricType"),
    ).toBe(true);
  });
});

describe("direct, reject", () => {
  test("core/flow/slot_test.go Test_FlowSlot_StandaloneStat: 50 of 100 in a window of 20 s", () => {
    const world = new World(rule("'threshold':100,'statIntervalInMs':20000"));
    expect(world.passes(50)).toBe(50);
    expect(world.passes(100)).toBe(50);
    world.sleep(19999 - ((world.now / MS) % 20000));
    expect(world.passes(1)).toBe(0);
    world.sleep(1);
    expect(world.passes(101)).toBe(100);
  });

  test("a threshold that lets no request pass in an hour is refused", () => {
    const hour = "must be 0, or so large that a request passes in an hour";
    expect(new Parsed(rule("'threshold':0.0002")).error.includes(hour)).toBe(true);
    expect(new Parsed(rule("'threshold':0.0002,'controlBehavior':1")).error.includes(hour)).toBe(true);
    expect(new Parsed(rule("'threshold':0.5,'statIntervalInMs':1800001")).error.includes(hour)).toBe(true);
    expect(new Parsed(rule("'threshold':0.5,'statIntervalInMs':1800000")).error).toBe("");
    expect(new Parsed(rule("'threshold':0,'statIntervalInMs':1800001")).error).toBe("");
    const warm = "'tokenCalculateStrategy':1,'warmUpPeriodSec':1,'warmUpColdFactor':1000";
    expect(new Parsed(rule(`'threshold':0.2,${warm}`)).error.includes(hour)).toBe(true);
    expect(new Parsed(rule(`'threshold':0.3,${warm}`)).error).toBe("");
  });

  test("one for an associated resource counts whole requests, or is refused", () => {
    const related = "'relationStrategy':1,'refResource':'other'";
    const least = "must be 0 or at least 1 with relationStrategy 1";
    expect(new Parsed(rule(`'threshold':0.5,${related}`)).error.includes(least)).toBe(true);
    expect(new Parsed(rule(`'threshold':1,${related}`)).error).toBe("");
    expect(new Parsed(rule(`'threshold':0.5,'controlBehavior':1,${related}`)).error).toBe("");
    const warm = "'tokenCalculateStrategy':1,'warmUpPeriodSec':1";
    expect(new Parsed(rule(`'threshold':2,${warm},${related}`)).error.includes("at least warmUpColdFactor")).toBe(true);
  });

  test("0.5 a second is one every two seconds, on average and exactly", () => {
    const world = new World(rule("'threshold':0.5"));
    let passed = 0;
    for (let i = 0; i < 600; i++) {
      const one = world.passes(3);
      expect(one == (i % 20 == 0 ? 1 : 0)).toBe(true, i.toString());
      passed += one;
      world.sleep(100);
    }
    expect(passed).toBe(30);
    const minute = new World(rule("'threshold':0.25,'statIntervalInMs':60000"));
    expect(minute.passes(5)).toBe(1);
    minute.sleep(239999);
    expect(minute.passes(5)).toBe(0);
    minute.sleep(1);
    expect(minute.passes(5)).toBe(1);
  });

  test("one of them that leaves before it is sent makes room for the next", () => {
    const world = new World(rule("'threshold':0.5"));
    const entry = new Entry();
    expect(world.enter(entry)).toBe(FlowVerdict.PASS);
    world.engine.cancel(entry, world.now);
    expect(world.passes(3)).toBe(1);
    const other = new World(rule("'threshold':0.5"));
    expect(other.enter(entry)).toBe(FlowVerdict.PASS);
    other.engine.exit(entry, other.now, FlowOutcome.GOOD);
    expect(other.passes(3)).toBe(0);
  });

  test("all workers together", () => {
    const store = new TestStore();
    const one = new World(rule("'threshold':0.5"), store);
    const other = new World(rule("'threshold':0.5"), store);
    expect(one.passes(2) + other.passes(2)).toBe(1);
    one.sleep(2000);
    other.sleep(2000);
    expect(other.passes(2)).toBe(1);
    expect(one.passes(2)).toBe(0);
  });

  test("thresholds that are not whole (tc_default.go: passed + 1 > threshold)", () => {
    const thresholds: f64[] = [0, 0.5, 1, 1.5, 2, 10.9];
    const passes: i32[] = [0, 1, 1, 1, 2, 10];
    for (let i = 0; i < thresholds.length; i++) {
      expect(new World(rule(`'threshold':${thresholds[i]}`)).passes(20)).toBe(passes[i]);
    }
  });

  test("a second is two buckets of 500 ms that slide: a burst at its border is not passed twice", () => {
    const world = new World(rule("'threshold':10"));
    world.sleep(900);
    expect(world.passes(10)).toBe(10);
    world.sleep(100);
    expect(world.passes(10)).toBe(0);
    world.sleep(499);
    expect(world.passes(10)).toBe(0);
    world.sleep(1);
    expect(world.passes(11)).toBe(10);
  });

  test("windows of the resource up to 10 s, and of a rule's own", () => {
    const intervals: i64[] = [500, 1000, 2000, 10000, 300, 1500, 700];
    for (let i = 0; i < intervals.length; i++) {
      const world = new World(rule(`'threshold':5,'statIntervalInMs':${intervals[i]}`));
      expect(world.passes(6)).toBe(5);
      world.sleep(intervals[i]);
      expect(world.passes(6)).toBe(5);
    }
  });

  test("all rules of a resource count, and other resources are free", () => {
    const world = new World("{'rules':[{'resource':'abc','threshold':5},{'resource':'abc','threshold':3}]}");
    expect(world.passes(9)).toBe(3);
    expect(world.passes(9, "other")).toBe(9);
  });

  test("an associated resource: its requests count, not the limited one's", () => {
    const related = "'relationStrategy':1,'refResource':'write'";
    const world = new World(`{'rules':[{'resource':'read','threshold':2,${related}}]}`);
    expect(world.passes(9, "read")).toBe(9);
    expect(world.passes(2, "write")).toBe(2);
    expect(world.passes(9, "read")).toBe(0);
    expect(world.passes(9, "write")).toBe(9);
    world.sleep(1000);
    expect(world.passes(9, "read")).toBe(9);
  });

  test("an associated resource with a window of the rule's own", () => {
    const related = "'relationStrategy':1,'refResource':'write','statIntervalInMs':700";
    const world = new World(`{'rules':[{'resource':'read','threshold':2,${related}}]}`);
    expect(world.passes(2, "write")).toBe(2);
    expect(world.passes(9, "read")).toBe(0);
    world.sleep(700);
    expect(world.passes(9, "read")).toBe(9);
  });

  test("prefixes and expressions: each resource has counts of its own", () => {
    const world = new World(
      "{'rules':[{'resource':'/a/','match':'prefix','threshold':2},{'resource':'^/b[0-9]$','match':'regex','threshold':1}]}",
    );
    expect(world.passes(5, "/a/x")).toBe(2);
    expect(world.passes(5, "/a/y")).toBe(2);
    expect(world.passes(5, "/b1")).toBe(1);
    expect(world.passes(5, "/b2")).toBe(1);
    expect(world.passes(5, "/b22")).toBe(5);
  });

  test("resources beyond the bound share one, and those that rules name have their own", () => {
    const world = new World(
      "{'rules':[{'resource':'/','match':'prefix','threshold':2},{'resource':'/own','threshold':1}]}",
      new TestStore(),
      10,
    );
    let passed = 0;
    for (let i = 0; i < 1000; i++) passed += world.passes(3, `/${i}`);
    expect(passed < 2 * 20 && passed >= 2 * 11).toBe(true, passed.toString());
    expect(world.engine.crowded > 900 * 3).toBe(true);
    expect(world.passes(3, "/own")).toBe(1);
  });
});

describe("memory", () => {
  test("core/flow/tc_adaptive_test.go TestMemoryAdaptiveTrafficShapingCalculator_CalculateAllowedTokens", () => {
    const used: i64[] = [100, 1024, 1536, 2048, 3072];
    const allowed: i32[] = [1000, 1000, 550, 100, 100];
    for (let i = 0; i < used.length; i++) {
      const world = new World(
        rule(
          "'tokenCalculateStrategy':2,'lowMemUsageThreshold':1000,'highMemUsageThreshold':100," +
            "'memLowWaterMarkBytes':1024,'memHighWaterMarkBytes':2048",
        ),
      );
      world.engine.memoryBytes = used[i];
      expect(world.passes(1500)).toBe(allowed[i]);
    }
  });
});

describe("throttling", () => {
  test("core/flow/tc_throttling_test.go TestThrottlingChecker_DoCheckNoQueueingSingleThread", () => {
    const world = new World(rule("'threshold':50,'controlBehavior':1,'statIntervalInMs':10000"));
    expect(world.passes(1)).toBe(1);
    expect(world.passes(10)).toBe(0);
    world.sleep((10000 / 50) * 10 + 10);
    expect(world.passes(1)).toBe(1);
    expect(world.passes(1)).toBe(0);
  });

  test("core/flow/tc_throttling_test.go TestThrottlingChecker_DoCheckSingleThread: 10 wait, in order, 10 do not", () => {
    const world = new World(
      rule("'threshold':50,'controlBehavior':1,'statIntervalInMs':10000,'maxQueueingTimeMs':2000"),
    );
    expect(world.passes(1)).toBe(1);
    for (let i: i64 = 1; i <= 20; i++) {
      const entry = new Entry();
      expect(world.enter(entry)).toBe(i <= 10 ? FlowVerdict.PASS : FlowVerdict.FLOW);
      if (i <= 10) expect(entry.waitNs).toBe(i * 200 * MS);
    }
  });

  test("core/flow/tc_throttling_test.go TestThrottlingChecker_DoCheckParallelPass: one of 512", () => {
    const world = new World(rule("'threshold':50,'controlBehavior':1,'statIntervalInMs':10000"));
    expect(world.passes(512)).toBe(1);
  });

  test("a threshold of 0.5 lets one pass every two seconds, and 0 none", () => {
    const world = new World(rule("'threshold':0.5,'controlBehavior':1"));
    expect(world.passes(3)).toBe(1);
    world.sleep(1999);
    expect(world.passes(3)).toBe(0);
    world.sleep(1);
    expect(world.passes(3)).toBe(1);
    const queue = new World(rule("'threshold':0.5,'controlBehavior':1,'maxQueueingTimeMs':4000"));
    expect(queue.passes(1)).toBe(1);
    for (let i: i64 = 1; i <= 3; i++) {
      const entry = new Entry();
      expect(queue.enter(entry)).toBe(i <= 2 ? FlowVerdict.PASS : FlowVerdict.FLOW);
      if (i <= 2) expect(entry.waitNs).toBe(i * 2000 * MS);
    }
    expect(new World(rule("'threshold':0,'controlBehavior':1")).passes(3)).toBe(0);
  });

  test("one that leaves frees its place, at the end and in the middle", () => {
    const world = new World(rule("'threshold':10,'controlBehavior':1,'maxQueueingTimeMs':300"));
    expect(world.passes(1)).toBe(1);
    const waiting = [new Entry(), new Entry(), new Entry()];
    for (let i = 0; i < 3; i++) expect(world.enter(waiting[i])).toBe(FlowVerdict.PASS);
    const more = new Entry();
    expect(world.enter(more)).toBe(FlowVerdict.FLOW);
    world.engine.cancel(waiting[2], world.now);
    expect(world.enter(more)).toBe(FlowVerdict.PASS);
    expect(more.waitNs).toBe(300 * MS);
    world.engine.cancel(waiting[0], world.now);
    expect(world.enter(new Entry())).toBe(FlowVerdict.PASS);
    expect(world.enter(new Entry())).toBe(FlowVerdict.FLOW);
  });

  test("one that passes at once and leaves takes nothing from the queue", () => {
    const world = new World(rule("'threshold':10,'controlBehavior':1"));
    const entry = new Entry();
    expect(world.enter(entry)).toBe(FlowVerdict.PASS);
    world.engine.cancel(entry, world.now);
    expect(world.passes(1)).toBe(0);
  });
});

describe("warm-up", () => {
  test("the curve of tc_warm_up.go: cold at a third, steady after the period", () => {
    const world = new World(
      rule("'threshold':100,'tokenCalculateStrategy':1,'warmUpPeriodSec':10,'warmUpColdFactor':3"),
    );
    const first = world.passes(200);
    expect(first == 33 || first == 34).toBe(true, first.toString());
    let last = first;
    let total = 0;
    for (let second = 1; second < 30; second++) {
      let passed = 0;
      world.sleep(500);
      passed += world.passes(200);
      world.sleep(500);
      passed += world.passes(200);
      total += passed;
      last = passed;
    }
    expect(last).toBe(100);
    expect(total > 2000 && total < 2900).toBe(true, total.toString());
  });

  test("thresholds at and below the cold factor warm up, too: cold at a third of them", () => {
    const thresholds: f64[] = [0.5, 1, 2];
    const periods: i32[] = [40, 20, 20];
    for (let i = 0; i < thresholds.length; i++) {
      for (let behavior = 0; behavior < 2; behavior++) {
        const threshold = thresholds[i];
        const warm = `'tokenCalculateStrategy':1,'warmUpPeriodSec':${periods[i]},'controlBehavior':${behavior}`;
        const world = new World(rule(`'threshold':${threshold},${warm}`));
        const text = `${threshold} ${behavior}`;
        expect(world.passes(5)).toBe(1, text);
        let cold = 0;
        // The first of ten hundredths of a second each.
        const first = (3000 / threshold) as i32;
        for (let ms = 100; ms <= first; ms += 100) {
          world.sleep(100);
          cold += world.passes(5);
        }
        expect(cold >= 1 && cold <= 2).toBe(true, `${text} cold ${cold}`);
        for (let ms = 0; ms < 200000; ms += 100) {
          world.sleep(100);
          world.passes(5);
        }
        let steady = 0;
        for (let ms = 0; ms < 20000; ms += 100) {
          world.sleep(100);
          steady += world.passes(5);
        }
        expect(abs((steady as f64) - 20 * threshold) <= 1).toBe(true, `${text} steady ${steady}`);
      }
    }
  });

  test("idle for long it is cold again", () => {
    const world = new World(rule("'threshold':100,'tokenCalculateStrategy':1,'warmUpPeriodSec':2"));
    let warm = 0;
    for (let i = 0; i < 40; i++) {
      const passed = world.passes(200);
      if (i >= 38) warm += passed;
      world.sleep(500);
    }
    expect(warm).toBe(100);
    world.sleep(60000);
    const passed = world.passes(200);
    expect(passed == 33 || passed == 34).toBe(true, passed.toString());
  });
});

describe("isolation", () => {
  test("core/isolation: requests at the same time; who leaves makes room", () => {
    const world = new World("{'isolation_rules':[{'resource':'abc','metricType':0,'threshold':3}]}");
    const entries = [new Entry(), new Entry(), new Entry(), new Entry()];
    for (let i = 0; i < 3; i++) expect(world.enter(entries[i])).toBe(FlowVerdict.PASS);
    expect(world.enter(entries[3])).toBe(FlowVerdict.ISOLATION);
    world.engine.exit(entries[1], world.now, FlowOutcome.GOOD);
    expect(world.enter(entries[3])).toBe(FlowVerdict.PASS);
    expect(world.enter(entries[1])).toBe(FlowVerdict.ISOLATION);
    world.engine.cancel(entries[0], world.now);
    expect(world.enter(entries[1])).toBe(FlowVerdict.PASS);
  });

  test("the lowest of several thresholds counts", () => {
    const world = new World(
      "{'isolation_rules':[{'resource':'abc','threshold':5},{'resource':'abc','threshold':2},{'resource':'abc','threshold':9}]}",
    );
    expect(world.passes(9)).toBe(2);
  });
});
