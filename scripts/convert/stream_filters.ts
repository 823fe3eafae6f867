// MOSN's stream filters: those of the module keep their name and configuration, some are Envoy's own, others are reported.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "../lib/package.ts";
import { type Fields, type Json, show } from "./fields.ts";
import type { Report } from "./report.ts";

const FOLDER = join(PACKAGE, "filters/stream");
const HTTP_TYPE = "type.googleapis.com/envoy.extensions.filters.http";

/** Filters of the module that have no meaning on HTTP, and what Envoy has for it. */
const RPC_ONLY: Record<string, string> = {
  fault_tolerance: "Use outlier_detection in Envoy's cluster.",
  hessian_allowlist: "HTTP carries no Hessian.",
};

const ACTIONS: Record<string, string> = {
  transcoder: "Have the client speak the server's protocol, or keep this listener on MOSN.",
  seata: "Keep this listener on MOSN, or use Seata's own clients in the services.",
};

const HEARTBEATS = "The proxy itself answers clients' heartbeats.";

const WRITE_ONE = "Write it in TypeScript: `moe new filter NAME`, docs/write-a-filter.md.";

export interface StreamFilters {
  /** For the module's `stream_filters`, in order. */
  module: { type: string; config: object }[];
  /** Envoy's own HTTP filters, in order. */
  envoy: object[];
  /** Copies of each mirrored request by Envoy's own routes; 0: none. */
  copies: number;
}

interface Schema {
  properties: Record<string, { maxItems?: number; enum?: Json[] }>;
}

/** The configuration schema of a filter of the module. */
function schemaOf(type: string): Schema | undefined {
  if (!readdirSync(FOLDER).includes(type)) return undefined;
  return JSON.parse(readFileSync(join(FOLDER, type, "schema.json"), "utf8")) as Schema;
}

/** Reads the stream filters of a listener, for RPC or for HTTP. */
export function streamFilters(listener: Fields, http: boolean): StreamFilters {
  const out: StreamFilters = { module: [], envoy: [], copies: 0 };
  for (const filter of listener.list("stream_filters")) {
    const type = filter.text("type") ?? "";
    const plugin = filter.has("go_plugin_config");
    filter.raw("go_plugin_config");
    const config = filter.child("config");
    if (plugin) filter.report.lost(filter.path, type, "It is Go code in a file of its own.", WRITE_ONE);
    else if (http) onHttp(filter, type, config, out);
    else onRpc(filter, type, config, out);
    config?.all();
    filter.done();
  }
  return out;
}

function onRpc(filter: Fields, type: string, config: Fields | undefined, out: StreamFilters): void {
  const schema = schemaOf(type);
  if (schema) out.module.push({ type, config: prune(config, schema) });
  else if (type === "healthcheck") {
    filter.report.note(filter.path, type, HEARTBEATS);
  } else unknown(filter, type);
}

function onHttp(filter: Fields, type: string, config: Fields | undefined, out: StreamFilters): void {
  const schema = schemaOf(type);
  if (type === "mirror") httpMirror(filter, config, out);
  else if (type === "healthcheck") filter.report.note(filter.path, type, HEARTBEATS);
  else if (RPC_ONLY[type]) filter.report.lost(filter.path, type, "It works on RPC only.", RPC_ONLY[type]);
  else if (type === "jwt_authn" || type === "rbac") {
    const message = type === "rbac" ? "rbac.v3.RBAC" : "jwt_authn.v3.JwtAuthentication";
    // MOSN has a field "version" that Envoy has not.
    const fields = Object.entries(config?.all() ?? {}).filter(([name]) => name !== "version");
    const typed = { "@type": `${HTTP_TYPE}.${message}`, ...Object.fromEntries(fields) };
    out.envoy.push({ name: `envoy.filters.http.${type}`, typed_config: typed });
  } else if (schema) out.module.push({ type, config: prune(config, schema) });
  else if (type === "gzip") out.envoy.push(compressor(config));
  else if (type === "proxywasm") wasm(filter, config, out);
  else unknown(filter, type);
}

function unknown(filter: Fields, type: string): void {
  const known = ACTIONS[type] !== undefined;
  filter.report.lost(
    filter.path,
    type,
    known ? "There is no such filter here yet." : "It is no filter of MOSN's own.",
    ACTIONS[type] ?? WRITE_ONE,
  );
}

/** What the module takes of a filter's configuration; MOSN skips fields that it does not know. */
function prune(config: Fields | undefined, schema: Schema): { [name: string]: Json } {
  const out: { [name: string]: Json } = {};
  // Also camelCase for protobuf's names: "shadowRules" for "shadow_rules".
  const plain = (name: string): string => name.toLowerCase().replaceAll("_", "");
  const properties = new Map(Object.keys(schema.properties).map((name) => [plain(name), name]));
  for (const [name, value] of Object.entries(config?.all() ?? {})) {
    const own = Object.hasOwn(schema.properties, name) ? name : properties.get(plain(name));
    const report = config?.report as Report;
    const path = config?.at(name) ?? name;
    if (own === undefined) report.note(path, show(value), "MOSN has no such field here, and ignores it.");
    else if (refuses(schema.properties[own], value)) {
      report.lost(
        path,
        show(value),
        `The filter's field ${own} takes no such value here.`,
        "Its README says what there is instead.",
      );
    } else out[own] = value;
  }
  return out;
}

function refuses(schema: Schema["properties"][string], value: Json): boolean {
  if (Array.isArray(value) && schema.maxItems === 0) return value.length > 0;
  return schema.enum !== undefined && !schema.enum.includes(value);
}

function httpMirror(filter: Fields, config: Fields | undefined, out: StreamFilters): void {
  out.copies = Math.max(1, Math.min(config?.number("amplification") ?? 1, 100));
  if (config?.flag("broadcast")) {
    out.copies = 1;
    filter.report.changed(
      filter.path,
      "broadcast to all hosts of the mirror cluster",
      "Envoy's mirror sends one copy, to one host.",
      "Have a cluster for each host, and a policy for each of them.",
    );
  }
}

function compressor(config: Fields | undefined): object {
  const levels = ["DEFAULT_COMPRESSION", ...Array.from({ length: 9 }, (_, i) => `COMPRESSION_LEVEL_${i + 1}`)];
  const types = config?.texts("content_types") ?? [];
  const common: Record<string, unknown> = {};
  const least = config?.number("content_length");
  if (least !== undefined) common.min_content_length = Math.max(least, 1);
  if (types.length > 0) common.content_type = types;
  return {
    name: "envoy.filters.http.compressor",
    typed_config: {
      "@type": `${HTTP_TYPE}.compressor.v3.Compressor`,
      response_direction_config: { common_config: common },
      compressor_library: {
        name: "gzip",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip",
          compression_level: levels[config?.number("gzip_level") ?? 0] ?? levels[0],
        },
      },
    },
  };
}

/** MOSN's proxywasm runs modules of the same ABI as Envoy does. */
function wasm(filter: Fields, config: Fields | undefined, out: StreamFilters): void {
  const path = config?.child("vm_config")?.text("path");
  if (!path || !existsSync(path)) {
    filter.report.lost(
      filter.path,
      `proxywasm ${path ?? ""}`,
      "Envoy runs proxy-wasm modules itself, but this file is not here.",
      "Convert again on a machine that has it.",
    );
    return;
  }
  out.envoy.push({
    name: "envoy.filters.http.wasm",
    typed_config: {
      "@type": `${HTTP_TYPE}.wasm.v3.Wasm`,
      config: {
        vm_config: { vm_id: path, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: path } } },
        failure_policy: "FAIL_RELOAD",
      },
    },
  });
}
