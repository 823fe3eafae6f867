// Circuit breakers under a virtual clock: rows from sentinel-golang v1.0.4, each naming its test.
import { Breaker, BreakerState } from "../../../assembly/sentinel/breaker";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowVerdict } from "../../../assembly/sentinel/verdict";
import { Section } from "../../../assembly/sentinel/record";
import { Parsed, START, World } from "./world";

const BASE = "'resource':'abc','retryTimeoutMs':3000,'minRequestAmount':10,'statIntervalMs':10000";

function rules(fields: string): string {
  return `{'circuit_breaker_rules':[{${BASE},${fields}}]}`;
}

const SLOW = "'strategy':0,'maxAllowedRtMs':50,'threshold':0.5";
const RATIO = "'strategy':1,'threshold':0.5";
const COUNT = "'strategy':2,'threshold':1.0";
const ALL = [SLOW, RATIO, COUNT];

/** A breaker alone. */
class Alone {
  readonly breaker: Breaker;
  readonly base: usize;

  constructor(fields: string) {
    const rule = new Parsed(rules(fields)).rules.breakers[0];
    const section = new Section(1, Breaker.size(rule));
    this.breaker = new Breaker(rule, section);
    this.base = heap.alloc(section.size as usize);
    memory.fill(this.base, 0, section.size as usize);
  }

  get state(): BreakerState {
    return this.breaker.state(this.base);
  }

  set state(state: BreakerState) {
    this.breaker.setState(this.base, state);
  }

  /** As Sentinel's TryPass. */
  passes(): bool {
    const passes = this.breaker.check(this.base, START);
    if (passes) this.breaker.take(this.base);
    return passes;
  }

  /** A request that was good, or not. */
  complete(good: bool): void {
    this.breaker.complete(this.base, START, good ? 10 : 1000, !good);
  }

  get probes(): i64 {
    return this.breaker.probesDone(this.base);
  }
}

describe("circuit_breaker_test.go", () => {
  test("Test{SlowRt,ErrorRatio,ErrorCount}CircuitBreaker_TryPass/TryPass_Closed, TryPass_Probe", () => {
    for (let i = 0; i < ALL.length; i++) {
      const one = new Alone(ALL[i]);
      expect(one.passes()).toBe(true);
      one.state = BreakerState.OPEN;
      expect(one.passes()).toBe(true);
      expect(one.state).toBe(BreakerState.HALF_OPEN);
      expect(one.passes()).toBe(false, "only the probe");
    }
  });

  test("…/TryPass_ProbeNum", () => {
    for (let i = 0; i < ALL.length; i++) {
      const one = new Alone(ALL[i] + ",'probeNum':10");
      one.state = BreakerState.OPEN;
      for (let n = 0; n < 10; n++) {
        expect(one.passes()).toBe(true);
        expect(one.state).toBe(BreakerState.HALF_OPEN);
        one.complete(true);
      }
      expect(one.state).toBe(BreakerState.CLOSED);
    }
  });

  test("Test{SlowRt,ErrorRatio,ErrorCount}_OnRequestComplete/Less_Than_MinRequestAmount, Probe_Failed, Probe_Succeed", () => {
    for (let i = 0; i < ALL.length; i++) {
      const one = new Alone(ALL[i]);
      one.complete(false);
      expect(one.state).toBe(BreakerState.CLOSED);
      one.state = BreakerState.HALF_OPEN;
      one.complete(false);
      expect(one.state).toBe(BreakerState.OPEN);
      one.state = BreakerState.HALF_OPEN;
      one.complete(true);
      expect(one.state).toBe(BreakerState.CLOSED);
    }
  });

  test("…/ProbeNum_Success, ProbeNum_Failed", () => {
    for (let i = 0; i < ALL.length; i++) {
      const one = new Alone(ALL[i] + ",'probeNum':2");
      one.state = BreakerState.HALF_OPEN;
      one.complete(true);
      expect(one.state).toBe(BreakerState.HALF_OPEN);
      expect(one.probes).toBe(1);
      one.complete(false);
      expect(one.state).toBe(BreakerState.OPEN);
      expect(one.probes).toBe(0);
    }
  });
});

describe("breakers", () => {
  test("rule_manager_test.go Test_isApplicableRule_{valid,invalid}", () => {
    expect(new Parsed(rules(SLOW)).error).toBe("");
    expect(new Parsed(rules(COUNT)).error).toBe("");
    const bad = [
      "'strategy':0,'threshold':1.1",
      "'strategy':1,'threshold':1.5",
      "'strategy':2,'threshold':-1",
      "'strategy':3",
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(new Parsed(rules(bad[i])).error.includes("config.circuit_breaker_rules[0]")).toBe(true);
    }
    const none = "{'circuit_breaker_rules':[{'resource':'abc','statIntervalMs':1000}]}";
    expect(new Parsed(none).error.includes("retryTimeoutMs")).toBe(true);
  });

  test("open by slow requests, by part or number of errors; closed again by a good probe", () => {
    for (let i = 0; i < ALL.length; i++) {
      const world = new World(rules(ALL[i]));
      for (let n = 0; n < 10; n++)
        expect(world.call(i == 0 && n % 2 == 0 ? 51 : 0, i != 0 && n % 2 == 0)).toBe(FlowVerdict.PASS);
      expect(world.call(0, false)).toBe(FlowVerdict.BREAKER, ALL[i]);
      world.sleep(2999);
      expect(world.call(0, false)).toBe(FlowVerdict.BREAKER);
      world.sleep(1);
      expect(world.call(100, true)).toBe(FlowVerdict.PASS, "a probe that fails");
      expect(world.call(0, false)).toBe(FlowVerdict.BREAKER);
      world.sleep(3000);
      expect(world.call(10, false)).toBe(FlowVerdict.PASS);
      for (let n = 0; n < 9; n++) expect(world.call(0, n == 0)).toBe(FlowVerdict.PASS, "its counts begin anew");
    }
  });

  test("one with threshold 0 opens at the first that is bad, and never at a good one", () => {
    const fields = ["'strategy':0,'maxAllowedRtMs':50,'threshold':0", "'strategy':1,'threshold':0", "'strategy':2"];
    for (let i = 0; i < fields.length; i++) {
      const world = new World(rules(fields[i]).replace("'minRequestAmount':10", "'minRequestAmount':1"));
      for (let n = 0; n < 20; n++) expect(world.call(1, false)).toBe(FlowVerdict.PASS, fields[i]);
      world.call(51, true);
      expect(world.call(1, false)).toBe(FlowVerdict.BREAKER, fields[i]);
    }
  });

  test("a number of errors that is not whole", () => {
    const world = new World(
      rules("'strategy':2,'threshold':1.5").replace("'minRequestAmount':10", "'minRequestAmount':1"),
    );
    world.call(0, true);
    expect(world.call(0, true)).toBe(FlowVerdict.PASS);
    expect(world.call(0, true)).toBe(FlowVerdict.BREAKER);
  });

  test("a part of the requests above 1, and slow requests without their time, are refused", () => {
    const part = new Parsed(rules("'strategy':1,'threshold':50")).error;
    expect(part.includes("must be 0 to 1 with strategy 1")).toBe(true, part);
    expect(new Parsed(rules("'strategy':2,'threshold':50")).error).toBe("");
    const slow = new Parsed(rules("'strategy':0,'threshold':0.5")).error;
    expect(slow.includes("maxAllowedRtMs must be given")).toBe(true, slow);
  });

  test("fewer errors than the threshold, or too few requests, leave it closed", () => {
    const world = new World(rules(RATIO));
    for (let n = 0; n < 9; n++) world.call(0, true);
    expect(world.passes(1)).toBe(1);
    const other = new World(rules(RATIO));
    for (let n = 0; n < 100; n++) expect(other.call(0, n % 5 == 4)).toBe(FlowVerdict.PASS);
  });

  test("errors of before the window are forgotten", () => {
    const world = new World(rules(RATIO + ",'statSlidingWindowBucketCount':10"));
    for (let n = 0; n < 9; n++) world.call(0, true);
    world.sleep(10000);
    expect(world.call(0, true)).toBe(FlowVerdict.PASS);
    expect(world.passes(1)).toBe(1);
  });

  test("a probe that is blocked by another rule, or whose client leaves, is made by the next request", () => {
    const world = new World(rules(COUNT));
    for (let n = 0; n < 10; n++) world.call(0, true);
    world.sleep(3000);
    const probe = new Entry();
    expect(world.enter(probe)).toBe(FlowVerdict.PASS);
    expect(world.passes(1)).toBe(0);
    world.engine.cancel(probe, world.now);
    expect(world.call(0, false)).toBe(FlowVerdict.PASS);
    expect(world.passes(5)).toBe(5);
  });
});
