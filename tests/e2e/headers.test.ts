// Header changes of routes: a header added, changed and removed arrives so at the server and at the client, in frames
// that are otherwise as they were.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type BoltFrame, BoltStatus, type Headers, parseFrame, request, response } from "../host/kit/bolt.ts";
import { reasonOf } from "./kit/calls.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { dice, randomBytes } from "./kit/random.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";

const VERSIONS = [
  { name: "v1", options: { version: 1 } },
  { name: "v2", options: { version: 2 } },
  { name: "v2 with CRC", options: { version: 2, crc: true } },
] as const;
const SIZES = [0, 1, 100, 65536, 1 << 20];
const random = randomBytes(1 << 20, dice(0x4ead));

const add = (key: string, value: string, append?: boolean) => ({ header: { key, value }, append });
/** What the routes do, by the name of the cluster. */
const CHANGES: Record<string, { add?: object[]; remove?: string[] }> = {
  add: { add: [add("new", "value"), add("New", "Value"), add("empty", "")] },
  change: {
    add: [add("plain", "new", false), add("Upper-Case", "New", false), add("twice", "new", false)],
  },
  append: { add: [add("plain", "more"), add("Upper-Case", "More"), add("twice", "3"), add("twice", "4")] },
  remove: { remove: ["plain", "Upper-Case", "twice", "absent"] },
  all: { add: [add("new", "value"), add("plain", "new", false), add("gone", "soon")], remove: ["twice", "gone"] },
  none: {},
};

/** Headers before the changes. */
const BEFORE: Headers = [
  ["plain", "old"],
  ["twice", "1"],
  ["Upper-Case", "Old"],
  ["upper-case", "other"],
  ["twice", "2"],
  ["last", "größer"],
];
const [, , UPPER, LOWER, , LAST] = BEFORE;

/** And after them. */
const AFTER: Record<string, Headers> = {
  add: [...BEFORE, ["new", "value"], ["New", "Value"], ["empty", ""]],
  change: [["plain", "new"], ["twice", "new"], ["Upper-Case", "New"], LOWER, LAST],
  append: [["plain", "old,more"], ["twice", "1,2,3,4"], ["Upper-Case", "Old,More"], LOWER, LAST],
  remove: [LOWER, LAST],
  all: [["plain", "new"], UPPER, LOWER, LAST, ["new", "value"]],
  none: BEFORE,
};
/** A route's fields for both directions. */
function routeOf(name: string): object {
  const fields = Object.entries(CHANGES[name]).map(([what, list]) => [`headers_to_${what}`, list]);
  return Object.fromEntries(["request", "response"].flatMap((way) => fields.map(([key, x]) => [`${way}_${key}`, x])));
}

/** Everything of a frame that a change of headers must leave alone. */
function rest(frame: BoltFrame | undefined): object {
  assert.ok(frame);
  const { kind, version, ver1, type, command, codec, timeout, status, content, crc } = frame;
  return {
    kind,
    version,
    ver1,
    type,
    command,
    codec,
    switch: frame.switch,
    timeout,
    status,
    content,
    crc,
    class: frame.class,
  };
}

for (const concurrency of CONCURRENCIES) {
  describe(`headers, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;
    /** The same with `strict_changes`. */
    let strict: Stage;

    before(async () => {
      const clusters = Object.fromEntries(Object.keys(CHANGES).map((name) => [name, { route: routeOf(name) }]));
      stage = await Stage.start(scope, { concurrency, clusters });
      strict = await Stage.start(scope, { concurrency, clusters, config: { strict_changes: true } });
    });

    for (const { name: version, options } of VERSIONS) {
      it(`requests and responses in ${version}`, async (t) => {
        const [client] = await stage.connect(t);
        let id = 1000;
        for (const name of Object.keys(CHANGES)) {
          const server = stage.server(name);
          const { headers: service = [] } = callOf(name);
          for (const size of SIZES) {
            const content = random.subarray(0, size);
            const both = { ...options, codec: 12, class: "a.Class", content };
            const sent = request(++id, { ...both, timeout: 7000 + size, headers: [...service, ...BEFORE] });
            const answered = (to: number) => response(to, { ...both, headers: BEFORE });
            server.handler = (frame) => answered(frame.id);
            await client.write(sent);
            const answer = await client.answer(id);

            const arrived = server.arrivals[server.arrivals.length - 1].frame;
            const what = `${name}, ${size} bytes`;
            assert.deepEqual(arrived.headers, [...service, ...AFTER[name]], what);
            assert.deepEqual(answer.headers, AFTER[name], what);
            assert.deepEqual(rest(arrived), rest(parseFrame(sent)), what);
            assert.deepEqual(rest(answer), rest(parseFrame(answered(id))), what);
            assert.equal(arrived.crc, "crc" in options ? "good" : "none");
          }
        }
      });

      it(`what changes do not fit into a frame of ${version} goes on as it came, or is an error`, async (t) => {
        const server = stage.server("add");
        const { headers: service = [] } = callOf("add");
        // Java reads the length of the headers as a signed 16-bit number.
        const large: Headers = [["large", "x".repeat(0x7fff - 8 - 5)]];
        server.handler = ({ id }) => response(id, { ...options, headers: large });
        const [gentle] = await stage.connect(t);
        for (const type of [1, 2]) {
          const count = server.requests;
          const sent = request(type, { ...options, type, headers: [...service, ...large] });
          await gentle.write(sent);
          await server.waitForRequests(count + 1);
          const { frame } = server.arrivals[server.arrivals.length - 1];
          assert.deepEqual([frame.headers, rest(frame)], [[...service, ...large], rest(parseFrame(sent))]);
        }
        const passed = await gentle.answer(1);
        assert.deepEqual([passed.status, passed.headers], [BoltStatus.SUCCESS, large]);
        assert.notEqual(passed.crc, "bad");
        assert.equal(gentle.state, "open");

        const strictServer = strict.server("add");
        strictServer.handler = server.handler;
        const [client] = await strict.connect(t);
        const count = strictServer.requests;
        for (const [id, headers, reason] of [
          [1, large, "the changed headers do not fit into the protocol"],
          [2, [], "the response's changed headers do not fit into the protocol"],
        ] as const) {
          const answer = await client.call(id, { ...options, headers: [...service, ...headers] });
          assert.equal(answer.status, BoltStatus.UNKNOWN);
          assert.equal(reasonOf(answer), reason);
          assert.notEqual(answer.crc, "bad");
        }
        assert.equal(strictServer.requests - count, 1, "the first one does not arrive");
        assert.equal(client.state, "open");
      });

      it(`one-way requests in ${version}`, async (t) => {
        const [client] = await stage.connect(t);
        const server = stage.server("all");
        const { headers: service = [] } = callOf("all");
        const count = server.requests;
        // The first one waits for a connection, the next ones have one.
        for (let i = 1; i <= 3; i++) {
          const content = `one-way ${i}`;
          await client.write(request(i, { ...options, type: 2, content, headers: [...service, ...BEFORE] }));
          await server.waitForRequests(count + i);
          const { frame } = server.arrivals[server.arrivals.length - 1];
          assert.equal(frame.kind, "oneway");
          assert.equal(frame.content.toString(), content);
          assert.deepEqual(frame.headers, [...service, ...AFTER.all]);
          assert.notEqual(frame.crc, "bad");
        }
        assert.equal(client.frames.length, 0);
      });
    }
  });
}
