import { TestFilterType, TextConfig } from "../stream/test_filter";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ConfigErrors } from "../../../assembly/config/errors";
import { RouterOptions } from "../../../assembly/router/builder";
import { Route, RouteKind } from "../../../assembly/router/route";
import { TestHeaders, TestRequest, buildRouter, routeOf, routes, textAt } from "./request";

/** The route with this action, of a request without anything. */
function action(text: string): Route {
  return routeOf(routes(`{'route':{'cluster_name':'c',${text}}}`), new TestRequest());
}

/** The router's options for HTTP. */
function http(): RouterOptions {
  const options = new RouterOptions();
  options.http = true;
  return options;
}

describe("timeouts and retries", () => {
  test("timeout: absent and 0 are the default, negative is none", () => {
    expect(action("'timeout':'3s'").timeoutMs).toBe(3000);
    expect(action("'timeout':'1500us'").timeoutMs).toBe(2);
    expect(action("'timeout':'0s'").timeoutMs).toBe(-1);
    expect(action("'timeout':'-1s'").timeoutMs).toBe(0);
    expect(action("'timeout':null").timeoutMs).toBe(-1);
  });

  test("retry_policy", () => {
    const none = action("'timeout':'1s'");
    expect(none.retry.retryOn).toBe(false);
    expect(none.retry.numRetries).toBe(3);
    expect(none.perTryTimeoutMs).toBe(-1);
    expect(none.retry.retriesCode(502)).toBe(false);
    const zero = action("'retry_policy':{'num_retries':0}");
    expect(zero.retry.numRetries).toBe(0);
    const on = action("'retry_policy':{'retry_on':true,'retry_timeout':'200ms','num_retries':2}");
    expect(on.retry.retryOn).toBe(true);
    expect(on.retry.numRetries).toBe(2);
    expect(on.perTryTimeoutMs).toBe(200);
    expect(on.retry.retriesCode(500)).toBe(true);
    expect(on.retry.retriesCode(499)).toBe(false);
    expect(on.retry.retriesCode(200)).toBe(false);
    const codes = action("'retry_policy':{'retry_on':true,'status_codes':[404,0]}");
    expect(codes.retry.retriesCode(404)).toBe(true);
    expect(codes.retry.retriesCode(0)).toBe(true);
    expect(codes.retry.retriesCode(502)).toBe(false);
  });
});

describe("header changes", () => {
  test("add appends, sets or fills, remove removes; route, then virtual host, then router", () => {
    const errors = new ConfigErrors();
    const add = (key: string, value: string, more: string): string =>
      `{'header':{'key':'${key}','value':'${value}'}${more}}`;
    const router = buildRouter(
      `{'request_headers_to_add':[${add("order", "router", "")}],'request_headers_to_remove':['from-host'],
        'response_headers_to_add':[${add("r", "router", "")}],
        'virtual_hosts':[{'domains':['*'],
          'request_headers_to_add':[${add("order", "host", "")},${add("from-host", "1", "")}],
          'request_headers_to_remove':['from-route'],
          'routers':[{'route':{'cluster_name':'c',
            'request_headers_to_add':[${add("order", "route", "")},${add("set", "new", ",'append':false")},
              ${add("Upper", "%x-mosn-rpc-service%", "")},${add("none", "%protocol%", "")},${add("literal", "%nope%", "")},
              ${add("percent", "%", "")},${add("from-route", "1", "")},${add("gone", "1", "")}],
            'request_headers_to_remove':['gone','old'],
            'response_headers_to_add':[${add("r", "route", ",'append':true")}],
            'response_headers_to_remove':['server']}}]}]}`,
      errors,
    );
    expect(errors.message).toBe("");
    const request = new TestRequest().withVariable("x-mosn-rpc-service", "com.x.Foo");
    const route = routeOf(router, request);
    expect(route.hasRequestOps).toBe(true);
    expect(route.hasResponseOps).toBe(true);
    const headers = new TestHeaders([
      ["set", "a"],
      ["set", "b"],
      ["old", "1"],
      ["keep", "1"],
      ["old", "2"],
      ["order", "client"],
      ["none", ""],
      ["order", ""],
      ["order", "again"],
    ]);
    route.requestOps.apply(headers, request);
    expect(headers.toString()).toBe(
      "set=new; keep=1; order=client,again,route,host,router; none=; Upper=com.x.Foo; literal=%nope%; percent=%",
    );
    const response = new TestHeaders([["server", "x"]]);
    route.responseOps.apply(response, request);
    expect(response.toString()).toBe("r=route,router");
  });

  test("a route of the default router may have some", () => {
    const router = buildRouter(`{'request_headers_to_add':[{'header':{'key':'a','value':'b'}}]}`, new ConfigErrors());
    const headers = new TestHeaders();
    const request = new TestRequest();
    routeOf(router, request).requestOps.apply(headers, request);
    expect(headers.toString()).toBe("a=b");
  });
});

describe("hash_policy", () => {
  test("header: MOSN's values (docs/reference/mosn.md#hash-policies)", () => {
    const route = action("'hash_policy':[{'header':{'key':'uid'}}]");
    expect(route.hash(new TestRequest().withHeader("uid", "123"))).toBe(12628863373396891478);
    expect(route.hash(new TestRequest().withHeader("uid", "124"))).toBe(7603203252302947402);
    expect(route.hash(new TestRequest().withHeader("uid", "a"))).toBe(3656817262336447398);
    expect(route.hash(new TestRequest())).toBe(0);
  });

  test("cookie", () => {
    const route = action("'hash_policy':[{'cookie':{'name':'sid','path':'/','ttl':'5s'}}]");
    const expected = action("'hash_policy':[{'header':{'key':'uid'}}]");
    const hash = route.hash(new TestRequest().withHeader("cookie", "sid=1"));
    expect(hash != 0).toBe(true);
    expect(route.hash(new TestRequest().withHeader("cookie", "a=b; sid=1; c=d"))).toBe(hash);
    expect(route.hash(new TestRequest().withHeader("cookie", "a=b;sid=1"))).toBe(hash);
    expect(route.hash(new TestRequest().withHeader("cookie", "xsid=1; sid=2")) == hash).toBe(false);
    expect(route.hash(new TestRequest().withHeader("cookie", "sid"))).toBe(0);
    expect(route.hash(new TestRequest().withHeader("cookie", ""))).toBe(0);
    expect(expected.hash(new TestRequest().withHeader("cookie", "sid=1"))).toBe(0);
  });

  test("several are combined as Envoy combines them; what a request lacks is left out", () => {
    const a: u64 = action("'hash_policy':[{'header':{'key':'a'}}]").hash(new TestRequest().withHeader("a", "1"));
    const b: u64 = action("'hash_policy':[{'header':{'key':'b'}}]").hash(new TestRequest().withHeader("b", "2"));
    const both = new TestRequest().withHeader("a", "1").withHeader("b", "2");
    const two = (terminal: string): string =>
      `'hash_policy':[{'header':{'key':'a'}${terminal}},{'header':{'key':'b'}}]`;
    expect(action(two("")).hash(both)).toBe(rotl<u64>(a, 1) ^ b);
    expect(action(two("")).hash(new TestRequest().withHeader("b", "2"))).toBe(b);
    expect(action(two("")).hash(new TestRequest().withHeader("a", "1"))).toBe(a);
    expect(action(two(",'terminal':true")).hash(both)).toBe(a);
    expect(action(two(",'terminal':true")).hash(new TestRequest().withHeader("b", "2"))).toBe(b);
    expect(action(two(",'terminal':false")).hash(both)).toBe(rotl<u64>(a, 1) ^ b);
    const address = "'hash_policy':[{'header':{'key':'a'},'terminal':true},{'source_ip':{}}]";
    expect(action(address).hash(both.with("source", "10.1.2.3:4567"))).toBe(a);
    expect(action(address).hash(new TestRequest().with("source", "10.1.2.3:4567"))).toBe(0x0a010203);
  });

  test("a request without any of it goes by its client's address, unless all clients of a sidecar have that", () => {
    const route = action("'hash_policy':[{'header':{'key':'uid'}},{'cookie':{'name':'sid'}}]");
    expect(route.hash(new TestRequest().with("source", "10.1.2.3:4567"))).toBe(0x0a010203);
    expect(route.hash(new TestRequest().with("source", "[::ffff:10.1.2.3]:4567"))).toBe(0x0a010203);
    expect(route.hash(new TestRequest().with("source", "127.0.0.1:4567"))).toBe(0);
    expect(route.hash(new TestRequest().with("source", "[::1]:4567"))).toBe(0);
    expect(route.hash(new TestRequest().with("source", "10.1.2.3:4567").withHeader("uid", ""))).toBe(0x0a010203);
    expect(route.hash(new TestRequest().with("source", "10.1.2.3:4567").withHeader("cookie", "sid="))).toBe(0x0a010203);
    // Asked for by name it counts, whatever it is.
    expect(action("'hash_policy':[{'source_ip':{}}]").hash(new TestRequest().with("source", "127.0.0.1:1"))).toBe(
      0x7f000001,
    );
  });

  test("a value counts up to 65,536 bytes", () => {
    const route = action("'hash_policy':[{'header':{'key':'uid'}}]");
    const long = "x".repeat(65536);
    const hash = route.hash(new TestRequest().withHeader("uid", long));
    expect(hash != 0).toBe(true);
    expect(route.hash(new TestRequest().withHeader("uid", long + "y"))).toBe(hash);
    expect(route.hash(new TestRequest().withHeader("uid", "y" + long)) != hash).toBe(true);
  });

  test("all of an IPv6 address counts, however it is spelled", () => {
    const route = action("'hash_policy':[{'source_ip':{}}]");
    const hash = route.hash(new TestRequest().with("source", "[2001:db8::1]:1"));
    expect(hash != 0).toBe(true);
    expect(route.hash(new TestRequest().with("source", "[2001:DB8:0:0:0:0:0:1]:2"))).toBe(hash);
    expect(route.hash(new TestRequest().with("source", "[2001:db8:1::1]:1")) != hash).toBe(true);
  });

  test("the client's address, also without a policy", () => {
    const request = new TestRequest().with("source", "10.1.2.3:4567");
    expect(action("'hash_policy':[{'source_ip':{}}]").hash(request)).toBe(0x0a010203);
    expect(action("'timeout':'1s'").hash(request)).toBe(0x0a010203);
    expect(action("'timeout':'1s'").hash(new TestRequest())).toBe(0);
  });
});

describe("answers and extras", () => {
  test("direct_response", () => {
    const router = routes(
      `{'match':{'path':'/x'},'direct_response':{'status':403,'body':'no \\u00e9ntry'}},{'direct_response':{'status':0}}`,
    );
    const route = routeOf(router, new TestRequest().with("path", "/x"));
    expect(route.kind).toBe(RouteKind.DIRECT);
    const direct = route.direct;
    expect(direct !== null && direct.status == 403 && direct.body.toString() == "no \u00e9ntry").toBe(true);
    expect(route.pickCluster(new TestRequest()) === null).toBe(true);
    const empty = routeOf(router, new TestRequest()).direct;
    expect(empty !== null && empty.status == 0 && empty.body.length == 0).toBe(true);
  });

  test("redirect, for HTTP", () => {
    const router = routes(
      `{'match':{'path':'/x'},'redirect':{'response_code':308,'path_redirect':'/y','host_redirect':'h','scheme_redirect':'HTTPS'}},{'redirect':{}}`,
      http(),
    );
    const route = routeOf(router, new TestRequest().with("path", "/x"));
    expect(route.kind).toBe(RouteKind.REDIRECT);
    const redirect = route.redirect;
    if (redirect !== null) {
      expect(redirect.code).toBe(308);
      expect(redirect.path.toString() + redirect.host.toString() + redirect.scheme.toString()).toBe("/yhhttps");
    }
    const defaults = routeOf(router, new TestRequest()).redirect;
    expect(defaults !== null && defaults.code == 301).toBe(true);
  });

  test("request_mirror_policies", () => {
    const mirrored = `'request_mirror_policies':{'cluster':'m','percent':10,'trace_sampled':true}`;
    const route = routeOf(routes(`{'route':{'cluster_name':'c'},${mirrored}}`), new TestRequest());
    const mirror = route.mirror;
    expect(mirror !== null && mirror.choice.name.toString() == "m" && mirror.percent == 10).toBe(true);
    expect(action("'timeout':'1s'").mirror === null).toBe(true);
  });

  test("per_filter_config of the route, then of the virtual host", () => {
    const options = new RouterOptions();
    const types = [
      new TestFilterType("fault", 0, true),
      new TestFilterType("payload_limit", 0, true),
      new TestFilterType("other", 0, true),
    ];
    for (let i = 0; i < types.length; i++) options.filters.register(types[i]);
    const errors = new ConfigErrors();
    const router = buildRouter(
      `{'virtual_hosts':[{'domains':['*'],'per_filter_config':{'fault':{'host':1},'payload_limit':{'x':1}},
        'routers':[{'route':{'cluster_name':'c'},'per_filter_config':{'fault':{'b':[true,'x'],'a':1.5}},
          'metadata':{'filter_metadata':{'mosn.lb':{'k':'v'}}}}]}]}`,
      errors,
      options,
    );
    expect(errors.message).toBe("");
    const configs = routeOf(router, new TestRequest()).filterConfigs;
    const fault = configs.get(types[0]);
    expect(fault !== null ? (fault as TextConfig).text : "").toBe('{"b":[true,"x"],"a":1.5}');
    const limit = configs.get(types[1]);
    expect(limit !== null ? (limit as TextConfig).text : "").toBe('{"x":1}');
    expect(configs.get(types[2]) === null).toBe(true);
  });
});

/** The path after the rewriting fields `text` of a route that matches by `match`; the path itself when it stays. */
function rewritten(match: string, text: string, path: string): string {
  const router = routes(`{'match':{${match}},'route':{'cluster_name':'c',${text}}}`, http());
  const route = routeOf(router, new TestRequest().with("path", path));
  const bytes = Bytes.of(path);
  const out = new ByteBuffer();
  const changed = route.rewrite.path(bytes.ptr, bytes.length, out);
  const result = changed ? textAt(out.ptr, out.length) : path;
  out.free();
  return result;
}

describe("rewrites, for HTTP", () => {
  test("prefix and expression", () => {
    expect(rewritten("'prefix':'/a/'", "'prefix_rewrite':'/b/'", "/a/x")).toBe("/b/x");
    expect(rewritten("'path':'/a'", "'prefix_rewrite':'/b'", "/a")).toBe("/b");
    const regex = (pattern: string, by: string): string =>
      `'regex_rewrite':{'pattern':{'google_re2':{'max_program_size':100},'regex':'${pattern}'},'substitution':'${by}'}`;
    expect(rewritten("'prefix':'/'", regex("^/x/([^/]+)/([^/]+)", "/$2/${1}s"), "/x/one/two/x")).toBe("/two/ones/x");
    expect(rewritten("'prefix':'/'", regex("o", "0"), "/foo/boo")).toBe("/f00/b00");
    expect(rewritten("'prefix':'/'", regex("none", "0"), "/foo")).toBe("/foo");
  });

  test("host", () => {
    const view = new View();
    const fixed = routeOf(routes(`{'route':{'cluster_name':'c','host_rewrite':'h'}}`, http()), new TestRequest());
    expect(fixed.rewrite.given && fixed.rewrite.host(new TestRequest(), view)).toBe(true);
    expect(textAt(view.ptr, view.length)).toBe("h");
    const request = new TestRequest().withHeader("to", "x");
    const header = routeOf(routes(`{'route':{'cluster_name':'c','auto_host_rewrite_header':'to'}}`, http()), request);
    expect(header.rewrite.host(request, view)).toBe(true);
    expect(textAt(view.ptr, view.length)).toBe("x");
    expect(header.rewrite.host(new TestRequest(), view)).toBe(false);
    const auto = routeOf(routes(`{'route':{'cluster_name':'c','auto_host_rewrite':true}}`, http()), request);
    expect(auto.rewrite.autoHost && !auto.rewrite.host(request, view)).toBe(true);
  });
});
