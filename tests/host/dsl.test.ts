// What expressions see and do on both roots of the release module: attributes of requests and responses, and the log.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepRequests, startHttp } from "./http-world.ts";
import { A, answers, call, world } from "./proxy-world.ts";

/** Gives a header of the response each of the texts. */
const shows = (texts: Record<string, string>): string =>
  Object.entries(texts)
    .map(([name, text]) => `ctx.add_response_header("x-${name}", ${text})`)
    .join(" && ");

/** What both roots say alike when there is a response; it takes 40 ms. */
const ALIKE = {
  age: 'string(response.duration >= "40ms" && response.duration < "1s")',
  times: "string(response.time - request.time == response.duration)",
  since:
    'string(request.time >= timestamp("2023-11-14T22:13:20Z") && request.time < timestamp("2023-11-14T23:00:00Z"))',
  origin: "string(origin.ip)",
  target: 'string(destination.ip) + " " + string(destination.port)',
  code: "string(response.code)",
};
const SAID = { age: "true", times: "true", since: "true", origin: "127.0.0.1", target: "10.0.0.1 8080", code: "200" };

describe("dsl", () => {
  it("knows requests and responses of Bolt", async () => {
    const seen = 'request.host + request.path + " " + context.protocol + " " + string(destination.ip)';
    const config = {
      after_balancer_by_dsl: `ctx.add_request_header("seen", ${seen})`,
      send_filter_by_dsl: shows({
        ...ALIKE,
        service: "request.host",
        sizes:
          'string(request.size) + " " + string(response.size) + " " + string(request.total_size > response.total_size)',
      }),
      log_filter_by_dsl: "request.headers.none == response.headers.none",
    };
    const router = { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream" } }] }] };
    const { host, cluster, client } = await world([A], {
      config: { stream_filters: [{ type: "dsl", config }], router },
    });
    cluster.servers[0].onCall = () => {};
    // The address of a host is known once it has been met.
    client.write(call(1));
    cluster.calls[0].reply();
    answers(client);
    client.write(call(2, { content: "12345" }));
    host.advance(40);
    const [, { frame, reply }] = cluster.calls;
    assert.equal(Object.fromEntries(frame.headers).seen, "com.example.Hello:1.0/com.example.Hello:1.0/ bolt 10.0.0.1");
    reply({ content: "123" });
    host.advance(40);
    const [answer] = answers(client);
    const got = Object.fromEntries(answer.headers.filter(([name]) => name.startsWith("x-")));
    const want = { ...SAID, service: "com.example.Hello:1.0", sizes: "5 3 true" };
    assert.deepEqual(got, Object.fromEntries(Object.entries(want).map(([name, text]) => [`x-${name}`, text])));
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.filter.dsl.failures"), 2, "the expression of the log fails");
    host.close();
  });

  it("knows requests and responses of HTTP, and rewrites paths", async () => {
    const seen = 'request.method + " " + request.url_path + " " + request.query_params["k"] + " " + context.protocol';
    const config = {
      before_router_by_dsl: `ctx.add_request_header("seen", ${seen}) && ctx.rewrite_request_url("/new path")`,
      send_filter_by_dsl: shows({ ...ALIKE, path: "request.path", size: "string(request.size)" }),
      log_filter_by_dsl:
        'request.headers.seen == "" && response.headers["x-code"] == "200" && request.headers.none == ""',
    };
    const host = await startHttp([{ type: "dsl", config }]);
    const servers = keepRequests(host);
    const exchange = host.request({ method: "POST", path: "/old?k=v%21", body: "1234567" });
    host.advance(40);
    const [server] = servers;
    assert.equal(server.headers.get("seen"), "POST /old?k=v%21 v! http");
    assert.equal(server.headers.get(":path"), "/new%20path?k=v%21");
    server.respond({ body: "answer" });
    const want = { ...SAID, path: "/new path", size: "7" };
    for (const [name, text] of Object.entries(want)) assert.equal(exchange.headers?.get(`x-${name}`), text, name);
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.filter.dsl.failures"), 0, "the log has what it asks for");
    host.close();
  });
});
