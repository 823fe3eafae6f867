// The filter mirror on HTTP in the host emulator: copies are callouts, and never change, delay or hold what they copy.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepRequests, startHttp } from "./http-world.ts";
import type { Callout, Host, RequestOptions } from "./kit/index.ts";

const MIB = 1 << 20;

interface Mirrored {
  host: Host;
  /** Copies that have come. */
  copies: Callout[];
}

const mirror = (config: object): object => ({ type: "mirror", config: { cluster: "shadow", percent: 100, ...config } });
const LIMIT = { type: "payload_limit", config: { max_entity_size: 10 * MIB } };
const DENY = { type: "ip_access", config: { default_action: "deny", ips: [{ action: "deny", addrs: ["0.0.0.0/0"] }] } };

/** A host whose copies are kept; servers echo, as ever. */
async function mirrored(config: object = {}, before: object[] = [], behind: object[] = [], allow = true) {
  const host = await startHttp([...before, mirror(config), ...behind], { allow });
  const copies: Callout[] = [];
  host.callouts.onCallout = (copy) => copies.push(copy);
  return { host, copies };
}

function stat({ host }: Mirrored, name: string): number {
  host.advance(1000);
  return host.metrics.counter(`moe.mirror.${name}`);
}

/** Nothing is under way, and every copy that was asked for is counted once. */
function close(all: Mirrored, asked: number): void {
  const { host, copies } = all;
  for (const one of copies) if (!one.ended) one.respond();
  host.advance(61_000);
  const [requests, ...ends] = ["requests", "responses", "timeouts", "lost"].map((name) => stat(all, name));
  assert.equal(requests + stat(all, "dropped"), asked, "copies asked for");
  assert.equal(
    ends.reduce((sum, one) => sum + one, 0),
    requests,
    "ends of copies",
  );
  for (const name of ["mirror", "callouts", "http"]) assert.equal(host.metrics.gauge(`moe.${name}.active`), 0, name);
  assert.equal(host.vm.callouts.size, 0, "callouts in Envoy");
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}

/** On the connection with this id. */
const from = (id: number) => ({ properties: { "connection/id": id } });

/** A request whose answer must be the original's, at once. */
function echo(host: Host, options: RequestOptions & { body?: string }): void {
  const exchange = host.request(options);
  assert.deepEqual([exchange.status, exchange.body, exchange.closed], [200, options.body ?? "", "complete"]);
}

describe("copies on HTTP", () => {
  it("have method, path, headers, body and trailers; as many as amplification says; nobody waits for them", async () => {
    const all = await mirrored({ amplification: 3 });
    const servers = keepRequests(all.host);
    const fields = { "x-a": "1", "x-envoy-retry-on": "5xx", "x-envoy-upstream-rq-timeout-ms": "0" };
    const headers: [string, string][] = [...Object.entries(fields), ["x-a", "2"]];
    const sent: RequestOptions = { method: "PUT", path: "/p?q=1", authority: "shop", headers };
    const exchange = all.host.request({ ...sent, protocol: "HTTP/2", open: true });
    exchange.write("hello ");
    exchange.write("world");
    exchange.sendTrailers({ "x-end": "yes" });
    servers[0].respond({ body: "original" });
    assert.deepEqual([exchange.status, exchange.body], [200, "original"]);
    assert.equal(all.copies.length, 3);
    for (const { cluster, body, sent } of all.copies) {
      assert.deepEqual([cluster, body.toString()], ["shadow", "hello world"]);
      assert.deepEqual(sent.headers.entries, [
        [":authority", "shop"],
        [":path", "/p?q=1"],
        [":method", "PUT"],
        [":scheme", "http"],
        ["x-a", "1"],
        ["x-a", "2"],
      ]);
      assert.deepEqual(sent.trailers.entries, [["x-end", "yes"]]);
    }
    // What they are answered is nobody's business.
    all.copies[0].respond({ status: 500, body: "x".repeat(2 * MIB), trailers: { a: "b" } });
    all.copies[1].fail();
    all.copies[2].answerLocally(503, "no");
    assert.deepEqual([stat(all, "responses"), stat(all, "lost")], [1, 2]);
    close(all, 3);
  });

  for (const allow of [true, false]) {
    it(`do not hold the original: its pieces go on as they come (${allow})`, async () => {
      const all = await mirrored({}, [], [], allow);
      const servers = keepRequests(all.host);
      const exchange = all.host.request({ method: "POST", open: true });
      for (const [piece, body] of [
        ["a", "a"],
        ["bc", "abc"],
      ]) {
        exchange.write(piece);
        assert.deepEqual([servers[0].body.toString(), all.copies.length], [body, 0]);
      }
      exchange.write("d", true);
      assert.deepEqual([servers[0].body.toString(), all.copies[0].body.toString()], ["abcd", "abcd"]);
      servers[0].respond();
      assert.equal(exchange.status, 200);
      close(all, 1);
    });

    it(`have the whole body where another filter holds it, before or behind (${allow})`, async () => {
      for (const [before, behind] of [
        [[LIMIT], []],
        [[], [LIMIT]],
      ]) {
        const all = await mirrored({}, before, behind, allow);
        for (let i = 0; i < 2; i++) {
          const exchange = all.host.request({ method: "POST", open: true, protocol: "HTTP/2" });
          exchange.write("abc");
          all.host.advance(100);
          exchange.write("def");
          exchange.sendTrailers({ t: "1" });
          all.host.advance(100);
          assert.deepEqual([exchange.status, exchange.body], [200, "abcdef"]);
          assert.equal(all.copies[i].body.toString(), "abcdef");
          assert.deepEqual(all.copies[i].sent.trailers.entries, [["t", "1"]]);
        }
        close(all, 2);
      }
    });
  }

  it("are what the filters before have made, not those behind", async () => {
    const zone = { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] };
    const before = { type: "header_to_metadata", config: zone };
    const add = { after_router_by_dsl: 'ctx.add_request_header("x-dsl", "1")' };
    const all = await mirrored({}, [before], [{ type: "dsl", config: add }]);
    const [server] = [keepRequests(all.host)];
    all.host.request({ headers: { zone: "a", keep: "me" } });
    const { entries } = all.copies[0].sent.headers;
    assert.deepEqual(
      entries.filter(([name]) => !name.startsWith(":")),
      [["keep", "me"]],
    );
    assert.deepEqual([server[0].headers.get("x-dsl"), server[0].headers.get("x-moe-zone")], ["1", "a"]);
    server[0].respond();
    close(all, 1);
  });

  it("are made also of a request that a filter behind refuses, when it is complete", async () => {
    const behind = { type: "fault", config: { abort: { status: 503, percentage: 100 } } };
    const all = await mirrored({}, [], [behind]);
    assert.equal(all.host.request({ path: "/a" }).status, 503);
    const exchange = all.host.request({ method: "POST", open: true });
    assert.equal(exchange.status, 503);
    assert.deepEqual(
      all.copies.map(({ path }) => path),
      ["/a"],
    );
    close(all, 2);
    const denied = await mirrored({}, [DENY]);
    assert.equal(denied.host.request({}).status, 403);
    close(denied, 0);
  });

  it("of two filters go to both clusters", async () => {
    const all = await mirrored({}, [mirror({ cluster: "other", amplification: 2 })]);
    echo(all.host, { method: "POST", body: "x" });
    assert.deepEqual(all.copies.map(({ cluster }) => cluster).sort(), ["other", "other", "shadow"]);
    close(all, 3);
  });

  it("are made of about so many of a hundred requests", async () => {
    const all = await mirrored({ percent: 20 });
    for (let i = 0; i < 2000; i++) echo(all.host, {});
    const { length } = all.copies;
    assert.ok(length > 290 && length < 510, `${length} of 2,000`);
    close(all, length);
  });

  it("go where the route's configuration says; without a policy there are none", async () => {
    const host = await startHttp([{ type: "mirror", config: {} }]);
    const copies: Callout[] = [];
    host.callouts.onCallout = (copy) => copies.push(copy);
    const all = { host, copies };
    host.routes = (headers) => {
      const config = { cluster: "b", percent: 100, amplification: 2 };
      const text = { "/b": JSON.stringify(config), "/none": '{"cluster":"b","percent":0}', "/bad": '{"cluster":"b"}' };
      const mirror = text[headers.get(":path") as keyof typeof text];
      return mirror === undefined ? {} : { metadata: { moe: { mirror } } };
    };
    for (const path of ["/", "/b", "/none", "/bad"]) echo(host, { path, method: "POST", body: "x" });
    assert.deepEqual(
      copies.map(({ cluster, path }) => `${cluster} ${path}`),
      ["b /b", "b /b"],
    );
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.filter.mirror.failures"), 1);
    close(all, 2);
  });

  it("are not made of what is no request with a body: upgrades and CONNECT", async () => {
    const all = await mirrored();
    const servers = keepRequests(all.host);
    all.host.request({ headers: { upgrade: "websocket", connection: "upgrade" }, open: true });
    all.host.request({ method: "CONNECT", open: true });
    for (const server of servers) server.respond();
    assert.equal(all.copies.length, 0);
    all.host.advance(100);
    close(all, 2);
  });
});

describe("copies on HTTP that cannot be sent, or are not answered, change nothing", () => {
  it("no such cluster, none healthy", async () => {
    const all = await mirrored({ amplification: 5 });
    all.host.callouts.clusters = new Set(["upstream"]);
    echo(all.host, { method: "POST", body: "x" });
    all.host.callouts.clusters = null;
    all.host.callouts.unhealthy.add("shadow");
    echo(all.host, { method: "POST", body: "x" });
    assert.deepEqual([all.copies.length, stat(all, "dropped")], [0, 10]);
    close(all, 10);
  });

  it("a server that never answers: 512 of one client wait, those of another one are sent; they end by the timeout", async () => {
    const all = await mirrored({ amplification: 100 });
    for (let i = 0; i < 10; i++) echo(all.host, { method: "POST", body: `call ${i}`, ...from(1) });
    assert.deepEqual([all.copies.length, stat(all, "dropped")], [512, 488]);
    echo(all.host, from(2));
    assert.equal(all.copies.length, 612);
    all.host.advance(60_000);
    assert.deepEqual([stat(all, "timeouts"), all.host.vm.callouts.size], [612, 0]);
    echo(all.host, from(1));
    assert.equal(all.copies.length, 712, "they are sent again");
    close(all, 1200);
  });

  it("bodies above 1 MiB, and 8 MiB of one client, are dropped; those of another one are sent; the original arrives", async () => {
    const all = await mirrored();
    const [large, most] = [Buffer.alloc(MIB + 1, "x").toString(), Buffer.alloc(MIB, "y").toString()];
    const hog = { method: "POST", body: most, ...from(1) };
    echo(all.host, { ...hog, body: large });
    assert.equal(all.copies.length, 0);
    for (let i = 0; i < 20; i++) echo(all.host, hog);
    assert.deepEqual([all.copies.length, stat(all, "dropped")], [8, 13]);
    echo(all.host, { ...hog, ...from(2) });
    assert.equal(all.copies.length, 9);
    const { pages } = all.host.vm.memory;
    for (const copy of all.copies) copy.respond();
    for (let i = 0; i < 8; i++) echo(all.host, hog);
    assert.equal(all.copies.length, 17, "their room is free again");
    assert.ok(all.host.vm.memory.pages <= pages, "memory grows");
    assert.ok(pages < 400, `${pages} pages of 64 KiB`);
    close(all, 30);
  });

  it("clients that go in the middle of a body, and servers that answer before its end, leave nothing behind", async () => {
    const all = await mirrored();
    const servers = keepRequests(all.host);
    const half = Buffer.alloc(MIB / 2, "x").toString();
    for (let i = 0; i < 100; i++) {
      const exchange = all.host.request({ method: "POST", open: true, protocol: "HTTP/2" });
      exchange.write(half);
      if (i % 2 === 0) exchange.cancel();
      else servers.at(-1)?.respond();
    }
    assert.deepEqual([all.copies.length, stat(all, "dropped")], [0, 100]);
    const exchange = all.host.request({ method: "POST", open: true, protocol: "HTTP/2" });
    exchange.write(half);
    exchange.write(half, true);
    servers.at(-1)?.respond();
    assert.equal(all.copies[0].body.length, MIB, "there is room");
    close(all, 101);
  });
});
