// The filter mirror in the host emulator: copies never change, delay or hold back what they are copies of.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import type { BoltCluster } from "./kit/bolt-cluster.ts";
import { callAll, checkAnswers, close, mirrored, S1, S2, stat } from "./mirror-world.ts";
import { answers, call } from "./proxy-world.ts";

const S3 = "10.1.0.3:8080";

/** The contents that servers got, sorted. */
const contents = (cluster: BoltCluster): string[] => cluster.calls.map(({ frame }) => frame.content.toString()).sort();

describe("copies", () => {
  it("go to the route's mirror cluster as often as amplification says, ids of their own, answers dropped", async () => {
    const all = await mirrored({ mirror: { amplification: 3 }, shadows: [S1, S2] });
    // Answers that would be wrong for the client.
    for (const server of all.shadow.servers) server.onCall = (one) => one.reply({ status: 1, content: "shadow" });
    callAll(all, 200);
    assert.equal(all.cluster.calls.length, 200);
    assert.deepEqual(
      contents(all.shadow),
      contents(all.cluster).flatMap((text) => [text, text, text]),
    );
    for (const { calls } of all.shadow.servers) {
      assert.ok(calls.length > 100, `${calls.length} of 600`);
      for (const stream of all.shadow.servers[0].streams) {
        const ids = calls.filter((one) => one.stream === stream).map(({ frame }) => frame.id);
        assert.equal(new Set(ids).size, ids.length);
      }
    }
    all.host.advance(1000);
    assert.deepEqual([stat(all, "requests"), stat(all, "responses"), stat(all, "dropped")], [600, 600, 0]);
    assert.equal(all.host.metrics.counter("moe.cluster.shadow.requests"), 0);
    close(all);
  });

  it("are what the filters before have made, not what the route makes of it later", async () => {
    const metadata = { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] };
    const all = await mirrored({
      filters: [{ type: "header_to_metadata", config: metadata }],
      action: { request_headers_to_add: [{ header: { key: "x-route", value: "yes" }, append: true }] },
    });
    const headers: bolt.Headers = [
      ["service", "s"],
      ["zone", "a"],
      ["keep", "me"],
    ];
    for (const shape of [{}, { version: 2, crc: true }] as const) {
      all.client.write(call(7, { headers, ...shape }));
      all.host.advance(40);
      assert.equal(answers(all.client).length, 1);
    }
    const copies = all.shadow.calls.map(({ frame }) => frame);
    for (const copy of copies)
      assert.deepEqual(copy.headers, [
        ["service", "s"],
        ["keep", "me"],
      ]);
    assert.deepEqual(
      copies.map(({ crc }) => crc),
      ["none", "good"],
    );
    assert.deepEqual(all.cluster.calls[0].frame.headers.at(-1), ["x-route", "yes"]);
    close(all);
  });

  it("of one-way requests are one-way", async () => {
    const all = await mirrored({ mirror: { amplification: 2 } });
    all.client.write(Buffer.concat([1, 2, 3].map((id) => call(id, { type: 2 }))));
    all.host.advance(40);
    assert.equal(answers(all.client).length, 0);
    assert.deepEqual([all.cluster.calls.length, all.shadow.calls.length], [3, 6]);
    assert.ok(all.shadow.calls.every(({ frame }) => frame.kind === "oneway"));
    all.host.advance(1000);
    assert.equal(all.host.metrics.gauge("moe.mirror.active"), 0);
    close(all);
  });

  it("are made of about so many of a hundred requests; without a policy of none", async () => {
    const all = await mirrored({ percent: 20 });
    callAll(all, 2000);
    const { length } = all.shadow.calls;
    assert.ok(length > 290 && length < 510, `${length} of 2,000`);
    close(all);
    const none = await mirrored({ route: { request_mirror_policies: null } });
    callAll(none, 50);
    assert.equal(none.shadow.connects, 0);
    close(none);
  });

  it("of a held request are made when it goes on", async () => {
    const delay = { delay: { fixed_delay: "100ms", percentage: 100 } };
    const all = await mirrored({ filters: [{ type: "fault", config: delay }] });
    all.client.write(call(1));
    all.host.advance(60);
    assert.equal(all.shadow.calls.length, 0);
    all.host.advance(100);
    checkAnswers(answers(all.client), 1, 1, {});
    assert.deepEqual(contents(all.shadow), ["call 1"]);
    close(all);
  });

  it("may go to the cluster of the request itself, on connections of their own", async () => {
    const all = await mirrored({ route: { request_mirror_policies: { cluster: "upstream", percent: 100 } } });
    callAll(all, 100);
    assert.equal(all.cluster.calls.length, 200);
    for (const server of all.cluster.servers) {
      assert.ok(server.streams.length >= 2);
    }
    close(all);
  });

  it("with broadcast go to each host that is known, and the client gets an empty answer", async () => {
    const all = await mirrored({ mirror: { broadcast: true }, shadows: [S1, S2, S3] });
    const { host, client, shadow, cluster } = all;
    for (let id = 1; id <= 20; id++) {
      client.write(call(id));
      host.advance(20);
      const [answer] = answers(client);
      assert.deepEqual([answer.id, answer.status, answer.content.length], [id, 0, 0]);
    }
    assert.equal(cluster.calls.length, 0);
    const before = shadow.servers.map(({ calls }) => calls.length);
    assert.ok(
      before.every((count) => count > 10),
      before.join(),
    );
    client.write(call(100));
    host.advance(20);
    assert.deepEqual(
      shadow.servers.map(({ calls }, i) => calls.length - before[i]),
      [1, 1, 1],
    );
    close(all);
  });
});

describe("a mirror cluster that", () => {
  it("does not exist: requests are as ever, and few connections are tried", async () => {
    const all = await mirrored();
    const { host } = all;
    let tried = 0;
    host.onConnect = (stream) => {
      if (stream.cluster !== "shadow") return all.cluster.connect(stream);
      tried++;
      stream.refuseUnknown();
    };
    for (let round = 0; round < 20; round++) callAll(all, 50, {}, round * 50 + 1);
    assert.ok(tried > 0 && tried <= 3, `${tried} connections`);
    host.advance(1000);
    assert.equal(stat(all, "requests") + stat(all, "dropped"), 1000);
    assert.equal(stat(all, "lost"), stat(all, "requests"));
    assert.ok(stat(all, "dropped") > 900);
    close(all);
  });

  it("refuses connections, or hangs: the same", async () => {
    for (const state of ["refuse", "hang"] as const) {
      const all = await mirrored({ config: { clusters: { shadow: { connect_timeout: "1s" } } } });
      all.shadow.servers[0].state = state;
      callAll(all, 500);
      all.host.advance(3000);
      assert.equal(all.host.metrics.gauge("moe.mirror.active"), 0);
      assert.equal(stat(all, "lost"), stat(all, "requests"));
      assert.equal(stat(all, "requests") + stat(all, "dropped"), 500);
      all.shadow.servers[0].state = "up";
      all.host.advance(10_000);
      callAll(all, 10, {}, 1001);
      assert.ok(all.shadow.calls.length > 0, "it is used again");
      close(all);
    }
  });

  it("never answers: copies end by their timeout, and no client waits", async () => {
    const all = await mirrored({ action: { timeout: "2s" } });
    all.shadow.servers[0].onCall = () => {};
    callAll(all, 300);
    assert.equal(all.host.metrics.gauge("moe.bolt.active"), 0);
    all.host.advance(4000);
    assert.equal(stat(all, "timeouts"), 300);
    assert.equal(all.host.metrics.gauge("moe.mirror.active"), 0);
    for (const one of all.shadow.calls) one.reply();
    callAll(all, 5, {}, 1001);
    close(all);
  });

  it("closes its connections, talks nonsense, or sends requests: nothing of it reaches the client", async () => {
    const all = await mirrored({ shadows: [S1, S2] });
    const [first, second] = all.shadow.servers;
    let turn = 0;
    first.onCall = ({ stream }) => {
      if (turn++ % 2 === 0) stream.reset();
      else stream.write(Buffer.from("nonsense"));
    };
    second.onCall = (one) => {
      one.stream.write(Buffer.concat([call(77), call(78, { type: 2 }), bolt.heartbeat(5)]));
      one.reply();
    };
    callAll(all, 300);
    close(all);
  });

  it("is full by its own limit, which others do not share", async () => {
    const limits = { clusters: { shadow: { max_requests: 5 }, upstream: { max_requests: 60 } } };
    const all = await mirrored({ config: limits });
    all.shadow.servers[0].onCall = () => {};
    callAll(all, 100);
    all.host.advance(600);
    assert.deepEqual([stat(all, "requests"), stat(all, "dropped")], [5, 95]);
    close(all);
  });
});
