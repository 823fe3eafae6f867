// Matches of a VirtualService as those of the module's routes.
import type { Fields } from "./fields.ts";
import { haveLabels, type Options } from "./options.ts";

type Out = Record<string, unknown>;

/** Istio writes Go's expressions, as the module takes them. */
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** An exact text, or an expression for the whole of it. */
export type Text = { value: string } | { regex: string };

/** A StringMatch; undefined where it asks for presence alone. */
function readText(from: Fields): Text | undefined {
  const exact = from.text("exact");
  const prefix = from.text("prefix");
  const regex = from.text("regex");
  from.finish();
  const given = [exact, prefix, regex].filter((one) => one !== undefined);
  if (given.length > 1) from.error("", "expected one of exact, prefix, regex");
  if (exact !== undefined) return exact === "" ? { regex: "^$" } : { value: exact };
  if (prefix !== undefined) return { regex: `^${escaped(prefix)}` };
  // Istio takes this, and an empty StringMatch, for presence.
  if (regex === undefined || regex === "*" || regex === ".*") return undefined;
  return { regex: `^(?:${regex})$` };
}

/** The path of an RPC, `/SERVICE/METHOD`. */
function readPath(match: Fields, out: Out): void {
  const ignoreCase = match.flag("ignoreUriCase") ?? false;
  const uri = match.child("uri");
  if (!uri) return;
  const [exact, prefix] = [uri.text("exact"), uri.text("prefix")];
  if (exact !== undefined && ignoreCase) out.path = exact;
  else if (prefix !== undefined && !ignoreCase) out.prefix = prefix;
  else if (prefix !== undefined) out.regex = `(?i)^${escaped(prefix)}`;
  else {
    const text = readText(uri);
    if (text) out.regex = "regex" in text ? text.regex : `^${escaped(text.value)}$`;
    return;
  }
  uri.finish();
}

function readHeaders(match: Fields, headers: Out[]): void {
  for (const [name, from] of match.children("headers")) {
    if (name.startsWith(":") || name.startsWith("@"))
      from.error("", 'is no header of an RPC: use uri ("/SERVICE/METHOD"), method or authority (the service)');
    const text = readText(from);
    if (!text) headers.push({ name, value: "^", regex: true });
    else if ("value" in text) headers.push({ name, value: text.value });
    else headers.push({ name, value: text.regex, regex: true });
  }
}

/** Headers that must be absent: the module has only "absent or empty". */
function readWithout(match: Fields, variables: Out[]): void {
  for (const [name, from] of match.children("withoutHeaders")) {
    if (readText(from)) from.error("", "only {}, for a header that is absent or empty, can be translated");
    variables.push({ name: `request_header_${name}`, regex: "^$" });
  }
}

/** Whether a match can apply to the plugin's workloads at all; what cannot be told is a mistake. */
function isForWorkloads(match: Fields, namespace: string, options: Options): boolean {
  const labels = match.map("sourceLabels");
  const have = haveLabels(options, labels);
  if (have === undefined)
    match.error(
      "sourceLabels",
      `some of the plugin's workloads may have these labels and others not: make a plugin for those that have, by --selector ${Object.entries(
        labels,
      )
        .map(([key, value]) => `${key}=${value}`)
        .join(",")}, and one for the others`,
    );
  const source = match.text("sourceNamespace");
  const gateways = match.texts("gateways");
  const boundHere = gateways.length === 0 || boundTo(gateways, namespace, options);
  return have !== false && (source === undefined || source === options.namespace) && boundHere;
}

/** Whether a list of gateways names the one that the plugin is for, or the sidecars. */
export function boundTo(gateways: string[], namespace: string, { gateway }: Options): boolean {
  return gateways.some((name) =>
    gateway ? (name.includes("/") ? name : `${namespace}/${name}`) === gateway : name === "mesh",
  );
}

/** An HTTPMatchRequest; undefined where it cannot apply. */
export function readMatch(match: Fields, port: number, namespace: string, options: Options): Out | undefined {
  match.skip("name");
  match.warnOf("no-effect", "the module names its counters itself", "statPrefix");
  match.refuse("RPC has neither scheme nor query", "scheme", "queryParams");
  const own = match.count("port");
  const applies = isForWorkloads(match, namespace, options);
  const out: Out = {};
  readPath(match, out);
  const headers: Out[] = [];
  readHeaders(match, headers);
  const variables: Out[] = [];
  const variable = (field: string, name: string) => {
    const from = match.child(field);
    const text = from && readText(from);
    if (text) variables.push({ name, ...text });
  };
  variable("authority", "x-mosn-rpc-service");
  variable("method", "x-mosn-rpc-method");
  readWithout(match, variables);
  match.finish();
  if (headers.length > 0) out.headers = headers;
  if (variables.length > 0) out.variables = variables;
  return applies && (own === undefined || own === port) ? out : undefined;
}

/** An L4MatchAttributes of a TCP route: whether it can apply. */
export function readTcpMatch(match: Fields, port: number, namespace: string, options: Options): boolean {
  match.refuse("the module does not see subnets of the client's destination", "destinationSubnets", "sourceSubnet");
  const own = match.count("port");
  const applies = isForWorkloads(match, namespace, options);
  match.finish();
  return applies && (own === undefined || own === port);
}
