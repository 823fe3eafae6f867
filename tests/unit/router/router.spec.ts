import { ConfigErrors } from "../../../assembly/config/errors";
import { RouterOptions } from "../../../assembly/router/builder";
import { HostTable } from "../../../assembly/router/hosts";
import { Router } from "../../../assembly/router/router";
import { Bytes } from "../../../assembly/bytes/bytes";
import { TestRequest, buildRouter, choiceOf, clusterOf, routeOf, routes } from "./request";

/** A table of these domains, each a virtual host of its own. */
function table(domains: string[]): HostTable {
  const hosts = new HostTable();
  for (let i = 0; i < domains.length; i++) expect(hosts.add(domains[i], i)).toBe("", domains[i]);
  return hosts;
}

function find(hosts: HostTable, host: string): i32 {
  const bytes = Bytes.of(host);
  return hosts.find(bytes.ptr, bytes.length);
}

/** Expects each of the hosts at `index`. */
function expectHosts(hosts: HostTable, index: i32, names: string[]): void {
  for (let i = 0; i < names.length; i++) expect(find(hosts, names[i])).toBe(index, names[i]);
}

describe("virtual hosts", () => {
  test("MOSN's wildcard cases (routers_impl_test.go)", () => {
    const dot = table(["*.test.com"]);
    expectHosts(dot, 0, ["a.test.com", "a.b.test.com", "a.test.test.com", "*.test.com", "A.TEST.com"]);
    expectHosts(dot, -1, ["a-test.com", ".test.com", "*", "test.com", "", "a.test.com:80"]);
    const dash = table(["*-bar.foo.com"]);
    expectHosts(dash, 0, ["a-bar.foo.com", "a.-bar.foo.com"]);
    expectHosts(dash, -1, ["-bar.test.com", "-bar.foo.com", "a.foo.com"]);
    const three = table(["f-bar.baz.com", "*.baz.com", "*-bar.baz.com"]);
    expectHosts(three, 0, ["f-bar.baz.com", "F-Bar.Baz.Com"]);
    expectHosts(three, 2, ["foo-bar.baz.com"]);
    expectHosts(three, 1, ["foo.baz.com", "x.foo.baz.com"]);
  });

  test("MOSN's order of hosts and ports", () => {
    const hosts = table([
      "www.a.com:80",
      "www.a.com:*",
      "*.a.com:80",
      "*.a.com:*",
      "*",
      "www.b.com",
      "*.c.com",
      "*:8080",
    ]);
    expectHosts(hosts, 0, ["www.a.com:80", "WWW.a.com:80"]);
    expectHosts(hosts, 1, ["www.a.com:81", "www.a.com"]);
    expectHosts(hosts, 2, ["x.a.com:80"]);
    expectHosts(hosts, 3, ["x.a.com:81", "x.a.com"]);
    expectHosts(hosts, 5, ["www.b.com"]);
    // A domain without port is not for hosts with one.
    expectHosts(hosts, 4, ["www.b.com:81", "x.c.com:81", "other", "other:1", "[::1]:80"]);
    expectHosts(hosts, 7, ["www.b.com:8080", "x.c.com:8080", "other:8080"]);
  });

  test("a longer suffix with the right port comes before a longer one with any", () => {
    const hosts = table(["*.b.a.com:*", "*.a.com:80"]);
    expectHosts(hosts, 1, ["x.b.a.com:80", "x.a.com:80"]);
    expectHosts(hosts, 0, ["x.b.a.com:81"]);
  });

  test("SOFA's services with version and unique id", () => {
    const hosts = table(["com.x.Foo:1.0", "com.x.Foo:*", "*.Bar:1.0:blue", "[::1]:80"]);
    expectHosts(hosts, 0, ["com.x.Foo:1.0", "com.x.foo:1.0"]);
    expectHosts(hosts, 1, ["com.x.Foo", "com.x.Foo:2.0", "com.x.Foo:1.0:blue"]);
    expectHosts(hosts, 2, ["com.x.Bar:1.0:blue"]);
    expectHosts(hosts, -1, ["com.x.Bar:1.0"]);
    expectHosts(hosts, 3, ["[::1]:80", "[0:0::0001]:80"]);
  });

  test("holds many", () => {
    const hosts = new HostTable();
    for (let i = 0; i < 2000; i++) hosts.add(`host-${i}.example`, i);
    for (let i = 0; i < 2000; i++) expect(find(hosts, `HOST-${i}.example`)).toBe(i);
    expect(find(hosts, "host-2000.example")).toBe(-1);
  });

  test("only routes of the chosen one count", () => {
    const errors = new ConfigErrors();
    const router = buildRouter(
      `{'router_config_name':'r','virtual_hosts':[
        {'name':'a','domains':['a.com'],'routers':[{'match':{'prefix':'/x'},'route':{'cluster_name':'ax'}}]},
        {'domains':['*'],'require_tls':'','routers':[{'route':{'cluster_name':'rest'}}]},
        {'name':'empty','domains':['empty.com']}]}`,
      errors,
    );
    expect(errors.message).toBe("");
    expect(clusterOf(router, new TestRequest().with("host", "a.com").with("path", "/x/y"))).toBe("ax");
    expect(clusterOf(router, new TestRequest().with("host", "a.com").with("path", "/y"))).toBe("-");
    expect(clusterOf(router, new TestRequest().with("host", "b.com").with("path", "/x"))).toBe("rest");
    expect(clusterOf(router, new TestRequest().with("host", "empty.com"))).toBe("-");
    // Unlike MOSN, a request without host is for the default one too.
    expect(clusterOf(router, new TestRequest())).toBe("rest");
    expect(routeOf(router, new TestRequest()).name).toBe("1[0]");
  });
});

describe("matching", () => {
  test("the first route that matches", () => {
    const router = routes(
      `{'match':{'prefix':'/a/'},'route':{'cluster_name':'prefix'}},
       {'match':{'path':'/Exact'},'route':{'cluster_name':'path'}},
       {'match':{'regex':'^/r[0-9]+$'},'route':{'cluster_name':'regex'}},
       {'match':{'regex':'unanchored'},'route':{'cluster_name':'search'}},
       {'match':{'prefix':'/'},'route':{'cluster_name':'any-path'}},
       {'match':{},'route':{'cluster_name':'rest'}}`,
    );
    const paths: string[][] = [
      ["/a/b", "prefix"],
      ["/A/b", "any-path"],
      ["/a", "any-path"],
      ["/exact", "path"],
      ["/EXACT", "path"],
      ["/exact/", "any-path"],
      ["/r12", "regex"],
      ["/r12/", "any-path"],
      ["x/unanchored/y", "search"],
      ["no slash", "rest"],
      ["", "rest"],
    ];
    for (let i = 0; i < paths.length; i++) {
      expect(clusterOf(router, new TestRequest().with("path", paths[i][0]))).toBe(paths[i][1], paths[i][0]);
    }
    expect(clusterOf(router, new TestRequest())).toBe("rest");
    expect(routeOf(router, new TestRequest()).name).toBe("v[5]");
  });

  test("headers: all of them, exact or by expression, case-sensitive", () => {
    const router = routes(
      `{'match':{'headers':[{'name':'a','value':'1'},{'name':'b','value':'^x+$','regex':true}]},'route':{'cluster_name':'ab'}},
       {'match':{'headers':[{'name':'empty','value':''}]},'route':{'cluster_name':'empty'}},
       {'match':{'prefix':'/p','headers':[{'name':'a','value':'2'}]},'route':{'cluster_name':'p2'}}`,
    );
    expect(clusterOf(router, new TestRequest().withHeader("a", "1").withHeader("b", "xx"))).toBe("ab");
    expect(clusterOf(router, new TestRequest().withHeader("a", "1").withHeader("b", "xy"))).toBe("-");
    expect(clusterOf(router, new TestRequest().withHeader("a", "1"))).toBe("-");
    expect(clusterOf(router, new TestRequest().withHeader("A", "1").withHeader("b", "x"))).toBe("-");
    expect(clusterOf(router, new TestRequest().withHeader("empty", ""))).toBe("empty");
    expect(clusterOf(router, new TestRequest().withHeader("empty", "x"))).toBe("-");
    expect(clusterOf(router, new TestRequest().withHeader("a", "2").with("path", "/p"))).toBe("p2");
    expect(clusterOf(router, new TestRequest().withHeader("a", "2").with("path", "/q"))).toBe("-");
  });

  test("service and method are known without a header", () => {
    const router = routes(
      `{'match':{'headers':[{'name':'service','value':'com.x.Foo:1.0'},{'name':'method','value':'get'}]},'route':{'cluster_name':'get'}},
       {'match':{'headers':[{'name':'service','value':'com.x.Foo:1.0'}]},'route':{'cluster_name':'foo'}},
       {'match':{'headers':[{'name':'service','value':'^com[.]y[.]','regex':true}]},'route':{'cluster_name':'y'}}`,
    );
    const foo = new TestRequest().with("service", "com.x.Foo:1.0");
    expect(clusterOf(router, foo)).toBe("foo");
    expect(clusterOf(router, foo.with("method", "get"))).toBe("get");
    expect(clusterOf(router, new TestRequest().with("service", "com.y.Bar:1.0"))).toBe("y");
    expect(clusterOf(router, new TestRequest())).toBe("-");
    // A header of that name comes first.
    const header = new TestRequest().with("service", "com.y.Bar:1.0").withHeader("service", "com.x.Foo:1.0");
    expect(clusterOf(router, header)).toBe("foo");
  });

  test("MOSN's RPC rule: service .* is any service", () => {
    const router = routes(`{'match':{'headers':[{'name':'service','value':'.*'}]},'route':{'cluster_name':'any'}}`);
    expect(clusterOf(router, new TestRequest().with("service", "x"))).toBe("any");
    expect(clusterOf(router, new TestRequest().withHeader("service", ""))).toBe("-");
    expect(clusterOf(router, new TestRequest())).toBe("-");
    const two = routes(
      `{'match':{'headers':[{'name':'service','value':'.*'},{'name':'a','value':'1'}]},'route':{'cluster_name':'any'}}`,
    );
    expect(clusterOf(two, new TestRequest().with("service", "x").withHeader("a", "1"))).toBe("-");
  });

  test("looks each header up once, whatever the number of routes", () => {
    let text = "";
    for (let i = 0; i < 50; i++)
      text += `{'match':{'headers':[{'name':'k','value':'${i}'}]},'route':{'cluster_name':'c${i}'}},`;
    const router = routes(text + `{'match':{'headers':[{'name':'l','value':'x'}]},'route':{'cluster_name':'l'}}`);
    const request = new TestRequest().withHeader("k", "49");
    expect(clusterOf(router, request)).toBe("c49");
    expect(request.lookups).toBe(1);
    expect(clusterOf(router, request.withHeader("k", "7"))).toBe("c7");
    expect(clusterOf(router, request.withHeader("k", "none").withHeader("l", "x"))).toBe("l");
    expect(request.lookups).toBe(4);
  });

  test("variables: and, or, and what was decided before", () => {
    const all = ["protocol", "x-mosn-method", "x-mosn-host"];
    const models: string[][] = [
      // Models of the three, and for each of the 8 combinations of truth what MOSN's walk gives.
      ["and", "and", "and", "00000001"],
      ["and", "and", "or", "00000001"],
      ["or", "or", "or", "01111111"],
      ["or", "and", "and", "00011111"],
      ["and", "or", "and", "01010111"],
      ["AND", "Or", "", "01010111"],
    ];
    for (let m = 0; m < models.length; m++) {
      const items: string[] = [];
      for (let i = 0; i < 3; i++) {
        const model = models[m][i].length > 0 ? `,'model':'${models[m][i]}'` : "";
        items.push(`{'name':'${all[i]}','value':'1'${model}}`);
      }
      const router = routes(`{'match':{'variables':[${items.join()}]},'route':{'cluster_name':'yes'}}`);
      for (let bits = 0; bits < 8; bits++) {
        const request = new TestRequest();
        for (let i = 0; i < 3; i++) if ((bits & (4 >> i)) != 0) request.withVariable(all[i], "1");
        const expected = models[m][3].charAt(bits) == "1" ? "yes" : "-";
        expect(clusterOf(router, request)).toBe(expected, `${models[m].join()} ${bits}`);
      }
    }
  });

  test("variables by expression, with headers and paths", () => {
    const router = routes(
      `{'match':{'prefix':'/a','headers':[{'name':'h','value':'1'}],
        'variables':[{'name':'request_header_x','regex':'^$|^v[12]$'}]},'route':{'cluster_name':'yes'}}`,
    );
    const request = new TestRequest().with("path", "/a").withHeader("h", "1");
    expect(clusterOf(router, request)).toBe("yes");
    expect(clusterOf(router, request.withVariable("request_header_x", "v2"))).toBe("yes");
    expect(clusterOf(router, request.withVariable("request_header_x", "v3"))).toBe("-");
    expect(clusterOf(router, new TestRequest().with("path", "/a"))).toBe("-");
  });
});

describe("clusters", () => {
  test("the default one without configuration", () => {
    expect(clusterOf(Router.toCluster("upstream"), new TestRequest())).toBe("upstream");
    const route = routeOf(buildRouter("{}", new ConfigErrors()), new TestRequest());
    expect(route.timeoutMs).toBe(-1);
    expect(route.retry.retryOn).toBe(false);
    expect(route.retry.numRetries).toBe(3);
    expect(route.hasRequestOps).toBe(false);
  });

  test("weights within 0.1 % of 10^4, with any seed", () => {
    for (let seed: u64 = 0; seed < 20; seed++) {
      const options = new RouterOptions();
      options.seed = seed * 0x123456789abcdef;
      const router = routes(
        `{'route':{'weighted_clusters':[{'cluster':{'name':'a','weight':90}},{'cluster':{'name':'none','weight':0}},
          {'cluster':{'name':'b','weight':9}},{'cluster':{'name':'c','weight':1}}]}}`,
        options,
      );
      const counts = new Map<string, i32>();
      const request = new TestRequest();
      for (let i = 0; i < 10000; i++) {
        const name = clusterOf(router, request);
        counts.set(name, (counts.has(name) ? counts.get(name) : 0) + 1);
      }
      expect(counts.has("none")).toBe(false);
      expect(abs(counts.get("a") - 9000)).toBeLessThan(11);
      expect(abs(counts.get("b") - 900)).toBeLessThan(11);
      expect(abs(counts.get("c") - 100)).toBeLessThan(11);
    }
  });

  test("weights are the same with the same seed, and differ between routes", () => {
    const text = `{'match':{'path':'/1'},'route':{'weighted_clusters':[{'cluster':{'name':'a','weight':1}},{'cluster':{'name':'b','weight':1}}]}}`;
    const both = routes(text + "," + text.replace("/1", "/2"));
    const again = routes(text);
    let first = "";
    let second = "";
    let third = "";
    for (let i = 0; i < 64; i++) {
      first += clusterOf(both, new TestRequest().with("path", "/1"));
      second += clusterOf(both, new TestRequest().with("path", "/2"));
      third += clusterOf(again, new TestRequest().with("path", "/1"));
    }
    expect(first).toBe(third);
    expect(first == second).toBe(false);
  });

  test("large weights", () => {
    const router = routes(
      `{'route':{'weighted_clusters':[{'cluster':{'name':'a','weight':4294967294}},{'cluster':{'name':'b','weight':1}}]}}`,
    );
    for (let i = 0; i < 1000; i++) expect(clusterOf(router, new TestRequest())).toBe("a");
  });

  test("labels of the route, and of one of several clusters", () => {
    const label = `'metadata_match':{'filter_metadata':{'mosn.lb':{'zone':'b','a':'1'}}}`;
    const fixed = choiceOf(routes(`{'route':{'cluster_name':'c',${label}}}`), new TestRequest()).metadata;
    expect(fixed !== null).toBe(true);
    if (fixed === null) return;
    expect(fixed.keys[0].toString() + fixed.values[0].toString()).toBe("a1");
    expect(fixed.keys[1].toString() + fixed.values[1].toString()).toBe("zoneb");
    const own = `'metadata_match':{'filter_metadata':{'mosn.lb':{'version':'2'}}}`;
    const router = routes(
      `{'route':{'weighted_clusters':[{'cluster':{'name':'c','weight':1,${own}}},{'cluster':{'name':'c','weight':1}}],${label}}}`,
    );
    const texts = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const metadata = choiceOf(router, new TestRequest()).metadata;
      if (metadata !== null) texts.add(metadata.text);
    }
    expect(texts.size).toBe(2);
    expect(texts.has("\0version\x002")).toBe(true);
    expect(texts.has("\0a\x001\0zone\0b")).toBe(true);
    expect(choiceOf(routes(`{'route':{'cluster_name':'c'}}`), new TestRequest()).metadata === null).toBe(true);
  });

  test("the same cluster with the same labels is one object", () => {
    const text = `'route':{'cluster_name':'c','metadata_match':{'filter_metadata':{'mosn.lb':{'a':'1'}}}}}`;
    const router = routes(
      `{'match':{'path':'/1'},${text},{'match':{'path':'/2'},${text},{'route':{'cluster_name':'c'}}`,
    );
    const one = choiceOf(router, new TestRequest().with("path", "/1"));
    expect(one === choiceOf(router, new TestRequest().with("path", "/2"))).toBe(true);
    expect(one === choiceOf(router, new TestRequest())).toBe(false);
  });

  test("named by the request", () => {
    const header = routes(`{'route':{'cluster_header':'to'}}`);
    expect(clusterOf(header, new TestRequest().withHeader("to", "x"))).toBe("x");
    expect(clusterOf(header, new TestRequest().withHeader("to", ""))).toBe("?");
    expect(clusterOf(header, new TestRequest().withHeader("to", "x".repeat(256)))).toBe("?");
    expect(clusterOf(header, new TestRequest())).toBe("?");
    const variable = routes(`{'route':{'cluster_variable':'x-mosn-host'}}`);
    expect(clusterOf(variable, new TestRequest().withVariable("x-mosn-host", "y"))).toBe("y");
    expect(clusterOf(variable, new TestRequest())).toBe("?");
    const x = choiceOf(header, new TestRequest().withHeader("to", "x"));
    expect(x === choiceOf(header, new TestRequest().withHeader("to", "x"))).toBe(true);
    for (let i = 0; i < 1000; i++) expect(clusterOf(header, new TestRequest().withHeader("to", `c${i}`))).toBe(`c${i}`);
  });
});
