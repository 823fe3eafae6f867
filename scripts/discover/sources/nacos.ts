// Nacos 1.x and 2.x by their open API: the list of services and the hosts of each are asked for again and again.
import { BadInput, type Endpoint, type Listener, type Source } from "../model.ts";
import { endpointOf } from "./dubbo_url.ts";
import { HttpRegistry } from "./http_registry.ts";
import { secretOf, type SourceUrl } from "./source_url.ts";

export const NACOS_OPTIONS = ["namespace", "group", "interval_ms", "auth_file", "auth_env"];

const PAGE = 500;
const MAX_PAGES = 1000;
/** Requests at a time. */
const LANES = 16;
/** A token is used for so much of its life. */
const TOKEN_SHARE = 0.8;

interface Instance {
  ip: string;
  port: number;
  weight: number;
  healthy: boolean;
  enabled: boolean;
  clusterName?: string;
  metadata?: Record<string, string>;
}

/** What a service is called by those who call it; undefined: it is none that is called by RPC. */
export function nacosService(name: string): { service: string; version: string; group: string } | undefined {
  // Dubbo: CATEGORY:INTERFACE:VERSION:GROUP.
  const dubbo = /^providers:([^:]+):([^:]*):([^:]*)$/.exec(name);
  if (dubbo) return { service: dubbo[1], version: dubbo[2], group: dubbo[3] };
  // SOFARPC: its unique name, then the protocol, which is DEFAULT for bolt.
  const sofa = /^([^:]+:[^:@]+(?::[^:@]+)?)(?:@|:)DEFAULT$/.exec(name);
  return sofa ? { service: sofa[1], version: "", group: "" } : undefined;
}

/** Nacos' weights are 1 where Dubbo's and SOFARPC's are 100. */
function nacosEndpoint(name: ReturnType<typeof nacosService>, one: Instance): Endpoint | string {
  const parameters = new Map(Object.entries(one.metadata ?? {}));
  for (const key of ["version", "group"] as const) if (name?.[key]) parameters.set(key, name[key]);
  const protocol = parameters.get("protocol") ?? (name?.service.includes(":") ? "bolt" : "dubbo");
  const found = endpointOf({ protocol, host: one.ip, port: one.port, path: name?.service ?? "", parameters });
  if (typeof found === "string") return found;
  const weight = Math.round(found.weight * (Number.isFinite(one.weight) ? one.weight : 1));
  // A host that Nacos takes for dead stays in the list for a while.
  return { ...found, weight, enabled: found.enabled && one.enabled !== false && one.healthy !== false };
}

export class Nacos implements Source {
  readonly name: string;
  private readonly intervalMs: number;
  private readonly user?: { username: string; password: string };
  private readonly http: HttpRegistry;
  private token = { text: "", until: 0 };
  private known = new Set<string>();
  private last = new Map<string, string>();
  private listener?: Listener;

  /** Throws BadInput for options that are wrong. */
  constructor(private readonly url: SourceUrl) {
    this.name = `nacos ${url.hosts.map(({ host, port }) => `${host}:${port}`).join(",")}`;
    this.intervalMs = Number(url.options.get("interval_ms") ?? 2000);
    if (!(this.intervalMs >= 200 && this.intervalMs <= 600_000)) {
      throw new BadInput(`${this.name}: interval_ms: expected a number from 200 to 600000`);
    }
    const secret = secretOf(url);
    const colon = secret?.indexOf(":") ?? -1;
    if (secret !== undefined && colon < 1) throw new BadInput(`${this.name}: the secret: expected USER:PASSWORD`);
    if (secret !== undefined) this.user = { username: secret.slice(0, colon), password: secret.slice(colon + 1) };
    this.http = new HttpRegistry(url.hosts);
  }

  async start(listener: Listener): Promise<void> {
    this.listener = listener;
    this.http.repeat(this.intervalMs, () => this.round(listener), listener);
  }

  async close(): Promise<void> {
    this.http.close();
  }

  private get base(): string {
    return this.url.path || "/nacos";
  }

  private async query(path: string, parameters: Record<string, string>): Promise<unknown> {
    const all = new URLSearchParams({ ...parameters, ...(await this.login()) });
    const namespace = this.url.options.get("namespace");
    if (namespace !== undefined) all.set("namespaceId", namespace);
    const group = this.url.options.get("group");
    if (group !== undefined) all.set("groupName", group);
    return this.http.json(`${this.base}/v1/ns/${path}?${all}`);
  }

  private async login(): Promise<Record<string, string>> {
    if (!this.user) return {};
    if (Date.now() >= this.token.until) {
      const body = new URLSearchParams(this.user).toString();
      const answer = (await this.http.json(`${this.base}/v1/auth/login`, body)) as Record<string, unknown>;
      const life = Number(answer.tokenTtl) || 600;
      this.token = { text: String(answer.accessToken), until: Date.now() + life * 1000 * TOKEN_SHARE };
    }
    return { accessToken: this.token.text };
  }

  private async services(): Promise<string[]> {
    const names: string[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = (await this.query("service/list", { pageNo: String(page), pageSize: String(PAGE) })) as {
        count?: number;
        doms?: string[];
      };
      if (!Array.isArray(answer.doms)) throw new Error("no list of services in the answer");
      names.push(...answer.doms.map(String));
      if (answer.doms.length === 0 || names.length >= Number(answer.count ?? 0)) break;
    }
    return names;
  }

  /** Asks for everything once. */
  private async round(listener: Listener): Promise<void> {
    const names = (await this.services()).filter((name) => nacosService(name) !== undefined);
    const found = new Map<string, Endpoint[]>();
    let next = 0;
    const lane = async () => {
      for (let i = next++; i < names.length; i = next++) {
        const name = nacosService(names[i]);
        const endpoints = await this.hosts(names[i]);
        if (name) found.set(name.service, [...(found.get(name.service) ?? []), ...endpoints]);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    this.tell(found, listener);
  }

  private async hosts(name: string): Promise<Endpoint[]> {
    const answer = (await this.query("instance/list", { serviceName: name, healthyOnly: "false" })) as {
      hosts?: Instance[];
    };
    if (!Array.isArray(answer.hosts)) throw new Error(`no hosts in the answer for ${name}`);
    const endpoints: Endpoint[] = [];
    let broken = "";
    for (const one of answer.hosts) {
      const found = nacosEndpoint(nacosService(name), one);
      if (typeof found === "string") broken = found;
      else endpoints.push(found);
    }
    if (broken === "") this.listener?.unwarn(name);
    else this.listener?.warn(name, `${answer.hosts.length - endpoints.length} hosts left out, for one: ${broken}`);
    return endpoints;
  }

  /** Tells what has changed since the last round. */
  private tell(found: Map<string, Endpoint[]>, listener: Listener): void {
    const first = this.http.reconnected();
    if (first) listener.connected(true, "connected");
    const last = new Map<string, string>();
    for (const [service, endpoints] of found) {
      const text = JSON.stringify(endpoints);
      last.set(service, text);
      if (first || this.last.get(service) !== text) listener.offer({ service, endpoints });
    }
    for (const service of this.known) if (!found.has(service)) listener.offer({ service, endpoints: [] });
    this.known = new Set(found.keys());
    this.last = last;
    if (first) listener.synced();
  }
}
