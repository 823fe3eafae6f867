// Filters that look at bodies on HTTP: where headers can be held until the body is complete, and where they cannot.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callsOf, keepRequests, startHttp, stat } from "./http-world.ts";
import type { Host } from "./kit/index.ts";

const limit = (size: number) => ({ type: "payload_limit", config: { max_entity_size: size, http_status: 413 } });
const fault = (config: object) => ({ type: "fault", config });
const DENY = { type: "ip_access", config: { default_action: "deny", ips: [{ action: "deny", addrs: ["0.0.0.0/0"] }] } };
const LABEL = {
  type: "header_to_metadata",
  config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] },
};
const ZONE = { headers: { zone: "a" }, body: "x" };
const TOO_LARGE = "the body is larger than payload_limit allows";

for (const allow of [true, false]) {
  /** The first request is that by which the module finds out; tests are about the others, too. */
  const learned = async (filters: object[]): Promise<Host> => {
    const host = await startHttp(filters, { allow });
    host.request({ body: "first" });
    host.advance(100);
    return host;
  };

  describe(`allow_on_headers_stop_iteration: ${allow}`, () => {
    it("bodies are seen whole, however they come", async () => {
      const host = await learned([limit(10)]);
      for (const pieces of [["1234567890"], ["12345", "67890"], ["", "1234567890"], [""], ["1", "2", "3"]]) {
        const exchange = host.request({ method: "POST", open: true });
        for (const piece of pieces) exchange.write(piece);
        exchange.write("", true);
        assert.deepEqual([exchange.status, exchange.body], [200, pieces.join("")], JSON.stringify(pieces));
      }
      for (const pieces of [["12345678901"], ["1234567890", "1"]]) {
        const exchange = host.request({ method: "POST", open: true });
        for (const piece of pieces) exchange.write(piece);
        assert.equal(exchange.status, null);
        exchange.write("", true);
        assert.deepEqual([exchange.status, exchange.body], [413, TOO_LARGE]);
      }
      host.close();
    });

    it("the very first request, too", async () => {
      for (const [body, status] of [
        ["short", 200],
        ["longer than that", 413],
      ] as const) {
        const host = await startHttp([limit(10)], { allow });
        const exchange = host.request({ body });
        host.advance(100);
        assert.equal(exchange.status, status);
        const warnings = host.log.text().filter((line) => line.includes("allow_on_headers_stop_iteration is not set"));
        assert.equal(warnings.length, allow ? 0 : 1);
        host.close();
      }
    });

    it("a request without a body is not held", async () => {
      const host = await learned([limit(10)]);
      assert.equal(host.request().status, 200);
      host.close();
    });

    it("trailers end a body", async () => {
      const host = await learned([limit(10)]);
      const servers = keepRequests(host);
      for (const [body, status] of [
        ["short", null],
        ["longer than that", 413],
        ["", null],
      ] as const) {
        const exchange = host.request({ method: "POST", open: true, protocol: "HTTP/2" });
        if (body !== "") exchange.write(body);
        exchange.sendTrailers({ x: "1" });
        assert.equal(exchange.status, status, body);
        if (status === null) assert.equal(servers.at(-1)?.trailers?.get("x"), "1");
      }
      assert.deepEqual(
        servers.filter(({ ended }) => ended).map(({ body }) => body.toString()),
        ["short", ""],
      );
      host.close();
    });

    it("a body above Envoy's buffer limit is answered with 413", async () => {
      for (const filters of [[limit(1e6)], [fault({ delay: { fixed_delay: "50ms", percentage: 100 } }), limit(1e6)]]) {
        const host = await learned(filters);
        const exchange = host.request({ method: "POST", open: true, bufferLimit: 40_000 });
        exchange.write(Buffer.alloc(100_000, 97), true);
        host.advance(200);
        assert.equal(exchange.status, 413);
        host.close();
        assert.equal(host.vm.contexts.size, 1);
      }
    });

    it("a filter before it answers without waiting for the body", async () => {
      const host = await startHttp([DENY, limit(10)], { allow });
      const exchange = host.request({ method: "POST", open: true });
      assert.equal(exchange.status, 403);
      host.close();
    });

    it("a filter before it delays without keeping the body away from it", async () => {
      const host = await learned([fault({ delay: { fixed_delay: "50ms", percentage: 100 } }), limit(10)]);
      for (const early of [true, false]) {
        for (const body of ["short", "longer than that"]) {
          const exchange = host.request({ method: "POST", open: true });
          if (early) exchange.write(body, true);
          assert.equal(exchange.status, null);
          host.advance(100);
          if (!early) exchange.write(body, true);
          assert.equal(exchange.status, body === "short" ? 200 : 413);
        }
      }
      host.close();
    });

    it("upgrades and CONNECT are not held: what follows is no body", async () => {
      const host = await learned([limit(10)]);
      const servers = keepRequests(host);
      host.request({ open: true, headers: { connection: "upgrade", upgrade: "websocket" } });
      host.request({ open: true, method: "CONNECT" });
      assert.equal(servers.length, 2);
      host.close();
    });

    it("upgrades that another filter holds lose nothing of what follows", async () => {
      const held = { type: "fault", config: { delay: { fixed_delay: "50ms", percentage: 100 } } };
      const host = await learned([held, limit(10)]);
      const servers = keepRequests(host);
      const exchange = host.request({ open: true, headers: { connection: "upgrade", upgrade: "websocket" } });
      exchange.write("early");
      assert.equal(servers.length, 0);
      host.advance(100);
      assert.equal(servers[0].body.toString(), "early");
      exchange.write(" and late");
      assert.equal(servers[0].body.toString(), "early and late");
      host.close();
    });

    it("routes where no filter looks at bodies have no limit", async () => {
      const host = await learned([limit(10)]);
      host.routes = () => ({ metadata: { moe: { payload_limit: '{"max_entity_size": 0}' } } });
      const exchange = host.request({ method: "POST", open: true, bufferLimit: 40_000 });
      exchange.write(Buffer.alloc(100_000, 97), true);
      assert.deepEqual([exchange.status, exchange.body.length], [200, 100_000]);
      host.close();
    });

    it("headers that change before it is reached change", async () => {
      const host = await learned([LABEL, limit(10)]);
      const servers = keepRequests(host);
      host.request(ZONE);
      assert.deepEqual(
        servers.map(({ headers }) => [headers.get("zone"), headers.get("x-moe-zone")]),
        [[null, "a"]],
      );
      assert.equal(stat(host, "lost_changes"), 0);
      host.close();
    });

    it("headers that change after it has seen the body change only where they are held", async () => {
      const host = await learned([limit(10), LABEL]);
      const servers = keepRequests(host);
      host.request(ZONE);
      const [{ headers }] = servers;
      servers[0].respond();
      assert.deepEqual([headers.get("zone"), headers.get("x-moe-zone")], allow ? [null, "a"] : ["a", null]);
      assert.equal(stat(host, "lost_changes") > 0, !allow);
      host.close();
    });

    it("a client that goes while the body gathers leaves nothing behind", async () => {
      const host = await learned([limit(10)]);
      const exchange = host.request({ method: "POST", open: true });
      exchange.write("part");
      exchange.cancel();
      assert.equal(stat(host, "active"), 0);
      assert.equal(host.vm.tickPeriod(), 0);
      host.close();
    });
  });
}

describe("finding out whether headers can be held", () => {
  it("costs nothing once it is known", async () => {
    for (const allow of [true, false]) {
      const host = await startHttp([limit(10)], { allow });
      host.request({ body: "first" });
      host.advance(1000);
      const calls = callsOf(host, () => host.request({ body: "second" }));
      assert.equal(calls.proxy_set_tick_period_milliseconds ?? 0, 1, "for the counters");
      // The route's configuration, and the body.
      assert.deepEqual([calls.proxy_get_property, calls.proxy_get_buffer_bytes], [1, 1], JSON.stringify(calls));
      host.close();
    }
  });

  it("can be left out: the configuration says it", async () => {
    for (const allow of [true, false]) {
      const config = { stream_filters: [limit(10)], allow_on_headers_stop_iteration: allow };
      const host = await startHttp([], { config, allow });
      const calls = callsOf(host, () => assert.equal(host.request({ body: "first" }).status, 200));
      assert.equal(calls.proxy_get_property, 1);
      host.close();
    }
  });

  it("does not take a slow client for a setting", async () => {
    const host = await startHttp([limit(10)], { allow: true });
    const servers = keepRequests(host);
    const slow = host.request({ method: "POST", open: true });
    host.advance(500);
    assert.equal(servers.length, 0, "held");
    slow.write("longer than that", true);
    assert.equal(slow.status, 413);
    host.close();
  });

  it("gives one up that does not come at all, and holds the next", async () => {
    const host = await startHttp([limit(10)], { allow: true });
    const servers = keepRequests(host);
    const silent = host.request({ method: "POST", open: true });
    host.advance(1100);
    assert.equal(servers.length, 1, "it went on, because all might have been stopped");
    silent.write("longer than that", true);
    assert.equal(silent.status, 413);
    host.request({ method: "POST", open: true });
    assert.equal(servers.length, 1, "held");
    host.close();
  });

  it("an empty body without the setting: nothing tells, but it ends", async () => {
    const host = await startHttp([limit(10)], { allow: false });
    const exchange = host.request({ method: "POST", open: true });
    exchange.write("", true);
    host.advance(1100);
    assert.equal(exchange.status, 200);
    host.close();
  });

  it("one whose body is above the buffer limit by then is answered", async () => {
    const host = await startHttp([limit(1e6)], { allow: false });
    const exchange = host.request({ method: "POST", open: true, bufferLimit: 40_000 });
    exchange.write(Buffer.alloc(100_000, 97), true);
    host.advance(9000);
    assert.equal(exchange.status, null, "Envoy reads no more of it");
    host.advance(2000);
    assert.equal(exchange.status, 413);
    host.close();
  });
});

describe("without held headers", () => {
  it("a server that answers before it has the body bypasses no filter", async () => {
    const filters = [limit(1e6), { type: "ip_access", config: {} }, fault({})];
    const host = await startHttp(filters, { allow: false });
    host.request({ body: "first" });
    host.advance(100);
    const deny = '{"default_action": "deny", "ips": [{"action": "deny", "addrs": ["0.0.0.0/0"]}]}';
    host.routes = () => ({ metadata: { moe: { ip_access: deny } } });
    host.onRequest = (request) => request.respond({ body: "early" });
    const exchange = host.request({ method: "POST", open: true });
    assert.equal(exchange.status, 403);
    host.close();
  });

  it("a server that answers early gets what has gathered, and what follows", async () => {
    const host = await startHttp([limit(1e6)], { allow: false });
    host.request({ body: "first" });
    host.advance(100);
    const servers = keepRequests(host);
    const exchange = host.request({ method: "POST", open: true });
    exchange.write("one ");
    assert.equal(servers[0].body.toString(), "");
    servers[0].sendHeaders();
    exchange.write("two", true);
    assert.deepEqual([servers[0].body.toString(), servers[0].ended], ["one two", true]);
    servers[0].write("done", true);
    assert.deepEqual([exchange.status, exchange.body], [200, "done"]);
    host.close();
  });
});
