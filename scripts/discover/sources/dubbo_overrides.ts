// Dubbo's configurators: what an operator has set for the hosts or callers of a service, applied as Dubbo's consumers do.
import { parse } from "yaml";
import { isObject } from "../../lib/values.ts";
import { addressOf, type CallRules, type Endpoint } from "../model.ts";
import { decode, type DubboUrl, numberIn, parseUrl } from "./dubbo_url.ts";

/** One rule that sets parameters. */
export interface Override {
  /** `0.0.0.0` is any. */
  host: string;
  port: number;
  side: string;
  /** `*`, or `{GROUP/}SERVICE{:VERSION}`. */
  service: string;
  application: string;
  /** `IP`, `IP:PORT`, `0.0.0.0`, …; none: all. */
  providers: string[];
  parameters: Map<string, string>;
  /** Written by Dubbo 2.7 or later. */
  versioned: boolean;
}

/** What stands in a rule beside the parameters that it sets. */
const NOT_SET = new Set(
  "category check dynamic enabled group version application side configVersion compatible_config interfaces providerAddresses".split(
    " ",
  ),
);
/** What becomes something here. */
const USED = new Set(["weight", "disabled", "timeout"]);
const ANY_HOST = "0.0.0.0";
const MAX_WEIGHT = 1_000_000;
const MAX_TIMEOUT = 3_600_000;

type Notes = (text: string) => void;

/** A node below `/dubbo/SERVICE/configurators`, its name decoded. `empty://` says that there is none. */
export function readOverrideUrl(name: string, note: Notes): Override | undefined {
  const url = parseUrl(decode(name) ?? "");
  if (typeof url === "string") return void note(`no rule: ${url}`);
  if (url.protocol === "empty") return undefined;
  if (url.protocol !== "override") return void note(`${url.protocol}:// is left out; allowed: override`);
  if (url.parameters.get("enabled") === "false") return undefined;
  return overrideOf(url, note);
}

function overrideOf(url: DubboUrl, note: Notes): Override {
  const { parameters } = url;
  const [group, version] = [parameters.get("group"), parameters.get("version")];
  const name = url.path || "*";
  const set = new Map([...parameters].filter(([key]) => !NOT_SET.has(key)));
  const unused = [...set.keys()].filter((key) => !USED.has(key) && !key.startsWith("~"));
  if (unused.length > 0) note(`of no effect here: ${unused.join(", ")}; used: ${[...USED].join(", ")}`);
  return {
    host: url.host,
    port: url.port,
    side: parameters.get("side") ?? "",
    service: name === "*" ? "*" : `${group ? `${group}/` : ""}${name}${version ? `:${version}` : ""}`,
    application: parameters.get("application") ?? "*",
    providers: (parameters.get("providerAddresses") ?? "").split(",").filter(Boolean),
    parameters: set,
    versioned: parameters.has("configVersion"),
  };
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** The text of `/dubbo/config/dubbo/KEY.configurators`. */
export function readConfigurators(text: string, note: Notes): Override[] {
  if (text.trim() === "") return [];
  let root: unknown;
  try {
    root = parse(text);
  } catch (error) {
    note(`no YAML: ${(error as Error).message.split("\n")[0]}`);
    return [];
  }
  if (Array.isArray(root)) return root.flatMap((one) => readOverrideUrl(String(one), note) ?? []);
  if (!isObject(root) || !Array.isArray(root.configs)) {
    note("expected an object with configs");
    return [];
  }
  const rule = root;
  if (rule.enabled === false) return [];
  return (rule.configs as unknown[]).flatMap((item) => (isObject(item) ? itemOverrides(item, rule, note) : []));
}

function itemOverrides(item: Record<string, unknown>, rule: Record<string, unknown>, note: Notes): Override[] {
  if (item.enabled === false && item.type !== undefined && item.type !== "general") return [];
  if (item.match !== undefined) {
    note("a configuration with match is left out: its conditions are not read");
    return [];
  }
  const set = new Map(Object.entries(isObject(item.parameters) ? item.parameters : {}).map(([k, v]) => [k, String(v)]));
  const unused = [...set.keys()].filter((key) => !USED.has(key));
  if (unused.length > 0) note(`of no effect here: ${unused.join(", ")}; used: ${[...USED].join(", ")}`);
  const ofApplication = rule.scope === "application";
  const applications = ofApplication ? [String(rule.key)] : strings(item.applications);
  const services = ofApplication ? strings(item.services) : [String(rule.key ?? "*")];
  const addresses = strings(item.addresses);
  const side = typeof item.side === "string" ? item.side : "";
  const listed = strings(item.providerAddresses);
  const providers = listed.length === 0 && side === "provider" ? addresses : listed;
  return (addresses.length > 0 ? addresses : [ANY_HOST]).flatMap((address) => {
    const [host, port = "0"] = address.split(":");
    return (services.length > 0 ? services : ["*"]).flatMap((service) =>
      (applications.length > 0 ? applications : ["*"]).map((application) => ({
        host,
        port: Number(port) || 0,
        side,
        service,
        application,
        providers,
        parameters: set,
        versioned: true,
      })),
    );
  });
}

/** In Dubbo no version is 0.0.0, in a rule as in a service. */
function keyOf(service: string, one: Endpoint): string {
  const version = one.version === "" || one.version === "0.0.0" ? "" : `:${one.version}`;
  return `${one.group ? `${one.group}/` : ""}${service}${version}`;
}

/** Whether a rule is about this host of this service. */
function concerns(rule: Override, service: string, one: Endpoint): boolean {
  if (rule.service !== "*" && rule.service.replace(/:0\.0\.0$/, "") !== keyOf(service, one)) return false;
  const address = addressOf(one);
  if (rule.providers.length > 0) {
    const any = [ANY_HOST, `${ANY_HOST}:*`, `${ANY_HOST}:${one.port}`];
    if (!rule.providers.some((text) => text === address || text === one.host || any.includes(text))) return false;
  }
  // A rule of Dubbo 2.6 and older, or for providers, names the provider; one for consumers the consumer.
  if (rule.side === "consumer" || (rule.versioned && rule.side === "")) return rule.host === ANY_HOST;
  if (rule.application !== "*" && rule.application !== "" && rule.application !== one.application) return false;
  return rule.host === ANY_HOST || (rule.host === one.host && (rule.port === 0 || rule.port === one.port));
}

/** Hosts and callers' rules after the configurators, the later ones winning. */
export function applyOverrides(
  service: string,
  endpoints: Endpoint[],
  rules: Override[],
): { endpoints: Endpoint[]; rules: CallRules } {
  let timeoutMs = 0;
  const changed = endpoints.map((one) => {
    const result = { ...one };
    for (const rule of rules) {
      if (!concerns(rule, service, one)) continue;
      result.weight = numberIn(rule.parameters, "weight", result.weight, MAX_WEIGHT);
      const disabled = rule.parameters.get("disabled");
      if (disabled !== undefined) result.enabled = disabled !== "true";
      const timeout = numberIn(rule.parameters, "timeout", 0, MAX_TIMEOUT);
      if (timeout > 0) {
        result.timeoutMs = timeout;
        timeoutMs = Math.max(timeoutMs, timeout);
      }
    }
    return result;
  });
  return { endpoints: changed, rules: { timeoutMs } };
}
