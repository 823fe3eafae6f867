// MOSN's filter chain and state machine on HTTP (docs/reference/mosn.md#stream-filters to #variables), with filters that do what a test says.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { close, lines, order, shown, start } from "./http-script.ts";
import { keepRequests } from "./http-world.ts";

describe("the chain", () => {
  it("runs in order of the configuration, both ways, and logs at the end", async () => {
    const host = await start([{}, {}]);
    assert.equal(host.request({ headers: { h: "x" } }).status, 200);
    assert.deepEqual(lines(host), [
      ...["a0", "b0", "a1", "b1", "a2", "b2"].map((name) => `${name} h=x m=GET code=0 flags=0`),
      ...["aS", "bS"].map((name) => `${name} h=? m=GET code=200 flags=0`),
      ...["aL", "bL"].map((name) => `${name} h=x m=GET code=200 flags=0`),
    ]);
    close(host);
  });

  it("STOP without an answer: the rest of the phase is skipped, the request goes on", async () => {
    const host = await start([{ BEFORE_ROUTE: ["stop"], BEFORE_SEND: ["stop"] }, {}]);
    assert.equal(host.request().status, 200);
    assert.equal(order(host), "a0 a1 b1 a2 b2 aS aL bL");
    close(host);
  });

  for (const [phase, seen] of Object.entries({
    BEFORE_ROUTE: "a0 aL bL",
    AFTER_ROUTE: "a0 b0 a1 aL bL",
    AFTER_CHOOSE_HOST: "a0 b0 a1 b1 a2 aL bL",
    BEFORE_SEND: "a0 b0 a1 b1 a2 b2 aS aL bL",
  })) {
    it(`TERMINATION in ${phase}: no answer, only the log`, async () => {
      const host = await start([{ [phase]: ["hijack:403 termination"] }, {}]);
      const exchange = host.request();
      assert.deepEqual([exchange.status, exchange.closed], [null, "reset"]);
      assert.equal(order(host), seen);
      close(host);
    });
  }

  it("REMATCH_ROUTE: Envoy routes by what the filters made of the request; the same filter runs again", async () => {
    const host = await start([{}, { AFTER_ROUTE: ["set:to:second rematch", ""] }, {}]);
    host.routes = (headers) => ({ cluster: headers.get("to") ?? "first" });
    const servers = keepRequests(host);
    const exchange = host.request();
    assert.match(order(host), /^a0 b0 c0 a1 b1 b1 c1 a2/);
    assert.equal(servers[0].cluster, "second");
    assert.equal(exchange.stream.route.matches, 2);
    servers[0].respond();
    close(host);
  });

  it("REMATCH_ROUTE without a change has the route matched again, too", async () => {
    const host = await start([{ AFTER_ROUTE: ["rematch", ""] }]);
    const exchange = host.request();
    assert.deepEqual([exchange.status, exchange.stream.route.matches], [200, 2]);
    close(host);
  });

  it("without end it is answered with an error (MOSN: never)", async () => {
    const host = await start([{ AFTER_ROUTE: ["rematch"] }]);
    assert.equal(host.request().status, 500);
    assert.match(order(host), /^a0( a1){11} aS aL$/);
    close(host);
  });

  it("in phases that do not honour them, and RECHOOSE_HOST everywhere, they are no more than STOP", async () => {
    const script = { BEFORE_ROUTE: ["rematch"], AFTER_ROUTE: ["rechoose"], AFTER_CHOOSE_HOST: ["rechoose"] };
    const host = await start([script, {}]);
    assert.equal(host.request().status, 200);
    assert.equal(order(host), "a0 a1 a2 aS bS aL bL");
    close(host);
  });
});

describe("waits", () => {
  it("in every phase hold the stream, and the phase goes on from the filter", async () => {
    for (const phase of ["BEFORE_ROUTE", "AFTER_ROUTE", "AFTER_CHOOSE_HOST", "BEFORE_SEND"]) {
      const host = await start([{}, { [phase]: ["wait:50"], resume: ["wait:50", ""] }, {}]);
      const exchange = host.request({ body: "body" });
      host.advance(60);
      assert.equal(exchange.status, null, phase);
      host.advance(80);
      assert.deepEqual([exchange.status, exchange.body], [200, "body"]);
      const at = phase === "BEFORE_SEND" ? "S" : String(Object.keys(PHASES).indexOf(phase));
      assert.match(order(host), new RegExp(`a${at} b${at} bR bR c${at}`));
      close(host);
    }
  });

  it("and then an answer, or none", async () => {
    for (const [resume, outcome] of [
      ["hijack:403:no stop", 403],
      ["termination", null],
    ] as const) {
      for (const phase of ["AFTER_ROUTE", "BEFORE_SEND"]) {
        const host = await start([{ [phase]: ["wait:50"], resume: [resume] }]);
        const exchange = host.request({ body: "body" });
        host.advance(100);
        assert.equal(exchange.status, outcome);
        assert.notEqual(exchange.closed, null);
        close(host);
      }
    }
  });

  it("after which nobody needs the body that gathers any more: no piece is lost", async () => {
    const stop = { AFTER_ROUTE: ["stop"], AFTER_CHOOSE_HOST: ["stop"], resume: ["stop"] };
    const host = await start([{ BEFORE_ROUTE: ["wait:50"], ...stop }, {}], { types: ["script", "script_request"] });
    for (const early of [["one "], []]) {
      const servers = keepRequests(host);
      const exchange = host.request({ method: "POST", open: true });
      for (const piece of early) exchange.write(piece);
      host.advance(100);
      exchange.write("two ");
      exchange.write("three", true);
      assert.deepEqual([servers[0].body.toString(), servers[0].ended], [`${early.join("")}two three`, true]);
      servers[0].respond();
    }
    close(host);
    const back = await start([{ BEFORE_SEND: ["wait:50"], resume: ["stop"] }, {}], {
      types: ["script", "script_response"],
    });
    const servers = keepRequests(back);
    const exchange = back.request();
    servers[0].sendHeaders();
    servers[0].write("one ");
    back.advance(100);
    servers[0].write("two ");
    servers[0].write("three", true);
    assert.deepEqual([exchange.status, exchange.body], [200, "one two three"]);
    close(back);
  });

  it("of a response whose body is large slow the server, and it comes whole", async () => {
    const host = await start([{ BEFORE_SEND: ["wait:50"] }]);
    host.onRequest = (request) => request.respond({ body: "x".repeat(200_000) });
    const exchange = host.request({ bufferLimit: 40_000 });
    host.advance(100);
    assert.deepEqual([exchange.status, exchange.body.length], [200, 200_000]);
    close(host);
  });
});

const PHASES = { BEFORE_ROUTE: 0, AFTER_ROUTE: 1, AFTER_CHOOSE_HOST: 2 };

describe("local replies", () => {
  for (const [phase, seen] of Object.entries({
    BEFORE_ROUTE: "a0 aS bS aL bL",
    AFTER_ROUTE: "a0 b0 a1 aS bS aL bL",
    AFTER_CHOOSE_HOST: "a0 b0 a1 b1 a2 aS bS aL bL",
  })) {
    it(`of a filter in ${phase} go through the filters of responses`, async () => {
      const host = await start([{ [phase]: ["hijack:403:denied stop"] }, { BEFORE_SEND: ["body show:x-mosn-status"] }]);
      const exchange = host.request();
      assert.deepEqual([exchange.status, exchange.body], [403, "denied"]);
      const all = lines(host);
      assert.ok(all.includes("aS h=? m=GET code=403 flags=0"), all.join("\n"));
      assert.ok(all.includes("body=denied") && all.includes("x-mosn-status=403"), all.join("\n"));
      const calls = all.filter((text) => text.includes(" h=")).map((text) => text.split(" ")[0]);
      assert.equal(calls.join(" "), seen);
      close(host);
    });
  }

  it("of a filter of responses replaces the response, and goes through no filter again", async () => {
    const host = await start([{ BEFORE_SEND: ["hijack:504:late stop"] }, {}]);
    const exchange = host.request({ body: "body" });
    assert.deepEqual([exchange.status, exchange.body], [504, "late"]);
    assert.equal(order(host), "a0 b0 a1 b1 a2 b2 aS aL bL");
    close(host);
  });

  it("of Envoy go through them, too, with MOSN's flags: no route, lost server", async () => {
    const host = await start([{}]);
    host.routes = () => null;
    assert.equal(host.request().status, 404);
    assert.ok(lines(host).includes("aS h=? m=GET code=404 flags=100"));
    host.routes = () => ({});
    host.onRequest = (request) => request.fail();
    assert.equal(host.request().status, 503);
    assert.ok(lines(host).includes("aS h=? m=GET code=503 flags=10"));
    close(host);
  });

  it("may be changed by filters of responses: headers and body", async () => {
    const host = await start([
      { AFTER_ROUTE: ["hijack:403:denied stop"], BEFORE_SEND: ["response:sorry,_no set:x:1"] },
    ]);
    const exchange = host.request();
    assert.deepEqual([exchange.body, exchange.headers?.get("x")], ["sorry,_no", "1"]);
    close(host);
  });

  it("by terminate, from inside a filter: the flag, and the answer after the phase", async () => {
    const host = await start([{ AFTER_ROUTE: ["terminate:504 stop"] }, {}]);
    assert.equal(host.request().status, 504);
    assert.ok(lines(host).includes("bS h=? m=GET code=504 flags=2000"));
    close(host);
  });
});

describe("changes", () => {
  it("of headers reach the server and the client, whatever their case; those that would break HTTP do not", async () => {
    const host = await start([
      { AFTER_ROUTE: ["set:X-A:1 add:x-a:2 remove:Drop set:host:other"], BEFORE_SEND: ["set:X-B:2"] },
    ]);
    const servers = keepRequests(host);
    const exchange = host.request({ headers: { drop: "1" } });
    assert.deepEqual(servers[0].headers.all("x-a"), ["1", "2"]);
    assert.deepEqual([servers[0].headers.get("drop"), servers[0].headers.get(":authority")], [null, "other"]);
    servers[0].respond();
    assert.equal(exchange.headers?.get("x-b"), "2");
    close(host);
    const bad = await start([{ AFTER_ROUTE: ["set:a\nb:1 set:ok:1\r\nx set::1"] }]);
    const got = keepRequests(bad);
    bad.request();
    assert.deepEqual(
      got[0].headers.entries.map(([name]) => name),
      [":authority", ":path", ":method", ":scheme"],
    );
    got[0].respond();
    bad.advance(1000);
    assert.equal(bad.metrics.counter("moe.http.lost_changes"), 3);
    const [line] = bad.log.lines.filter(({ text }) => text.includes("changes came"));
    assert.match(line.text, /http request \/: 3 changes came too late, or HTTP cannot carry them; they are lost$/);
    close(bad);
  });

  it("that are lost refuse the request, or the response, with strict_changes", async () => {
    const bad = "set:ok:1\r\nx";
    const scripts = [
      { AFTER_ROUTE: [bad] },
      { AFTER_CHOOSE_HOST: [bad] },
      { BEFORE_SEND: [bad] },
      { ACCESS_LOG: [bad] },
    ];
    for (const [i, script] of scripts.entries()) {
      const host = await start([script], { config: { strict_changes: true } });
      const got = keepRequests(host);
      const exchange = host.request();
      for (const request of got) request.respond();
      assert.deepEqual([got.length, exchange.status], [i < 2 ? 0 : 1, i < 3 ? 500 : 200], Object.keys(script)[0]);
      if (i < 3) assert.equal(exchange.body, "changes came too late, or HTTP cannot carry them");
      host.advance(1000);
      assert.equal(host.metrics.counter("moe.http.lost_changes"), 1);
      close(host);
    }
  });

  for (const allow of [true, false]) {
    it(`of bodies that a filter has seen, their length with them, ${allow ? "held" : "late"}`, async () => {
      const types = ["script_request", "script_response"];
      const scripts = [{ AFTER_ROUTE: ["body trim"] }, { BEFORE_SEND: ["body response:answer"] }];
      const host = await start(scripts, { types, allow });
      const servers = keepRequests(host);
      const exchange = host.request({ body: "12345" });
      host.advance(40);
      // Where the headers went on with the length they had, a body of another length would break the connection.
      assert.equal(servers[0].body.toString(), allow ? "2345" : "12345");
      servers[0].respond({ body: "from the server", headers: { "content-length": "15" } });
      assert.equal(exchange.body, allow ? "answer" : "from the server");
      assert.deepEqual(shown(host), ["body=12345", "body=from the server"]);
      close(host);
    });

    it(`of bodies without a length, ${allow ? "held" : "late"}`, async () => {
      const types = ["script_request", "script_response"];
      const scripts = [{ AFTER_ROUTE: ["request:other"] }, { BEFORE_SEND: ["response:answer"] }];
      const host = await start(scripts, { types, allow });
      const servers = keepRequests(host);
      const exchange = host.request({ method: "POST", open: true });
      exchange.write("1234");
      exchange.write("5678", true);
      assert.equal(servers[0].body.toString(), "other");
      servers[0].sendHeaders();
      servers[0].write("from ");
      servers[0].write("the server");
      servers[0].sendTrailers({ t: "1" });
      assert.deepEqual([exchange.body, exchange.trailers?.get("t")], ["answer", "1"]);
      close(host);
    });
  }

  it("upgrades are not held for a body in either direction", async () => {
    const types = ["script_request", "script_response"];
    const host = await start([{}, {}], { types });
    const servers = keepRequests(host);
    const exchange = host.request({ open: true, headers: { connection: "upgrade", upgrade: "websocket" } });
    servers[0].sendHeaders(101, { connection: "upgrade", upgrade: "websocket" });
    assert.equal(exchange.status, 101);
    exchange.write("ping");
    servers[0].write("pong");
    assert.deepEqual([servers[0].body.toString(), exchange.body], ["ping", "pong"]);
    exchange.cancel();
    close(host);
  });

  it("of bodies that nobody has waited for: put in the place of what comes", async () => {
    const host = await start([{ AFTER_ROUTE: ["request:new"], BEFORE_SEND: ["response:answer"] }]);
    const servers = keepRequests(host);
    const exchange = host.request({ method: "POST", open: true, headers: { "content-length": "8" } });
    exchange.write("1234");
    exchange.write("5678", true);
    assert.deepEqual([servers[0].body.toString(), servers[0].headers.get("content-length")], ["new", "3"]);
    servers[0].respond({ body: "from the server", headers: { "content-length": "15" } });
    assert.deepEqual([exchange.body, exchange.headers?.get("content-length")], ["answer", "6"]);
    close(host);
  });

  it("of labels become headers that subsets can be chosen by", async () => {
    const host = await start([{ AFTER_ROUTE: ["label:zone:a label:zone:b label:x:y"] }]);
    const servers = keepRequests(host);
    host.request({ headers: { "x-moe-zone": "the client's" } });
    const { headers } = servers[0];
    assert.deepEqual([headers.all("x-moe-zone"), headers.get("x-moe-x")], [["b"], "y"]);
    servers[0].respond();
    close(host);
  });
});

describe("what filters see", () => {
  it("the host only once there is a response", async () => {
    const host = await start([{ AFTER_CHOOSE_HOST: ["host"], BEFORE_SEND: ["host"], ACCESS_LOG: ["host"] }]);
    host.request();
    assert.deepEqual(shown(host), ["host=?", "host=10.0.0.1:8080", "host=10.0.0.1:8080"]);
    close(host);
  });

  it("in the log of a request whose client has gone: the request, no response", async () => {
    const host = await start([{ AFTER_ROUTE: ["wait:1000"] }]);
    host.request({ headers: { h: "x" } }).cancel();
    assert.deepEqual(lines(host).at(-1), "aL h=x m=GET code=0 flags=0");
    close(host);
  });
});
