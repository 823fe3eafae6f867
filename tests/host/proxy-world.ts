// What the tests of the release module share.
import assert from "node:assert/strict";
import { build } from "../../scripts/build.ts";
import * as bolt from "./kit/bolt.ts";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import { type ConnectOptions, Host, type HostOptions, type SwitchboardClient } from "./kit/index.ts";

/** Path of the release module, built if a source is newer; MOE_MODULE names another one. */
export const module = process.env.MOE_MODULE ?? build();

export const A = "10.0.0.1:8080";
export const B = "10.0.0.2:8080";
export const CLASS = "com.alipay.sofa.rpc.core.request.SofaRequest";

export interface World {
  host: Host;
  cluster: BoltCluster;
  client: SwitchboardClient;
}

/** The module in front of a cluster, one client connected. */
export async function world(
  addresses = [A],
  options: Partial<HostOptions> = {},
  connect: ConnectOptions = {},
): Promise<World> {
  const host = await Host.start({ module, ...options });
  const cluster = new BoltCluster(...addresses);
  host.onConnect = cluster.connect;
  return { host, cluster, client: host.connect(connect) };
}

/** Frames the client got since the last time; all bytes must be whole frames. */
export function answers(client: SwitchboardClient): bolt.BoltFrame[] {
  const { frames, rest } = bolt.parseFrames(client.take());
  assert.equal(rest.length, 0, "half a frame reached the client");
  return frames;
}

/** A request with a service header and its id as content. */
export function call(id: number, options: bolt.RequestOptions = {}): Buffer {
  return bolt.request(id, {
    class: CLASS,
    headers: [["service", "com.example.Hello:1.0"]],
    content: `call ${id}`,
    ...options,
  });
}
