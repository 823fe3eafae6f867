// What the tests of Dubbo share: the release module in front of servers that answer, routes, and the client's answers.
import assert from "node:assert/strict";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host, type SwitchboardClient } from "./kit/index.ts";
import { A, module } from "./proxy-world.ts";

export interface Seen {
  frame: dubbo.DubboFrame;
  stream: ConnectStream;
  reply: (value: unknown) => void;
}

/** Hosts that answer every request with its argument, unless told otherwise. */
export class Servers {
  readonly seen: Seen[] = [];
  readonly streams: ConnectStream[] = [];
  onRequest: (call: Seen) => void = (call) => call.reply("ok");
  private opened = 0;

  constructor(private readonly addresses: string[]) {}

  readonly connect = (stream: ConnectStream): void => {
    const pin = stream.headers["x-moe-pin"];
    const address = pin ? Buffer.from(pin, "base64").toString() : this.addresses[this.opened++ % this.addresses.length];
    this.streams.push(stream);
    stream.accept({ host: address, pin: Buffer.from(address).toString("base64") });
    let rest = Buffer.alloc(0);
    stream.onData = (bytes) => {
      const parsed = dubbo.parseFrames(Buffer.concat([rest, bytes]));
      rest = Buffer.from(parsed.rest);
      for (const frame of parsed.frames) {
        const reply = (value: unknown) => stream.write(dubbo.response(frame.id, value));
        this.seen.push({ frame, stream, reply });
        if (frame.kind === "request") this.onRequest(this.seen[this.seen.length - 1]);
      }
    };
  };
}

export async function world(router?: object, addresses = [A]) {
  const config = { protocols: ["bolt", "dubbo"], ...(router ? { router: { virtual_hosts: [router] } } : {}) };
  const host = await Host.start({ module, config });
  const servers = new Servers(addresses);
  host.onConnect = servers.connect;
  return { host, servers, client: host.connect() };
}

export const routes = (...routers: object[]) => ({ name: "all", domains: ["*"], routers });
export const to = (cluster: string, headers: Record<string, string> = {}) => ({
  match: { headers: Object.entries(headers).map(([name, value]) => ({ name, value })) },
  route: { cluster_name: cluster },
});

export function answers(client: SwitchboardClient): dubbo.DubboFrame[] {
  const { frames, rest } = dubbo.parseFrames(client.take());
  assert.equal(rest.length, 0, "half a frame reached the client");
  return frames;
}

/** The message of an error. */
export const message = (frame: dubbo.DubboFrame): unknown => dubbo.decode(frame.body, 1)[0];
