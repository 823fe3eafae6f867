// What rows of tests/vectors/rbac.json cannot say: addresses, paths, certificates, claims, counts, and what is no request.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Admission } from "../../../assembly/stream/filter";
import { Identity } from "../../../assembly/stream/identity";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf, configured } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { RbacConfig } from "./config";
import { rbac } from "./rbac";

/** Rules with one policy, of one permission and one principal. */
function rules(action: string, permission: string, principal: string): string {
  return `{'rules': {'action': '${action}', 'policies': {'p': {'permissions': [${permission}], 'principals': [${principal}]}}}}`;
}

function passes(config: string, handler: TestHandler): bool {
  return chainOf(rbac, config).receive(handler, Phase.BEFORE_ROUTE) == FilterStatus.CONTINUE;
}

function may(permission: string, handler: TestHandler): bool {
  return passes(rules("ALLOW", permission, "{'any': true}"), handler);
}

function is(principal: string, handler: TestHandler): bool {
  return passes(rules("ALLOW", "{'any': true}", principal), handler);
}

function at(address: string): TestHandler {
  return new TestHandler().with("downstream_local_address", address);
}

function from(address: string): TestHandler {
  const handler = new TestHandler();
  handler.source = Bytes.of(address);
  return handler;
}

function certified(uri: string, dns: string, subject: string): TestHandler {
  const handler = new TestHandler();
  handler.certified = true;
  handler.identities[Identity.URI] = uri;
  handler.identities[Identity.DNS] = dns;
  handler.identities[Identity.SUBJECT] = subject;
  return handler;
}

function named(name: string): string {
  return `{'authenticated': {'principal_name': {'exact': '${name}'}}}`;
}

const NET = "{'address_prefix': '10.0.0.0', 'prefix_len': 8}";
const NET6 = "{'address_prefix': '2001:db8::', 'prefix_len': 32}";

describe("rbac: addresses", () => {
  test("of clients, of both families", () => {
    expect(is(`{'source_ip': ${NET}}`, from("10.1.2.3:80"))).toBe(true);
    expect(is(`{'direct_remote_ip': ${NET}}`, from("11.1.2.3:80"))).toBe(false);
    expect(is(`{'remote_ip': ${NET6}}`, from("[2001:db8::1]:80"))).toBe(true);
    expect(is(`{'remote_ip': ${NET6}}`, from("10.0.0.1:80"))).toBe(false);
  });

  test("of a client that is not known is denied, by what allows and by what denies", () => {
    expect(is(`{'source_ip': ${NET}}`, from(""))).toBe(false);
    expect(is(`{'not_id': {'source_ip': ${NET}}}`, from("pipe"))).toBe(false);
    const denying = rules("DENY", "{'any': true}", `{'source_ip': ${NET}}`);
    const stranger = from("");
    expect(passes(denying, stranger)).toBe(false);
    expect(stranger.failures).toStrictEqual(["rbac"]);
    expect(passes(denying, from("11.0.0.1:80"))).toBe(true);
  });

  test("of the proxy, and its port", () => {
    expect(may(`{'destination_ip': ${NET}}`, at("10.0.0.9:12200"))).toBe(true);
    expect(may(`{'destination_ip': ${NET}}`, at("192.168.0.9:12200"))).toBe(false);
    expect(may("{'destination_port': 12200}", at("10.0.0.9:12200"))).toBe(true);
    expect(may("{'destination_port': 12201}", at("10.0.0.9:12200"))).toBe(false);
    expect(may("{'destination_port_range': {'start': 1, 'end': 12200}}", at("10.0.0.9:12200"))).toBe(false);
    expect(may("{'destination_port_range': {'start': 12200, 'end': 12201}}", at("10.0.0.9:12200"))).toBe(true);
    expect(may("{'not_rule': {'destination_port': 80}}", new TestHandler())).toBe(false);
  });

  test("are taken in camelCase, too, as MOSN's own examples have them", () => {
    expect(may("{'destinationIp': {'addressPrefix': '1.2.3.4', 'prefixLen': 24}}", at("1.2.3.99:80"))).toBe(true);
    const config = configured(rbac, "{'version': 'app1_version_1', 'shadowRules': {}}") as RbacConfig;
    expect(config.shadow !== null).toBe(true);
  });
});

describe("rbac: names of calls", () => {
  test("paths", () => {
    const call = new TestHandler().with("x-mosn-path", "/com.a.Hello:1.0/say");
    expect(may("{'url_path': {'path': {'prefix': '/com.a.Hello:'}}}", call)).toBe(true);
    expect(may("{'url_path': {'path': {'exact': '/com.a.Hello:1.0'}}}", call)).toBe(false);
    expect(may("{'not_rule': {'url_path': {'path': {'exact': '/x'}}}}", new TestHandler())).toBe(false);
  });

  test("service and method are those that the server goes by, whatever a header says", () => {
    const call = new TestHandler().header("service", "Public").with("x-mosn-rpc-service", "Secret");
    expect(may("{'header': {'name': 'service', 'exact_match': 'Secret'}}", call)).toBe(true);
    expect(may("{'header': {'name': 'service', 'exact_match': 'Public'}}", call)).toBe(false);
    const method = new TestHandler().with("x-mosn-method", "say");
    expect(may("{'header': {'name': ':method', 'exact_match': 'say'}}", method)).toBe(true);
  });

  test("a value that is too long to be searched is denied", () => {
    const call = new TestHandler().header("user", "a".repeat(70000));
    expect(
      passes(rules("DENY", "{'header': {'name': 'user', 'safe_regex_match': {'regex': 'b+'}}}", "{'any': true}"), call),
    ).toBe(false);
    expect(call.failures).toStrictEqual(["rbac"]);
  });
});

describe("rbac: certificates", () => {
  test("name clients by their URI, or else their DNS name, or else their subject", () => {
    const all = certified("spiffe://a/adam", "adam.example", "CN=adam,O=a");
    expect(is("{'authenticated': {}}", all)).toBe(true);
    expect(is(named("spiffe://a/adam"), all)).toBe(true);
    expect(is(named("adam.example"), all)).toBe(false);
    expect(is(named("adam.example"), certified("", "adam.example", "CN=adam"))).toBe(true);
    expect(is(named("CN=adam"), certified("", "", "CN=adam"))).toBe(true);
    expect(is(named("CN=adam"), certified("", "", ""))).toBe(false);
    expect(is(`{'not_id': ${named("spiffe://a/eve")}}`, all)).toBe(true);
    expect(is(`{'not_id': ${named("spiffe://a/eve")}}`, new TestHandler())).toBe(false);
  });

  test("and Istio's principal is the URI without its scheme, or the common name", () => {
    const principal =
      "{'metadata': {'filter': 'istio_authn', 'path': [{'key': 'source.principal'}], 'value': {'string_match': {'exact': 'NAME'}}}}";
    const istio = principal.replace("NAME", "cluster.local/ns/a/sa/b");
    expect(is(istio, certified("spiffe://cluster.local/ns/a/sa/b", "", "CN=x"))).toBe(true);
    expect(is(istio, certified("https://cluster.local/ns/a/sa/b", "", "CN=x"))).toBe(false);
    const common = principal.replace("NAME", "adam");
    expect(is(common, certified("spiffe://x", "", "O=a\\,CN=eve,CN=adam,C=de"))).toBe(true);
    expect(is(common, certified("", "", "O=a\\,CN=adam"))).toBe(false);
  });

  test("and server names", () => {
    const call = new TestHandler();
    call.identities[Identity.SERVER_NAME] = "a.example";
    expect(may("{'requested_server_name': {'suffix': '.example'}}", call)).toBe(true);
    expect(may("{'requested_server_name': {'suffix': '.example'}}", new TestHandler())).toBe(false);
  });
});

const CLAIMS =
  '{"sub":"adam","n":7,"ok":true,"none":null,"roles":["a","ad\\u006din"],"org":{"team":"x \\"y\\""},"e\\u0065":"\\ud83d\\ude00"}';

function claim(path: string, value: string): bool {
  const keys = path.split("/");
  let steps = "{'key': 'payload'}";
  for (let i = 0; i < keys.length; i++) steps += `, {'key': '${keys[i]}'}`;
  const handler = new TestHandler().with("jwt_authn.payload", CLAIMS);
  return is(`{'metadata': {'filter': 'jwt_authn', 'path': [${steps}], 'value': ${value}}}`, handler);
}

describe("rbac: claims", () => {
  test("of all kinds", () => {
    expect(claim("sub", "{'string_match': {'prefix': 'ad'}}")).toBe(true);
    expect(claim("sub", "{'string_match': {'exact': 'eve'}}")).toBe(false);
    expect(claim("n", "{'double_match': {'exact': 7}}")).toBe(true);
    expect(claim("n", "{'double_match': {'range': {'start': 1, 'end': 7}}}")).toBe(false);
    expect(claim("n", "{'string_match': {'exact': '7'}}")).toBe(false);
    expect(claim("ok", "{'bool_match': true}")).toBe(true);
    expect(claim("ok", "{'bool_match': false}")).toBe(false);
    expect(claim("none", "{'null_match': {}}")).toBe(true);
    expect(claim("none", "{'present_match': true}")).toBe(true);
    expect(claim("no", "{'present_match': true}")).toBe(false);
    expect(claim("no", "{'present_match': false}")).toBe(true);
    expect(claim("roles", "{'list_match': {'one_of': {'string_match': {'exact': 'admin'}}}}")).toBe(true);
    expect(claim("roles", "{'list_match': {'one_of': {'string_match': {'exact': 'b'}}}}")).toBe(false);
    expect(claim("org/team", "{'string_match': {'contains': ' '}}")).toBe(true);
    expect(claim("org/none", "{'present_match': true}")).toBe(false);
    expect(claim("sub/none", "{'present_match': true}")).toBe(false);
    expect(claim("ee", "{'string_match': {'exact': '\u{1f600}'}}")).toBe(true);
    expect(claim("n", "{'or_match': {'value_matchers': [{'bool_match': true}, {'double_match': {'exact': 7}}]}}")).toBe(
      true,
    );
  });

  test("of a token that was not verified are denied, also inverted", () => {
    const inverted =
      "{'metadata': {'filter': 'jwt_authn', 'path': [{'key': 'payload'}, {'key': 'sub'}], 'invert': true, 'value': {'string_match': {'exact': 'eve'}}}}";
    expect(is(inverted, new TestHandler())).toBe(false);
    expect(is(inverted, new TestHandler().with("jwt_authn.payload", CLAIMS))).toBe(true);
    expect(is(inverted, new TestHandler().with("jwt_authn.payload", '{"sub":"eve"}'))).toBe(false);
  });
});

describe("rbac: counts", () => {
  test("requests, by policy too, and those of shadow rules apart", () => {
    const handler = new TestHandler().header("user", "adam");
    const shadow = rules("DENY", "{'any': true}", "{'any': true}").replace("{'rules'", "'shadow_rules'").slice(0, -1);
    const own = rules("ALLOW", "{'header': {'name': 'user', 'exact_match': 'adam'}}", "{'any': true}");
    expect(passes(own.slice(0, -1) + ", " + shadow + "}", handler)).toBe(true);
    expect(handler.counted.value("moe.filter.rbac.allowed")).toBe(1);
    expect(handler.counted.value("moe.filter.rbac.shadow_denied")).toBe(1);
    expect(handler.counted.value("moe.filter.rbac.policy.p.of.rules.hits")).toBe(1);
    expect(handler.counted.value("moe.filter.rbac.policy.p.of.shadow_rules.hits")).toBe(1);
    const eve = new TestHandler().header("user", "eve");
    expect(passes(own, eve)).toBe(false);
    expect(eve.counted.value("moe.filter.rbac.denied")).toBe(1);
    expect(eve.answer).toBe("RBAC: access denied");
    const why = eve.why;
    expect(why !== null ? why.toString() : "").toBe("rbac_access_denied_matched_policy[none]");
  });
});

function admits(config: string, address: string, raw: bool): Admission {
  const bytes = Bytes.of(address);
  const view = new View();
  view.set(bytes.ptr, bytes.length);
  return configured(rbac, config).admits(view, raw);
}

describe("rbac: what is no request", () => {
  test("passes where the address allows it, heartbeats also where that cannot be told", () => {
    const byAddress = rules("ALLOW", "{'any': true}", `{'source_ip': ${NET}}`);
    expect(admits(byAddress, "10.0.0.1:1", true)).toBe(Admission.GRANTED);
    expect(admits(byAddress, "11.0.0.1:1", false)).toBe(Admission.DENIED);
    const byHeader = rules("ALLOW", "{'header': {'name': 'user', 'exact_match': 'adam'}}", "{'any': true}");
    expect(admits(byHeader, "10.0.0.1:1", false)).toBe(Admission.GRANTED);
    expect(admits(byHeader, "10.0.0.1:1", true)).toBe(Admission.UNDECIDED);
    expect(admits("{}", "10.0.0.1:1", true)).toBe(Admission.GRANTED);
    expect(admits("{'rules': {}}", "10.0.0.1:1", false)).toBe(Admission.DENIED);
  });
});
