// istio/: each file is what Istio's own CRDs accept, fits the others, and its module configuration is one that the module takes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import Ajv from "ajv";
import { parseAllDocuments } from "yaml";
import { build } from "../../scripts/build.ts";
import { complaints } from "../../scripts/validate/plugins.ts";

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  [keyword: string]: unknown;
}

interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  spec: Record<string, unknown>;
}

const folder = join(import.meta.dirname, "../../istio");
const crds = JSON.parse(readFileSync(join(import.meta.dirname, "data/istio-crds.json"), "utf8")) as {
  schemas: Record<string, Schema>;
};

/** What Kubernetes drops without a word is a mistake here: fields that the schema does not have. */
function closed(schema: Schema): Schema {
  const out: Schema = { ...schema };
  if (schema.items) out.items = closed(schema.items);
  if (typeof schema.additionalProperties === "object")
    out.additionalProperties = closed(schema.additionalProperties as Schema);
  if (!schema.properties) return out;
  out.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, closed(one)]));
  if (schema.type === "object" && !schema["x-kubernetes-preserve-unknown-fields"]) out.additionalProperties ??= false;
  return out;
}

const ajv = new Ajv({ nullable: true, jsonPointers: true });

/** What the CRD says against a resource; "" when nothing. */
function violations({ apiVersion, kind, metadata, ...rest }: Resource): string {
  const schema = crds.schemas[`${apiVersion} ${kind}`];
  assert.ok(schema, `${apiVersion} ${kind} is a kind of Istio's`);
  assert.match(metadata.name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  const validate = ajv.compile(closed(schema));
  return validate(rest) === true ? "" : JSON.stringify(validate.errors);
}

const read = (file: string): Resource[] =>
  parseAllDocuments(readFileSync(join(folder, file), "utf8"), { merge: true }).map((one) => one.toJS() as Resource);

const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const all = files.flatMap(read);

/** Values of a field, wherever it is. */
function valuesOf(value: unknown, field: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Object.entries(value).filter(([name]) => name === field);
  return [...own.map(([, one]) => one), ...Object.values(value).flatMap((one) => valuesOf(one, field))];
}

for (const file of files) {
  describe(`istio/${file}`, () => {
    for (const resource of read(file)) {
      const { kind, metadata, spec } = resource;
      it(`${kind} ${metadata.name} is one of Istio's`, () => assert.equal(violations(resource), ""));
      if (kind !== "WasmPlugin") continue;
      it(`${kind} ${metadata.name}: the module takes its configuration`, async () => {
        const { pluginName, pluginConfig } = spec as { pluginName: "proxy" | "http"; pluginConfig: object };
        assert.deepEqual(await complaints(build(), pluginName, pluginConfig), []);
      });
    }
  });
}

describe("the files of istio/ together", () => {
  const plugins = all.filter(({ kind, spec }) => kind === "WasmPlugin" && spec.type === "NETWORK");
  const switchboard = all.find(({ metadata }) => metadata.name === "moe-switchboard");
  const patches = switchboard?.spec.configPatches as unknown as {
    applyTo: string;
    patch: { value: { name: string } };
  }[];
  const added = (kind: string) =>
    patches.filter(({ applyTo }) => applyTo === kind).map(({ patch }) => patch.value.name);

  it("every plugin's switchboard and clusters are there", () => {
    assert.ok(plugins.length >= 6);
    const rules = all.filter(({ kind }) => kind === "DestinationRule");
    const subsets = rules.flatMap(({ spec }) =>
      (spec.subsets as { name: string }[]).map(({ name }) => `${name}|${String(spec.host)}`),
    );
    for (const { spec } of plugins) {
      assert.ok(added("CLUSTER").includes((spec.pluginConfig as { switchboard: string }).switchboard));
      assert.equal(spec.failStrategy, "FAIL_RELOAD");
      const names = [
        ...valuesOf(spec.pluginConfig, "cluster_name"),
        ...valuesOf(spec.pluginConfig, "cluster").map((one) => (one as { name: string }).name),
      ];
      for (const name of names as string[]) {
        const [, , subset, host] = name.split("|");
        assert.ok(added("CLUSTER").includes(name) || subset === "" || subsets.includes(`${subset}|${host}`), name);
        assert.ok(name in (spec.pluginConfig as { clusters: object }).clusters, `${name} has its connect_timeout`);
      }
    }
  });

  it("every internal listener has a cluster, and no two plugins are on one port of one side", () => {
    const servers = valuesOf(patches, "server_listener_name");
    assert.deepEqual([...new Set(servers)].sort(), [...new Set(added("LISTENER"))].sort());
    const places = plugins.map(({ spec }) => JSON.stringify([spec.selector, spec.match]));
    assert.equal(new Set(places).size, places.length);
  });

  it("a mistake is found", () => {
    const broken = structuredClone(plugins[0]) as unknown as { spec: Record<string, unknown> };
    broken.spec.failStratgy = "FAIL_OPEN";
    assert.match(violations(broken as unknown as Resource), /failStratgy/);
  });
});
