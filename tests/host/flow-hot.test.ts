// Hot parameters of flowControlFilter: a million values of a header, in the memory that the rule allows.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Result } from "./kit/abi.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { Host } from "./kit/index.ts";
import { answers, call, module } from "./proxy-world.ts";

const VALUES = 1_000_000;
/** The rule's paramsMaxCapacity, and values in one record. */
const CAPACITY = 4000;
const WAYS = 16;
/** Bytes of a value in a record, and of a key. */
const ENTRY = 40;
const KEY = 20;
const HOT = 20;
const BATCH = 500;
const CONNECTION = 10_000;
const PAGE = 65536;

/** A request whose header `user` has eight bytes, to be written anew for each. */
class Template {
  private readonly frame = call(1, {
    headers: [
      ["service", "a"],
      ["user", "@@@@@@@@"],
    ],
  });
  private readonly at = this.frame.indexOf("@@@@@@@@");
  private id = 0;

  of(user: string): Buffer {
    const frame = Buffer.from(this.frame);
    frame.writeUInt32BE(++this.id, 5);
    frame.write(user.padStart(8, "0"), this.at, "latin1");
    return frame;
  }
}

it("10^6 values of a parameter: bounded memory, and those that are hot stay known", { timeout: 300_000 }, async () => {
  const rule = { resource: "a", metricType: 1, durationInSec: 3600, paramKey: "user", threshold: 2 };
  const config = {
    stream_filters: [
      {
        type: "flowControlFilter",
        config: {
          global_switch: true,
          limit_key_type: "SERVICE",
          response_times: false,
          hot_param_rules: [{ ...rule, paramsMaxCapacity: CAPACITY }],
        },
      },
      // What passes is answered here: it is not the servers that are tested.
      { type: "fault", config: { abort: { status: 404, percentage: 100 } } },
    ],
  };
  const host = await Host.start({ module, config });
  const sizes = new Map<string, number>();
  const set = host.shared.set.bind(host.shared);
  host.shared.set = (key, data, cas) => {
    const result = set(key, data, cas);
    if (result === Result.Ok) sizes.set(key, data.length);
    return result;
  };
  let client = host.connect();
  const template = new Template();
  const ask = (users: string[]): number => {
    client.write(Buffer.concat(users.map((user) => template.of(user))));
    const statuses: number[] = [];
    for (let i = 0; i < 1000 && statuses.length < users.length; i++) {
      host.advance(4);
      statuses.push(...answers(client).map(({ status }) => status));
    }
    assert.equal(statuses.length, users.length, "all are answered");
    return statuses.filter((status) => status === Status.SERVER_THREADPOOL_BUSY).length;
  };
  const hot = Array.from({ length: HOT }, (_, i) => `-hot${i}`);
  // They use up what they have, for an hour: that is known only as long as they are.
  for (let i = 0; i < 2; i++) assert.equal(ask(hot), 0);
  let early = 0;
  for (let value = 0; value < VALUES; value += BATCH) {
    // A connection may have only so many answers of the proxy's own.
    if (value % CONNECTION === 0) {
      client.fin();
      client = host.connect();
    }
    const blocked = ask(Array.from({ length: BATCH }, (_, i) => (value + i).toString(36)));
    assert.equal(blocked, 0, `at ${value}`);
    assert.equal(ask(hot), HOT, `at ${value}`);
    if (value === VALUES / 10) early = host.vm.memory.pages;
  }
  const records = [...sizes].filter(([, size]) => size === WAYS * ENTRY);
  assert.equal(records.length, CAPACITY / WAYS);
  const shared = [...sizes].reduce((sum, [, size]) => sum + KEY + size, 0);
  assert.ok(shared <= CAPACITY * ENTRY + sizes.size * KEY + 4096, `${shared} bytes`);
  // The allocator takes memory by doubling it: a megabyte here, which is not a list of a million values.
  const grown = (host.vm.memory.pages - early) * PAGE;
  assert.ok(grown < 2 * VALUES, `${grown} bytes more after a tenth`);
  host.close();
});
