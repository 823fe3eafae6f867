// What the tests of hessian_allowlist share: the module with the filter, and servers that count.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import * as bolt from "./kit/bolt.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { int, NULL, type Wire } from "./kit/hessian-wire.ts";
import { Host, type SwitchboardClient } from "./kit/index.ts";
import { CLASS, module } from "./proxy-world.ts";

export const FILTER = "hessian_allowlist";
/** How a denial is answered. */
export const PERMISSION = { bolt: bolt.BoltStatus.SERVER_EXCEPTION, dubbo: 80 };
export const ALLOW = ["com.example.Order", "com.example.model.*"];

/** The module with the filter, in front of servers that answer with `answer`. */
export class World {
  sent = 0;
  private id = 1;

  private constructor(
    readonly host: Host,
    private readonly bolts: SwitchboardClient,
    private readonly dubbos: SwitchboardClient,
    private readonly answer: { bolt: bolt.ResponseOptions; dubbo: Buffer },
  ) {
    host.onConnect = (stream) => this.serve(stream);
  }

  static async start(config: object, { answer = NULL, routed = {} } = {}): Promise<World> {
    const own = { match: { headers: [{ name: "route", value: "own" }] }, route: { cluster_name: "upstream" } };
    const routers = [{ ...own, per_filter_config: { [FILTER]: routed } }, { route: { cluster_name: "upstream" } }];
    const router = { virtual_hosts: [{ domains: ["*"], routers }] };
    const stream_filters = [{ type: FILTER, config }];
    const host = await Host.start({ module, config: { protocols: ["bolt", "dubbo"], stream_filters, router } });
    const answers = { bolt: { content: answer, class: CLASS }, dubbo: Buffer.concat([int(1), answer]) };
    return new World(host, host.connect(), host.connect(), answers);
  }

  private serve(stream: ConnectStream): void {
    stream.accept({ host: "10.0.0.1:80", pin: "eA==" });
    let rest = Buffer.alloc(0);
    stream.onData = (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      const isDubbo = rest[0] === 0xda;
      const parsed = isDubbo ? dubbo.parseFrames(rest) : bolt.parseFrames(rest);
      rest = Buffer.from(parsed.rest);
      for (const { id } of parsed.frames) {
        this.sent++;
        if (typeof id === "number") stream.write(bolt.response(id, this.answer.bolt));
        else stream.write(dubbo.frame(2, 20, id, this.answer.dubbo));
      }
    };
  }

  /** The status of the answer to a Bolt request with this content. */
  bolt(content: Buffer, options: bolt.RequestOptions = {}): number {
    this.bolts.write(bolt.request(this.id++, { class: CLASS, headers: [["service", "s"]], content, ...options }));
    const { frames } = bolt.parseFrames(this.bolts.take());
    assert.equal(frames.length, 1);
    return frames[0].status;
  }

  /** The same of a Dubbo request with this body. */
  dubbo(body: Buffer, flags = 0xc2): number {
    this.dubbos.write(dubbo.frame(flags, 0, BigInt(this.id++), body));
    const { frames } = dubbo.parseFrames(this.dubbos.take());
    assert.equal(frames.length, 1);
    return frames[0].status;
  }

  count(name: string): number {
    this.host.advance(1000);
    return this.host.metrics.counter(`moe.filter.${FILTER}.${name}`) ?? 0;
  }

  close(): void {
    this.host.close();
  }
}

export const order = (wire: Wire): Buffer => wire.define("com.example.Order", ["item"]);
/** An object of a new class. */
export const made = (wire: Wire, name: string, at: number): Buffer =>
  Buffer.concat([wire.define(name), wire.object(at)]);

export const isPassed = (status: number): boolean => status === 0 || status === 20;
export const isDenied = (status: number): boolean => status === PERMISSION.bolt || status === PERMISSION.dubbo;

/** A world for the tests of one suite, closed at its end. */
export function suiteWorld(config: object, options = {}): () => World {
  let world: World;
  before(async () => {
    world = await World.start(config, options);
  });
  after(() => world.close());
  return () => world;
}
