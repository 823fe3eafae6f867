// What `discover` makes of registrations, and of rules that operators set.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Endpoint, endpoint } from "../../scripts/discover/model.ts";
import { applyOverrides, readConfigurators, readOverrideUrl } from "../../scripts/discover/sources/dubbo_overrides.ts";
import { readInstance, readMetadata } from "../../scripts/discover/sources/dubbo3.ts";
import { readTagRule } from "../../scripts/discover/sources/dubbo_tags.ts";
import { decode, endpointOf, parseUrl } from "../../scripts/discover/sources/dubbo_url.ts";
import { nacosService } from "../../scripts/discover/sources/nacos.ts";

const host = (last: number, more: Partial<Endpoint> = {}) =>
  endpoint({ host: `10.0.0.${last}`, port: 20880, protocol: "dubbo", ...more });

/** What a registration says, or why it is none. */
function read(text: string): Endpoint | string {
  const url = parseUrl(decode(text) ?? "");
  return typeof url === "string" ? url : endpointOf(url);
}

describe("registrations", () => {
  const dubbo = "dubbo://10.0.0.1:20880/com.example.Hello?application=shop&group=g&version=1.0.0&weight=50";
  const rows: [string, Partial<Endpoint> | RegExp][] = [
    [dubbo, { host: "10.0.0.1", port: 20880, protocol: "dubbo", version: "1.0.0", group: "g", weight: 50 }],
    [encodeURIComponent(`${dubbo}&timeout=3000&methods=a,b`), { timeoutMs: 3000, methods: ["a", "b"] }],
    ["dubbo://10.0.0.1:20880/x?default.weight=7&dubbo.tag=gray", { weight: 7, tag: "gray" }],
    ["dubbo://10.0.0.1:20880/x?disabled=true", { enabled: false }],
    ["dubbo://10.0.0.1:20880/x?weight=-1", { weight: 100 }],
    ["dubbo://10.0.0.1:20880/x?weight=99999999999", { weight: 1_000_000 }],
    ["dubbo://[2001:db8::1]:20880/x", { host: "2001:db8::1" }],
    ["bolt://10.0.0.1:12200?version=1.0&weight=100&appName=a&uniqueId=", { protocol: "bolt", application: "a" }],
    ["tri://10.0.0.1:50051/x?prefer.serialization=fastjson2,hessian2", { protocol: "tri", serialization: "fastjson2" }],
    ["", /expected PROTOCOL/],
    ["garbage", /expected PROTOCOL/],
    ["%zz", /expected PROTOCOL/],
    ["dubbo://nowhere:1/x", /expected an IP address, got "nowhere"/],
    ["dubbo://10.0.0.1/x", /expected a port from 1 to 65535, got 0/],
    ["dubbo://10.0.0.1:70000/x", /expected a port/],
    ["dubbo://0.0.0.0:20880/x", /no address to connect to/],
    [`dubbo://10.0.0.1:1/${"x".repeat(70_000)}`, /longer than/],
  ];
  for (const [text, wanted] of rows) {
    it(text.slice(0, 70) || "nothing", () => {
      const found = read(text);
      if (wanted instanceof RegExp) assert.match(String(found), wanted);
      else
        for (const [key, value] of Object.entries(wanted)) assert.deepEqual((found as Endpoint)[key as never], value);
    });
  }

  it("an instance of Dubbo 3 and its metadata", () => {
    const metadata = { "dubbo.endpoints": '[{"port":20880,"protocol":"dubbo"}]', "dubbo.metadata.revision": "r" };
    const data = Buffer.from(JSON.stringify({ address: "10.0.0.1", port: 20880, payload: { metadata } }));
    const instance = readInstance("shop", data);
    assert.deepEqual([instance?.host, instance?.revision, instance?.ports.get("dubbo")], ["10.0.0.1", "r", 20880]);
    for (const bad of ["", "{", "[]", "{}", '{"address":"10.0.0.1"}']) {
      assert.equal(readInstance("shop", Buffer.from(bad)), undefined);
    }
    const service = {
      name: "a.B",
      path: "a.B",
      version: "1.0.0",
      group: "g",
      protocol: "dubbo",
      params: { timeout: "5" },
    };
    const served = readMetadata(Buffer.from(JSON.stringify({ services: { "g/a.B:1.0.0:dubbo": service } })));
    assert.deepEqual([served?.[0].name, served?.[0].parameters.get("version")], ["a.B", "1.0.0"]);
    assert.equal(readMetadata(Buffer.from("x")), undefined);
  });

  it("names of services in Nacos", () => {
    assert.deepEqual(nacosService("providers:a.B:1.0.0:g"), { service: "a.B", version: "1.0.0", group: "g" });
    assert.deepEqual(nacosService("a.B:1.0@DEFAULT")?.service, "a.B:1.0");
    assert.deepEqual(nacosService("a.B:1.0:id@DEFAULT")?.service, "a.B:1.0:id");
    for (const other of ["consumers:a.B::", "shop", "a.B:1.0@rest"]) assert.equal(nacosService(other), undefined);
  });
});

describe("rules of operators", () => {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const hosts = [host(1, { application: "shop" }), host(2, { application: "shop" })];
  const yaml = (item: string, head = "scope: service\nkey: a.B") =>
    `configVersion: v3.0\nenabled: true\n${head}\nconfigs:\n- ${item}`;
  const weights = (text: string) =>
    applyOverrides("a.B", hosts, readConfigurators(text, note)).endpoints.map((one) => one.weight);

  it("set weights for all, or for some", () => {
    assert.deepEqual(weights(yaml('{side: provider, parameters: {weight: "5"}}')), [5, 5]);
    assert.deepEqual(
      weights(yaml('{side: provider, addresses: ["10.0.0.1:20880"], parameters: {weight: 5}}')),
      [5, 100],
    );
    assert.deepEqual(
      weights(yaml('{addresses: ["0.0.0.0"], providerAddresses: ["10.0.0.2"], parameters: {weight: 5}}')),
      [100, 5],
    );
    assert.deepEqual(weights(yaml("{parameters: {weight: 5}}", "scope: application\nkey: shop")), [5, 5]);
    assert.deepEqual(
      weights(yaml("{side: provider, parameters: {weight: 5}}", "scope: application\nkey: other")),
      [100, 100],
    );
    assert.deepEqual(weights(yaml("{parameters: {weight: 5}}", "scope: service\nkey: a.B:2.0")), [100, 100]);
    assert.deepEqual(weights(yaml("{parameters: {weight: 5}}").replace("enabled: true", "enabled: false")), [100, 100]);
  });

  it("of Dubbo 2.6, as URLs", () => {
    const url = (text: string) =>
      applyOverrides(
        "a.B",
        hosts,
        [readOverrideUrl(text, note)].flatMap((one) => one ?? []),
      );
    const off = url("override://10.0.0.1:20880/a.B?category=configurators&disabled=true");
    assert.deepEqual(
      off.endpoints.map((one) => one.enabled),
      [false, true],
    );
    assert.equal(url("override://0.0.0.0/a.B?timeout=1500").rules.timeoutMs, 1500);
    assert.equal(url("override://0.0.0.0/a.B?timeout=1500&enabled=false").rules.timeoutMs, 0);
    assert.equal(url("override://0.0.0.0/a.C?timeout=1500").rules.timeoutMs, 0);
    assert.equal(url("empty://0.0.0.0/a.B").rules.timeoutMs, 0);
  });

  it("what is not followed is told", () => {
    notes.length = 0;
    weights(yaml("{parameters: {loadbalance: random}}"));
    weights(yaml("{match: {}, parameters: {weight: 5}}"));
    weights("{");
    readOverrideUrl("garbage", note);
    assert.match(notes[0], /of no effect here: loadbalance; used: weight/);
    assert.match(notes[1], /with match is left out/);
    assert.match(notes[2], /no YAML/);
    assert.match(notes[3], /no rule/);
  });

  it("tags by address", () => {
    const rule = readTagRule('enabled: true\ntags: [{name: gray, addresses: ["10.0.0.1:20880"]}]', note);
    assert.deepEqual(
      hosts.map((one) => rule?.(one).tag),
      ["gray", ""],
    );
    assert.equal(readTagRule("enabled: false\ntags: []", note), undefined);
  });
});
