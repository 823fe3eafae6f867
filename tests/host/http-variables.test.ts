// MOSN's variables on HTTP (docs/reference/mosn.md#variables): what filters read, and what they set.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { close, shown, start } from "./http-script.ts";
import { keepRequests } from "./http-world.ts";
import type { RequestOptions } from "./kit/index.ts";

describe("variables", () => {
  /** What a filter sees of variables in a phase. */
  async function show(names: string[], options: RequestOptions, phase = "AFTER_ROUTE"): Promise<string[]> {
    const host = await start([{ [phase]: [names.map((name) => `show:${name}`).join(" ")] }]);
    host.request(options);
    const seen = shown(host).map((text) => text.slice(text.indexOf("=") + 1));
    close(host);
    return seen;
  }

  it("of the request: MOSN's names, decoded and normalised as MOSN does", async () => {
    const names = ["x-mosn-method", "x-mosn-host", "x-mosn-scheme", "x-mosn-path", "x-mosn-path-original"];
    names.push("x-mosn-querystring", "Http1_request_uri", "Http1_request_arg_b", "Http2_cookie_c", "protocol");
    names.push("request_header_X-Y", "Http1_request_header_x-y", "downstream_local_address", "upstream_cluster");
    const headers = { "x-y": "1", cookie: "a=1; c=2; b=3" };
    const path = "/a//b/./%41/../c?a=1&b=x%20y+z";
    const seen = await show(names, { method: "PUT", path, headers, protocol: "HTTP/2" });
    assert.deepEqual(seen, [
      ...["PUT", "test", "http", "/a/b/c", "/a//b/./%41/../c", "a=1&b=x%20y+z", path, "x y z", "2", "Http2"],
      ...["1", "1", "127.0.0.1:12045", "upstream"],
    ]);
  });

  it("paths of all kinds", async () => {
    for (const [path, seen] of [
      ["/", "/"],
      ["/a/", "/a/"],
      ["/a/..", "/"],
      ["/../..//", "/"],
      ["/a/b/.", "/a/b/"],
      ["/%2e%2e/x", "/x"],
      ["/a%2Fb", "/a/b"],
      ["/a%zz%4", "/a%zz%4"],
      ["/...", "/..."],
      ["/a.b/.c", "/a.b/.c"],
    ]) {
      assert.deepEqual(await show(["x-mosn-path"], { path }), [seen], path);
    }
  });

  it("of gRPC: service and method", async () => {
    const names = ["x-mosn-rpc-service", "x-mosn-rpc-method"];
    const headers = { "content-type": "application/grpc" };
    assert.deepEqual(await show(names, { path: "/pkg.Hello/Say", headers }), ["pkg.Hello", "Say"]);
    assert.deepEqual(await show(names, { path: "/pkg.Hello/Say" }), ["?", "?"]);
    assert.deepEqual(await show(names, { path: "/Say", headers }), ["?", "?"]);
  });

  it("of the response, and none of it before", async () => {
    const names = ["response_code", "response_header_x", "upstream_host", "x-mosn-path", "response_flag", "protocol"];
    names.push("upstream_transport_failure_reason", "proxy_direct_response");
    const before = await show(names, { path: "/p" });
    assert.deepEqual(before, ["?", "?", "?", "/p", "false", "Http1", "0x0", "?"]);
    for (const phase of ["BEFORE_SEND", "ACCESS_LOG"]) {
      const seen = await show(names, { path: "/p" }, phase);
      assert.deepEqual(seen, ["200", "?", "10.0.0.1:8080", "/p", "false", "Http1", "0x0", "?"], phase);
    }
  });

  it("that filters set are kept for the request, and make it another one", async () => {
    const host = await start([
      { BEFORE_ROUTE: ["variable:mine:1"], BEFORE_SEND: ["show:mine"] },
      { AFTER_ROUTE: ["variable:x-mosn-path:/new_path variable:x-mosn-host:other variable:x-mosn-method:PATCH"] },
      { AFTER_ROUTE: ["variable:x-mosn-querystring:c=d variable:proxy_global_timeout:1500"] },
    ]);
    const servers = keepRequests(host);
    host.request({ path: "/old?a=b" });
    const { headers } = servers[0];
    assert.deepEqual(
      [":path", ":authority", ":method", "x-envoy-upstream-rq-timeout-ms"].map((name) => headers.get(name)),
      ["/new_path?c=d", "other", "PATCH", "1500"],
    );
    servers[0].respond();
    assert.deepEqual(shown(host), ["mine=1"]);
    close(host);
  });

  it("a path that stays the same to filters stays as it came", async () => {
    const host = await start([{ AFTER_ROUTE: ["variable:x-mosn-path:/a_b/c"] }]);
    const servers = keepRequests(host);
    host.request({ path: "/a%5Fb//c?q" });
    host.request({ path: "/x?q" });
    assert.deepEqual(
      servers.map((request) => request.path),
      ["/a%5Fb//c?q", "/a_b/c?q"],
    );
    for (const server of servers) server.respond();
    close(host);
  });
});
