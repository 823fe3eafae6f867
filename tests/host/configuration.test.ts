// The plugin configuration as Envoy hands it over: protobuf bytes of a Struct, or JSON text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "../../scripts/build.ts";
import { Host } from "./kit/index.ts";
import { structBytes } from "./kit/struct.ts";

const module = build();

const GOOD = {
  protocols: ["boltv2", "bolt"],
  goaway: true,
  max_frame_bytes: 65536,
  keepalive: { interval_ms: 0 },
  clusters: { "hello-v1": { lb_type: "LB_WEIGHTED_ROUNDROBIN", host_weights: { "10.0.0.1:80": 3 } } },
  router: {
    virtual_hosts: [{ name: "é\u{1f600}", domains: ["*"], routers: [{ match: {}, route: { cluster_name: "x" } }] }],
  },
};

/** What the module logged when it refused the configuration; "" when it took it. */
async function refusal(config: object | string | Uint8Array): Promise<string> {
  try {
    (await Host.start({ module, config })).close();
    return "";
  } catch (error) {
    return String(error);
  }
}

test("a Struct, its JSON and JSON with an empty first line mean the same", async () => {
  for (const config of [GOOD, JSON.stringify(GOOD), `\n${JSON.stringify(GOOD, null, 2)}`, {}, ""]) {
    assert.equal(await refusal(config), "");
  }
});

test("errors name the path, and the place where there is a text", async () => {
  const bad = {
    router: { virtual_hosts: [{ domains: ["*"], routers: [{ match: {}, route: { cluster_nam: "x" } }] }] },
  };
  const path = "router.virtual_hosts[0].routers[0].route";
  assert.match(await refusal(bad), new RegExp(`${path.replace(/[[\]]/g, "\\$&")}: .*cluster_nam`));
  assert.match(await refusal(JSON.stringify(bad)), /\(line 1, column \d+\): .*cluster_nam/);
  assert.match(await refusal({ max_frame_bytes: 1.5 }), /max_frame_bytes/);
  assert.match(await refusal({ goaway: "yes" }), /goaway/);
});

test("cut and damaged bytes are refused, and never trap", async () => {
  const bytes = structBytes(GOOD);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.match(await refusal(bytes.subarray(0, cut)), /configuration refused|^$/);
  }
  let random = 1;
  for (let i = 0; i < 300; i++) {
    const damaged = Buffer.from(bytes);
    random = (random * 1103515245 + 12345) >>> 0;
    damaged[random % damaged.length] ^= 1 << (random >>> 29);
    assert.doesNotMatch(await refusal(damaged), /trap|unreachable|RuntimeError/);
  }
});

test("nesting beyond the limit is refused", async () => {
  const field = (tag: number, payload: Buffer) => {
    const length = [payload.length & 0x7f];
    for (let rest = payload.length >> 7; rest > 0; rest >>= 7) {
      length[length.length - 1] |= 0x80;
      length.push(rest & 0x7f);
    }
    return Buffer.concat([Buffer.from([tag, ...length]), payload]);
  };
  const wrap = (struct: Buffer) =>
    field(0x0a, Buffer.concat([field(0x0a, Buffer.from("a")), field(0x12, field(0x2a, struct))]));
  let deep: Buffer = Buffer.alloc(0);
  for (let i = 0; i < 10000; i++) deep = wrap(deep);
  assert.match(await refusal(deep), /configuration refused/);
});
