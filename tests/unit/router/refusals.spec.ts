import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { RouterOptions } from "../../../assembly/router/builder";
import { TestHeaders, TestRequest, buildRouter } from "./request";

/** The error of a router, without its place; "accepted" when there is none. */
function errorOf(text: string, http: bool = false): string {
  const errors = new ConfigErrors();
  const options = new RouterOptions();
  options.http = http;
  buildRouter(text, errors, options);
  return errors.failed ? withoutPlace(errors.message) : "accepted";
}

function withoutPlace(message: string): string {
  const from = message.indexOf(" (line ");
  const to = message.indexOf(")", from);
  return from < 0 ? message : message.substring(0, from) + message.substring(to + 1);
}

function host(text: string): string {
  return errorOf(`{'virtual_hosts':[{${text}}]}`).replace("router.virtual_hosts[0]", "H");
}

function route(text: string, http: bool = false): string {
  return errorOf(`{'virtual_hosts':[{'domains':['*'],'routers':[{${text}}]}]}`, http).replace(
    "router.virtual_hosts[0].routers[0]",
    "R",
  );
}

function match(text: string): string {
  return route(`'match':{${text}},'route':{'cluster_name':'c'}`).replace("R.match", "M");
}

function action(text: string): string {
  return route(`'route':{'cluster_name':'c',${text}}`).replace("R.route", "A");
}

/** What the message about an unknown variable lists. */
const VARIABLES: string =
  "allowed: protocol, downstream_protocol, downstream_remote_address, downstream_local_address, upstream_cluster, upstream_host, x-mosn-host, " +
  "x-mosn-path, x-mosn-method, x-mosn-rpc-service, x-mosn-rpc-method, x-mosn-rpc-generic, " +
  "request_header_NAME, response_header_NAME";

describe("refused", () => {
  test("router", () => {
    expect(errorOf("[]")).toBe("router: expected an object, got an array");
    expect(errorOf("{'virtual_hosts':[]}")).toBe("router.virtual_hosts: must not be empty");
    expect(errorOf("{'virtual_hosts':{}}")).toBe("router.virtual_hosts: expected an array, got an object");
    expect(errorOf("{'virtual_hosts':[1]}")).toBe("router.virtual_hosts[0]: expected an object, got 1");
    expect(errorOf("{'router_configs':'dir'}")).toBe(
      'router: unknown field "router_configs"; allowed: router_config_name, request_headers_to_add, ' +
        "request_headers_to_remove, response_headers_to_add, response_headers_to_remove, virtual_hosts",
    );
    expect(errorOf("{'router_config_name':1}")).toBe("router.router_config_name: expected a string, got 1");
    expect(errorOf("{'request_headers_to_add':[{'header':{'value':'x'}}]}")).toBe(
      "router.request_headers_to_add[0].header.key: must be given and not be empty",
    );
    expect(errorOf("{'request_headers_to_add':[{'header':{'key':'k','value':1}}]}")).toBe(
      "router.request_headers_to_add[0].header.value: expected a string, got 1",
    );
    expect(errorOf("{'response_headers_to_add':[{'header':{'key':'k'},'append':'no'}]}")).toBe(
      'router.response_headers_to_add[0].append: expected true or false, got "no"',
    );
    expect(errorOf("{'response_headers_to_add':[{'header':{'key':'k','value':'%start_time%'}}]}")).toBe(
      `router.response_headers_to_add[0].header.value: unknown variable "start_time"; ${VARIABLES}`,
    );
    expect(errorOf("{'response_headers_to_remove':['a','']}")).toBe(
      "router.response_headers_to_remove: the name of a header must not be empty",
    );
  });

  test("virtual hosts", () => {
    expect(host("'name':'v'")).toBe("H.domains: must name at least one domain");
    expect(host("'domains':['']")).toBe("H.domains[0]: a domain must not be empty");
    expect(host("'domains':['*','a.com','A.com']")).toBe("H.domains[2]: duplicate domain");
    expect(host("'domains':['a.com:*','a.com:*']")).toBe("H.domains[1]: duplicate domain");
    expect(host("'domains':['*.a.com:80','*.a.com:80']")).toBe("H.domains[1]: duplicate domain");
    expect(host("'domains':['*','*:*']")).toBe("H.domains[1]: duplicate default domain");
    expect(host("'domains':['a.*.com']")).toBe('H.domains[0]: a "*" may stand only at the start of a domain');
    expect(host("'domains':['**']")).toBe('H.domains[0]: a "*" may stand only at the start of a domain');
    expect(host("'domains':['*'],'require_tls':'ALL'")).toBe('H.require_tls: expected one of "", "NONE", got "ALL"');
    expect(host("'domains':['*'],'routes':[]").startsWith('H: unknown field "routes"; allowed: name, domains,')).toBe(
      true,
    );
    expect(host("'domains':['*'],'per_filter_config':{'fault':{}}")).toBe(
      'H.per_filter_config: unknown filter type "fault"; no stream filter types are compiled in',
    );
    expect(errorOf("{'virtual_hosts':[{'domains':['a.com']},{'domains':['b.com','a.com']}]}")).toBe(
      "router.virtual_hosts[1].domains[1]: duplicate domain",
    );
  });

  test("match", () => {
    expect(match("'prefix':'/a','path':'/b'")).toBe("M: expected at most one of prefix, path, regex");
    expect(match("'path':'/a','regex':'b'")).toBe("M: expected at most one of prefix, path, regex");
    expect(match("'prefix':1")).toBe("M.prefix: expected a string, got 1");
    expect(match("'regex':'a(b'")).toBe("M.regex: missing ) for the group at offset 1");
    expect(match("'headers':[{'name':'a','value':'(','regex':true}]")).toBe(
      "M.headers[0].value: missing ) for the group at offset 0",
    );
    expect(match("'headers':[{'value':'a'}]")).toBe("M.headers[0].name: must be given and not be empty");
    expect(match("'headers':[{'name':'a','regex':'x'}]")).toBe('M.headers[0].regex: expected true or false, got "x"');
    expect(match("'headers':[{'name':'a','invert':true}]")).toBe(
      'M.headers[0]: unknown field "invert"; allowed: name, value, regex',
    );
    expect(match("'variables':[{'name':'nope','value':'1'}]")).toBe(
      `M.variables[0].name: unknown variable "nope"; ${VARIABLES}`,
    );
    expect(match("'variables':[{'name':'request_header_','value':'1'}]")).toBe(
      `M.variables[0].name: unknown variable "request_header_"; ${VARIABLES}`,
    );
    expect(match("'variables':[{'name':'protocol'}]")).toBe("M.variables[0]: expected either value or regex");
    expect(match("'variables':[{'name':'protocol','value':'a','regex':'b'}]")).toBe(
      "M.variables[0]: expected either value or regex",
    );
    expect(match("'variables':[{'name':'protocol','regex':'\\\\1'}]")).toBe(
      "M.variables[0].regex: backreferences are not supported at offset 0",
    );
    expect(match("'variables':[{'name':'protocol','value':'a','model':'xor'}]")).toBe(
      'M.variables[0].model: expected one of "and", "or", got "xor"',
    );
    expect(match("'dsl_expressions':[{'expression':'true'}]")).toBe(
      "M.dsl_expressions: not supported yet; use headers or variables",
    );
    expect(match("'query':[]")).toBe(
      'M: unknown field "query"; allowed: prefix, path, regex, headers, variables, dsl_expressions',
    );
  });

  test("clusters of a route", () => {
    expect(route("'match':{}")).toBe("R: expected one of a cluster in route, direct_response, redirect");
    expect(route("'route':{'cluster_name':''}")).toBe(
      "R: expected one of a cluster in route, direct_response, redirect",
    );
    expect(route("'route':{'cluster_name':'c'},'direct_response':{'status':200}")).toBe(
      "R: expected one of a cluster in route, direct_response, redirect",
    );
    expect(action("'cluster_header':'h'")).toBe(
      "A: expected one of cluster_name, weighted_clusters, cluster_variable, cluster_header",
    );
    expect(action("'weighted_clusters':[{'cluster':{'name':'a','weight':1}}]")).toBe(
      "A: expected one of cluster_name, weighted_clusters, cluster_variable, cluster_header",
    );
    const weighted = (text: string): string =>
      route(`'route':{'weighted_clusters':[${text}]}`).replace("R.route.weighted_clusters", "W");
    expect(weighted("{'cluster':{'name':'a','weight':0}}")).toBe(
      "W: expected weights that sum up to 1 to 4294967295, got 0",
    );
    expect(weighted("{'cluster':{'name':'a','weight':4294967295}},{'cluster':{'name':'b','weight':1}}")).toBe(
      "W: expected weights that sum up to 1 to 4294967295, got 4294967296",
    );
    expect(weighted("{'cluster':{'name':'a','weight':-1}}")).toBe(
      "W[0].cluster.weight: expected an integer from 0 to 4294967295, got -1",
    );
    expect(weighted("{'cluster':{'weight':1}}")).toBe("W[0].cluster.name: must be given and not be empty");
    expect(weighted("{'name':'a','weight':1}")).toBe("W[0].cluster.name: must be given and not be empty");
    expect(weighted("{'cluster':{'name':'a b','weight':1}}")).toBe(
      "W[0].cluster.name: the name of a cluster must be of 1 to 255 visible ASCII characters",
    );
    expect(route("'route':{'cluster_name':'a\\nb'}")).toBe(
      "R.route.cluster_name: the name of a cluster must be of 1 to 255 visible ASCII characters",
    );
    expect(route("'route':{'cluster_variable':'nope'}")).toBe(
      `R.route.cluster_variable: unknown variable "nope"; ${VARIABLES}`,
    );
    const labels = (text: string): string => action(`'metadata_match':${text}`).replace("A.metadata_match", "L");
    expect(labels("{'filter_metadata':{'envoy.lb':{}}}")).toBe(
      'L.filter_metadata: unknown field "envoy.lb"; allowed: mosn.lb',
    );
    expect(labels("{'filter_metadata':{'mosn.lb':{'a':1}}}")).toBe(
      "L.filter_metadata.mosn.lb.a: expected a string, got 1",
    );
    expect(labels("{'filter_metadata':{'mosn.lb':{'a b':'1'}}}")).toBe(
      "L.filter_metadata.mosn.lb.a b: a label's key must be of letters, digits, - _ and .",
    );
    expect(labels("{'filter_metadata':{'mosn.lb':{'Cluster':'1'}}}")).toBe(
      "L.filter_metadata.mosn.lb.Cluster: a label cannot be called cluster, pin, ask, host or destination: x-moe-KEY is the proxy's own then",
    );
    expect(labels("{'filter_metadata':{'mosn.lb':{'a':'1\\r\\n'}}}")).toBe(
      "L.filter_metadata.mosn.lb.a: a label's value must be of visible ASCII characters",
    );
  });

  test("policies of a route", () => {
    expect(action("'timeout':3")).toBe('A.timeout: expected a duration such as "3s", got 3');
    expect(action("'timeout':'25h'")).toBe('A.timeout: expected a duration from -24h to 24h, got "25h"');
    expect(action("'retry_policy':{'num_retries':-1}")).toBe(
      "A.retry_policy.num_retries: expected an integer from 0 to 100, got -1",
    );
    expect(action("'retry_policy':{'retry_timeout':'-1s'}")).toBe(
      'A.retry_policy.retry_timeout: expected a duration from 0 to 10m, got "-1s"',
    );
    expect(action("'retry_policy':{'status_codes':[500]}")).toBe(
      'A.retry_policy.status_codes: has no effect without "retry_on": true',
    );
    expect(action("'retry_policy':{'retry_on':true,'status_codes':[1000]}")).toBe(
      "A.retry_policy.status_codes[0]: expected an integer from 0 to 999, got 1000",
    );
    expect(action("'retry_policy':{'retry_on':'5xx'}")).toBe(
      'A.retry_policy.retry_on: expected true or false, got "5xx"',
    );
    expect(action("'upstream_protocol':'Http1'")).toBe('A.upstream_protocol: expected one of "", "Auto", got "Http1"');
    const sixteen = "{'source_ip':{}},".repeat(16);
    expect(action(`'hash_policy':[${sixteen}{'source_ip':{}}]`)).toBe("A.hash_policy: more than 16 policies");
    expect(action("'hash_policy':{'source_ip':{}}").startsWith("A.hash_policy: expected an array, got ")).toBe(true);
    expect(action("'hash_policy':[{'source_ip':{},'terminal':1}]")).toBe(
      "A.hash_policy[0].terminal: expected true or false, got 1",
    );
    expect(action("'hash_policy':[{}]")).toBe("A.hash_policy[0]: expected one of header, cookie, source_ip");
    expect(action("'hash_policy':[{'header':{'key':'a'},'source_ip':{}}]")).toBe(
      "A.hash_policy[0]: expected one of header, cookie, source_ip",
    );
    expect(action("'hash_policy':[{'header':{}}]")).toBe("A.hash_policy[0].header.key: must be given and not be empty");
    expect(action("'hash_policy':[{'source_ip':{'x':1}}]")).toBe(
      'A.hash_policy[0].source_ip: unknown field "x"; none is allowed here',
    );
    expect(action("'tls':true").startsWith('A: unknown field "tls"; allowed: cluster_name, cluster_variable,')).toBe(
      true,
    );
  });

  test("answers and the rest of a route", () => {
    expect(route("'direct_response':{}")).toBe("R.direct_response: status must be given");
    expect(route("'direct_response':{'status':1000}")).toBe(
      "R.direct_response.status: expected an integer from 0 to 999, got 1000",
    );
    expect(route("'direct_response':{'status':200,'body':{}}")).toBe(
      "R.direct_response.body: expected a string, got an object",
    );
    expect(route("'redirect':{}")).toBe("R.redirect: has no meaning for RPC protocols; use direct_response");
    expect(route("'redirect':{'response_code':304}", true)).toBe(
      "R.redirect.response_code: expected one of 301, 302, 303, 307, 308",
    );
    expect(route("'redirect':{'scheme_redirect':'1x'}", true)).toBe(
      'R.redirect.scheme_redirect: expected a scheme such as "https"',
    );
    expect(route("'redirect':{},'direct_response':{'status':200}", true)).toBe(
      "R: expected one of a cluster in route, direct_response, redirect",
    );
    expect(route("'route':{'cluster_name':'c'},'request_mirror_policies':{'cluster':'m','percent':101}")).toBe(
      "R.request_mirror_policies.percent: expected an integer from 0 to 100, got 101",
    );
    const mirrored = (policy: string): string =>
      route(`'route':{'cluster_name':'c'},'request_mirror_policies':{${policy}}`).replace(
        "R.request_mirror_policies",
        "M",
      );
    expect(mirrored("'percent':10")).toBe(
      "M.cluster: the name of a cluster must be of 1 to 255 visible ASCII characters",
    );
    expect(mirrored("'cluster':'a b','percent':10")).toBe(
      "M.cluster: the name of a cluster must be of 1 to 255 visible ASCII characters",
    );
    expect(mirrored("'cluster':'m'")).toBe("M: percent must be given");
    expect(mirrored("'cluster':'m','percent':0")).toBe("accepted");
    expect(mirrored("'cluster':'m','percent':1,'x':1")).toBe(
      'M: unknown field "x"; allowed: cluster, percent, trace_sampled',
    );
    expect(route("'route':{'cluster_name':'c'},'name':'x'")).toBe(
      'R: unknown field "name"; allowed: match, route, direct_response, redirect, metadata, per_filter_config, ' +
        "request_mirror_policies",
    );
  });

  test("rewrites", () => {
    const rewrite = (match: string, text: string, http: bool): string =>
      route(`'match':{${match}},'route':{'cluster_name':'c',${text}}`, http).replace("R.route", "A");
    expect(rewrite("'prefix':'/'", "'prefix_rewrite':'/x'", false)).toBe(
      "A: rewrites of path and host have no meaning for RPC protocols",
    );
    expect(rewrite("'prefix':'/'", "'prefix_rewrite':'/x'", true)).toBe("accepted");
    expect(rewrite("", "'auto_host_rewrite':true", false)).toBe(
      "A: rewrites of path and host have no meaning for RPC protocols",
    );
    expect(rewrite("'regex':'/'", "'prefix_rewrite':'/x'", true)).toBe(
      "A.prefix_rewrite: needs a match by prefix or path",
    );
    expect(rewrite("'prefix':'/'", "'prefix_rewrite':'/x','regex_rewrite':{'pattern':{'regex':'a'}}", true)).toBe(
      "A.regex_rewrite: contradicts prefix_rewrite",
    );
    expect(rewrite("", "'regex_rewrite':{'pattern':{'regex':'['}}", true)).toBe(
      "A.regex_rewrite.pattern.regex: missing ] for the class at offset 0",
    );
    expect(rewrite("", "'regex_rewrite':{'pattern':{'regex':''}}", true)).toBe(
      "A.regex_rewrite.pattern.regex: must be given and not be empty",
    );
    expect(rewrite("", "'host_rewrite':'a','auto_host_rewrite':true", true)).toBe(
      "A: expected at most one of host_rewrite, auto_host_rewrite, auto_host_rewrite_header",
    );
  });
});

describe("hostile configuration", () => {
  test("never traps, and what is accepted can be used", () => {
    const seed = Bytes.of(
      `{"virtual_hosts":[{"name":"a","domains":["*.a:80","b","*"],"routers":[{"match":{"prefix":"/a","headers":[
      {"name":"service","value":"^a(b|c)*$","regex":true}],"variables":[{"name":"protocol","regex":"[a-c]{1,3}","model":"or"}]},
      "route":{"weighted_clusters":[{"cluster":{"name":"x","weight":9}},{"cluster":{"name":"y","weight":1}}],"timeout":"1m3s",
      "retry_policy":{"retry_on":true,"num_retries":2},"hash_policy":[{"header":{"key":"k"}}],
      "request_headers_to_add":[{"header":{"key":"k","value":"%protocol%"}}]}},
      {"match":{},"direct_response":{"status":200,"body":"x"}}]}]}`,
    );
    const text = Bytes.copy(seed.ptr, seed.length);
    const requests: TestRequest[] = [
      new TestRequest()
        .with("host", "x.a:80")
        .with("service", "abc")
        .with("path", "/a/b")
        .withVariable("protocol", "abc"),
      new TestRequest().with("source", "1.2.3.4").withHeader("k", "v"),
    ];
    let random: u32 = 7;
    let accepted = 0;
    for (let round = 0; round < 8000; round++) {
      memory.copy(text.ptr, seed.ptr, seed.length as usize);
      for (let i = round & 1; i >= 0; i--) {
        random = random * 1664525 + 1013904223;
        const to = (random >> 8) % (seed.length as u32);
        random = random * 1664525 + 1013904223;
        store<u8>(text.ptr + to, load<u8>(seed.ptr + ((random >> 8) % (seed.length as u32))));
      }
      const errors = new ConfigErrors();
      const router = buildRouter(text.toString(), errors);
      if (errors.failed) continue;
      accepted++;
      for (let i = 0; i < requests.length; i++) {
        const found = router.match(requests[i]);
        if (found === null) continue;
        found.pickCluster(requests[i]);
        found.hash(requests[i]);
        found.requestOps.apply(new TestHeaders([["k", "v"]]), requests[i]);
      }
    }
    // Names, values and expressions may be anything.
    expect(accepted).toBeGreaterThan(500);
  });
});
