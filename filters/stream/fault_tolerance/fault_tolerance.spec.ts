// MOSN's regulator with the numbers of MOSN's own tests (pkg/filter/stream/faulttolerance), and the rules that are ours.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetric, FilterMetricTable, NamedMetrics, FilterMetrics } from "../../../assembly/stream/metrics";
import { bit, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { UpstreamHost } from "../../../assembly/stream/upstream_host";
import { chainOf, configured } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { FaultToleranceConfig } from "./config";
import { faultTolerance } from "./fault_tolerance";
import { divide } from "./rate";
import { ClusterModel, Regulator } from "./regulator";

const CLUSTER = Bytes.of("c");
let ejections: i64 = 0;
let ejected: i64 = 0;
/** The timers that are set, and when the last one is due. */
let timers: Timer[] = [];
let lastMs: i64 = 0;

class NoMetrics extends NamedMetrics {
  count(at: i32, delta: i64): void {}
  record(at: i32, value: i64): void {}
}

class TestMetrics extends FilterMetrics {
  count(metric: FilterMetric, delta: i64): void {
    if (metric.name.endsWith("ejections")) ejections += delta;
    else ejected += delta;
  }
  record(metric: FilterMetric, value: i64): void {}
  countNamed(table: FilterMetricTable, first: View, second: View, counter: i32): void {}
  named(table: FilterMetricTable, first: View, second: View): NamedMetrics {
    return new NoMetrics();
  }
}

class TestPlugin extends FilterPlugin {
  setTimer(timer: Timer, ms: i64): void {
    if (!timers.includes(timer)) timers.push(timer);
    lastMs = ms;
  }
  cancelTimer(timer: Timer): void {
    const i = timers.indexOf(timer);
    if (i >= 0) timers.splice(i, 1);
  }
}

/** Hosts of one cluster, and its windows. */
class World {
  readonly config: FaultToleranceConfig;
  readonly hosts: UpstreamHost[] = [];
  now: i64 = 1000000;

  constructor(rule: string, hosts: i32 = 5) {
    ejections = ejected = 0;
    timers = [];
    this.config = configured(faultTolerance, `{'enabled':true,${rule}}`) as FaultToleranceConfig;
    this.config.begin(new TestPlugin(new TestMetrics()));
    for (let i = 0; i < hosts; i++) this.hosts.push(new UpstreamHost(CLUSTER, Bytes.of(`h${i + 1}`)));
  }

  /** Calls of a host, from 1 on: so many, of which so many are exceptions. */
  calls(host: i32, calls: i32, exceptions: i32): void {
    for (let i = 0; i < calls; i++) this.config.regulator.call(this.hosts[host - 1], i < exceptions);
  }

  /** Ends the window; how much later than the one before, ms. */
  window(after: i64 = 1): void {
    this.now += after;
    const due = timers;
    timers = [];
    for (let i = 0; i < due.length; i++) due[i].onTimer(this.now);
  }

  /** Hosts that are looked at. */
  get known(): i32 {
    return timers.length == 0 ? 0 : (timers[0] as ClusterModel).stats.length;
  }

  /** The hosts that are ejected, as "h1 h2". */
  get out(): string {
    const names: string[] = [];
    for (let i = 0; i < this.hosts.length; i++) {
      if (this.hosts[i].ejected) names.push(this.hosts[i].address.toString());
    }
    return names.join(" ");
  }
}

describe("MOSN's tests", () => {
  test("Test_Calculate, and what Go's %.2f makes of other quotients", () => {
    expect(divide(3, 12)).toBe(0.25);
    expect(divide(1, 3)).toBe(0.33);
    expect(divide(1.0166, 3.0456)).toBe(0.33);
    // Ties go to the even digit, and what only looks like one is none: 1.115 is a little less, 0.115 a little more.
    expect(divide(1, 8)).toBe(0.12);
    expect(divide(3, 8)).toBe(0.38);
    expect(divide(223, 200)).toBe(1.11);
    expect(divide(23, 200)).toBe(0.12);
    expect(divide(29, 200)).toBe(0.14);
    expect(divide(1, 300)).toBe(0);
    expect(divide(1, 0)).toBe(f64.POSITIVE_INFINITY);
    expect(isNaN(divide(0, 0))).toBe(true);
  });

  test("Test_Measure", () => {
    // The calls of a window, as there; hosts 4 and 5 have one each in a window that does not count.
    const first = new World("'exceptionRateMultiple':2,'maxIpCount':2,'recoverTime':1000");
    for (let host = 1; host <= 5; host++) first.calls(host, 1, 0);
    first.window();
    expect(first.known).toBe(5);
    first.calls(3, 10, 10);
    first.window();
    expect(first.out).toBe("");
    first.calls(1, 10, 1);
    first.calls(2, 10, 4);
    first.window();
    expect(first.out).toBe("", "1.6 times the average");

    const second = new World("'exceptionRateMultiple':1.6,'maxIpCount':2,'recoverTime':1000");
    second.calls(3, 10, 10);
    second.window();
    second.calls(1, 10, 1);
    second.calls(2, 10, 4);
    second.window();
    expect(second.out).toBe("h2");
    expect(ejections).toBe(1);
  });

  test("Test_Measure: hosts that nobody calls for six windows are forgotten, ejected ones are not", () => {
    const world = new World("'exceptionRateMultiple':1.6,'recoverTime':100000");
    world.calls(1, 10, 1);
    world.calls(2, 10, 4);
    world.calls(3, 10, 0);
    world.window();
    expect(world.out).toBe("h2");
    for (let i = 0; i < 5; i++) world.window();
    expect(world.known).toBe(3);
    world.calls(3, 1, 0);
    world.window();
    expect(world.known).toBe(2);
    for (let i = 0; i < 20; i++) world.window();
    expect(world.known).toBe(1);
    world.window(100000);
    expect(world.out).toBe("");
    for (let i = 0; i < 6; i++) world.window();
    expect(world.known).toBe(0);
    expect(timers.length).toBe(0, "no window without hosts");
  });

  test("Test_Stat: the rate is of the calls since the last window that counted", () => {
    const world = new World("'exceptionRateMultiple':1.5,'leastWindowCount':6", 2);
    world.calls(1, 5, 5);
    world.calls(2, 5, 0);
    world.window();
    expect(world.out).toBe("", "too few calls: kept");
    world.calls(1, 1, 1);
    world.calls(2, 1, 0);
    world.window();
    expect(world.out).toBe("h1");
  });

  test("TestAppendFilter: by codes, and back after recoverTime", () => {
    const rule = "'timeWindow':1000,'leastWindowCount':1,'exceptionTypes':[502,504],'recoverTime':3000";
    const world = new World(rule + ",'exceptionRateMultiple':1.1", 2);
    world.calls(1, 2, 2);
    world.calls(2, 1, 0);
    expect(lastMs).toBe(1000);
    world.window();
    expect(world.out).toBe("h1");
    world.window(2999);
    expect(world.out).toBe("h1");
    world.window(1);
    expect(world.out).toBe("");
    expect(ejected).toBe(0);
    expect(world.config.isException(504) && world.config.isException(502)).toBe(true);
    expect(world.config.isException(503) || world.config.isException(200)).toBe(false);
    expect(world.config.isException(-1) || world.config.isException(100000)).toBe(false);
  });
});

describe("bounds", () => {
  test("8,192 hosts of all clusters are judged; calls of one more are not counted", () => {
    const config = configured(faultTolerance, `{'enabled':true}`) as FaultToleranceConfig;
    const regulator = new Regulator();
    regulator.begin(config, new TestPlugin(new TestMetrics()));
    const clusters = [Bytes.of("a"), Bytes.of("b")];
    const hosts: UpstreamHost[] = [];
    for (let i = 0; i < 8192; i++) hosts.push(new UpstreamHost(clusters[i & 1], Bytes.of(i.toString())));
    for (let i = 0; i < 8192; i++) expect(regulator.call(hosts[i], true)).toBe(true);
    expect(regulator.call(new UpstreamHost(clusters[0], Bytes.of("one more")), true)).toBe(false);
    expect(regulator.call(new UpstreamHost(Bytes.of("c"), Bytes.of("of another")), true)).toBe(false);
    expect(regulator.call(hosts[8191], true)).toBe(true);
  });
});

describe("fault_tolerance", () => {
  test("with the default of 5 it takes five equal hosts for MOSN's rule", () => {
    for (let hosts = 3; hosts <= 6; hosts++) {
      const world = new World("'fewHostsExceptionRate':0", hosts);
      for (let host = 1; host <= hosts; host++) world.calls(host, 100, host == 1 ? 40 : 0);
      world.window();
      expect(world.out).toBe(hosts >= 5 ? "h1" : "", `${hosts} hosts`);
    }
  });

  test("few hosts: a high rate, and so many times that of the others", () => {
    const rates: i32[][] = [
      [50, 0, 1],
      [49, 0, 0],
      [100, 20, 1],
      [100, 21, 0],
      [60, 12, 1],
      [60, 13, 0],
      [100, 100, 0],
    ];
    for (let i = 0; i < rates.length; i++) {
      const world = new World("'maxIpCount':1", 2);
      world.calls(1, 100, rates[i][0]);
      world.calls(2, 100, rates[i][1]);
      world.window();
      expect(world.out).toBe(rates[i][2] == 1 ? "h1" : "", `${rates[i][0]} and ${rates[i][1]} of 100`);
    }
  });

  test("the worst go first, as many as the bounds let, and one stays", () => {
    const bounds = ["'maxIpCount':1", "'maxIpCount':2", "'maxIpCount':9,'maxIpRatio':0.5", "'maxIpCount':9"];
    const expected = ["h3", "h2 h3", "h2 h3", "h1 h2 h3"];
    for (let i = 0; i < bounds.length; i++) {
      const world = new World(bounds[i] + ",'exceptionRateMultiple':1.1,'leastWindowCount':10", 4);
      world.calls(1, 100, 60);
      world.calls(2, 100, 70);
      world.calls(3, 100, 80);
      world.calls(4, 900, 0);
      world.window();
      expect(world.out).toBe(expected[i], bounds[i]);
    }
    const alone = new World("'maxIpCount':9", 1);
    alone.calls(1, 100, 100);
    alone.window();
    expect(alone.out).toBe("");
  });

  test("the end of the plugin lets all hosts go", () => {
    const world = new World("'maxIpCount':1", 2);
    world.calls(1, 100, 100);
    world.calls(2, 100, 0);
    world.window();
    expect(world.out).toBe("h1");
    expect(ejected).toBe(1);
    world.config.end();
    expect(world.out).toBe("");
    expect(ejected).toBe(0);
    expect(timers.length).toBe(0);
  });

  test("counts what the host did, not what others did for it", () => {
    const chain = chainOf(faultTolerance, "{'enabled':true,'leastWindowCount':1}");
    const config = chain.send(new TestHandler());
    expect(config).toBe(0, "no host");
    expect(faultTolerance.phases).toBe(bit(Phase.BEFORE_SEND));
    const handler = new TestHandler();
    handler.host = new UpstreamHost(CLUSTER, Bytes.of("h"));
    handler.flags = ResponseFlag.UPSTREAM_OVERFLOW;
    chain.send(handler);
    expect(handler.failures.length).toBe(0);
  });
});
