// The filters' JSON schemas: as strict as the module, and every field is in the README.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { allCases } from "../vectors/rows.ts";
import { type Schema, violations } from "../vectors/schema.ts";

const folder = resolve(import.meta.dirname, "../../filters/stream");
const read = (filter: string, file: string): string => readFileSync(resolve(folder, filter, file), "utf8");

/** The schema and those of all values in it. */
function parts(schema: Schema): Schema[] {
  const named = [schema.properties, schema.$defs].flatMap((all) =>
    Object.values((all as Record<string, Schema>) ?? {}),
  );
  const others = [schema.items, schema.additionalProperties].filter((one) => typeof one === "object") as Schema[];
  return [schema, ...[...named, ...others].flatMap(parts)];
}

for (const filter of readdirSync(folder)) {
  describe(`schema of ${filter}`, () => {
    const schema = JSON.parse(read(filter, "schema.json")) as Schema;
    const all = parts(schema);

    it("is of draft 2020-12, closed, and says what fields are", () => {
      assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
      assert.equal(schema.title, filter);
      for (const { additionalProperties } of all.filter(({ type }) => type === "object")) {
        assert.ok(additionalProperties === false || typeof additionalProperties === "object");
      }
      for (const { properties } of all) {
        for (const [name, field] of Object.entries((properties as Record<string, Schema>) ?? {})) {
          assert.equal(typeof field.description, "string", name);
        }
      }
    });

    it("has every field in the README", () => {
      const readme = read(filter, "README.md");
      const names = all.flatMap(({ properties }) => Object.keys((properties as object) ?? {}));
      for (const name of names) assert.ok(readme.includes(name), name);
    });

    it("agrees with the module about the rows of tests/vectors", () => {
      const rows = allCases().filter((one) => one.filter === filter);
      assert.ok(rows.length > 0);
      for (const { row } of rows) {
        const wrong = [row.config, row.route_config ?? row.config].flatMap((config) => violations(config, schema));
        const refused = row.expect.refused !== undefined && row.schema !== "accepts";
        assert.equal(wrong.length > 0, refused, `${row.name}: ${wrong.join("; ")}`);
      }
    });
  });
}
