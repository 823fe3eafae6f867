// dubbo_stream and grpc_metric in the release module: names, labels, what counts and when.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as dubbo from "./kit/dubbo.ts";
import { Host } from "./kit/index.ts";
import { keepRequests, startHttp } from "./http-world.ts";
import { module } from "./proxy-world.ts";

/** The counters of a filter that are not 0, by the end of their names. */
function counters(host: Host, prefix: string): Record<string, number> {
  host.advance(1000);
  const names = host.metrics.names().filter((name) => name.startsWith(prefix));
  const all = names.map((name): [string, number] => [name.slice(prefix.length), host.metrics.counter(name)]);
  return Object.fromEntries(all.filter(([, value]) => value > 0));
}

describe("dubbo_stream", () => {
  const SERVICE = "com.example.Hello";
  const METHOD = `service.${SERVICE}.method.hi`;

  /** Servers answer with these statuses, one after the other, the last for good. */
  async function start(
    statuses: number[],
    routers: object[],
    filter: object = {},
    labels: Record<string, string> = {},
  ) {
    const config = {
      protocols: ["dubbo"],
      stream_filters: [{ type: "dubbo_stream", config: filter }],
      router: {
        virtual_hosts: [
          { domains: ["elsewhere"], routers: [] },
          { domains: [SERVICE], routers },
        ],
      },
    };
    const properties = Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [`xds/node/metadata/LABELS/${name}`, value]),
    );
    const host = await Host.start({ module, config, properties });
    host.onConnect = (stream) => {
      stream.accept({ host: "10.0.0.1:20880" });
      stream.onData = (bytes) => {
        for (const frame of dubbo.parseFrames(Buffer.from(bytes)).frames) {
          const status = statuses.length > 1 ? statuses.shift() : statuses[0];
          if (frame.kind !== "request") continue;
          const body = dubbo.encode(...(status === 20 ? [4, "ok", {}] : ["failed"]));
          stream.write(dubbo.frame(2, status ?? 20, frame.id, body));
        }
      };
    };
    return { host, client: host.connect() };
  }

  const to = (match?: object, action: object = {}) => ({ match, route: { cluster_name: "upstream", ...action } });

  it("routes by the path / match, and calls count once by what the client got", async () => {
    const retried = to({ path: "/" }, { retry_policy: { retry_on: true, num_retries: 2, status_codes: [500] } });
    const { host, client } = await start([70, 20, 70, 70, 70, 20], [retried]);
    const status = () => dubbo.parseFrames(client.take()).frames[0].status;
    const call = (id: bigint) => {
      client.write(dubbo.request(id));
      host.advance(40);
      return status();
    };
    assert.equal(call(1n), 20);
    const prefix = `moe.filter.dubbo_stream.listener.moe.${METHOD}.`;
    assert.deepEqual(counters(host, prefix), { request_total: 1, response_succ_total: 1 });
    assert.equal(call(2n), 70);
    client.write(dubbo.request(3n, { oneway: true }));
    assert.deepEqual(counters(host, prefix), { request_total: 3, response_succ_total: 1, response_fail_total: 1 });
    host.close();
  });

  it("local replies reach the client, and count as failures; the labels are the listener and the subset", async () => {
    const filter = { listener: "ingress rpc", subset: "app.kubernetes.io/version" };
    const none = to({ path: `/${SERVICE}/hi` });
    const { host, client } = await start([20], [none], filter, { "app.kubernetes.io/version": "v1" });
    client.write(dubbo.request(1n));
    host.advance(40);
    assert.equal(dubbo.parseFrames(client.take()).frames.length, 1);
    assert.deepEqual(counters(host, "moe.filter.dubbo_stream.listener.ingress_rpc.subset.v1."), {
      [`${METHOD}.request_total`]: 1,
      [`${METHOD}.response_fail_total`]: 1,
    });
    host.close();
  });
});

describe("grpc_metric", () => {
  const GRPC = { "content-type": "application/grpc" };
  const METHOD = "moe.filter.grpc_metric.service.pkg.Greeter.method.Hello.";
  const start = (...before: object[]) => startHttp([...before, { type: "grpc_metric", config: {} }]);
  const request = (host: Host, headers: Record<string, string> = GRPC, path = "/pkg.Greeter/Hello") =>
    host.request({ headers, method: "POST", path, body: "x", protocol: "HTTP/2" });

  it("the status is in the trailers, or in the headers", async () => {
    const host = await start();
    const servers = keepRequests(host);
    const headers = { "content-type": "application/grpc" };
    const answers = [
      { headers, body: "x", trailers: { "grpc-status": "0" } },
      { headers, body: "x", trailers: { "grpc-status": "5" } },
      { headers: { ...headers, "grpc-status": "0" }, body: "x", trailers: { "grpc-status": "13" } },
      { headers: { ...headers, "grpc-status": "0" } },
      { headers: { ...headers, "grpc-status": "12" } },
      { headers, body: "x" },
    ];
    for (const answer of answers) {
      request(host);
      servers.pop()?.respond(answer);
    }
    request(host).cancel();
    request(host);
    servers.pop()?.fail();
    assert.deepEqual(counters(host, METHOD), { request_total: 8, response_succ_total: 2, response_fail_total: 6 });
    host.close();
  });

  it("local replies have failed; other requests do not count", async () => {
    const abort = { abort: { status: 503, percentage: 100 }, headers: [{ name: "fail", value: "yes" }] };
    const host = await start({ type: "fault", config: abort });
    request(host, { ...GRPC, fail: "yes" });
    request(host, { ...GRPC, "content-type": "application/grpc-web" });
    request(host, { ...GRPC, "content-type": "application/json" });
    request(host, GRPC, "/");
    assert.deepEqual(counters(host, "moe.filter.grpc_metric."), {
      "service.pkg.Greeter.method.Hello.request_total": 1,
      "service.pkg.Greeter.method.Hello.response_fail_total": 1,
    });
    host.close();
  });
});
