// The JSON schemas of the whole configuration: fresh, with the fields, types and bounds of the module's readers, and as
// strict as these where a schema can be.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import Ajv, { type ValidateFunction } from "ajv";
import { parse, parseAllDocuments } from "yaml";
import { build } from "../../scripts/build.ts";
import { generatedSchemas } from "../../scripts/schema.ts";
import type { RootName } from "../../scripts/schema/filters.ts";
import type { Schema } from "../vectors/schema.ts";
import { LoadError } from "./kit/errors.ts";
import { Host } from "./kit/index.ts";

const root = join(import.meta.dirname, "../..");
const module = build();
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const schemaFor = (name: RootName): Schema => JSON.parse(read(`envoy/schema/${name}.schema.json`)) as Schema;
const SCHEMAS = { proxy: schemaFor("proxy"), http: schemaFor("http") };
const ROOTS: RootName[] = ["proxy", "http"];

const validators = Object.fromEntries(
  ROOTS.map((name) => [name, new Ajv({ strictKeywords: true }).compile(SCHEMAS[name])]),
) as Record<RootName, ValidateFunction>;

/** What the schema says against a configuration; "" when nothing. */
function violations(name: RootName, config: unknown): string {
  const validate = validators[name];
  return validate(config) === true ? "" : JSON.stringify(validate.errors);
}

/** What the module says against it, a line for each mistake. */
async function mistakes(name: RootName, config: object): Promise<string[]> {
  try {
    (await Host.start({ module, root: name, config: JSON.stringify(config) })).close();
    return [];
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const lines = error.logs.flatMap((line) => /configuration refused: (.*)$/.exec(line)?.[1] ?? []);
    assert.ok(lines.length > 0, String(error));
    return lines.map((line) => line.replace(/ \(line \d+, column \d+\)/, ""));
  }
}

/** A value in a schema: its path in the module's words, and a configuration that has something there. */
interface Place {
  path: string;
  schema: Schema;
  config: (value: unknown) => object;
  /** Whether something else may stand there, too: then a wrong value tells nothing. */
  alternative: boolean;
}

/** A name that maps of clusters, hosts and labels let pass to the value. */
const KEY = "10.0.0.1:80";
const UNKNOWN = "zzzzzzzz";
/** Fields that filters know to say why they refuse them; their schemas do not have them. */
const REFUSED = ["paramIndex", "condition", "checked_condition", "filename"];

/** All values of a root's schema; each definition once, where it is first used. */
function* places(name: RootName): Generator<Place> {
  const definitions = definitionsOf(name);
  const seen = new Set<string>();

  function* walk(path: string, schema: Schema, config: Place["config"], alternative = false): Generator<Place> {
    if (typeof schema.$ref === "string") {
      const definition = refOf(schema);
      if (!seen.has(definition)) {
        seen.add(definition);
        yield* walk(path, definitions[definition], config);
      }
      return;
    }
    yield { path, schema, config, alternative };
    for (const one of (schema.anyOf as Schema[] | undefined) ?? []) {
      if (one.type === "array" || one.type === "object") yield* walk(path, one, config, true);
    }
    const member = (key: string) => (path === "" ? key : `${path}.${key}`);
    const fields = (schema.properties as Record<string, Schema> | undefined) ?? {};
    // Filters before routes: a route's configuration of a filter that is not in the list is refused.
    const inOrder = Object.entries(fields).sort(
      ([a], [b]) => Number(b === "stream_filters") - Number(a === "stream_filters"),
    );
    for (const [key, field] of inOrder) {
      yield* walk(member(key), field, (value) => config({ [key]: value }));
    }
    for (const rule of (schema.allOf as { if: Schema; then: Schema }[] | undefined) ?? []) {
      const type = (rule.if.properties as { type: { const: string } }).type.const;
      const inner = (rule.then.properties as { config: Schema }).config;
      yield* walk(member("config"), inner, (value) => config({ type, config: value }));
    }
    if (typeof schema.additionalProperties === "object") {
      yield* walk(member(KEY), schema.additionalProperties as Schema, (value) => config({ [KEY]: value }));
    }
    if (schema.items !== undefined) yield* walk(`${path}[0]`, schema.items as Schema, (value) => config([value]));
  }

  yield* walk("", SCHEMAS[name], (value) => value as object);
}

const definitionsOf = (name: RootName) => SCHEMAS[name].definitions as Record<string, Schema>;
const refOf = (field: Schema): string => String(field.$ref).replace("#/definitions/", "");
const isObject = ({ type, properties }: Schema): boolean => type === "object" && properties !== undefined;
/** The line about a place, with this text in it; all lines where there is none. */
const lineAt = (lines: string[], path: string, text = ""): string => {
  const start = `${path === "" ? "configuration" : path}: `;
  return lines.find((line) => line.startsWith(start) && line.includes(text)) ?? lines.join("\n");
};

/** A wrong value for a schema, and what the module says of it; undefined: a schema says nothing of its values. */
function probe(schema: Schema): { value: unknown; expected: RegExp } | undefined {
  const { type, anyOf, minimum, maximum } = schema;
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const bound = (number: unknown) => (number === undefined ? "\\d+" : `${number as number}(\\.0)?`);
  const range = (low: unknown, high: unknown) => `from ${bound(low)} to ${bound(high)},`;
  if (schema.not !== undefined) return { value: {}, expected: /./ };
  if (type === "integer") return { value: "wrong", expected: RegExp(`an integer ${range(minimum, maximum)}`) };
  if (type === "boolean") return { value: "wrong", expected: /expected true or false/ };
  if (type === "string") return { value: [], expected: /expected a (string|duration)/ };
  if (type === "array") return { value: "wrong", expected: /expected an array/ };
  if (type === "object") return { value: "wrong", expected: /expected an object/ };
  const decimal = (anyOf as Schema[] | undefined)?.find((one) => one.type === "number");
  if (decimal !== undefined) {
    return { value: [], expected: RegExp(`a number ${range(decimal.minimum, decimal.maximum)}`) };
  }
  const allowed = (schema.enum ?? []) as unknown[];
  if (allowed.length < 2 || typeof allowed[0] !== "string") return undefined;
  const names = [`one of "${allowed.join('", "')}",`, `allowed: ${allowed.join(", ")}`];
  return { value: UNKNOWN, expected: RegExp(names.map(escaped).join("|")) };
}

it("the schemas are what npm run schema makes", async () => {
  for (const [path, text] of await generatedSchemas()) assert.equal(read(path), text, `${path}: npm run schema`);
});

for (const name of ROOTS) {
  describe(`schema of the root ${name}`, () => {
    it("has objects with the fields that the module allows, each with a description", async () => {
      let objects = 0;
      for (const { path, schema, config } of places(name)) {
        if (!isObject(schema)) continue;
        assert.equal(schema.additionalProperties, false, path);
        const fields = schema.properties as Record<string, Schema>;
        for (const [key, field] of Object.entries(fields)) {
          const text = field.description ?? definitionsOf(name)[refOf(field)]?.description;
          assert.ok(typeof text === "string" && text !== "", `${path}.${key}`);
        }
        if (path.endsWith("per_filter_config")) continue; // below
        const line = lineAt(await mistakes(name, config({ [UNKNOWN]: 0 })), path, UNKNOWN);
        const [, allowed] = /unknown field "z+"; (?:allowed: ([^;]*)|none is allowed here)/.exec(line) ?? [line, line];
        const names = (allowed ?? "").split(", ").filter((one) => one !== "" && !REFUSED.includes(one));
        assert.deepEqual(Object.keys(fields).sort(), names.sort(), `${path}: ${line}`);
        objects++;
      }
      assert.ok(objects > 15, String(objects));
    });

    it("has their types, bounds and choices", async () => {
      let values = 0;
      for (const { path, schema, config, alternative } of places(name)) {
        const wrong = path === "" || alternative ? undefined : probe(schema);
        if (wrong === undefined) continue;
        const line = lineAt(await mistakes(name, config(wrong.value)), path);
        assert.match(line, wrong.expected, path);
        values++;
      }
      assert.ok(values > 80, String(values));
    });

    it("has the ranges of durations in their descriptions", async () => {
      const from: string[] = [];
      for (const { path, schema, config } of places(name)) {
        if (!String(schema.pattern).includes("ns|us")) continue;
        const line = lineAt(await mistakes(name, config("-2000000h")), path);
        const [, low, high] = /expected a duration from (\S+) to (\S+),/.exec(line) ?? [];
        if (high?.startsWith("2562047h") || String(schema.description).startsWith("Not used")) continue;
        assert.ok(String(schema.description).includes(`; ${low} to ${high}.`), `${path}: ${line}`);
        from.push(path);
      }
      assert.ok(from.length > 0);
    });
  });
}

describe("per_filter_config", () => {
  it("has the types that can be configured per route", async () => {
    const definitions = definitionsOf("proxy");
    const allowed = Object.keys(definitions.per_filter_config.properties as object);
    const types = Object.keys(definitions).flatMap((one) => /^filter_(.*)$/.exec(one)?.[1] ?? []);
    assert.ok(types.length > allowed.length, types.join(", "));
    for (const type of types) {
      const router = { virtual_hosts: [{ domains: ["*"], per_filter_config: { [type]: {} } }] };
      const config = { stream_filters: [{ type }], router };
      const said = await mistakes("proxy", config);
      assert.equal(said.length === 0, allowed.includes(type), `${type}: ${said.join("\n")}`);
      assert.equal(violations("proxy", config) === "", allowed.includes(type), type);
    }
  });
});

/** A router with one route. */
const routed = (entry: object) => ({ router: { virtual_hosts: [{ domains: ["*"], routers: [entry] }] } });
const to = (fields: object) => routed({ route: { cluster_name: "x", ...fields } });
const cluster = (fields: object) => ({ clusters: { x: fields } });
const filter = (type: string, config: object) => ({ stream_filters: [{ type, config }] });

const GOOD: [name: RootName, config: object][] = [
  ["proxy", {}],
  ["http", {}],
  ["proxy", cluster({ circuit_breakers: [{ max_connections: 2, max_retries: 1 }], retry_budget: {} })],
  [
    "proxy",
    cluster({ circuit_breakers: { Thresholds: [{ max_requests: 1 }] }, retry_budget: { budget_percent: "0.5" } }),
  ],
  ["proxy", cluster({ lb_type: "LB_WEIGHTED_ROUNDROBIN", host_weights: { "[::1]:80": 128, "10.0.0.1:12200": 1 } })],
  ["proxy", to({ timeout: "-1s", retry_policy: { retry_timeout: "1m0.5s", retry_on: true, status_codes: [2] } })],
  [
    "proxy",
    routed({
      match: { variables: [{ name: "request_header_a", regex: "b", model: "OR" }] },
      direct_response: { status: 200 },
    }),
  ],
  [
    "proxy",
    to({ metadata_match: { filter_metadata: { "mosn.lb": { zone: "a" } } }, upstream_protocol: "", host_rewrite: "" }),
  ],
  ["proxy", { fallback: "cluster:other", allowed_clusters: ["a", "orders-*", "a*b"], max_request_timeout: "1.5h" }],
  ["proxy", filter("fault_tolerance", { maxIpRatio: "0.5" })],
  [
    "proxy",
    routed({
      match: { variables: [{ name: "jwt_authn.claims", regex: "admin" }] },
      route: { cluster_variable: "jwt_authn.cluster" },
    }),
  ],
  ["http", filter("mirror", { cluster: "copies", percent: 1 })],
  ["http", { allow_on_headers_stop_iteration: true, strict_changes: true, min_counted_timeout: "0" }],
];

const WRONG: [name: RootName, config: object][] = [
  ["proxy", { protocol: ["bolt"] }],
  ["proxy", { protocols: ["bolt", "http"] }],
  ["proxy", { protocols: [] }],
  ["proxy", { fallback: "cluster:" }],
  ["proxy", { allowed_clusters: ["*"] }],
  ["proxy", { max_frame_bytes: "16777216" }],
  ["proxy", { max_request_timeout: "10" }],
  ["proxy", { router: { virtual_hosts: [] } }],
  ["proxy", { router: { virtual_hosts: [{ routers: [] }] } }],
  ["proxy", routed({ match: {} })],
  ["proxy", routed({ route: { cluster_name: "x" }, direct_response: { status: 200 } })],
  ["proxy", routed({ route: { cluster_name: "x" }, redirect: {} })],
  ["proxy", routed({ match: { prefix: "/a", path: "/b" }, route: { cluster_name: "x" } })],
  ["proxy", routed({ match: { variables: [{ name: "protocoll", value: "x" }] }, route: { cluster_name: "x" } })],
  ["proxy", to({ cluster_header: "h" })],
  ["proxy", to({ hash_policy: { header: { key: "a" } } })],
  ["proxy", to({ hash_policy: [{ header: { key: "a" }, source_ip: {} }] })],
  ["proxy", to({ prefix_rewrite: "/" })],
  ["proxy", to({ retry_policy: { status_codes: [500] } })],
  ["proxy", to({ request_headers_to_add: [{ key: "a", value: "b" }] })],
  ["proxy", to({ metadata_match: { filter_metadata: { "mosn.lb": { Pin: "a" } } } })],
  ["proxy", routed({ route: { cluster_name: "x" }, per_filter_config: { payload_limit: { max_entity_size: -1 } } })],
  ["proxy", cluster({ lb_type: "ROUND_ROBIN" })],
  ["proxy", cluster({ host_weights: { "10.0.0.1:80": 2 } })],
  ["proxy", cluster({ lb_type: "LB_WEIGHTED_ROUNDROBIN", host_weights: { "10.0.0.1": 2 } })],
  ["proxy", cluster({ circuit_breakers: [{}, {}] })],
  ["proxy", cluster({ retry_budget: { budget_percent: 101 } })],
  ["proxy", filter("payload_limit", { max_entity_siz: 1 })],
  ["proxy", filter("fault_tolerance", { maxIpRatio: "half" })],
  ["proxy", filter("mirror", { cluster: "copies", percent: 1 })],
  ["http", filter("fault_tolerance", {})],
  ["http", filter("mirror", { cluster: "copies" })],
  ["http", filter("mirror", { broadcast: true })],
  ["http", { router: {} }],
];

describe("the schemas and the module", () => {
  for (const [name, config] of GOOD) {
    it(`take ${name} ${JSON.stringify(config)}`, async () => {
      assert.deepEqual(await mistakes(name, config), []);
      assert.equal(violations(name, config), "");
    });
  }

  for (const [name, config] of WRONG) {
    it(`refuse ${name} ${JSON.stringify(config)}`, async () => {
      assert.notDeepEqual(await mistakes(name, config), []);
      assert.notEqual(violations(name, config), "");
    });
  }
});

/** The module's configurations in a YAML file, wherever they stand. */
function configurations(value: unknown): { name: RootName; config: unknown }[] {
  if (typeof value !== "object" || value === null) return [];
  const { root_id, configuration, pluginName, pluginConfig } = value as Record<string, unknown>;
  const inner = Object.values(value).flatMap(configurations);
  if (typeof root_id === "string" && configuration !== undefined) {
    return [...inner, { name: root_id as RootName, config: (configuration as { value: unknown }).value }];
  }
  if (pluginConfig === undefined) return inner;
  return [...inner, { name: pluginName as RootName, config: pluginConfig }];
}

describe("configurations that are shipped fit the schema:", () => {
  const files = [
    "envoy/envoy.yaml",
    "envoy/http.yaml",
    "envoy/tls.yaml",
    ...readdirSync(join(root, "istio"))
      .filter((file) => file.endsWith(".yaml") && /root_id|pluginConfig/.test(read(`istio/${file}`)))
      .map((file) => `istio/${file}`),
  ];
  for (const file of files) {
    it(file, () => {
      const found = parseAllDocuments(read(file), { merge: true }).flatMap((one) => configurations(one.toJS()));
      assert.ok(found.length > 0);
      for (const { name, config } of found) {
        assert.ok(ROOTS.includes(name), name);
        assert.equal(violations(name, config), "");
      }
    });
  }

  const docs = read("docs/configuration.md");
  for (const [, text] of docs.matchAll(/```yaml\n([^]*?)```/g)) {
    const example = parse(text) as Record<string, unknown>;
    it(`docs/configuration.md: ${Object.keys(example).join(", ")}`, () => {
      const config = "hash_policy" in example ? to(example) : example;
      assert.equal(violations("proxy", config), "");
    });
  }

  it("docs/configuration.md: header changes", () => {
    const [, text] = /^ {4}("request_headers_to_add": .*)$/m.exec(docs) ?? [];
    assert.equal(violations("proxy", { router: JSON.parse(`{${text}}`) as unknown }), "");
  });
});
