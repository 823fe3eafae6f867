// System rules of flowControlFilter by how busy workers are, in the host emulator: callbacks that take virtual time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUSY, filter, limit, next, statuses } from "./flow-world.ts";
import { startHttp } from "./http-world.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import type { BoltCluster } from "./kit/bolt-cluster.ts";
import type { Host, SwitchboardClient } from "./kit/index.ts";
import { world, type World } from "./proxy-world.ts";

const LOAD = "moe.filter.flowControlFilter.load_permille";
const CPU_USAGE = "moe.filter.flowControlFilter.cpu_usage_permille";

const cpu = (triggerCount: number, strategy = -1): object => ({ metricType: 4, triggerCount, strategy });
const load = (triggerCount: number, strategy = -1): object => ({ metricType: 0, triggerCount, strategy });

/** How long the next callback takes: it reads the clock when it begins, and then does what takes time. */
function slow({ clock }: Host): { ms: number } {
  const cost = { ms: 0 };
  const get = (): bigint => {
    const now = BigInt(clock.nowMs) * 1_000_000n;
    clock.spend(cost.ms);
    cost.ms = 0;
    return now;
  };
  Object.defineProperty(clock, "monotonicNs", { get });
  return cost;
}

class Load {
  readonly host: Host;
  readonly cluster: BoltCluster;
  readonly clients: SwitchboardClient[];
  private readonly cost: { ms: number };

  constructor({ host, cluster }: World, workers: number) {
    this.host = host;
    this.cluster = cluster;
    this.clients = Array.from({ length: workers }, (_, worker) => host.connect({ worker }));
    this.cost = slow(host);
  }

  /** A request in a callback that takes so long; what comes of it. */
  call(worker: number, ms: number): number[] {
    const client = this.clients[worker];
    this.cost.ms = ms;
    client.write(next());
    assert.equal(this.cost.ms, 0, "the callback took no time");
    this.host.advance(1);
    return statuses(client);
  }

  /** A second of the host in which the workers' callbacks take so long, one after the other; what the last calls come to. */
  second(...ms: number[]): number[][] {
    const rest = (1000 - ms.reduce((sum, each) => sum + each, 0)) / 10 - ms.length;
    let last: number[][] = [];
    for (let i = 0; i < 10; i++) {
      last = ms.map((each, worker) => this.call(worker, each / 10));
      this.host.advance(rest);
    }
    return last;
  }

  gauge(): number {
    return this.host.metrics.gauge(LOAD);
  }

  close(): void {
    for (const client of this.clients) client.fin();
    this.host.advance(3000);
    this.host.close();
  }
}

async function begin(workers: number, rules: object[], more: object = {}): Promise<Load> {
  const all = new Load(await world(undefined, { config: filter({ system_rules: rules, ...more }), workers }), workers);
  const { host } = all;
  for (let worker = 0; worker < workers; worker++) all.clients[worker].write(next({ headers: [["service", "warm"]] }));
  host.advance(100);
  for (const client of all.clients) assert.deepEqual(statuses(client), [Status.SUCCESS]);
  return all;
}

/** The value is near that; the host's ticks are not aligned to seconds. */
const near = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value - wanted) <= 80, `${value} is not ${wanted}`);

describe("how busy workers are", () => {
  it("CPU usage blocks above its threshold, and passes when it falls again", async () => {
    const all = await begin(1, [cpu(0.5)]);
    all.second(300);
    assert.deepEqual(all.second(300), [[Status.SUCCESS]]);
    near(all.gauge(), 300);
    all.second(700);
    assert.deepEqual(all.second(700), [[BUSY]]);
    near(all.gauge(), 700);
    all.host.advance(3000);
    assert.equal(all.gauge(), 0);
    assert.deepEqual(all.call(0, 1), [Status.SUCCESS]);
    const shares = all.host.metrics.histogram(CPU_USAGE);
    near(Math.max(...shares), 700);
    assert.equal(Math.min(...shares), 0);
    all.close();
  });

  it("adaptive: what goes one by one passes", async () => {
    const all = await begin(1, [cpu(0.5, 1), load(0.5, 1)]);
    all.second(900);
    assert.deepEqual(all.second(900), [[Status.SUCCESS]]);
    all.close();
  });

  it("adaptive: those that would have to wait for others are blocked", async () => {
    const all = await begin(1, [cpu(0.5, 1)]);
    all.second(900);
    all.second(900);
    all.cluster.servers[0].onCall = () => {};
    // Ten a second, each of 90 ms: less than one at a time.
    for (let i = 0; i < 50; i++) all.clients[0].write(next());
    all.host.advance(5);
    assert.deepEqual(statuses(all.clients[0]), Array(48).fill(BUSY));
    all.close();
  });

  it("load is the sum of two workers' shares, CPU usage each one's own", async () => {
    const sum = await begin(2, [load(0.7)]);
    sum.second(400, 200);
    assert.deepEqual(sum.second(400, 200), [[Status.SUCCESS], [Status.SUCCESS]]);
    near(sum.gauge(), 600);
    sum.second(400, 500);
    assert.deepEqual(sum.second(400, 500), [[BUSY], [BUSY]]);
    near(sum.gauge(), 900);
    // The second worker has nothing to do any more, and says so.
    sum.host.advance(3000);
    sum.second(400);
    assert.deepEqual(sum.second(400), [[Status.SUCCESS]]);
    sum.close();

    const own = await begin(2, [cpu(0.5)]);
    own.second(650, 200);
    assert.deepEqual(own.second(650, 200), [[BUSY], [Status.SUCCESS]]);
    own.close();
  });

  it("each for itself, where it is asked for", async () => {
    const all = await begin(2, [load(0.5)], { mode: "worker" });
    all.second(650, 200);
    assert.deepEqual(all.second(650, 200), [[BUSY], [Status.SUCCESS]]);
    near(all.gauge(), 850);
    all.close();
  });

  it("a VM that traps takes its share with it", async () => {
    const all = await begin(2, [load(0.7)]);
    all.second(500, 300);
    assert.deepEqual(all.second(500, 300), [[BUSY], [BUSY]]);
    all.host.kill(0);
    all.host.reload(0);
    const anew = all.host.connect({ worker: 0 });
    anew.write(next());
    all.host.advance(100);
    assert.deepEqual(statuses(anew), [BUSY], "it counts for three seconds");
    all.host.advance(3500);
    near(all.gauge(), 0);
    anew.write(next());
    all.host.advance(100);
    assert.deepEqual(statuses(anew), [Status.SUCCESS]);
    anew.fin();
    all.clients.shift();
    all.close();
  });

  it("one more reading of the clock in a callback, and only with such a rule", async () => {
    const reads = async (rules: object): Promise<number> => {
      const { host, client } = await world(undefined, { config: filter({ ...limit(1000), ...rules }) });
      client.write(next());
      host.advance(1000);
      const trace = host.trace(() => client.write(next()));
      const callback = trace.find(({ callback }) => callback === "proxy_on_downstream_data");
      host.advance(100);
      assert.deepEqual(statuses(client), [Status.SUCCESS, Status.SUCCESS]);
      assert.equal(host.metrics.names().includes(CPU_USAGE), "system_rules" in rules);
      client.fin();
      host.advance(2000);
      assert.equal(host.vm.tickPeriod() > 0, "system_rules" in rules);
      host.close();
      return callback?.calls.clock_time_get ?? 0;
    };
    const usual = await reads({});
    assert.equal(await reads({ system_rules: [{ metricType: 1, triggerCount: 1000 }, cpu(1)] }), usual + 1);
  });

  it("the gauge goes with the plugin, and nothing is measured any more", async () => {
    const all = await begin(1, [cpu(1)]);
    all.second(600);
    all.second(600);
    near(all.gauge(), 600);
    const { host } = all;
    const { vm } = host;
    all.clients[0].fin();
    host.advance(100);
    vm.call("proxy_on_done", vm.roots[0], vm.roots[0].id);
    assert.equal(all.gauge(), 0);
    const shares = host.metrics.histogram(CPU_USAGE).length;
    host.advance(5000);
    assert.equal(host.metrics.histogram(CPU_USAGE).length, shares);
    host.close();
  });

  it("on HTTP a local reply calls back from within the request: its time counts once", async () => {
    const rules = { app_name: "test", global_switch: true, system_rules: [cpu(0.5)] };
    const host = await startHttp([{ type: "flowControlFilter", config: rules }]);
    const cost = slow(host);
    const seen: (number | null)[] = [];
    for (let i = 0; i < 30; i++) {
      cost.ms = 70;
      seen.push(host.request({ path: "/" }).status);
      host.advance(30);
    }
    assert.deepEqual([seen[0], seen[29]], [200, 509]);
    near(host.metrics.gauge(LOAD), 700);
    host.close();
  });
});
