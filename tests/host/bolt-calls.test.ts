// Rules on Bolt judge the call that a server of SOFARPC carries out: routes that refuse a method, and the counters.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { DRAFT, sofaRequest } from "./kit/hessian-wire.ts";
import { A, answers, CLASS, world } from "./proxy-world.ts";

const method = (name: string) => [{ name: "x-mosn-rpc-method", value: name }];
const ROUTERS = [
  { match: { variables: method("secret") }, direct_response: { status: 403, body: "secret" } },
  {
    match: { variables: [{ name: "x-mosn-rpc-generic", value: "true" }] },
    direct_response: { status: 403, body: "generic" },
  },
  { match: { headers: [{ name: "role", value: "admin" }] }, direct_response: { status: 403, body: "admin" } },
  { match: { prefix: "/" }, route: { cluster_name: "upstream" } },
];
const config = { router: { virtual_hosts: [{ name: "all", domains: ["*"], routers: ROUTERS }] } };

/** A SofaRequest for this method. */
const content = (name: string): Buffer => {
  const bytes = sofaRequest(DRAFT);
  const at = bytes.indexOf("\x02hi", 0, "latin1");
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([name.length]), Buffer.from(name), bytes.subarray(at + 3)]);
};

/** What becomes of a request: the text of the refusal, or "passed". */
async function outcome(headers: bolt.Headers, body: Buffer | string, type = 1): Promise<string> {
  const { host, cluster, client } = await world([A], { config });
  client.write(bolt.request(1, { class: CLASS, headers, content: body, type }));
  // Counters reach Envoy now and then.
  host.advance(3000);
  const arrived = cluster.calls.length;
  const [answer] = answers(client);
  const text = answer?.content.toString("latin1") ?? "";
  const refused = ["secret", "generic", "admin", "ambiguous"].find((word) => text.includes(word));
  const ambiguous = refused === "ambiguous" || (type === 2 && arrived === 0);
  assert.equal(host.metrics.counter("moe.bolt.ambiguous"), ambiguous ? 1 : 0);
  host.close();
  return arrived > 0 ? "passed" : (refused ?? text);
}

describe("rules on Bolt", () => {
  const service: [string, string] = ["service", "com.example.Hello:1.0"];
  const named = (name: string): [string, string] => ["sofa_head_method_name", name];

  it("see the method of the content", async () => {
    assert.equal(await outcome([service], content("hello")), "passed");
    assert.equal(await outcome([service], content("secret")), "secret");
    assert.equal(await outcome([service, named("secret")], content("secret")), "secret");
    assert.equal(await outcome([service, named("hello")], content("secret")), "ambiguous");
    assert.equal(await outcome([service, named("secret"), named("hello")], content("hello")), "passed");
    assert.equal(await outcome([service, named("hello")], content("secret"), 2), "");
    assert.equal(await outcome([service, named("secret")], "{}"), "secret");
  });

  it("see a generic call", async () => {
    assert.equal(await outcome([service, ["sofa_head_generic_type", "2"]], content("hello")), "generic");
    const text = (word: string) => Buffer.concat([Buffer.from([word.length]), Buffer.from(word)]);
    assert.equal(await outcome([service], Buffer.concat([content("$invoke"), text("hello")])), "generic");
    assert.equal(await outcome([service], Buffer.concat([content("$genericInvoke"), text("secret")])), "secret");
  });

  it("see the last of two headers, and one service only", async () => {
    const roles = (...all: string[]): bolt.Headers => [service, ...all.map((role): [string, string] => ["role", role])];
    assert.equal(await outcome(roles("admin", "guest"), content("hello")), "passed");
    assert.equal(await outcome(roles("guest", "admin"), content("hello")), "admin");
    const other: bolt.Headers = [service, ["sofa_head_target_service", "com.example.Other:1.0"]];
    assert.equal(await outcome(other, content("hello")), "ambiguous");
  });
});
