// What counts as an error: statuses of gRPC on HTTP, exceptions in good responses of RPC where they are to count.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepRequests, startHttp } from "./http-world.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { type Host, Host as HostOf, type UpstreamRequest } from "./kit/index.ts";
import { answers, call, module, world, type World } from "./proxy-world.ts";

const PATH = "/pkg.Service/Method";
const RULE = { strategy: 2, threshold: 3, statIntervalMs: 60_000, retryTimeoutMs: 60_000 };

const breaker = (resource: string, more: object = {}) => ({
  type: "flowControlFilter",
  config: { app_name: "test", global_switch: true, circuit_breaker_rules: [{ resource, ...RULE }], ...more },
});

describe("the status of gRPC, for breakers", () => {
  type Answer = (request: UpstreamRequest) => void;
  const headers = { "content-type": "application/grpc" };
  const inTrailers =
    (status: string, body = ""): Answer =>
    (request) =>
      request.respond({ headers, body, trailers: { "grpc-status": status } });
  const alone =
    (status: string): Answer =>
    (request) =>
      request.respond({ headers: { ...headers, "grpc-status": status } });

  /** How many of six calls reach a server that answers so: three where what it says is an error. */
  async function reached(answer: Answer, type = "application/grpc"): Promise<number> {
    const host = await startHttp([breaker(PATH)]);
    const servers = keepRequests(host);
    for (let i = 0; i < 6; i++) {
      const before = servers.length;
      host.request({ path: PATH, headers: { "content-type": type } });
      if (servers.length > before) answer(servers[before]);
    }
    const count = servers.length;
    host.close();
    return count;
  }

  for (const [name, make] of [
    ["trailers", inTrailers],
    ["a response of headers alone", alone],
  ] as const) {
    it(`in ${name}: those that are a server's failures open one`, async () => {
      for (const status of ["2", "4", "12", "13", "14", "15"]) assert.equal(await reached(make(status)), 3, status);
      for (const status of ["0", "1", "3", "5", "6", "7", "8", "9", "10", "11", "16"]) {
        assert.equal(await reached(make(status)), 6, status);
      }
    });

    it(`in ${name}: one that is none counts as a failure`, async () => {
      for (const status of ["17", "99", "", "x", "-1", "00000000000000"]) {
        assert.equal(await reached(make(status)), 3, status);
      }
    });
  }

  it("behind a body, and with the subtypes of gRPC", async () => {
    assert.equal(await reached(inTrailers("14", "message")), 3);
    assert.equal(await reached(inTrailers("14"), "application/grpc+proto"), 3);
  });

  it("a response that ends without one is a failure", async () => {
    assert.equal(await reached((request) => request.respond({ headers, body: "message" })), 3);
    assert.equal(await reached((request) => request.respond({ headers })), 3);
    assert.equal(await reached((request) => request.respond({ headers, body: "x", trailers: { a: "b" } })), 3);
  });

  it("of gRPC-Web and of other requests only where it can be seen and is meant", async () => {
    assert.equal(await reached(alone("14"), "application/grpc-web"), 3);
    assert.equal(await reached((request) => request.respond({ body: "x" }), "application/grpc-web"), 6);
    assert.equal(await reached(alone("14"), "application/json"), 6);
    assert.equal(await reached((request) => request.respond({ status: 503 }), "application/grpc"), 3);
  });

  it("a call that its client gives up says nothing of the server", async () => {
    const host = await startHttp([breaker(PATH)]);
    const servers = keepRequests(host);
    for (let i = 0; i < 6; i++) {
      const exchange = host.request({ path: PATH, headers: { "content-type": "application/grpc" } });
      servers[i].sendHeaders(200, headers);
      exchange.cancel();
    }
    assert.equal(servers.length, 6);
    host.close();
  });
});

const ERROR: [string, string][] = [["sofa_head_response_error", "true"]];
const HELLO = "com.example.Hello:1.0";

async function start(filters: object[], more: object = {}, action: object = {}): Promise<World> {
  const routers = [{ route: { cluster_name: "upstream", ...action } }];
  const router = { virtual_hosts: [{ domains: ["*"], routers }] };
  const all = await world(undefined, { config: { stream_filters: filters, router, ...more } });
  for (const server of all.cluster.servers) server.onCall = (one) => one.reply({ headers: ERROR });
  return all;
}

/** Calls one after the other; all answers that came. */
function run(all: World, count: number): number[] {
  for (let id = 1; id <= count; id++) {
    all.client.write(call(id));
    all.host.advance(8);
  }
  all.host.advance(1000);
  return answers(all.client).map(({ status }) => status);
}

const counter = (host: Host, name: string): number => Number(host.metrics.counter(name));

describe("exceptions of SOFARPC in good responses", () => {
  it("are errors for a breaker with exceptions_are_errors, and only then", async () => {
    const with_ = await start([breaker(HELLO, { exceptions_are_errors: true })]);
    assert.equal(run(with_, 6).filter((status) => status === 0).length, 3);
    assert.equal(with_.cluster.calls.length, 3);
    with_.host.close();
    const without = await start([breaker(HELLO)]);
    assert.deepEqual(run(without, 6), new Array(6).fill(0));
    without.host.close();
  });

  it("are never tried again", async () => {
    const all = await start(
      [breaker(HELLO, { exceptions_are_errors: true })],
      { exceptions_are_errors: true },
      {
        retry_policy: { retry_on: true, num_retries: 5 },
      },
    );
    assert.deepEqual(run(all, 1), [0]);
    assert.equal(all.cluster.calls.length, 1);
    all.host.close();
  });

  it("are failures for dubbo_stream with exceptions_are_errors, and only then", async () => {
    for (const exceptions_are_errors of [false, true]) {
      const all = await start([{ type: "dubbo_stream", config: { protocols: ["bolt"], exceptions_are_errors } }]);
      run(all, 4);
      const named = [...all.host.metrics.names()].filter((name) => name.includes("dubbo_stream"));
      const value = (end: string): number => {
        const name = named.find((one) => one.endsWith(end));
        return name === undefined ? 0 : counter(all.host, name);
      };
      assert.deepEqual(
        [value("request_total"), value("response_succ_total"), value("response_fail_total")],
        exceptions_are_errors ? [4, 0, 4] : [4, 4, 0],
      );
      all.host.close();
    }
  });

  it("are errors in the proxy's own counters with exceptions_are_errors, and only then", async () => {
    for (const exceptions_are_errors of [false, true]) {
      const all = await start([], { exceptions_are_errors });
      run(all, 4);
      const { host } = all;
      const got = ["ok", "errors"].map((name) => counter(host, `moe.cluster.upstream.${name}`));
      assert.deepEqual(got, exceptions_are_errors ? [0, 4] : [4, 0]);
      host.close();
    }
  });

  it("eject a host with exceptions_are_errors of fault_tolerance, and only then", async () => {
    for (const exceptions_are_errors of [false, true]) {
      const rule = { enabled: true, timeWindow: 1000, recoverTime: 10_000, exceptions_are_errors };
      const config = { stream_filters: [{ type: "fault_tolerance", config: rule }] };
      const all = await world(["10.0.0.1:8080", "10.0.0.2:8080"], { config });
      all.cluster.servers[0].onCall = (one) => one.reply({ headers: ERROR });
      run(all, 60);
      all.host.advance(2000);
      assert.equal(counter(all.host, "moe.filter.fault_tolerance.ejections"), exceptions_are_errors ? 1 : 0);
      all.host.close();
    }
  });
});

describe("exceptions of Dubbo in good responses", () => {
  const HESSIAN = 0x02;

  /** How many of six calls reach a server whose results are of this kind. */
  async function reached(kind: number, exceptions_are_errors: boolean): Promise<number> {
    const config = {
      stream_filters: [breaker("com.example.Hello#hi", { exceptions_are_errors, limit_key_type: "METHOD" })],
    };
    const host = await HostOf.start({ module, config });
    let calls = 0;
    host.onConnect = (stream: ConnectStream) => {
      stream.accept({ host: "10.0.0.1:1", pin: "a" });
      stream.onData = (bytes) => {
        for (const { id, kind: of } of dubbo.parseFrames(bytes).frames) {
          if (of !== "request") continue;
          calls++;
          stream.write(dubbo.frame(HESSIAN, 20, id, dubbo.encode(kind, "text", {})));
        }
      };
    };
    const client = host.connect();
    for (let id = 1n; id <= 6n; id++) {
      client.write(dubbo.request(id));
      host.advance(8);
    }
    host.advance(100);
    assert.equal(dubbo.parseFrames(client.take()).frames.length, 6);
    host.close();
    return calls;
  }

  it("open a breaker with exceptions_are_errors, and only then", async () => {
    for (const kind of [0, 3]) {
      assert.equal(await reached(kind, true), 3);
      assert.equal(await reached(kind, false), 6);
    }
    assert.equal(await reached(1, true), 6);
    assert.equal(await reached(4, true), 6);
  });
});
