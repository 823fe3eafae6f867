// The release module in the host emulator: what a VM that dies had in gauges is taken off them, and nothing else is.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import { Host } from "./kit/index.ts";
import { A, answers, call, module } from "./proxy-world.ts";

const ACTIVE = "moe.bolt.active";
/** Longer than the lease of a record, and the time between two ticks. */
const LEASE = 4000;

/** A host with one client on each worker, whose calls are not answered. */
async function held(workers: number, calls: number) {
  const host = await Host.start({ module, workers, config: { router: NO_TIMEOUT } });
  const cluster = new BoltCluster(A);
  host.onConnect = cluster.connect;
  cluster.servers[0].onCall = () => {};
  const clients = Array.from({ length: workers }, (_, worker) => host.connect({ worker }));
  for (const client of clients) for (let id = 1; id <= calls; id++) client.write(call(id));
  host.advance(500);
  assert.equal(host.metrics.gauge(ACTIVE), workers * calls);
  return { host, cluster, clients };
}

const NO_TIMEOUT = {
  virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", timeout: "-1s" } }] }],
};

describe("gauges when a VM dies", () => {
  it("lose its part a lease after it is loaded anew; the other workers' parts stay, as long as they like", async () => {
    const { host, cluster, clients } = await held(3, 5);
    host.kill(1);
    host.advance(60_000);
    assert.equal(host.metrics.gauge(ACTIVE), 15, "nobody can tell");
    host.reload(1);
    host.advance(LEASE);
    assert.equal(host.metrics.gauge(ACTIVE), 10);
    host.advance(60_000);
    assert.equal(host.metrics.gauge(ACTIVE), 10);

    // The new VM has a part of its own.
    const again = host.connect({ worker: 1 });
    again.write(call(1));
    host.advance(LEASE);
    assert.equal(host.metrics.gauge(ACTIVE), 11);
    for (const { reply, stream } of cluster.calls) if (!stream.closed) reply();
    host.advance(1000);
    assert.equal(answers(clients[0]).length + answers(clients[2]).length + answers(again).length, 11);
    assert.equal(host.metrics.gauge(ACTIVE), 0);
    clients[0].rst();
    host.advance(70_000);
    assert.equal(host.vm.tickPeriod(), 0, "no ticks when nothing is left to do");
  });

  it("again and again: the records of the dead are used again", async () => {
    const { host } = await held(1, 3);
    for (let round = 0; round < 20; round++) {
      host.kill();
      host.reload();
      const client = host.connect();
      client.write(call(1));
      client.write(call(2));
      host.advance(LEASE);
      assert.equal(host.metrics.gauge(ACTIVE), 2, `round ${round}`);
      client.rst();
      host.advance(500);
      const last = host.connect();
      for (let id = 1; id <= 3; id++) last.write(call(id));
      host.advance(200);
      assert.equal(host.metrics.gauge(ACTIVE), 3);
    }
    assert.equal(host.shared.get("moe.gauges.\x02"), null, "more than two records");
  });

  it("a VM that stood still for longer than its lease is counted again when it goes on", async () => {
    const { host, cluster, clients } = await held(2, 4);
    // Its thread hangs: no ticks, while another worker's VM dies and is loaded anew.
    host.workers[0].dead = true;
    host.kill(1);
    host.reload(1);
    host.advance(LEASE);
    assert.equal(host.metrics.gauge(ACTIVE), 0);
    host.workers[0].dead = false;
    host.advance(1000);
    assert.equal(host.metrics.gauge(ACTIVE), 4);
    for (const { reply, stream } of cluster.calls) if (!stream.closed) reply();
    host.advance(1000);
    assert.equal(answers(clients[0]).length, 4);
    assert.equal(host.metrics.gauge(ACTIVE), 0);
  });
});
