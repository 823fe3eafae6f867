// scripts/drain.sh, and configuration that changes while clients call: `npm run drain-test` in small.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { type Options, type Result, SCENARIOS } from "../drain/scenarios.ts";
import type { Scope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";

const run = promisify(execFile);
const SCRIPT = resolve(import.meta.dirname, "../../scripts/drain.sh");
const SMALL: Options = { calls: 1000, busy: 4, depth: 2, calm: 2, say: () => {} };

const play = (scope: Scope, name: string): Promise<Result> => SCENARIOS[name].play(scope, SMALL);

function assertNoneFailed({ answered, refused, cut, arrived, repeated }: Result): void {
  assert.deepEqual({ refused, cut, repeated }, { refused: 0, cut: 0, repeated: 0 });
  assert.ok(answered >= SMALL.calls);
  assert.equal(arrived, answered);
}

describe("draining in order, under traffic", { concurrency: true }, () => {
  it("drain.sh: clients that know the go-away move, and no call fails", async (t) => {
    const result = await play(t, "renewed");
    assertNoneFailed(result);
    assert.ok(result.goAways > 0, "nobody was told to leave");
  });

  it("SIGTERM alone cuts what is in flight, and nothing else", async (t) => {
    const { answered, refused, cut, repeated, lost } = await play(t, "sigterm");
    assert.ok(cut <= SMALL.busy * SMALL.depth + SMALL.calm, `${cut} calls were cut`);
    assert.deepEqual([refused, repeated], [0, 0]);
    assert.ok(lost <= cut, `${lost} calls came to a server without an answer, ${cut} were cut`);
    assert.ok(answered >= SMALL.calls - cut);
  });

  it("ECDS: another configuration of the module fails no call", async (t) => {
    const result = await play(t, "ecds");
    assertNoneFailed(result);
    assert.equal(result.connections, SMALL.busy + SMALL.calm, "connections are kept");
  });

  it("LDS: clients that know the go-away leave the old filter chain before it ends", async (t) => {
    const result = await play(t, "lds-renewed");
    assertNoneFailed(result);
    assert.ok(result.goAways > 0, "nobody was told to leave");
  });
});

describe("drain.sh", () => {
  const drain = (...args: string[]) =>
    run(SCRIPT, args).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
    );

  it("without --pid or --quit leaves Envoy running; a client that stays is told of after the limit", async (t) => {
    const stage = await Stage.start(t, { clusters: { one: {} }, mayEnd: true });
    const { envoy } = stage;
    const [client] = await stage.connect(t);
    await client.call(1, callOf("one"));
    const admin = ["--admin", `127.0.0.1:${envoy.adminPort}`];
    const stayed = await drain(...admin, "--limit", "1");
    assert.equal(stayed.code, 1, stayed.stderr);
    assert.match(stayed.stdout, /^drain: 1 client connections, .*\n.*1 connections and 0 calls are cut/);
    await assert.rejects(envoy.admin("/ready"), /503/);
    assert.equal(client.state, "open");
    client.close();
    const left = await drain(...admin, "--quit");
    assert.equal(left.code, 0, left.stderr);
    assert.match(left.stdout, /no client is left/);
    assert.equal((await drain(...admin)).code, 2);
  });

  it("options that it does not know are refused", async () => {
    assert.match((await drain("--now")).stderr, /^usage: drain\.sh/);
  });
});
