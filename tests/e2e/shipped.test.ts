// What users copy and run: the files of envoy/ and `npm start`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { build } from "../../scripts/build.ts";
import { ensureCertificates } from "../../scripts/certs.ts";
import {
  type Listener,
  readBootstrap,
  rpcListener,
  socketAddress,
  writeBootstrap,
} from "../../scripts/lib/bootstrap.ts";
import { findEnvoy } from "../../scripts/lib/envoy.ts";
import { HEARTBEATS } from "../../scripts/lib/health_bytes.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import { INSTANCES } from "../../scripts/samples/hello.ts";
import { heartbeat, heartbeatAck } from "../host/kit/bolt.ts";
import * as dubbo from "../host/kit/dubbo.ts";
import { recordedBytes } from "./kit/recordings.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const CONFIGS = ["envoy.yaml", "tls.yaml"];

interface Outcome {
  code: number;
  output: string;
}

async function outcomeOf(command: Promise<{ stdout: string; stderr: string }>): Promise<Outcome> {
  try {
    const { stdout, stderr } = await command;
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** `npm start` on free ports. */
async function start(...args: string[]): Promise<Outcome> {
  const ports = ["--port", String(await freePort()), "--admin-port", String(await freePort())];
  const script = join(root, "scripts/start.ts");
  return outcomeOf(run(process.execPath, [...process.execArgv, script, ...ports, ...args], { timeout: 60_000 }));
}

/** A variant of envoy.yaml in a folder that lasts as long as the test. */
function variant(t: TestContext, from: string, to: string): string {
  const folder = mkdtempSync(join(tmpdir(), "moe-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const text = readFileSync(join(root, "envoy/envoy.yaml"), "utf8");
  assert.ok(text.includes(from), `envoy.yaml has no ${from}`);
  const file = join(folder, "variant.yaml");
  writeFileSync(file, text.replace(from, to));
  return file;
}

for (const config of CONFIGS) {
  test(`Envoy accepts ${config} without a warning`, async () => {
    build();
    ensureCertificates();
    const args = ["--mode", "validate", "-c", join(root, "envoy", config), "-l", "warning"];
    const { code, output } = await outcomeOf(run(await findEnvoy(), args, { cwd: root }));
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /\]\[(warning|error|critical)\]/);
  });
}

test("tls.yaml is envoy.yaml with transport sockets, and HTTP known by ALPN", () => {
  const [plain, tls] = CONFIGS.map((config) => readBootstrap(join(root, "envoy", config)));
  for (const cluster of tls.static_resources.clusters) {
    assert.ok(cluster.transport_socket, cluster.name);
    delete cluster.transport_socket;
  }
  const [ours, theirs] = [plain, tls].map((bootstrap) => rpcListener(bootstrap));
  for (const chain of theirs.filter_chains) {
    assert.ok(chain.transport_socket);
    delete chain.transport_socket;
  }
  assert.deepEqual(inspector(ours), ["envoy.filters.listener.http_inspector", ["http/1.0", "http/1.1", "h2c"]]);
  assert.deepEqual(inspector(theirs), ["envoy.filters.listener.tls_inspector", ["http/1.1", "h2"]]);
  theirs.listener_filters = ours.listener_filters;
  theirs.filter_chains[1].filter_chain_match = ours.filter_chains[1].filter_chain_match;
  assert.deepEqual(tls, plain);
});

/** How a listener knows HTTP: its listener filter, and what that must have found for the chain of HTTP. */
function inspector(listener: Listener): unknown[] {
  const [{ name }] = listener.listener_filters as { name: string }[];
  const { application_protocols } = listener.filter_chains[1].filter_chain_match as { application_protocols: string[] };
  return [name, application_protocols];
}

test("http.yaml and envoy.yaml name the same hosts for HTTP", () => {
  const [rpc, http] = ["envoy.yaml", "http.yaml"].map((file) => readBootstrap(join(root, "envoy", file)));
  for (const { name, load_assignment } of http.static_resources.clusters) {
    const same = rpc.static_resources.clusters.find((cluster) => cluster.name === name);
    assert.deepEqual(same?.load_assignment, load_assignment);
  }
});

test("envoy.yaml names the sample services' hosts", () => {
  const { clusters } = readBootstrap(join(root, "envoy/envoy.yaml")).static_resources;
  const hosts = clusters.flatMap(({ load_assignment }) => load_assignment.endpoints[0].lb_endpoints);
  assert.deepEqual(
    hosts.map(({ endpoint }) => socketAddress(endpoint).port_value),
    INSTANCES.map(({ port }) => port),
  );
});

test("docker-compose.yaml mounts files that exist, and runs the shipped configuration", () => {
  build();
  const folder = join(root, "envoy");
  const compose = parse(readFileSync(join(folder, "docker-compose.yaml"), "utf8")) as {
    services: Record<string, { volumes: string[]; command: string[]; working_dir: string }>;
  };
  for (const { volumes } of Object.values(compose.services)) {
    for (const volume of volumes) assert.ok(existsSync(resolve(folder, volume.split(":")[0])), volume);
  }
  const { envoy, samples } = compose.services;
  const mounted = envoy.volumes.map((volume) => volume.split(":")[1]);
  assert.ok(mounted.includes(envoy.command[2]), "the configuration is mounted");
  assert.ok(mounted.includes(`${envoy.working_dir}/build/moe.wasm`), "the module is mounted where envoy.yaml looks");
  assert.ok(existsSync(join(root, samples.command[1])));
});

test("the health check's bytes are the codecs' heartbeats", async () => {
  const frames: Record<string, [Buffer, Buffer]> = {
    bolt: [heartbeat(1, 1), heartbeatAck(1, 1)],
    boltv2: [heartbeat(1, 2), heartbeatAck(1, 2)],
    dubbo: [dubbo.heartbeat(1n), dubbo.heartbeatAck(1n)],
  };
  for (const [protocol, [request, answer]] of Object.entries(frames)) {
    const { send, receive } = HEARTBEATS[protocol];
    assert.equal(send, request.toString("hex"));
    assert.ok(answer.toString("hex").includes(receive));
  }
  // What Java's Dubbo sends and answers.
  const [sent, got] = recordedBytes("dubbo2-heartbeat").map((bytes) => bytes.toString("hex"));
  assert.ok(sent.includes(HEARTBEATS.dubbo.send) && got.includes(HEARTBEATS.dubbo.receive));

  const shipped = writeBootstrap(readBootstrap(join(root, "envoy/envoy.yaml")));
  for (const { send, receive } of [HEARTBEATS.bolt, HEARTBEATS.dubbo]) {
    assert.ok(shipped.includes(send) && shipped.includes(receive));
  }

  const script = join(root, "scripts/health-bytes.ts");
  const print = (...args: string[]) => outcomeOf(run(process.execPath, [...process.execArgv, script, ...args]));
  const [hex, dubboSnippet, thrift] = await Promise.all([
    print("boltv2", "--hex"),
    print("dubbo"),
    print("dubbo-thrift"),
  ]);
  assert.equal(hex.output.trim(), `${HEARTBEATS.boltv2.send}\n${HEARTBEATS.boltv2.receive}`);
  // What it prints is what is shipped.
  const printed = (parse(dubboSnippet.output) as { health_checks: unknown }).health_checks;
  const { clusters } = readBootstrap(join(root, "envoy/envoy.yaml")).static_resources;
  assert.deepEqual(printed, clusters.find(({ name }) => name === "dubbo-v1")?.health_checks);
  assert.equal(thrift.code, 2);
  assert.match(thrift.output, /dubbo-thrift has no heartbeat/);
});

for (const config of CONFIGS) {
  test(`npm start --once answers all calls with ${config}`, async () => {
    const { code, output } = await start("--once", "--config", join(root, "envoy", config));
    assert.equal(code, 0, output);
    assert.match(output, /200 of 200 calls answered/);
    for (const row of ["bolt", "dubbo"].flatMap((protocol) => [`${protocol} .* v1`, `${protocol} .* v2`])) {
      assert.match(output, new RegExp(`^${row} `, "m"));
    }
    for (const row of ["http +/hello/ +GET", "grpc .* SayHello"]) assert.match(output, new RegExp(`^${row} +v1`, "m"));
  });
}

test("npm start names the port that is in use", async () => {
  const busy = createServer();
  await new Promise<void>((done) => busy.listen(0, "0.0.0.0", done));
  const { port } = busy.address() as { port: number };
  const { code, output } = await start("--no-samples", "--once", "--port", String(port));
  busy.close();
  assert.equal(code, 1, output);
  assert.match(output, new RegExp(`Port ${port} is in use. Choose another one with --port`));
});

test("npm start shows the module's own words about a bad configuration", async (t) => {
  const { code, output } = await start(
    "--no-samples",
    "--once",
    "--config",
    variant(t, "weight: 90", 'weight: "many"'),
  );
  assert.equal(code, 1, output);
  assert.match(output, /weight/);
  assert.match(output, /weighted_clusters/);
});

test("npm start shows what Envoy does not take, and not the whole configuration", async (t) => {
  const file = variant(t, "listener_filters_timeout: 5s", "listener_filters_timeout: 5");
  const { code, output } = await start("--no-samples", "--once", "--config", file);
  assert.equal(code, 1, output);
  assert.match(output, /static_resources\.listeners\[0\]\.listener_filters_timeout/);
  assert.ok(output.length < 1000, output);
});

test("npm start says which module is missing", async (t) => {
  const { code, output } = await start(
    "--config",
    variant(t, "filename: build/moe.wasm", "filename: build/none.wasm"),
    "--no-samples",
  );
  assert.equal(code, 1, output);
  assert.match(output, /The module build\/none.wasm is missing/);
});

test("npm start says that there is no Envoy to be had", async () => {
  const script = join(root, "scripts/start.ts");
  const env = { ...process.env, PATH: "/nowhere", ENVOY_BIN: "", MOE_CACHE: join(tmpdir(), "moe-no-cache") };
  const ports = ["--port", String(await freePort()), "--admin-port", String(await freePort())];
  const command = run(process.execPath, [...process.execArgv, script, "--no-samples", ...ports], { env });
  const { code, output } = await outcomeOf(command);
  assert.equal(code, 1, output);
  assert.match(output, /No Envoy on PATH, and no python3/);
});
