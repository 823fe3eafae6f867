// What filters count, in both roots, and the trailers of responses.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as rpc from "./filter-world.ts";
import * as http from "./http-script.ts";
import type { Host } from "./kit/index.ts";
import { callsOf, keepRequests } from "./http-world.ts";

const COUNTING = "count:2 gauge:5 gauge:-2 record:300 record:7";

/** The numbers of the scripted filter that are not 0, by what comes behind `moe.filter.script.`. */
function numbers(host: Host): Record<string, number> {
  host.advance(1000);
  const { metrics } = host;
  const found = metrics.names().filter((name) => name.startsWith("moe.filter.script."));
  return Object.fromEntries(
    found
      .map((name): [string, number] => [name.slice("moe.filter.script.".length), metrics.counter(name)])
      .filter(([, value]) => value > 0),
  );
}

function checkNumbers(host: Host, requests: number): void {
  assert.equal(numbers(host).counted, 2 * requests);
  assert.equal(host.metrics.gauge("moe.filter.script.gauge"), 3 * requests);
  assert.equal(host.metrics.histogram("moe.filter.script.sizes").length, 2 * requests);
  assert.deepEqual(host.metrics.histogram("moe.filter.script.sizes").slice(0, 2), [300, 7]);
}

/** Ends with a gauge above 0: others have to hear that its VM lives. */
function closeHeld(host: Host): void {
  host.advance(1000);
  assert.equal(host.vm.tickPeriod(), 500);
  host.close();
}

describe("metrics of filters", () => {
  it("counters, gauges and histograms on RPC, each defined once in a VM", async () => {
    const world = await rpc.start({ filters: [{ AFTER_ROUTE: [COUNTING] }] });
    const define = () => rpc.exchange(world, rpc.request(1, "m"));
    const defined = (action: () => void): number =>
      world.host.trace(action).reduce((sum, { calls }) => sum + (calls.proxy_define_metric ?? 0), 0);
    assert.ok(defined(define) >= 3);
    assert.equal(defined(define), 0);
    checkNumbers(world.host, 2);
    world.client.fin();
    closeHeld(world.host);
  });

  it("on HTTP, in the access log too", async () => {
    const host = await http.start([{ ACCESS_LOG: [COUNTING] }]);
    for (let i = 0; i < 3; i++) assert.equal(host.request().status, 200);
    checkNumbers(host, 3);
    closeHeld(host);
  });

  it("by names from the wire, at most 512 pairs", async () => {
    const host = await http.start([{ BEFORE_ROUTE: ["named:pkg.S:m"] }]);
    host.request();
    assert.equal(host.request().status, 200);
    assert.deepEqual(numbers(host), {
      "listener.l.service.pkg.S.method.m.total": 2,
      "listener.l.service.pkg.S.method.m.bad": 2,
    });
    const steady = callsOf(host, () => host.request());
    assert.equal(steady.proxy_define_metric, undefined);
    http.close(host);

    const names = Array.from({ length: 600 }, (_, i) => `named:s:m${i}`);
    const many = await http.start([{ BEFORE_ROUTE: [names.join(" ")] }]);
    for (let i = 0; i < 3; i++) assert.equal(many.request().status, 200);
    const counted = numbers(many);
    assert.equal(Object.keys(counted).length, 2 * 513);
    assert.equal(counted["listener.l.service.s.method.m511.total"], 3);
    assert.equal(counted["listener.l.service.other.method.other.bad"], 3 * 88);
    http.close(many);
  });
});

describe("what filters do beside requests", () => {
  const every = 2000;

  /** Neither sooner than asked for, nor much later; nothing after the end. */
  function checkTimes(host: Host, logged: () => string[]): void {
    logged();
    host.advance(every - 100);
    assert.deepEqual(logged(), []);
    host.advance(2 * every);
    assert.deepEqual(logged(), ["a time", "a time"]);
    assert.equal(numbers(host).counted, 2);
    const [root] = host.vm.roots;
    host.vm.call("proxy_on_done", root, root.id);
    assert.deepEqual(logged(), ["a end"]);
    host.advance(3 * every);
    assert.deepEqual(logged(), []);
  }

  it("on RPC: timers of their own, begun and ended with the plugin", async () => {
    const world = await rpc.start({ filters: [{ every }] });
    checkTimes(world.host, () => rpc.calls(world));
  });

  it("on HTTP", async () => {
    const host = await http.start([{ every }]);
    checkTimes(host, () => http.lines(host));
  });
});

describe("trailers of a response", () => {
  const start = (types?: string[]) =>
    http.start([{ BEFORE_SEND: ["trailer:grpc-status"], ACCESS_LOG: ["trailer:grpc-status"] }], { types });
  const answer = { headers: { "content-type": "application/grpc" }, trailers: { "grpc-status": "5" } };

  for (const body of ["", "message"]) {
    it(`in the access log; before, where the body is held (${body.length} bytes)`, async () => {
      for (const types of [undefined, ["script_response"]]) {
        const host = await start(types);
        const servers = keepRequests(host);
        const exchange = host.request();
        servers[0].respond({ ...answer, body });
        assert.equal(exchange.trailers?.get("grpc-status"), "5");
        const early = types === undefined ? "none" : "5";
        assert.deepEqual(http.shown(host), [`grpc-status=${early}`, "grpc-status=5"]);
        http.close(host);
      }
    });
  }

  it("none where the response has none, or there is none; nor those of the stream before", async () => {
    const host = await start(["script_response"]);
    const servers = keepRequests(host);
    host.request();
    servers[0].respond({ ...answer, body: "x" });
    host.request();
    servers[1].respond({ body: "x" });
    host.request().cancel();
    const shown = http.shown(host);
    assert.deepEqual(shown.slice(0, 4), ["grpc-status=5", "grpc-status=5", "grpc-status=none", "grpc-status=?"]);
    assert.deepEqual(shown.slice(4), ["grpc-status=none"]);
    http.close(host);
  });
});
