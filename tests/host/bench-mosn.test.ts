// `npm run bench -- --mosn`: what MOSN is started with, and what is said where it cannot be. A stand-in takes MOSN's place: it
// is started as MOSN is, and joins its listener to the first host of the cluster.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import { pointAt } from "../bench/mosn.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "moe-bench-mosn-"));
after(() => rmSync(folder, { recursive: true }));

const STAND_IN = `#!${process.execPath}
const { createServer, connect } = require("node:net");
const { readFileSync } = require("node:fs");
const [start, c, file] = process.argv.slice(2);
if (start !== "start" || c !== "-c") throw new Error("started as " + process.argv.slice(2).join(" "));
const config = JSON.parse(readFileSync(file, "utf8"));
const [cluster] = config.cluster_manager.clusters;
const [host, port] = config.servers[0].listeners[0].address.split(":");
createServer((client) => {
  const server = connect(Number(cluster.hosts[0].address.split(":")[1]));
  client.pipe(server).on("error", () => client.destroy());
  server.pipe(client).on("error", () => server.destroy());
}).listen(Number(port), host);
`;

function executable(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function bench(...args: string[]): { status: number | null; output: string; errors: string } {
  const command = [...process.execArgv, join(root, "scripts/bench.ts"), "--quick", "--cases", "1x1 128 B", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  return { status, output: stdout, errors: stderr.trim() };
}

describe("the benchmark of MOSN", () => {
  it("is one more way, with its CPU", () => {
    const binary = executable("mosn", STAND_IN);
    const { status, output, errors } = bench("--ways", "direct", "--mosn", binary);
    assert.equal(status, 0, errors);
    assert.match(output, /^1x1 128 B {2}direct /m);
    assert.match(output, /^1x1 128 B {2}mosn +[\d,]+ +[\d.]+ +[\d.]+ +[\d.]+/m);
  });

  it("takes a configuration, and points it at the benchmark", () => {
    const config = {
      servers: [
        { processor: 2, listeners: [{ name: "a", address: "0.0.0.0:1", bind_port: true, x: 1 }, { name: "b" }] },
        { listeners: [{ name: "c" }] },
      ],
      cluster_manager: { tls: 1, clusters: [{ name: "k", lb_type: "LB_RANDOM", hosts: [{ address: "10.0.0.1:1" }] }] },
      admin: { address: {} },
    };
    const pointed = pointAt(config as never, 7, [8, 9], "/f");
    assert.deepEqual(JSON.parse(JSON.stringify(pointed)), {
      servers: [
        {
          processor: 2,
          default_log_path: "/f/mosn.log",
          default_log_level: "ERROR",
          listeners: [{ name: "a", address: "127.0.0.1:7", bind_port: true, x: 1 }],
        },
        { listeners: [] },
      ],
      cluster_manager: {
        tls: 1,
        clusters: [
          {
            name: "k",
            lb_type: "LB_RANDOM",
            hosts: [
              { address: "127.0.0.1:8", weight: 1 },
              { address: "127.0.0.1:9", weight: 1 },
            ],
          },
        ],
      },
      close_graceful: true,
      pid: "/f/mosn.pid",
      uds_dir: "/f",
    });
    const file = executable("mosn.json", JSON.stringify(config), 0o644);
    const { status, errors } = bench("--ways", "direct", "--mosn", executable("mosn", STAND_IN), "--mosn-config", file);
    assert.equal(status, 0, errors);
  });

  it("says what is wrong with a binary or a configuration, and measures nothing", () => {
    const binary = executable("mosn", STAND_IN);
    const plain = executable("plain", STAND_IN, 0o644);
    const failing = executable("failing", '#!/bin/sh\necho "no such field" >&2\nexit 3\n');
    const empty = executable("empty.json", "{}", 0o644);
    const broken = executable("broken.json", "{", 0o644);
    const cases: [string[], RegExp][] = [
      [["--mosn", join(folder, "none")], /^--mosn \S+none: there is no such file$/],
      [["--mosn", folder], /^--mosn \S+: it is no file$/],
      [["--mosn", plain], /^--mosn \S+plain: it is not executable$/],
      [["--mosn", failing], /^--mosn \S+failing ended \(exit code 3\) before it took connections:\n {2}no such field$/],
      [["--mosn", binary, "--mosn-config", empty], /^--mosn-config: servers\[0\]\.listeners\[0\] is missing$/],
      [["--mosn", binary, "--mosn-config", broken], /^--mosn-config \S+broken\.json: /],
      [["--mosn-config", empty], /^--mosn-config needs --mosn PATH$/],
      [["--ways", "mosn"], /^the way mosn needs --mosn PATH, the MOSN binary$/],
    ];
    for (const [args, said] of cases) {
      const { status, output, errors } = bench(...(args[0] === "--ways" ? args : ["--ways", "direct", ...args]));
      assert.equal(status, 1, args.join(" "));
      assert.match(errors, said);
      assert.doesNotMatch(output, /^round/m);
    }
  });
});
