// A world whose requests are mirrored, for the tests of the filter mirror.
import assert from "node:assert/strict";
import * as bolt from "./kit/bolt.ts";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import type { ConnectOptions } from "./kit/index.ts";
import { A, answers, B, call, world, type World } from "./proxy-world.ts";

export const S1 = "10.1.0.1:8080";
export const S2 = "10.1.0.2:8080";

interface Setting {
  mirror?: object;
  percent?: number;
  /** Filters before it. */
  filters?: object[];
  /** Fields of the route, of its action, and of the configuration. */
  route?: object;
  action?: object;
  config?: object;
  shadows?: string[];
  connect?: ConnectOptions;
}

export interface Mirrored extends World {
  shadow: BoltCluster;
}

/** A world whose requests are mirrored to the cluster `shadow`. */
export async function mirrored(setting: Setting = {}): Promise<Mirrored> {
  const { mirror = {}, percent = 100, filters = [], route, action, config, shadows = [S1] } = setting;
  const router = {
    route: { cluster_name: "upstream", ...action },
    request_mirror_policies: { cluster: "shadow", percent },
    ...route,
  };
  const all = await world(
    [A, B],
    {
      config: {
        stream_filters: [...filters, { type: "mirror", config: mirror }],
        router: { virtual_hosts: [{ domains: ["*"], routers: [router] }] },
        ...config,
      },
    },
    setting.connect,
  );
  const shadow = new BoltCluster(...shadows);
  all.host.onConnect = (stream) => (stream.cluster === "shadow" ? shadow : all.cluster).connect(stream);
  return { ...all, shadow };
}

export const stat = ({ host }: World, name: string): number => Number(host.metrics.counter(`moe.mirror.${name}`));

/** Everything is over: nothing active, all numbers add up. */
export function close(all: Mirrored): void {
  const { host, client } = all;
  if (client.closed === null) client.fin();
  host.advance(2000);
  assert.equal(host.metrics.gauge("moe.mirror.active"), 0, "copies under way");
  assert.equal(host.metrics.gauge("moe.bolt.active"), 0, "requests under way");
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}

/** Sends calls 1 to `count` and returns the answers, which must be those of the cluster, one for each. */
export function callAll(all: Mirrored, count: number, options: bolt.RequestOptions = {}, first = 1): void {
  const { host, client } = all;
  const got: bolt.BoltFrame[] = [];
  for (let id = first; id < first + count; id += 50) {
    const ids = Array.from({ length: Math.min(50, first + count - id) }, (_, i) => id + i);
    client.write(Buffer.concat(ids.map((one) => call(one, options))));
    host.advance(20);
    got.push(...answers(client));
  }
  checkAnswers(got, count, first, options);
}

export function checkAnswers(got: bolt.BoltFrame[], count: number, first: number, options: bolt.RequestOptions): void {
  assert.deepEqual(
    got.map(({ id }) => id).sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => first + i),
  );
  for (const { id, status, content } of got) {
    assert.equal(status, 0);
    const sent = options.content === undefined ? `call ${id}` : options.content.toString();
    assert.ok(
      [A, B].some((address) => content.toString() === `${address} ${sent}`),
      "not the original's answer",
    );
  }
}
