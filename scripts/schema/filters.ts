// The schemas of the stream filters, put into that of a root.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as part from "./parts.ts";
import type { Schema } from "./parts.ts";

export type RootName = "proxy" | "http";

const folder = join(import.meta.dirname, "../../filters/stream");
/** Types that are not for HTTP: those with `FilterRoots.PROXY`. */
const RPC_ONLY = ["fault_tolerance", "hessian_allowlist"];
/** Types without a configuration per route. */
const NOT_PER_ROUTE = ["dubbo_stream", "fault_tolerance", "grpc_metric", "jwt_authn"];
const IN_THE_ROUTE = "Refused on RPC: it is in the route's request_mirror_policies.";

/** The filter types of a root, in the order of filters/network/filters.ts. */
const typesOf = (root: RootName): string[] =>
  readdirSync(folder)
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .filter((type) => root === "proxy" || !RPC_ONLY.includes(type));

/** Numbers with a fraction are taken as strings, too: so Envoy hands them over. */
function withDecimals(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withDecimals);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.entries(schema).map(([key, value]) => [key, withDecimals(value)] as const);
  const copy = Object.fromEntries(inner) as Schema;
  return copy.type === "number" ? part.decimal(copy) : copy;
}

/** `mirror` has the cluster of its copies in the route on RPC, and in its own configuration on HTTP. */
function mirrorFor(root: RootName, schema: Schema): Schema {
  const fields = schema.properties as Record<string, Schema>;
  if (root === "proxy") {
    const refused = { cluster: part.refused(IN_THE_ROUTE), percent: part.refused(IN_THE_ROUTE) };
    return { ...schema, properties: { ...fields, ...refused } };
  }
  return {
    ...schema,
    properties: { ...fields, broadcast: part.inert("For RPC only.", false) },
    dependencies: { cluster: ["percent"], percent: ["cluster"] },
  };
}

function schemaOf(type: string, root: RootName): Schema {
  // Definitions of the filter's own become ones of the root's schema.
  const text = readFileSync(join(folder, type, "schema.json"), "utf8").replaceAll("#/$defs/", `#/definitions/${type}_`);
  const schema = part.without(withDecimals(JSON.parse(text)) as Schema, "$schema", "title");
  return type === "mirror" ? mirrorFor(root, schema) : schema;
}

/** The definitions of a filter: its schema, and those that the schema has. */
function definitionsOf(type: string, root: RootName): [name: string, schema: Schema][] {
  const schema = schemaOf(type, root);
  const own = Object.entries((schema.$defs as Record<string, Schema> | undefined) ?? {});
  const named = own.map(([name, inner]): [string, Schema] => [`${type}_${name}`, inner]);
  return [[definitionOf(type), part.without(schema, "$defs")], ...named];
}

const definitionOf = (type: string): string => `filter_${type}`;

/** The definitions of a root's filters, and `per_filter_config`. */
export function filterDefinitions(root: RootName): Record<string, Schema> {
  const types = typesOf(root);
  const filters = Object.fromEntries(types.flatMap((type) => definitionsOf(type, root)));
  if (root === "http") return filters;
  const perRoute = types.filter((type) => !NOT_PER_ROUTE.includes(type));
  const fields = Object.fromEntries(perRoute.map((type) => [type, part.ref(definitionOf(type))]));
  return { ...filters, per_filter_config: part.object("Configuration of stream filters, by type.", fields) };
}

/** `stream_filters`. */
export function streamFilters(root: RootName): Schema {
  const types = typesOf(root);
  const filter = part.object(
    "A stream filter.",
    { type: part.choice("Its type.", types), config: { description: "Its configuration.", type: "object" } },
    {
      required: ["type"],
      allOf: types.map((type) => ({
        if: { required: ["type"], properties: { type: { const: type } } },
        then: { properties: { config: part.ref(definitionOf(type)) } },
      })),
    },
  );
  return part.list("MOSN's stream filters, in order.", filter, { maxItems: 64, default: [] });
}
