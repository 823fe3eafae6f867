// `npm run validate`: what Envoy and the module say of a bootstrap, and the exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { build } from "../../scripts/build.ts";
import { ensureCertificates } from "../../scripts/certs.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "moe-validate-"));
after(() => rmSync(folder, { recursive: true }));

function validate(...files: string[]): { status: number | null; lines: string[]; errors: string } {
  const command = [...process.execArgv, join(root, "scripts/validate.ts"), ...files];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  return { status, lines: stdout.trim().split("\n"), errors: stderr };
}

function variant(name: string, file: string, ...changes: [string, string][]): string {
  const path = join(folder, name);
  const text = changes.reduce(
    (before, [from, to]) => {
      assert.ok(before.includes(from), from);
      return before.replace(from, to);
    },
    readFileSync(join(root, file), "utf8"),
  );
  writeFileSync(path, text);
  return path;
}

test("the bootstraps of envoy/ are good", () => {
  build();
  ensureCertificates();
  const { status, lines, errors } = validate("envoy/envoy.yaml", "envoy/tls.yaml", "envoy/http.yaml");
  assert.equal(status, 0, errors);
  assert.deepEqual(lines, ["envoy/envoy.yaml: good", "envoy/tls.yaml: good", "envoy/http.yaml: good"]);
});

test("all mistakes of all plugins are told, a line each, with file and path", () => {
  const rpc = variant("rpc.yaml", "envoy/envoy.yaml", ["weight: 90", "weight: many"], ["protocols: [", "protocol: ["]);
  const http = variant("http.yaml", "envoy/http.yaml", ["max_entity_size: 65536", "max_entity_sizes: 65536"]);
  const { status, lines } = validate(rpc, http);
  assert.equal(status, 1);
  assert.equal(lines.length, 3, lines.join("\n"));
  assert.match(
    lines[0],
    /rpc\.yaml: proxy \(moe\): router\.virtual_hosts\[0\]\.routers\[0\].*weight: expected an integer/,
  );
  assert.match(
    lines[1],
    /rpc\.yaml: proxy \(moe\): configuration: unknown field "protocol"; .* did you mean "protocols"\?/,
  );
  assert.match(
    lines[2],
    /http\.yaml: http \(moe-http\): stream_filters\[1\]\.config: unknown field "max_entity_sizes"/,
  );
});

test("what Envoy refuses is told in Envoy's words", () => {
  const file = variant("envoy.yaml", "envoy/envoy.yaml", ["stat_prefix: switchboard", "stat_prefi: switchboard"]);
  const { status, lines } = validate(file);
  assert.equal(status, 1);
  assert.match(lines.join("\n"), /stat_prefi/);
});

/** A file of the test's folder, as JSON. */
function json(name: string, value: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

const from = (path: string) => ({ path_config_source: { path }, resource_api_version: "V3" });
const LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";
const EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const WASM = "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm";

interface Chain {
  filters: { name: string; typed_config?: { config: { configuration: unknown } } }[];
}
interface Shipped {
  static_resources: { listeners: { name: string; filter_chains: Chain[]; [field: string]: unknown }[] };
  dynamic_resources?: object;
}

/** The shipped bootstrap, to be changed. */
function shipped(file = "envoy/envoy.yaml"): Shipped {
  return parse(readFileSync(join(root, file), "utf8"), { merge: true }) as Shipped;
}

/** A chain whose module has this configuration. */
function chainWith(configuration: object): Chain {
  const isRpc = ({ filters }: Chain) => filters[0].name === "envoy.filters.network.wasm";
  const chain = shipped().static_resources.listeners[0].filter_chains.find(isRpc);
  assert.ok(chain);
  const wasm = chain.filters[0].typed_config;
  assert.ok(wasm);
  wasm.config.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: configuration };
  return chain;
}

/** The bootstrap with its listeners, changed, in a file of their own. */
function discovered(name: string, change: (listeners: Shipped["static_resources"]["listeners"]) => void): string {
  const bootstrap = shipped();
  const { listeners } = bootstrap.static_resources;
  change(listeners);
  const lds = json(`${name}-lds.json`, { resources: listeners.map((each) => ({ "@type": LISTENER, ...each })) });
  bootstrap.static_resources.listeners = [];
  bootstrap.dynamic_resources = { lds_config: from(lds) };
  return json(`${name}.json`, bootstrap);
}

test("listeners in a file: good ones are, and mistakes are told with that file", () => {
  const good = discovered("good", () => undefined);
  const bad = discovered("bad", (listeners) => {
    listeners[0].filter_chains = [chainWith({ protocol: [] })];
  });
  const envoys = discovered("envoys", (listeners) => (listeners[0].filter_chain = []));
  const { status, lines } = validate(good, bad, envoys);
  assert.equal(status, 1);
  assert.equal(lines.length, 3, lines.join("\n"));
  assert.match(lines[0], /good\.json: good$/);
  assert.match(lines[1], /bad-lds\.json: proxy \(moe\): configuration: unknown field "protocol"; .* "protocols"\?$/);
  assert.match(lines[2], /envoys-lds\.json: .*filter_chain/);
});

test("filters in files, from a listener in a file; a file that is missing", () => {
  const ecds = (name: string, configuration: object) => {
    const wasm = chainWith(configuration).filters[0].typed_config;
    return json(name, { resources: [{ "@type": EXTENSION, name: "moe", typed_config: wasm }] });
  };
  const using = (name: string, path: string) =>
    discovered(name, (listeners) => {
      const [chain] = [chainWith({})];
      const discovery = { config_source: from(path), type_urls: [WASM] };
      chain.filters[0] = { name: "moe", config_discovery: discovery } as unknown as Chain["filters"][0];
      listeners[0].filter_chains = [chain];
    });
  const good = using("ecds-good", ecds("ecds-1.json", {}));
  const bad = using("ecds-bad", ecds("ecds-2.json", { max_frame_bytes: "many" }));
  const missing = using("ecds-none", "no-such.json");
  const { status, lines } = validate(good, bad, missing);
  assert.equal(status, 1);
  assert.equal(lines.length, 3, lines.join("\n"));
  assert.match(lines[0], /ecds-good\.json: good$/);
  assert.match(lines[1], /ecds-2\.json: proxy \(moe\): max_frame_bytes: expected/);
  assert.match(
    lines[2],
    /ecds-none-lds\.json: resources\[0\]\..*path_config_source: the file no-such\.json is missing/,
  );
});

test("internal listeners, default chains and filters by other names are looked at, each with its place", () => {
  const bootstrap = shipped();
  const [first] = bootstrap.static_resources.listeners;
  const internal = { name: "inside", internal_listener: {}, filter_chains: [chainWith({ internal_mistake: 1 })] };
  internal.filter_chains[0].filters[0].name = "another-name";
  bootstrap.static_resources.listeners.push(internal);
  first.default_filter_chain = chainWith({ default_mistake: 1 });
  const { status, lines } = validate(json("inside.json", bootstrap));
  assert.equal(status, 1);
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0], /proxy \(moe\) at static_resources\.listeners\[0\]\.default_filter_chain.*"default_mistake"/);
  assert.match(lines[1], /proxy \(moe\) at static_resources\.listeners\[1\]\.filter_chains\[0\].*"internal_mistake"/);
});

test("what routes on HTTP have for the filters is looked at", () => {
  const slow = `fault: '{"delay": {"fixed_delay": "100ms", "percentage": 100}}'`;
  const cases: [string, RegExp][] = [
    [`fault: '{"delay": {"fixed_delay": "100ms", "percentages": 100}}'`, /moe\.fault: .*"percentages"; .*percentage/],
    [`fault: '{"delay": '`, /moe\.fault: it is no JSON/],
    [`fault: { delay: {} }`, /moe\.fault: expected a text of JSON/],
    [`mirror: '{}'`, /moe\.mirror: no plugin of root http in these files has the stream filter "mirror"/],
  ];
  const files = cases.map(([text], index) => variant(`route${index}.yaml`, "envoy/http.yaml", [slow, text]));
  const { status, lines } = validate(...files);
  assert.equal(status, 1);
  assert.equal(lines.length, cases.length, lines.join("\n"));
  for (const [index, [, said]] of cases.entries()) assert.match(lines[index], said);
});

test("a module that is not here, or not ours, and sources in the network are told, and are no mistakes", () => {
  const away = variant("away.yaml", "envoy/http.yaml", [": build/moe.wasm", ": /etc/envoy/moe.wasm"]);
  const wrong = variant(
    "wrong.yaml",
    "envoy/http.yaml",
    [": build/moe.wasm", ": /etc/moe.wasm"],
    ["fault\n", "faul\n"],
  );
  const first = validate(away);
  assert.equal(first.status, 2);
  assert.match(first.errors, /The module \/etc\/envoy\/moe\.wasm is missing.* Its configuration is checked with that/);
  const second = validate(wrong);
  assert.equal(second.status, 1);
  assert.match(second.lines[0], /stream_filters\[2\]\.type: .*"faul".*did you mean "fault"/);
});

test("what cannot be checked is neither good nor bad", () => {
  for (const args of [["no-such.yaml"], []]) assert.equal(validate(...args).status, 2);
  const { status, lines } = validate("--help");
  assert.equal(status, 0);
  assert.match(lines.join("\n"), /Exit code/);
});
