// Changes that a frame cannot carry: the message goes on as it came, counted and logged; with `strict_changes` it is
// refused. Requests, one-way calls and responses of every protocol; what filters hold, copy and replace, on Bolt.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { close, exchange, type Script, start, toUpstream } from "./filter-world.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host } from "./kit/index.ts";
import { close as closeMirrored, mirrored, stat } from "./mirror-world.ts";
import { A, call, module } from "./proxy-world.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const LONG = "x".repeat(40_000);

/** A protocol, with messages whose frames have no room for the change. */
interface Protocol {
  name: string;
  stats?: string;
  request: (oneway: boolean) => Buffer;
  response: Buffer;
  idAt: (frame: Buffer) => number;
  idLength: number;
  value?: string;
  config?: object;
  why: string;
}

const boltOf = (version: 1 | 2): Protocol => ({
  name: `bolt v${version}`,
  stats: version === 1 ? "bolt" : "boltv2",
  request: (oneway) => call(7, { version, type: oneway ? 2 : 1 }),
  response: bolt.response(0, { version, class: "c", content: "ok", headers: [["h", "v"]] }),
  idAt: () => (version === 1 ? 5 : 6),
  idLength: 4,
  value: LONG,
  why: "the headers are longer than the protocol allows",
});

const DUBBO = { name: "dubbo", idAt: () => 4, idLength: 8, why: "the frame has no place for headers" };
const dubboError = (status: number): Protocol => ({
  ...DUBBO,
  name: `dubbo, status ${status}`,
  stats: "dubbo",
  request: (oneway) => dubbo.frame(oneway ? 0x83 : 0xc3, 0, 7n, Buffer.from("java")),
  response: dubbo.frame(2, status, 0n, dubbo.encode("it failed")),
});

const THRIFT = "00000029dabc00000029001801000000037376630000000000000007800100010000000470696e670000000300";
function thrift(type: number): Buffer {
  const frame = hex(THRIFT);
  frame[31] = type;
  return frame;
}

const framed = (body: string) => Buffer.concat([hex((body.length / 2 + 4).toString(16).padStart(8, "0")), hex(body)]);
const TARS_REST = "420102030456074170702e4f626a66046563686f7d0000036162638c980ca80c";

const PROTOCOLS: Protocol[] = [
  boltOf(1),
  boltOf(2),
  ...[20, 31, 40, 60, 70, 100].map(dubboError),
  {
    ...DUBBO,
    name: "dubbo of a serialization that is not read",
    stats: "dubbo",
    request: (oneway) => dubbo.frame(oneway ? 0x88 : 0xc8, 0, 7n, Buffer.from("kryo")),
    response: dubbo.frame(8, 20, 0n, Buffer.from("kryo")),
  },
  {
    name: "dubbo-thrift",
    request: (oneway) => thrift(oneway ? 4 : 1),
    response: thrift(2),
    idAt: () => 20,
    idLength: 8,
    why: "the frame has no place for headers",
  },
  {
    name: "tars",
    request: (oneway) => framed(`1001${oneway ? "2001" : "2c"}3c${TARS_REST}`),
    response: framed("10012c32010203044c5c6d0000026f6b780c"),
    idAt: (frame) => (frame[7] === 0x32 ? 8 : frame.indexOf(0x42, 6) + 1),
    idLength: 4,
    value: "x".repeat(1024),
    config: { max_frame_bytes: 1024 },
    why: "the frame is longer than max_frame_bytes",
  },
  {
    name: "x_example",
    request: () => hex("780100000000070000000568656c6c6f"),
    response: hex("78010100000007000000000002" + "6f6b"),
    idAt: () => 3,
    idLength: 4,
    why: "the frame has no place for headers",
  },
];

/** A frame without its id. */
function bare({ idAt, idLength }: Protocol, frame: Buffer): string {
  const at = idAt(frame);
  return Buffer.concat([frame.subarray(0, at), Buffer.alloc(idLength), frame.subarray(at + idLength)]).toString("hex");
}

/** A host whose server answers each frame with the protocol's response, and keeps what came. */
async function serve(protocol: Protocol, way: "request" | "response", strict = false, changes?: object) {
  const change = changes ?? { [`${way}_headers_to_add`]: [{ header: { key: "k", value: protocol.value ?? "v" } }] };
  const routers = [{ route: { cluster_name: "upstream", ...change } }];
  const router = { virtual_hosts: [{ domains: ["*"], routers }] };
  const config = { router, ...protocol.config, ...(strict ? { strict_changes: true } : {}) };
  const host = await Host.start({ module, config });
  const came: Buffer[] = [];
  host.onConnect = (stream: ConnectStream) => {
    stream.accept({ host: A, pin: Buffer.from(A).toString("base64") });
    stream.onData = (frame) => {
      came.push(Buffer.from(frame));
      const answer = Buffer.from(protocol.response);
      frame.copy(answer, protocol.idAt(answer), protocol.idAt(frame), protocol.idAt(frame) + protocol.idLength);
      stream.write(answer);
    };
  };
  return { host, came, client: host.connect() };
}

function lost(host: Host, protocol: string): number {
  host.advance(1000);
  return host.metrics.counter(`moe.${protocol}.lost_changes`);
}

const linesOf = (host: Host) => host.log.lines.filter(({ text }) => text.includes("lost") || text.includes("refused"));

for (const protocol of PROTOCOLS) {
  const { name, stats = name, request, response, why } = protocol;

  describe(name, () => {
    it("a request and a one-way call go on as they came", async () => {
      for (const oneway of [false, true]) {
        const { host, came, client } = await serve(protocol, "request");
        client.write(request(oneway));
        assert.deepEqual(
          came.map((frame) => bare(protocol, frame)),
          [bare(protocol, request(oneway))],
        );
        if (!oneway) assert.equal(bare(protocol, client.take()), bare(protocol, response));
        assert.equal(lost(host, stats), 1);
        assert.match(linesOf(host)[0].text, new RegExp(`request .*: ${why}; its changes are lost`));
        host.close();
      }
    });

    it("an answer goes on as it came, with its status", async () => {
      const { host, client } = await serve(protocol, "response");
      client.write(request(false));
      assert.equal(bare(protocol, client.take()), bare(protocol, response));
      assert.equal(lost(host, stats), 1);
      assert.match(linesOf(host)[0].text, new RegExp(`response of ${A}: ${why}; its changes are lost`));
      host.close();
    });

    it("with strict_changes they are refused", async () => {
      for (const oneway of [false, true]) {
        const { host, came, client } = await serve(protocol, "request", true);
        client.write(request(oneway));
        assert.equal(came.length, 0);
        const answer = client.take();
        assert.equal(answer.length > 0, !oneway || name === "x_example");
        if (answer.length > 0 && name !== "tars") assert.ok(answer.includes("the changed headers do not fit"));
        assert.equal(lost(host, stats), 1);
        assert.equal(host.metrics.gauge(`moe.${stats}.active`), 0);
        assert.match(linesOf(host)[0].text, new RegExp(`${why}; it is refused`));
        host.close();
      }
      const { host, client } = await serve(protocol, "response", true);
      client.write(request(false));
      const answer = client.take();
      assert.ok(answer.includes("the response's changed headers do not fit"));
      assert.equal(lost(host, stats), 1);
      host.close();
    });
  });
}

describe("headers that should go, of a frame that cannot be read", () => {
  const kryo = PROTOCOLS.find(({ name }) => name.includes("not read"));
  assert.ok(kryo);

  it("count as lost, and are refused with strict_changes", async () => {
    for (const strict of [false, true]) {
      const { host, came, client } = await serve(kryo, "request", strict, { request_headers_to_remove: ["secret"] });
      client.write(kryo.request(false));
      assert.equal(came.length, strict ? 0 : 1);
      assert.equal(lost(host, "dubbo"), 1);
      host.close();
    }
  });

  it("are none in an error of a server, which has no headers", async () => {
    const error = dubboError(70);
    const { host, client } = await serve(error, "response", true, { response_headers_to_remove: ["secret"] });
    client.write(error.request(false));
    assert.equal(bare(error, client.take()), bare(error, error.response));
    assert.equal(lost(host, "dubbo"), 0);
    host.close();
  });
});

/** Calls whose fields show as headers, and rules that would change those that are fixed. */
const NAMED_DUBBO = dubbo.frame(0xc2, 0, 7n, dubbo.encode("2.0.2", "S", "1.0", "m", "", { path: "S" }));
const SET_DUBBO = { request_headers_to_add: [{ header: { key: "dubbo", value: "2.6.2" } }] };
const set = (key: string) => ({ request_headers_to_add: [{ header: { key, value: "9" }, append: false }] });
const removed = (key: string) => ({ request_headers_to_remove: [key] });
const FIXED: [string, object[]][] = [
  ["dubbo", [SET_DUBBO, removed("dubbo"), removed("service"), removed("method")]],
  [
    "dubbo-thrift",
    [set("seqId"), set("messageType"), ...["seqId", "messageType", "service", "method"].map((key) => removed(key))],
  ],
  ["tars", [removed("service"), removed("method")]],
];

describe("fields of a frame that are fixed", () => {
  for (const [name, rules] of FIXED) {
    it(`${name}: a rule that would change one is counted as lost and logged, and refused with strict_changes`, async () => {
      const known = PROTOCOLS.find((each) => each.name === name || each.stats === name);
      assert.ok(known);
      const protocol = { ...known, config: {}, ...(name === "dubbo" ? { request: () => NAMED_DUBBO } : {}) };
      for (const rule of rules) {
        const what = JSON.stringify(rule);
        const { host, came, client } = await serve(protocol, "request", false, rule);
        client.write(protocol.request(false));
        assert.equal(bare(protocol, came[0]), bare(protocol, protocol.request(false)), what);
        assert.equal(bare(protocol, client.take()), bare(protocol, protocol.response), what);
        assert.equal(lost(host, name), 1, what);
        assert.match(linesOf(host)[0].text, /a fixed field of the frame cannot be changed or removed; its changes are/);
        host.close();
        const strict = await serve(protocol, "request", true, rule);
        strict.client.write(protocol.request(false));
        assert.equal(strict.came.length, 0, what);
        assert.ok(strict.client.take().length > 0, what);
        assert.equal(lost(strict.host, name), 1, what);
        strict.host.close();
      }
    });
  }

  it("one that is set to what it is loses nothing", async () => {
    const dubboCall: Protocol = { ...dubboError(20), request: () => NAMED_DUBBO };
    const same = { request_headers_to_add: [{ header: { key: "dubbo", value: "2.0.2" }, append: false }] };
    const { host, came, client } = await serve(dubboCall, "request", true, same);
    client.write(NAMED_DUBBO);
    assert.equal(bare(dubboCall, came[0]), bare(dubboCall, NAMED_DUBBO));
    assert.equal(lost(host, "dubbo"), 0);
    host.close();
  });
});

/** Sends one request through filters; what came of it at the server and at the client. */
async function through(script: Script, config: object = {}, action: object = {}) {
  const all = await start({ filters: [script], config, routers: [toUpstream(action)] });
  const got = exchange(all, call(1));
  const count = lost(all.host, "bolt");
  const seen = all.cluster.calls.map(({ frame }) => ({ headers: frame.headers, content: frame.content.toString() }));
  close(all);
  return { seen, got: got.map(({ status, headers, content }) => ({ status, headers, content: `${content}` })), count };
}

const SERVICE = ["service", "com.example.Hello:1.0"];
const SENT = [{ headers: [SERVICE], content: "call 1" }];
const ANSWER = [{ status: 0, headers: [], content: `${A} call 1` }];
const INEXPRESSIBLE = "the changed headers do not fit into the protocol";

describe("changes of filters", () => {
  it("to a message that is held: those before the wait, those behind it, with strict_changes neither", async () => {
    const cases: [Script, number][] = [
      [{ BEFORE_ROUTE: [`set:k:${LONG} wait:5`] }, 1],
      [{ BEFORE_ROUTE: ["wait:5"], resume: [`set:k:${LONG}`] }, 1],
      [{ BEFORE_ROUTE: [`set:k:${LONG} wait:5`], resume: [`set:k:${LONG}`] }, 2],
      [{ BEFORE_SEND: [`set:k:${LONG} wait:5`] }, 1],
      [{ BEFORE_SEND: ["wait:5"], resume: [`set:k:${LONG}`] }, 1],
    ];
    for (const [script, count] of cases) {
      const what = JSON.stringify(script).replace(LONG, "LONG");
      assert.deepEqual(await through(script), { seen: SENT, got: ANSWER, count }, what);
      const strict = await through(script, { strict_changes: true });
      assert.equal(strict.count, 1, what);
      assert.equal(strict.got[0].status, bolt.BoltStatus.UNKNOWN, what);
      assert.ok(strict.got[0].content.includes("changed headers do not fit into the protocol"), what);
      assert.equal(strict.seen.length, script.BEFORE_SEND ? 1 : 0, what);
    }
  });

  it("what was changed before a wait stays when what is changed after it is lost", async () => {
    const script = { BEFORE_ROUTE: ["set:a:1 wait:5"], resume: [`set:k:${LONG}`] };
    const { seen, count } = await through(script);
    assert.deepEqual([seen[0].headers, count], [[SERVICE, ["a", "1"]], 1]);
  });

  it("a new body goes with the headers that came; where it does not fit either, no other one goes", async () => {
    const request = await through({ BEFORE_ROUTE: [`request:new set:k:${LONG}`] });
    assert.deepEqual(request, {
      seen: [{ headers: [SERVICE], content: "new" }],
      got: [{ ...ANSWER[0], content: `${A} new` }],
      count: 1,
    });
    const held = await through({ BEFORE_ROUTE: [`request:new set:k:${LONG} wait:5`] });
    assert.deepEqual(held, request);
    const response = await through({ BEFORE_SEND: [`response:new set:k:${LONG}`] });
    assert.deepEqual(response, { seen: SENT, got: [{ ...ANSWER[0], content: "new" }], count: 1 });

    const small = { max_frame_bytes: 1024 };
    for (const wait of ["", " wait:5"]) {
      const large = await through({ BEFORE_ROUTE: [`request:${LONG}${wait}`] }, small);
      assert.deepEqual([large.seen, large.got[0].status, large.count], [[], bolt.BoltStatus.UNKNOWN, 1]);
      assert.ok(large.got[0].content.includes(INEXPRESSIBLE));
      const answer = await through({ BEFORE_SEND: [`response:${LONG}${wait}`] }, small);
      assert.deepEqual([answer.seen, answer.got[0].status, answer.count], [SENT, bolt.BoltStatus.UNKNOWN, 1]);
    }
  });

  it("a message may grow to max_frame_bytes, and not beyond", async () => {
    // A key "k" takes 9 bytes beside its value, the frame what it takes.
    const room = 1024 - call(1).length - 9;
    for (const more of [0, 1]) {
      const config = { max_frame_bytes: 1024 };
      const value = "v".repeat(room + more);
      const { seen, count } = await through({ BEFORE_ROUTE: [`set:k:${value}`] }, config);
      assert.equal(count, more);
      assert.deepEqual(seen[0].headers, more ? [SERVICE] : [SERVICE, ["k", value]]);
    }
  });

  it("a further try goes as the first one went", async () => {
    const retry_policy = { retry_on: true, num_retries: 1, status_codes: [504] };
    const all = await start({
      filters: [{ BEFORE_ROUTE: [`set:k:${LONG}`] }],
      routers: [toUpstream({ retry_policy })],
    });
    let first = true;
    all.cluster.servers[0].onCall = (one) => {
      one.reply(first ? { status: bolt.BoltStatus.TIMEOUT } : { content: "again" });
      first = false;
    };
    const [answer] = exchange(all, call(1));
    assert.equal(`${answer.content}`, "again");
    assert.deepEqual(
      all.cluster.calls.map(({ frame }) => frame.headers),
      [[SERVICE], [SERVICE]],
    );
    assert.equal(lost(all.host, "bolt"), 1);
    close(all);
  });
});

describe("copies for a mirror cluster", () => {
  it("go as the request came; with strict_changes there are none", async () => {
    const dsl = { after_router_by_dsl: 'ctx.add_request_header("copy", request.headers["big"])' };
    const headers: bolt.Headers = [
      ["service", "s"],
      ["big", "x".repeat(20_000)],
    ];
    for (const strict of [false, true]) {
      const all = await mirrored({ filters: [{ type: "dsl", config: dsl }], config: { strict_changes: strict } });
      all.client.write(call(1, { headers }));
      all.host.advance(40);
      const [answer] = bolt.parseFrames(all.client.take()).frames;
      assert.equal(answer.status, strict ? bolt.BoltStatus.UNKNOWN : 0);
      for (const { calls } of [all.cluster, all.shadow]) {
        assert.deepEqual(
          calls.map(({ frame }) => frame.headers),
          strict ? [] : [headers],
        );
      }
      assert.equal(lost(all.host, "bolt"), 2);
      assert.equal(stat(all, "dropped"), strict ? 1 : 0);
      closeMirrored(all);
    }
  });
});
