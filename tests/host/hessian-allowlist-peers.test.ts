// hessian_allowlist in the release module: what real peers send passes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FILTER } from "./hessian-world.ts";
import * as bolt from "./kit/bolt.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host } from "./kit/index.ts";
import { module } from "./proxy-world.ts";

describe("what real peers send", () => {
  const folder = join(import.meta.dirname, "../frames");
  const files = readdirSync(folder);
  /** What one end sent; nothing where it was silent. */
  const frames = (name: string, end: "c2s" | "s2c"): Buffer =>
    files.includes(`${name}.${end}.bin`) ? readFileSync(join(folder, `${name}.${end}.bin`)) : Buffer.alloc(0);
  const names = files.flatMap((file) => /^((?:sofa|dubbo2)-.*)\.c2s\.bin$/.exec(file)?.[1] ?? []);
  /** Classes of the peers' own that the recordings have. */
  const OWN = ["interop.api.*"];

  for (const name of names) {
    it(`passes with its classes on the list, both ways: ${name}`, async () => {
      const isDubbo = name.startsWith("dubbo");
      const parse = (bytes: Buffer) => (isDubbo ? dubbo.parseFrames(bytes).frames : bolt.parseFrames(bytes).frames);
      const config = { stream_filters: [{ type: FILTER, config: { allow: OWN, responses: true } }] };
      const host = await Host.start({ module, config: { protocols: ["bolt", "dubbo"], ...config } });
      const replies = parse(frames(name, "s2c")).filter(({ kind }) => kind === "response");
      let served = 0;
      host.onConnect = (stream) => {
        stream.accept({ host: "10.0.0.1:80", pin: "eA==" });
        let rest = Buffer.alloc(0);
        stream.onData = (bytes) => {
          rest = Buffer.concat([rest, bytes]);
          const whole = parse(rest);
          rest = rest.subarray(whole.reduce((length, { raw }) => length + raw.length, 0));
          for (const { id, kind } of whole) {
            if (kind !== "request" && kind !== "oneway") continue;
            const reply = replies[served++];
            if (kind === "oneway" || reply === undefined) continue;
            const raw = Buffer.from(reply.raw);
            if (typeof id === "bigint") raw.writeBigUInt64BE(id, 4);
            stream.write(typeof id === "bigint" ? raw : bolt.withId(raw, id));
          }
        };
      };
      const client = host.connect();
      client.write(frames(name, "c2s"));
      host.advance(1000);
      const calls = parse(frames(name, "c2s")).filter(({ kind }) => kind === "request" || kind === "oneway");
      assert.equal(served, calls.length);
      for (const counter of ["denied", "failures", "other"])
        assert.equal(host.metrics.counter(`moe.filter.${FILTER}.${counter}`) ?? 0, 0, counter);
      host.close();
    });
  }
});
