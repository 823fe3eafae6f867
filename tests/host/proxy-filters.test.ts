// The release module with its stream filters in the host emulator: load, host calls, memory, configuration.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { type CallbackRecord, Host, type SwitchboardClient } from "./kit/index.ts";
import { A, answers, B, call, module, world, type World } from "./proxy-world.ts";

const route = (header: string, filters: object): object => ({
  match: { headers: [{ name: "route", value: header }] },
  route: { cluster_name: "upstream", timeout: "3s" },
  per_filter_config: filters,
});
const delay = (percentage: number, fixed_delay: string): object => ({ fixed_delay, percentage });
const abort = (percentage: number, status: number): object => ({ status, percentage });

/** All filters, each with something to do, and routes with configurations of their own. */
const ALL = {
  stream_filters: [
    {
      type: "ip_access",
      config: { header: "from", ips: [{ action: "deny", addrs: ["10.66.0.0/16", "2001:db8::/32"] }] },
    },
    { type: "fault", config: { headers: [{ name: "fault", value: "^y", regex: true }], abort: abort(100, 503) } },
    { type: "payload_limit", config: { max_entity_size: 1000 } },
    { type: "header_to_metadata", config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" } }] } },
  ],
  clusters: { upstream: { max_requests: 500 } },
  router: {
    virtual_hosts: [
      {
        domains: ["*"],
        routers: [
          route("slow", { fault: { delay: delay(50, "50ms"), abort: abort(20, 504) } }),
          route("slower", { fault: { delay: delay(90, "700ms"), abort: abort(10, 502) } }),
          route("large", { payload_limit: { max_entity_size: 100_000 }, fault: { delay: delay(30, "5ms") } }),
          { route: { cluster_name: "upstream" } },
        ],
      },
    ],
  },
};

const headers = (...more: bolt.Headers): bolt.RequestOptions => ({
  headers: [["service", "com.example.Hello:1.0"], ...more],
});

describe("4,000 requests with delays, aborts, and clients that go", () => {
  /** A small generator (xorshift), so that each seed is one course of events. */
  function dice(seed: number): (sides: number) => number {
    let state = (seed * 7919 + 1) | 0;
    return (sides) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % sides;
    };
  }

  const ROUTES = ["slow", "slower", "large", "none", "none"];
  const SOURCES = ["10.0.0.1", "10.0.0.2:80", "10.66.1.1", "[2001:db8::1]:80", "nonsense", ""];

  function randomCall(id: number, roll: (sides: number) => number): Buffer {
    const more: bolt.Headers = [["route", ROUTES[roll(ROUTES.length)]]];
    if (roll(3) === 0) more.push(["from", SOURCES[roll(SOURCES.length)]]);
    if (roll(4) === 0) more.push(["zone", `z${roll(3)}`]);
    if (roll(10) === 0) more.push(["fault", "yes"]);
    const content = Buffer.alloc([10, 900, 1001, 20_000][roll(4)], "x");
    const type = roll(10) === 0 ? 2 : 1;
    const version = roll(2) === 0 ? ({ version: 2, crc: true } as const) : {};
    return call(id, { ...headers(...more), ...version, content, type, timeout: roll(5) === 0 ? 400 : -1 });
  }

  for (let seed = 1; seed <= 4; seed++) {
    it(`seed ${seed}: nothing is left, every other client has all its answers`, async () => {
      const roll = dice(seed);
      const { host, cluster } = await world([A, B], { config: ALL, workers: 1 });
      let clients: { client: SwitchboardClient; asked: number[] }[] = [];
      const later: (() => void)[] = [];
      for (const server of cluster.servers) {
        server.onCall = (one) => {
          if (roll(3) === 0) later.push(() => one.reply());
          else if (roll(20) === 0) one.reply({ status: Status.SERVER_THREADPOOL_BUSY });
          else if (roll(30) > 0) one.reply();
        };
      }
      for (let id = 1; id <= 4000; id++) {
        if (clients.length < 8) clients.push({ client: host.connect(), asked: [] });
        const one = clients[roll(clients.length)];
        const frame = randomCall(id, roll);
        one.client.write(frame);
        if (bolt.parseFrame(frame)?.kind === "request") one.asked.push(id);
        if (roll(100) === 0) {
          if (roll(2) === 0) one.client.rst();
          else one.client.fin();
          clients = clients.filter((other) => other !== one);
        }
        if (roll(20) === 0) for (const reply of later.splice(0)) reply();
        if (roll(4) === 0) host.advance(roll(40));
      }
      for (const reply of later.splice(0)) reply();
      // The longest delay and timeout.
      host.advance(65_000);
      const statuses = new Set<number>();
      for (const { client, asked } of clients) {
        assert.equal(client.closed, null);
        const got = answers(client);
        for (const { status } of got) statuses.add(status);
        assert.deepEqual(
          got.map(({ id }) => id).sort((a, b) => a - b),
          asked,
        );
      }
      for (const status of [0, 2, 3, 4, 6, 7]) assert.ok(statuses.has(status), `no answer has status ${status}`);
      assert.equal(host.metrics.gauge("moe.bolt.active") + host.metrics.gauge("moe.boltv2.active"), 0);
      assert.ok(host.metrics.counter("moe.filter.ip_access.failures") > 0);
      checkLimit({ host, cluster, client: clients[0].client }, 500);
      for (const { client } of clients) client.fin();
      host.advance(65_000);
      assert.equal(host.metrics.gauge("moe.bolt.active") + host.metrics.gauge("moe.boltv2.active"), 0);
      assert.equal(host.vm.tickPeriod(), 0);
      host.close();
    });
  }

  /** The cluster takes just as many requests at once as it may: none of those that are over counts. */
  function checkLimit({ host, cluster, client }: World, limit: number): void {
    for (const server of cluster.servers) server.onCall = () => {};
    const many = Array.from({ length: limit + 3 }, (_, id) =>
      call(id, { ...headers(["route", "none"]), content: "x" }),
    );
    client.write(Buffer.concat(many));
    host.advance(100);
    assert.deepEqual(
      answers(client).map(({ status }) => status),
      Array.from({ length: 3 }, () => Status.SERVER_THREADPOOL_BUSY),
    );
  }
});

describe("host calls", () => {
  const counts = (records: CallbackRecord[]): object[] => records.map(({ callback, calls }) => ({ callback, calls }));

  /** What a request and its response cost on a connection that has found its hosts. */
  async function cost(config: object, options: bolt.RequestOptions): Promise<object[]> {
    const { host, cluster, client } = await world([A], { config });
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < 10; id++) client.write(call(id, options));
      host.advance(20);
    }
    for (let id = 0; id < 10; id++) client.write(call(id, options));
    assert.ok(answers(client).every(({ status }) => status === 0));
    cluster.servers[0].onCall = () => {};
    const request = host.trace(() => client.write(call(1, options)));
    const response = host.trace(() => cluster.calls.at(-1)?.reply());
    host.close();
    return [...counts(request), ...counts(response)];
  }

  it("are no more with filters than without", async () => {
    const options = headers(["zone", "a"], ["from", "10.0.0.1"], ["fault", "no"], ["route", "large"]);
    const none = await cost({}, options);
    const { stream_filters: filters } = ALL;
    const chains: Record<string, object> = { empty: { stream_filters: [] }, all: ALL };
    for (const filter of filters) chains[filter.type] = { stream_filters: [filter] };
    chains.address = {
      stream_filters: [{ type: "ip_access", config: { ips: [{ action: "deny", addrs: ["10.0.0.0/8"] }] } }],
    };
    const drawn = { type: "fault", config: { abort: abort(1, 500), headers: [{ name: "fault", value: "never" }] } };
    chains["per route"] = { ...ALL, stream_filters: [...filters, drawn] };
    for (const [name, config] of Object.entries(chains)) {
      // The route "large" delays: without that here.
      const text = JSON.stringify(config).replaceAll('"percentage":30', '"percentage":0');
      assert.deepEqual(await cost(JSON.parse(text) as object, options), none, name);
    }
  });
});

describe("memory", () => {
  it("does not grow with requests on one connection, whatever filters do", async () => {
    const { host, client } = await world([A], { config: ALL });
    const frames = [
      headers(["zone", "a"]),
      headers(["zone", "b"], ["from", "10.0.0.1"], ["route", "large"]),
      headers(["zone", "no label"]),
      headers(["from", "10.66.0.1"]),
      headers(["fault", "yes"]),
      headers(["route", "slow"]),
      { ...headers(), content: Buffer.alloc(2000) },
    ].map((options, id) => call(id, options));
    const batch = Buffer.concat(frames);
    const run = (rounds: number): void => {
      for (let i = 0; i < rounds; i++) {
        client.write(batch);
        host.advance(20);
      }
      host.advance(1000);
      assert.equal(answers(client).length, rounds * frames.length);
    };
    run(1500);
    const { pages } = host.vm.memory;
    run(6000);
    assert.ok(host.vm.memory.pages <= pages, `${host.vm.memory.pages} pages, before ${pages}`);
    host.close();
  });

  const byHeader = { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_header: "zone" } }] }] };
  const madeUp = { labels: ["refuse", "up"], clusters: ["refuse"] } as const;
  for (const [what, states] of Object.entries(madeUp)) {
    for (const state of states) {
      it(`does not grow with ${what} that a client makes up; the server is ${state}`, async () => {
        const config = what === "labels" ? ALL : { router: byHeader, allowed_clusters: ["made-up-*"] };
        const { host, client, cluster } = await world([A], { config });
        const [server] = cluster.servers;
        server.state = state;
        let id = 0;
        const run = (count: number): void => {
          for (let i = 0; i < count; i++) {
            client.write(call(++id, headers(["zone", `made-up-${id}`])));
            host.advance(8);
          }
          host.advance(10_000);
          const got = answers(client);
          assert.equal(got.length, count);
          for (const { status } of got) assert.equal(status === Status.SUCCESS, state === "up");
        };
        run(5000);
        const { pages } = host.vm.memory;
        run(5000);
        assert.ok(host.vm.memory.pages <= pages, `${host.vm.memory.pages} pages, before ${pages}`);
        const open = server.streams.filter(({ closed }) => !closed).length;
        assert.ok(open <= 300, `${open} connections to the server`);
        host.close();
      });
    }
  }
});

describe("configuration", () => {
  async function refusal(filters: unknown): Promise<string> {
    try {
      (await Host.start({ module, config: { stream_filters: filters } })).close();
      return "";
    } catch (error) {
      return String(error);
    }
  }

  it("errors name the filter and the field", async () => {
    const good = { type: "ip_access", config: {} };
    const bad = { type: "fault", config: { delay: { fixed_delay: "1s", percentage: 101 } } };
    assert.equal(await refusal([good, good]), "");
    assert.match(
      await refusal([good, good, bad]),
      /stream_filters\[2\]\.config\.delay\.percentage: expected an integer/,
    );
    const unknown =
      /stream_filters\[1\]\.type: unknown filter type "falt"; allowed: .*\bfault, .*\bheader_to_metadata, .*\bip_access\b/;
    assert.match(await refusal([good, { type: "falt" }]), unknown);
    assert.match(
      await refusal([{ ...good, go_plugin_config: {} }]),
      /stream_filters\[0\]: unknown field "go_plugin_config"/,
    );
    assert.match(await refusal(Array.from({ length: 65 }, () => good)), /stream_filters: more than 64 filters/);
  });
});
