// Tests of the host emulator itself: every rule catches the guest that breaks it, and what Envoy lets pass does pass.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import {
  ByteTerminal,
  type Callout,
  compileGuest,
  type ConnectOptions,
  Host,
  type HostOptions,
  LoadError,
} from "./kit/index.ts";

let rules: Uint8Array;
before(async () => {
  rules = await compileGuest("rules");
});

const start = (config: string, options: Partial<HostOptions> = {}): Promise<Host> =>
  Host.start({ module: rules, config, ...options });

/** Starts the rules guest in a mode, with a terminal that sends back what it gets. */
async function echo(config: string, options: Partial<HostOptions> = {}, connect: ConnectOptions = {}) {
  const host = await start(config, options);
  const terminal = new ByteTerminal((bytes, self) => self.write(bytes));
  return { host, terminal, client: host.connect({ terminal, ...connect }) };
}

const logged = (host: Host): string[] => host.log.text().map((line) => line.replace("info ", ""));

describe("loading", () => {
  it("refuses an import that Envoy does not have", async () => {
    await assert.rejects(Host.start({ module: await compileGuest("broken") }), {
      message: /missing import: broken.proxy_clear_route_cache/,
    });
  });

  it("refuses an import of another type, no ABI version, no malloc", async () => {
    const refused = (wasm: string): Promise<Host> =>
      Host.start({ module: Buffer.from(`0061736d01000000${wasm}`, "hex") });
    const abi = "70726f78795f6162695f76657273696f6e5f305f325f31"; // proxy_abi_version_0_2_1
    const text = (name: string): string => (name.length / 2).toString(16).padStart(2, "0") + name;
    const section = (id: string, body: string): string => id + text(body);
    const types = section("01", "0160017f017f");
    const log = Buffer.from("proxy_log").toString("hex");
    const wrongLog = section("02", `01${text("656e76")}${text(log)}0000`);
    const malloc = text(Buffer.from("malloc").toString("hex"));
    const code = section("0a", "010400410 00b".replace(" ", ""));
    const body = `${types}${section("03", "0100")}`;
    await assert.rejects(refused(body + code), { message: /Missing or unknown Proxy-Wasm ABI version/ });
    await assert.rejects(refused(body + section("07", `01${text(abi)}0000`) + code), { message: /missing malloc/ });
    const exports = section("07", `02${text(abi)}0000${malloc}0000`);
    await assert.rejects(refused(types + wrongLog + exports), { message: /import type mismatch .*proxy_log/ });
  });

  it("reports a refused configuration with the module's log", async () => {
    await assert.rejects(start("refuse"), (error: LoadError) => {
      assert.ok(error instanceof LoadError);
      return /refused its configuration/.test(error.message);
    });
  });
});

describe("rules that kill Envoy", () => {
  const broken: [mode: string, rule: string][] = [
    ["continue-in-upstream", "continue-in-upstream"],
    ["stop-in-upstream", "stop-in-upstream"],
    ["trap", "trap"],
    ["unimplemented", "unimplemented"],
  ];
  for (const [mode, rule] of broken) {
    it(mode, async () => {
      const { host, client } = await echo(mode);
      assert.throws(() => client.write(Buffer.from("hello")), { rule });
      assert.throws(() => host.close(), { rule }, "a fault cannot be hidden");
    });
  }

  it("more than 16 continue_stream calls in one tick", async () => {
    const { host } = await echo("continue-storm");
    assert.throws(() => host.advance(104), { rule: "continue-storm" });
  });

  it("data for a terminal filter that is working", async () => {
    const { host, client } = await echo("reentrant");
    client.write(Buffer.from("hello"));
    assert.throws(() => host.advance(104), { rule: "reentrant" });
  });
});

describe("connections", () => {
  it("call back in Envoy's order, and never after the end", async () => {
    const { host, client } = await echo("lifecycle");
    client.write(Buffer.from("abc"));
    client.fin();
    client.write(Buffer.from("late"));
    host.close();
    const order = ["create 2 1", "new 2", "down 3 0", "up 3 0", "close 2", "done", "log", "delete"];
    assert.deepEqual(logged(host), order);
    assert.equal(client.received().toString(), "abc");
    assert.equal(client.closed, "remote");
  });

  it("give the filter the whole read buffer until somebody drains it", async () => {
    const { host, client, terminal } = await echo("half");
    client.write(Buffer.from("abcd"));
    assert.equal(terminal.received.length, 0);
    client.write(Buffer.from("efgh"));
    assert.equal(terminal.received.toString(), "efgh");
    host.close();
  });

  it("let the filter replace what the client gets", async () => {
    const { host, client } = await echo("upper");
    client.write(Buffer.from("abc"));
    assert.equal(client.take().toString(), "ABC");
    host.close();
  });

  it("have no downstream buffer to write after Continue, no upstream buffer outside of its callback", async () => {
    const after = await echo("after-continue");
    after.client.write(Buffer.from("abc"));
    after.host.advance(104);
    assert.deepEqual(logged(after.host), ["set 2 get "]);
    const outside = await echo("upstream-outside");
    outside.client.write(Buffer.from("abc"));
    assert.deepEqual(logged(outside.host), ["set 2"]);
  });

  it("stop reading above the limit and see a close all the same", async () => {
    const { host, client } = await echo("hold", {}, { bufferLimit: 1000 });
    for (let i = 0; i < 10; i++) client.write(Buffer.alloc(300));
    assert.equal(client.connection.readBuffer.length, 1200);
    assert.equal(client.connection.unread.length, 1800);
    client.fin();
    assert.equal(client.closed, "remote");
    host.close();
  });

  it("keep what a slow client does not take, and tell the terminal filter", async () => {
    const host = await start("");
    let below = 0;
    const terminal = new ByteTerminal();
    terminal.onBelowWriteLimit = () => below++;
    const client = host.connect({ terminal, bufferLimit: 1000 });
    client.write(Buffer.from("x"));
    client.pause();
    terminal.write(Buffer.alloc(2000));
    assert.equal(client.received().length, 0);
    assert.equal(client.connection.aboveWriteLimit, true);
    client.resume();
    assert.deepEqual([client.received().length, below], [2000, 1]);
    host.close();
  });

  it("close from the module after the callback", async () => {
    const { host, client } = await echo("close");
    client.write(Buffer.from("abc"));
    assert.equal(client.closed, "local");
    host.close();
  });

  it("of a dead VM close at their next byte, new ones at once", async () => {
    const { host, client } = await echo("trap", { expectTraps: true });
    const idle = host.connect({ terminal: new ByteTerminal() });
    client.write(Buffer.from("abc"));
    assert.equal(client.closed, "local");
    assert.equal(host.vm.dead, true);
    assert.equal(idle.closed, null);
    idle.write(Buffer.from("x"));
    assert.equal(idle.closed, "local");
    assert.equal(host.connect().closed, "local");
    host.close();
  });
});

describe("time", () => {
  it("ticks on the timer grid, re-armed after the handler", async () => {
    for (const [period, gaps] of [
      [1, [4, 4, 4]],
      [10, [12, 12, 12]],
      [100, [100, 100, 100]],
    ] as const) {
      const host = await start(`tick${period}`);
      host.advance(period * 4 + 20);
      const times = logged(host).slice(0, 4).map(Number);
      assert.deepEqual(
        times.slice(1).map((time, i) => time - times[i]),
        gaps,
      );
    }
  });

  it("ticks in the main thread's VM too", async () => {
    const host = await start("tick100", { workers: 2, mainThread: true });
    host.advance(104);
    assert.deepEqual(
      host.log.lines.map((line) => line.worker),
      [0, 1, 2],
    );
  });
});

describe("services", () => {
  it("a metric defined twice: two ids, one counter", async () => {
    const host = await start("metrics");
    assert.deepEqual(logged(host), ["ids differ: true"]);
    assert.equal(host.metrics.counter("moe.calls"), 2);
  });

  it("shared data crosses workers; a stale CAS fails", async () => {
    assert.deepEqual(logged(await start("shared", { workers: 2 })), ["set 0", "set 0"]);
    const stale = await start("stale");
    assert.deepEqual(logged(stale), ["set 08"]);
    assert.deepEqual(stale.vm.accounting.failures, {
      "proxy_get_shared_data NotFound": 1,
      "proxy_set_shared_data CasMismatch": 1,
    });
  });

  it("a queue crosses workers: one consumer, the VM that has registered last", async () => {
    const { host, client } = await echo("queue", { workers: 2 });
    client.write(Buffer.from("abc"));
    const lines = host.log.lines.map(({ worker, text }) => `${worker} ${text}`);
    const put = ["0 put 0", "0 elsewhere 1", "1 got abc [7]"];
    assert.deepEqual(lines, ["0 registered 0", "1 registered 0", ...put]);
    host.close();
  });

  it("foreign functions: a test's own, and NotFound", async () => {
    const { host, client } = await echo("foreign");
    host.foreign.set("double", (argument) => Buffer.concat([argument, argument]));
    client.write(Buffer.from("ab"));
    assert.deepEqual(logged(host), ["abab [1]"]);
    host.close();
  });

  it("strict: a host call that a test does not expect is a fault", async () => {
    const { host, client } = await echo("upper");
    const expected = ["proxy_get_buffer_bytes", "proxy_set_buffer_bytes"];
    host.allowing(expected, () => client.write(Buffer.from("abc")));
    assert.equal(client.take().toString(), "ABC");
    assert.throws(() => host.allowing(expected.slice(1), () => client.write(Buffer.from("abc"))), {
      rule: "unexpected-call",
      message: /proxy_get_buffer_bytes in proxy_on_upstream_data/,
    });
    assert.throws(() => host.close(), { rule: "unexpected-call" });
    await assert.rejects(start("", { allowedCalls: ["proxy_log"] }), { rule: "unexpected-call" });
  });

  it("properties: the connection's, the plugin's, and NotFound", async () => {
    const { host } = await echo("properties", { root: "proxy" }, { properties: { "source/address": "10.9.8.7:1" } });
    assert.deepEqual(logged(host), ["10.9.8.7:1 proxy [1]"]);
  });

  it("the log keeps its level and counts what is below", async () => {
    const host = await start("");
    host.log.level = 3;
    host.log.write(2, "x", 0);
    assert.deepEqual([host.log.lines.length, host.log.belowLevel], [0, 1]);
  });

  it("counts host calls per callback", async () => {
    const { host, client } = await echo("upper");
    const calls = host.trace(() => client.write(Buffer.from("abc")));
    assert.deepEqual(calls, [
      { callback: "proxy_on_downstream_data", calls: {} },
      { callback: "proxy_on_upstream_data", calls: { proxy_get_buffer_bytes: 1, proxy_set_buffer_bytes: 1 } },
    ]);
    assert.deepEqual(host.vm.accounting.last("proxy_on_upstream_data"), calls[1].calls);
  });
});

describe("callouts", () => {
  const begin = async (script: string): Promise<Host> =>
    Host.start({ module: await compileGuest("http"), config: script });

  it("are the root's: one outlives the stream that has begun it", async () => {
    const host = await begin("rh=1 @rh:q=other/x");
    const asked: Callout[] = [];
    host.callouts.onCallout = (one) => asked.push(one);
    const exchange = host.request({});
    assert.deepEqual([asked.length, asked[0].path, host.vm.callouts.size], [1, "/x", 1]);
    exchange.cancel();
    asked[0].respond();
    assert.ok(logged(host).includes("hc"));
    assert.equal(host.vm.callouts.size, 0);
    host.close();
  });

  it("are answered once, by the server or by the timeout", async () => {
    const host = await begin("rh=1 @rh:q=other/x @hc:a?:status @hc:c0");
    const asked: Callout[] = [];
    host.callouts.onCallout = (one) => asked.push(one);
    const exchange = host.request({});
    host.advance(399);
    assert.deepEqual([exchange.closed, asked[0].ended], [null, false]);
    host.advance(10);
    assert.deepEqual([exchange.status, asked[0].ended], [200, true]);
    asked[0].respond();
    assert.deepEqual(
      logged(host).filter((line) => line.startsWith(":status")),
      [":status=504"],
    );
    host.close();
  });

  it("to unknown clusters or without a healthy host are refused: by gRPC with a word about the end", async () => {
    for (const [script, told] of [
      ["@rh:q=lost/x", ["call 2"]],
      ["@rh:g=lost/x", ["call 4"]],
      ["@rh:g=sick/x", ["call 10", "gc 14"]],
    ] as const) {
      const host = await begin(script);
      host.callouts.clusters = new Set(["other", "sick"]);
      host.callouts.unhealthy.add("sick");
      assert.equal(host.request({}).status, 200);
      assert.deepEqual(
        logged(host).filter((line) => /^(call|gc|hc)/.test(line)),
        told,
      );
      host.close();
    }
  });
});

describe("the ping pump", () => {
  it("carries a client's bytes back to it through an HTTP/2 PING, in any cut of the output", async () => {
    for (const writeUnit of ["frame", "dispatch", 1] as const) {
      const host = await Host.start({ module: await compileGuest("echo") });
      const client = host.connect({ switchboard: { writeUnit } });
      client.write(Buffer.from("hello "));
      client.write(Buffer.from("again"));
      assert.equal(client.received().toString(), "hello again");
      assert.equal(client.switchboard.pings, 2);
      assert.equal(host.vm.deepestNesting, 2);
      host.close();
    }
  });
});
