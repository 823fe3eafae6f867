// MOSN's stream filters as an Envoy HTTP filter: the release module in the emulator.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callsOf, keepRequests, startHttp, stat } from "./http-world.ts";
import { Host, type LoadError } from "./kit/index.ts";

const fault = (config: object) => ({ type: "fault", config });
const DELAY = { delay: { fixed_delay: "100ms", percentage: 100 } };
const ABORT = { abort: { status: 503, percentage: 100 } };
const routed = (config: object | string, type = "fault") => ({
  metadata: { moe: { [type]: typeof config === "string" ? config : JSON.stringify(config) } },
});

describe("configuration", () => {
  it("without filters everything passes, with not one host call", async () => {
    for (const config of ["", {}, { stream_filters: [] }, '{"stream_filters": []}']) {
      const host = await startHttp([], { config });
      host.request();
      const calls = callsOf(host, () => assert.equal(host.request({ body: "x" }).status, 200));
      assert.deepEqual(calls, {});
      host.close();
    }
  });

  it("is refused with the path of what is wrong", async () => {
    const wrong: [config: object, message: RegExp][] = [
      [{ stream_filters: [{ type: "nothing" }] }, /stream_filters\[0\]\.type.*unknown filter type "nothing"/],
      [
        { stream_filters: [fault({}), fault({ delay: { percentage: 101 } })] },
        /stream_filters\[1\]\.config\.delay\.per/,
      ],
      [{ filters: [] }, /unknown field "filters"; allowed: stream_filters/],
      [{ stream_filters: {} }, /stream_filters: expected an array/],
      [{ allow_on_headers_stop_iteration: 1 }, /allow_on_headers_stop_iteration: expected true or false/],
    ];
    for (const [config, message] of wrong) {
      await assert.rejects(startHttp([], { config }), (error: LoadError) => message.test(error.message));
    }
  });
});

describe("answers of filters", () => {
  it("reach the client as HTTP, and no server", async () => {
    const host = await startHttp([fault(ABORT)]);
    const servers = keepRequests(host);
    const exchange = host.request();
    assert.deepEqual([exchange.status, exchange.body, exchange.closed], [503, "fault filter abort", "complete"]);
    assert.equal(servers.length, 0);
    assert.deepEqual([stat(host, "requests"), stat(host, "local_replies"), stat(host, "responses")], [1, 1, 0]);
    assert.equal(stat(host, "active"), 0);
    host.close();
  });

  it("reach a gRPC client as a status in trailers only", async () => {
    const host = await startHttp([fault(ABORT)]);
    const headers = { "content-type": "application/grpc+proto", te: "trailers" };
    const exchange = host.request({ method: "POST", path: "/pkg.S/M", headers, open: true, protocol: "HTTP/2" });
    assert.equal(exchange.status, 200);
    assert.equal(exchange.headers?.get("grpc-status"), "14");
    assert.equal(exchange.headers?.get("grpc-message"), "fault filter abort");
    host.close();
  });

  it("with codes that are no HTTP status are 500", async () => {
    for (const [status, seen] of [
      [0, 500],
      [2, 500],
      [100, 500],
      [204, 204],
      [599, 599],
      [999, 500],
    ]) {
      const host = await startHttp([fault({ abort: { status, percentage: 100 } })]);
      const exchange = host.request();
      assert.equal(exchange.status, seen);
      if (seen === 204) assert.equal(exchange.body, "");
      host.close();
    }
  });
});

describe("waiting", () => {
  it("holds one request, not its neighbours", async () => {
    const header = { name: "slow", value: "1" };
    const host = await startHttp([fault({ ...DELAY, headers: [header] })]);
    const slow = host.request({ headers: { Slow: "1" }, body: "late" });
    const quick = host.request({ body: "soon" });
    assert.deepEqual([slow.status, quick.body], [null, "soon"]);
    host.advance(60);
    assert.equal(slow.status, null);
    host.advance(60);
    assert.deepEqual([slow.status, slow.body], [200, "late"]);
    host.close();
  });

  it("then the abort", async () => {
    const host = await startHttp([fault({ ...DELAY, ...ABORT })]);
    const exchange = host.request({ open: true, method: "POST" });
    exchange.write("the body keeps coming");
    host.advance(120);
    assert.deepEqual([exchange.status, exchange.closed], [503, "complete"]);
    host.close();
  });

  it("slows the client, whose body is larger than the buffer", async () => {
    const host = await startHttp([fault(DELAY)]);
    const exchange = host.request({ method: "POST", open: true, bufferLimit: 50_000 });
    exchange.write(Buffer.alloc(200_000, 97), true);
    assert.equal(exchange.readDisabled, true);
    host.advance(120);
    assert.deepEqual([exchange.status, exchange.body.length], [200, 200_000]);
    host.close();
  });

  it("ends with its client, and nothing of it is left", async () => {
    const host = await startHttp([fault(DELAY)]);
    const gone = host.request();
    gone.cancel();
    assert.equal(stat(host, "active"), 0);
    assert.equal(stat(host, "requests"), 1);
    host.advance(200);
    assert.equal(host.vm.tickPeriod(), 0);
    assert.equal(host.vm.contexts.size, 1);
    host.close();
  });

  it("is over when Envoy has answered", async () => {
    const host = await startHttp([fault(DELAY)]);
    const exchange = host.request();
    host.loop.enter(() => exchange.stream.sendLocalReply(408, "request timeout", [], "request_overall_timeout"));
    assert.equal(exchange.status, 408);
    host.advance(300);
    assert.equal(stat(host, "active"), 0);
    host.close();
  });

  it("of 1,000 requests at once goes on 16 in a tick, first come first served", async () => {
    const host = await startHttp([fault(DELAY)]);
    const servers = keepRequests(host);
    const exchanges = Array.from({ length: 1000 }, (_, i) => host.request({ path: `/${i}` }));
    for (let i = 0; i < 50 && servers.length === 0; i++) host.advance(4);
    assert.equal(servers.length, 16);
    host.advance(4);
    assert.equal(servers.length, 32);
    host.advance(400);
    assert.deepEqual(
      servers.map((request) => request.path),
      exchanges.map((_, i) => `/${i}`),
    );
    assert.equal(stat(host, "active"), 1000);
    host.close();
  });
});

describe("streams whose wait is over", () => {
  it("of one connection is one turn after the other: 1,000 do not delay one of another connection", async () => {
    const host = await startHttp([fault(DELAY)]);
    const servers = keepRequests(host);
    const of = (id: number, path: string) => host.request({ path, properties: { "connection/id": id } });
    const hog = Array.from({ length: 1000 }, () => of(1, "/hog"));
    of(2, "/good");
    for (let i = 0; i < 50 && servers.length === 0; i++) host.advance(4);
    assert.deepEqual(
      servers.slice(0, 3).map(({ path }) => path),
      ["/hog", "/good", "/hog"],
    );
    // Those that go while they wait for their turn leave the others theirs.
    for (const one of hog.slice(16, 900)) one.cancel();
    host.advance(40);
    assert.equal(servers.length, 1 + 15 + 101);
    host.advance(200);
    assert.deepEqual([stat(host, "active"), servers.length], [117, 117]);
    host.close();
  });
});

describe("configuration of the route", () => {
  it("replaces the filter's own, and is not merged with it", async () => {
    const host = await startHttp([fault({ ...ABORT, headers: [{ name: "x", value: "1" }] })]);
    const configs: Record<string, object> = { "/other": { abort: { status: 418, percentage: 100 } }, "/none": {} };
    host.routes = (headers) => {
      const config = configs[headers.get(":path") ?? ""];
      return config ? routed(config) : {};
    };
    assert.equal(host.request({ path: "/own" }).status, 200);
    assert.equal(host.request({ path: "/own", headers: { x: "1" } }).status, 503);
    assert.equal(host.request({ path: "/other" }).status, 418);
    assert.equal(host.request({ path: "/none", headers: { x: "1" } }).status, 200);
    host.close();
  });

  it("costs one host call a request, whether it is there or not, and is parsed once", async () => {
    const host = await startHttp([fault({})]);
    for (const table of [() => ({}), () => routed(ABORT)]) {
      host.routes = table;
      host.request();
      const calls = callsOf(host, () => host.request());
      assert.equal(calls.proxy_get_property, 1);
      assert.ok(Object.values(calls).reduce((a, b) => a + b) <= 2, JSON.stringify(calls));
    }
    host.close();
  });

  it("that is wrong leaves the filter's own in force, counts, and is logged once", async () => {
    for (const text of ['{"delay": {"percentage": 200}}', "no JSON", '{"unknown": 1}', "[]"]) {
      const host = await startHttp([fault(ABORT)]);
      host.routes = () => routed(text);
      for (let i = 0; i < 3; i++) assert.equal(host.request().status, 503);
      host.advance(1000);
      assert.equal(host.metrics.counter("moe.filter.fault.failures"), 3);
      const lines = host.log.text().filter((line) => line.includes("filter_metadata.moe.fault"));
      assert.equal(lines.length, 1, lines.join("\n"));
      host.close();
    }
  });

  it("of a protective filter that is wrong refuses the request", async () => {
    const host = await startHttp([{ type: "ip_access", config: { default_action: "allow" } }]);
    host.routes = () => routed('{"ips": [{"action": "deny", "addrs": ["nonsense"]}]}', "ip_access");
    const exchange = host.request();
    assert.equal(exchange.status, 500);
    assert.match(exchange.body, /protective filter/);
    host.close();
  });

  it("may differ with every request: the number that is kept is bounded", async () => {
    const host = await startHttp([fault({})]);
    let i = 0;
    host.routes = () => routed({ abort: { status: 200 + (i++ % 300), percentage: 100 }, headers: [{ name: `h${i}` }] });
    host.request();
    const before = host.vm.memory.pages;
    for (let n = 0; n < 5000; n++) host.request({ headers: { [`h${i + 1}`]: "" } });
    assert.ok(host.vm.memory.pages - before < 64, `${host.vm.memory.pages - before} pages more`);
    host.close();
  });
});

describe("many streams", () => {
  it("4,000 with delays, aborts, bodies and clients that go leave nothing behind", async () => {
    const host = await startHttp([
      fault({ delay: { fixed_delay: "30ms", percentage: 50 }, abort: { status: 503, percentage: 20 } }),
      { type: "payload_limit", config: { max_entity_size: 1000 } },
    ]);
    let seed = 7;
    const random = (below: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
    for (let i = 0; i < 4000; i++) {
      const size = random(1500);
      const exchange = host.request({ method: "POST", open: true, path: `/${i}` });
      exchange.write("x".repeat(size), random(3) > 0);
      if (random(5) === 0) exchange.cancel();
      if (random(4) === 0) host.advance(random(20));
    }
    host.advance(10_000);
    // Those whose clients never end their requests are still there.
    const open = stat(host, "active");
    assert.ok(open > 0 && open < 1500, String(open));
    host.close();
    host.advance(1000);
    assert.equal(host.metrics.gauge("moe.http.active"), 0);
    assert.equal(host.vm.contexts.size, 1);
  });

  it("one after the other need no more memory", async () => {
    const host = await startHttp([fault({ delay: { fixed_delay: "1ms", percentage: 10 } })]);
    const run = (count: number) => {
      for (let i = 0; i < count; i++) {
        host.request({ headers: { a: "b".repeat(i % 500) } });
        if (i % 100 === 0) host.advance(20);
      }
    };
    run(2000);
    const before = host.vm.memory.pages;
    run(20_000);
    assert.equal(host.vm.memory.pages, before);
    host.close();
  });
});

describe("other roots", () => {
  it("unknown ones are refused with those that there are", async () => {
    const start = Host.start({
      module: process.env.MOE_MODULE ?? (await import("../../scripts/build.ts")).build(),
      root: "x",
    });
    await assert.rejects(start, /unknown root_id "x"; there are: proxy, http/);
  });
});
