// MOSN's router configurations, by name: in the servers, in files, or inside a filter.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fields, type Json } from "./fields.ts";
import type { Report } from "./report.ts";

/** A router with its virtual hosts. */
export interface Router {
  fields: Fields | undefined;
  hosts: Fields[];
}

/** What answers where there is no router: as MOSN does, "no route". */
const NO_ROUTE: { [name: string]: Json } = {
  name: "missing",
  domains: ["*"],
  routers: [{ direct_response: { status: 404 } }],
};

/** The JSON files of a folder, as MOSN reads them; none where there is no such folder. */
export function folder(path: string, base: string, at: string, report: Report): Fields[] {
  const full = resolve(base, path);
  if (!statSync(full, { throwIfNoEntry: false })?.isDirectory()) {
    report.lost(at, path, "The folder is not here.", "Convert again on a machine that has it.");
    return [];
  }
  const names = readdirSync(full).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const text = readFileSync(join(full, name), "utf8");
    try {
      return new Fields(JSON.parse(text) as { [name: string]: Json }, join(path, name), report);
    } catch (error) {
      report.mistake(join(path, name), (error as Error).message);
      return new Fields({}, join(path, name), report);
    }
  });
}

export class Routers {
  private readonly all = new Map<string, Router>();

  constructor(
    private readonly base: string,
    private readonly report: Report,
  ) {}

  /** Adds a router configuration. */
  add(fields: Fields): void {
    const hosts = fields.list("virtual_hosts");
    const path = fields.text("router_configs");
    if (path) hosts.push(...folder(path, this.base, fields.at("router_configs"), this.report));
    const name = fields.text("router_config_name") ?? "";
    if (this.all.has(name)) this.report.mistake(fields.at("router_config_name"), `there are two routers "${name}"`);
    this.all.set(name, { fields, hosts });
  }

  /** The router that a proxy filter names. */
  of(proxy: Fields): Router {
    const name = proxy.text("router_config_name") ?? "";
    const found = this.all.get(name);
    if (found) return found;
    this.report.lost(
      proxy.at("router_config_name"),
      name,
      "The file has no router of this name.",
      'Every call is answered with "no route" until there is one.',
    );
    return { fields: undefined, hosts: [new Fields(NO_ROUTE, "", this.report)] };
  }
}

/** The clusters that routes name, mirror clusters among them. */
export function namesOfClusters(hosts: Fields[]): string[] {
  const names = new Set<string>();
  const note = (name: string | undefined) => name && names.add(name);
  for (const route of hosts.flatMap((host) => host.list("routers"))) {
    const action = route.child("route");
    note(action?.text("cluster_name"));
    for (const entry of action?.list("weighted_clusters") ?? []) note(entry.child("cluster")?.text("name"));
    note(route.child("request_mirror_policies")?.text("cluster"));
  }
  return [...names];
}
