// MOSN's filter chain and state machine on RPC (docs/reference/mosn.md#chain, #request), with filters that do what a test says.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calls, close, exchange, order, request, type Script, start, toUpstream } from "./filter-world.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { A, B } from "./proxy-world.ts";

describe("the chain", () => {
  it("runs in order of the configuration, both ways, and logs at the end", async () => {
    const all = await start({ filters: [{}, {}] });
    const [answer] = exchange(all, request(1, "m", [["h", "x"]]));
    assert.equal(answer.status, Status.SUCCESS);
    const seen = "h=x m=m code=0 flags=0";
    const back = "h=? m=m code=200 flags=0";
    assert.deepEqual(calls(all), [
      ...["a0", "b0", "a1", "b1", "a2", "b2"].map((name) => `${name} ${seen}`),
      ...["aS", "bS", "aL", "bL"].map((name) => `${name} ${back}`),
    ]);
    close(all);
  });

  it("STOP without an answer: the rest of the phase is skipped, the request goes on", async () => {
    const all = await start({ filters: [{ BEFORE_ROUTE: ["stop"], BEFORE_SEND: ["stop"] }, {}] });
    assert.equal(exchange(all, request(1, "m"))[0].status, Status.SUCCESS);
    assert.equal(order(all), "a0 a1 b1 a2 b2 aS aL bL");
    close(all);
  });

  for (const [phase, seen] of Object.entries({
    BEFORE_ROUTE: "a0 aL bL",
    AFTER_ROUTE: "a0 b0 a1 aL bL",
    AFTER_CHOOSE_HOST: "a0 b0 a1 b1 a2 aL bL",
    BEFORE_SEND: "a0 b0 a1 b1 a2 b2 aS aL bL",
  })) {
    it(`TERMINATION in ${phase}: no answer, only the log`, async () => {
      const all = await start({ filters: [{ [phase]: ["hijack:403 termination"] }, {}] });
      assert.deepEqual(exchange(all, request(1, "m")), []);
      assert.equal(order(all), seen);
      assert.equal(all.cluster.calls.length, phase === "BEFORE_SEND" ? 1 : 0);
      close(all);
    });
  }

  it("REMATCH_ROUTE: the route for what the filters made of the request, then the same filter again", async () => {
    const match = { headers: [{ name: "to", value: "second" }] };
    const routers = [{ match, route: { cluster_name: "second" } }, toUpstream()];
    const all = await start({ filters: [{}, { AFTER_ROUTE: ["set:to:second rematch", ""] }, {}], routers });
    assert.equal(exchange(all, request(1, "m"))[0].status, Status.SUCCESS);
    assert.match(order(all), /^a0 b0 c0 a1 b1 b1 c1 a2/);
    const [{ stream, frame }] = all.cluster.calls;
    assert.equal(stream.cluster, "second");
    assert.deepEqual(frame.headers.at(-1), ["to", "second"]);
    close(all);
  });

  it("RECHOOSE_HOST: another host, then the same filter again", async () => {
    const all = await start({ filters: [{ AFTER_CHOOSE_HOST: ["rechoose", ""] }], hosts: [A, B] });
    for (let id = 0; id < 8; id++) assert.equal(exchange(all, request(id, "m"))[0].status, Status.SUCCESS);
    assert.match(order(all), /^a0 a1 a2 a2 aS aL a0 a1 a2 a2/);
    close(all);
  });

  it("in phases that do not honour them they are no more than STOP", async () => {
    const all = await start({ filters: [{ BEFORE_ROUTE: ["rematch"], AFTER_ROUTE: ["rechoose"] }, {}] });
    assert.equal(exchange(all, request(1, "m"))[0].status, Status.SUCCESS);
    assert.equal(order(all), "a0 a1 a2 b2 aS bS aL bL");
    close(all);
  });

  for (const [phase, status] of [
    ["AFTER_ROUTE", "rematch"],
    ["AFTER_CHOOSE_HOST", "rechoose"],
  ]) {
    it(`${status} without end is answered with an error (MOSN: never)`, async () => {
      const all = await start({ filters: [{ [phase]: [status] }] });
      assert.equal(exchange(all, request(1, "m"))[0].status, Status.UNKNOWN);
      assert.match(order(all), /aS aL$/);
      assert.equal(all.cluster.calls.length, 0);
      close(all);
    });
  }

  it("one-way requests: an answer goes nowhere", async () => {
    const all = await start({ filters: [{ AFTER_ROUTE: ["hijack:403 stop", ""] }] });
    assert.deepEqual(exchange(all, request(1, "m", [], { type: 2 })), []);
    assert.deepEqual(exchange(all, request(2, "m", [], { type: 2 })), []);
    assert.equal(order(all), "a0 a1 aS aL a0 a1 aS aL");
    assert.equal(all.cluster.calls.length, 0);
    close(all);
  });
});

describe("local replies", () => {
  for (const [phase, seen] of Object.entries({
    BEFORE_ROUTE: "a0 aS bS aL bL",
    AFTER_ROUTE: "a0 b0 a1 aS bS aL bL",
    AFTER_CHOOSE_HOST: "a0 b0 a1 b1 a2 aS bS aL bL",
  })) {
    it(`of a filter in ${phase} go through the filters of responses`, async () => {
      const all = await start({ filters: [{ [phase]: ["hijack:403:denied stop"] }, {}] });
      const [answer] = exchange(all, request(7, "m", [["h", "x"]]));
      assert.deepEqual([answer.id, answer.status], [7, Status.SERVER_EXCEPTION]);
      assert.match(answer.raw.toString("latin1"), /denied/);
      const events = calls(all);
      assert.equal(events.map((text) => text.split(" ")[0]).join(" "), seen);
      // Headers of the answer: there are none.
      assert.ok(events.includes("aS h=? m=m code=403 flags=0"), events.join("\n"));
      assert.equal(all.cluster.calls.length, 0);
      close(all);
    });
  }

  it("of a filter of responses replaces the response, and goes through no filter again", async () => {
    const all = await start({ filters: [{ BEFORE_SEND: ["hijack:504:late stop"] }, {}] });
    assert.equal(exchange(all, request(1, "m"))[0].status, Status.TIMEOUT);
    assert.match(order(all), /b2 aS aL bL$/);
    close(all);
  });

  it("that the proxy makes, too: no route, no cluster, no connection, timeout, lost server", async () => {
    const match = (value: string): object => ({ match: { headers: [{ name: "h", value }] } });
    const routers = [
      { ...match("none"), route: { cluster_header: "absent" } },
      { ...match("direct"), direct_response: { status: 503, body: "busy" } },
      toUpstream({ timeout: "1s", retry_policy: { num_retries: 0 } }),
    ];
    const all = await start({ filters: [{}], routers });
    const [server] = all.cluster.servers;
    const outcome = (header: string, ms = 40): string => {
      const [answer] = exchange(all, request(1, "m", [["h", header]]), ms);
      const [sender] = calls(all).filter((text) => text.startsWith("aS"));
      return `${answer.status} ${sender}`;
    };
    assert.equal(outcome("none"), `${Status.NO_PROCESSOR} aS h=? m=m code=404 flags=100`);
    assert.equal(outcome("direct"), `${Status.SERVER_THREADPOOL_BUSY} aS h=? m=m code=503 flags=0`);
    server.state = "refuse";
    assert.equal(outcome("x"), `${Status.NO_PROCESSOR} aS h=? m=m code=502 flags=20`);
    server.state = "up";
    all.host.advance(6000);
    server.onCall = () => {};
    assert.equal(outcome("x", 1100), `${Status.TIMEOUT} aS h=? m=m code=504 flags=4`);
    server.onCall = ({ stream }) => stream.end();
    assert.equal(outcome("x"), `${Status.UNKNOWN} aS h=? m=m code=500 flags=40`);
    close(all);
  });

  it("may be changed by filters of responses", async () => {
    const all = await start({
      filters: [{ AFTER_ROUTE: ["hijack:403:denied stop"], BEFORE_SEND: ["response:sorry"] }],
    });
    const [answer] = exchange(all, request(1, "m"));
    assert.match(answer.raw.toString("latin1"), /sorry/);
    close(all);
  });

  it("by terminate, from inside a filter: the flag, and the answer after the phase", async () => {
    const all = await start({ filters: [{ AFTER_ROUTE: ["terminate:504 stop"] }, {}] });
    assert.equal(exchange(all, request(1, "m"))[0].status, Status.TIMEOUT);
    const events = calls(all);
    assert.ok(events.includes("bS h=? m=m code=504 flags=2000"), events.join("\n"));
    close(all);
  });
});

describe("changes", () => {
  const versions = [{}, { version: 2 }, { version: 2, crc: true }] as const;

  for (const options of versions) {
    const crc = "crc" in options ? "good" : "none";

    it(`of a body alone, ${JSON.stringify(options)}: lengths and checksums are good`, async () => {
      const filters: Script[] = [{ blind: true, AFTER_ROUTE: ["request:new"], BEFORE_SEND: ["response:answer"] }];
      const all = await start({ filters });
      // With a timeout of its own nobody asks for a request's headers.
      const sent = request(1, "m", [["h", "x"]], { ...options, content: "old content", timeout: 5000 });
      const [answer] = exchange(all, sent);
      const [{ frame }] = all.cluster.calls;
      assert.deepEqual([frame.content.toString(), frame.crc], ["new", crc]);
      assert.deepEqual(frame.headers.at(-1), ["h", "x"]);
      assert.deepEqual([answer.content.toString(), answer.crc], ["answer", crc]);
      close(all);
    });

    it(`before, between and after waits, ${JSON.stringify(options)}`, async () => {
      const filters: Script[] = [
        {
          AFTER_ROUTE: ["set:one:1 trim wait:20"],
          BEFORE_SEND: ["set:one:1 wait:20"],
          resume: ["set:two:2 wait:20", ""],
        },
        { AFTER_ROUTE: ["set:three:3 trim"], BEFORE_SEND: ["set:three:3 response:done"] },
      ];
      const all = await start({ filters });
      const [answer] = exchange(all, request(1, "m", [["h", "x"]], { ...options, content: "12345" }), 200);
      const [{ frame }] = all.cluster.calls;
      const changes = ["one", "two", "three"].map((name, i) => [name, String(i + 1)]);
      assert.deepEqual(frame.headers.slice(2), [["h", "x"], ...changes]);
      assert.deepEqual([frame.content.toString(), frame.crc], ["345", crc]);
      assert.deepEqual(answer.headers, [changes[0], changes[2]]);
      assert.deepEqual([answer.content.toString(), answer.crc], ["done", crc]);
      close(all);
    });
  }

  it("of labels: they win over the route's, and choose the upstream connection", async () => {
    const metadata = { filter_metadata: { "mosn.lb": { zone: "a", color: "red" } } };
    const routers = [toUpstream({ metadata_match: metadata })];
    const all = await start({ filters: [{ AFTER_ROUTE: ["label:zone:b label:x:y"] }], routers });
    for (let id = 0; id < 5; id++) assert.equal(exchange(all, request(id, "m"))[0].status, Status.SUCCESS);
    for (const { stream } of all.cluster.calls) {
      const { "x-moe-zone": zone, "x-moe-color": color, "x-moe-x": x } = stream.headers;
      assert.deepEqual([zone, color, x], ["b", "red", "y"]);
    }
    const { connects } = all.cluster;
    for (let id = 0; id < 20; id++) assert.equal(exchange(all, request(id, "m"))[0].status, Status.SUCCESS);
    assert.equal(all.cluster.connects, connects, "the same subset, the same connection");
    close(all);
  });
});

describe("what filters see", () => {
  it("in the log is the request that ends, not another one", async () => {
    const all = await start({ filters: [{}], routers: [toUpstream({ timeout: "1s" })] });
    all.cluster.servers[0].onCall = (one) => {
      if (!one.frame.headers.some(([, value]) => value === "lost")) one.reply();
    };
    exchange(all, request(1, "lost", [["h", "first"]]), 500);
    calls(all);
    // The second request's frame is the last that was read when the first one times out.
    exchange(all, request(2, "second", [["h", "second"]]), 600);
    const ofTimeout = calls(all).filter((text) => text.includes("code=504"));
    assert.deepEqual(ofTimeout, ["aS h=? m=lost code=504 flags=4", "aL h=? m=lost code=504 flags=4"]);
    close(all);
  });

  it("in the log of requests whose client has gone is nothing of others", async () => {
    const all = await start({ filters: [{ only: "" }] });
    all.cluster.servers[0].onCall = () => {};
    exchange(all, Buffer.concat([request(1, "a", [["h", "1"]]), request(2, "b", [["h", "2"]])]));
    calls(all);
    all.client.rst();
    all.host.advance(40);
    assert.deepEqual(calls(all), ["aL h=- m=a code=0 flags=0", "aL h=- m=b code=0 flags=0"]);
    close(all);
  });
});
