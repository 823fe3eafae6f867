// `headers` of a route as the module's header changes.
import type { Fields } from "./fields.ts";

/** Envoy's formats that the module has as a variable. */
const VARIABLES: Record<string, string> = {
  DOWNSTREAM_REMOTE_ADDRESS: "downstream_remote_address",
  PROTOCOL: "protocol",
  UPSTREAM_CLUSTER: "upstream_cluster",
  UPSTREAM_HOST: "upstream_host",
};
/** The module knows them only once there is a response. */
const IN_RESPONSES = ["UPSTREAM_CLUSTER", "UPSTREAM_HOST"];

export type Changes = Record<string, unknown[]>;

/** A header's value for the module, which takes a whole `%NAME%` for a variable and everything else as text. */
function valueOf(from: Fields, name: string, kind: string): string {
  const value = from.text(name) ?? "";
  const [, format] = /^%([^%]+)%$/.exec(value) ?? [];
  if (format === undefined) {
    const text = value.replaceAll("%%", "%");
    if (value.replaceAll("%%", "").includes("%") || /^%[^%]+%$/.test(text))
      from.error(name, "only a text, or one format as the whole value, can be translated");
    return text;
  }
  const [, header] = /^REQ\(([^:()?]+)\)$/.exec(format) ?? [];
  if (header && kind === "request") return `%request_header_${header}%`;
  if (Object.hasOwn(VARIABLES, format) && !(kind === "request" && IN_RESPONSES.includes(format)))
    return `%${VARIABLES[format]}%`;
  from.error(name, `%${format}% cannot be translated; known are ${Object.keys(VARIABLES).join(", ")} and REQ(NAME)`);
  return "";
}

/** Reads `headers` with its parts `request` and `response`. */
export function changesOf(from: Fields | undefined): Changes {
  const out: Changes = {};
  for (const kind of ["request", "response"]) {
    const part = from?.child(kind);
    if (!part) continue;
    const add: unknown[] = [];
    for (const [field, append] of [
      ["set", false],
      ["add", true],
    ] as const) {
      const values = part.child(field);
      for (const key of values?.names() ?? []) {
        const value = values ? valueOf(values, key, kind) : "";
        add.push({ header: { key, value }, ...(append ? {} : { append }) });
      }
    }
    const remove = part.texts("remove");
    part.finish();
    if (add.length > 0) out[`${kind}_headers_to_add`] = add;
    if (remove.length > 0) out[`${kind}_headers_to_remove`] = remove;
  }
  from?.finish();
  return out;
}
