// Istio's resources as WasmPlugins with the module's configuration.
import { readResources, type Resource, type Source } from "./documents.ts";
import type { Fields } from "./fields.ts";
import { ANNOTATION, domainsOf, type Host, type Port, readHosts } from "./hosts.ts";
import { boundTo } from "./match.ts";
import { fullName, matchesHost, type Options } from "./options.ts";
import { Report } from "./report.ts";
import { type Context, plainRoute, routersOf, type Target } from "./routes.ts";
import { Rules } from "./rules.ts";
import { visible } from "./visible.ts";

type Out = Record<string, unknown>;

export interface Plugin {
  metadata: { name: string; namespace: string };
  spec: { pluginConfig: object; [field: string]: unknown };
  [field: string]: unknown;
}

export interface Translation {
  /** One WasmPlugin a port, in the order of the ports; none where there are errors. */
  plugins: Plugin[];
  report: Report;
}

/** Filters in the order in which a request meets them. */
const FILTERS = ["fault", "mirror", "fault_tolerance"];
const API = "extensions.istio.io/v1alpha1";

/** Translates the resources in `sources`; the same input gives the same plugins. */
export function translate(sources: Source[], options: Options): Translation {
  const report = new Report();
  const resources = readResources(sources, options.namespace, report);
  const mesh = new Mesh(resources, options, report);
  const plugins = mesh.ports().map((port) => mesh.plugin(port));
  mesh.finish();
  if (report.findings.length === 0 && plugins.length === 0)
    report.error(
      { file: sources[0]?.file ?? "the input", line: 0, document: 1, resource: "", path: "" },
      'no Service or ServiceEntry has a port for RPC, with a name such as "tcp-bolt"; or name one by --port',
    );
  return { plugins: report.errors.length > 0 ? [] : plugins, report };
}

class Mesh {
  private readonly hosts: Host[];
  private readonly rules: Rules;
  private readonly virtualServices: Resource[];
  private readonly used = new Set<Resource>();

  constructor(
    resources: Resource[],
    private readonly options: Options,
    private readonly report: Report,
  ) {
    const entries = resources.filter((one) => one.kind !== "ServiceEntry" || visible(one, options));
    this.hosts = readHosts(entries, options, report);
    this.rules = new Rules(resources, options, report);
    const services = resources.filter(({ kind }) => kind === "VirtualService");
    for (const { spec } of services) {
      spec.skip("hosts", "gateways", "http", "tcp", "tls", "exportTo");
      spec.finish();
    }
    this.virtualServices = services.filter((one) => visible(one, options) && this.isBound(one));
  }

  /** Whether a VirtualService is for the gateway or the sidecars that the plugin is for. */
  private isBound({ spec, namespace }: Resource): boolean {
    const gateways = spec.texts("gateways");
    return boundTo(gateways.length > 0 ? gateways : ["mesh"], namespace, this.options);
  }

  /** The ports that get a plugin. */
  ports(): number[] {
    if (this.options.ports.length > 0) return this.options.ports;
    const named = this.hosts.flatMap(({ ports }) => ports.filter(({ protocol }) => protocol !== undefined));
    return [...new Set(named.map(({ number }) => number))].sort((a, b) => a - b);
  }

  plugin(port: number): Plugin {
    const { options } = this;
    const filters = new Set<string>();
    const targets = new Map<string, Target>();
    const context: Context = {
      port,
      options,
      target: (destination, namespace) => {
        const target = this.target(destination, namespace, port);
        if (target) targets.set(target.name, target);
        return target;
      },
      needFilter: (type) => filters.add(type),
    };
    const use = (target: Target) => targets.set(target.name, target);
    const virtual_hosts = options.gateway ? this.gatewayHosts(context) : this.meshHosts(context, use);
    const stream_filters = this.filters(filters, targets);
    const protocols = this.protocols(port);
    const clusters = Object.fromEntries(
      [...targets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { rule }]) => [name, rule.settings]),
    );
    const pluginConfig = {
      ...(options.switchboard && { switchboard: options.switchboard }),
      ...(protocols.length > 0 && { protocols }),
      router: { virtual_hosts },
      clusters,
      ...(stream_filters.length > 0 && { stream_filters }),
    };
    return this.wasmPlugin(port, pluginConfig);
  }

  private wasmPlugin(port: number, pluginConfig: object): Plugin {
    const { namespace, name, selector, url, sha256 } = this.options;
    return {
      apiVersion: API,
      kind: "WasmPlugin",
      metadata: { name: `${name}-${port}`, namespace },
      spec: {
        ...(Object.keys(selector).length > 0 && { selector: { matchLabels: selector } }),
        url,
        ...(sha256 && { sha256 }),
        type: "NETWORK",
        pluginName: "proxy",
        failStrategy: "FAIL_RELOAD",
        match: [{ mode: "CLIENT", ports: [{ number: port }] }],
        pluginConfig,
      },
    };
  }

  /** The protocols that the names of a port say; none where one of them says nothing. */
  private protocols(port: number): string[] {
    const named = this.hosts.flatMap(({ ports }) => ports.filter(({ number }) => number === port));
    if (named.some(({ protocol }) => protocol === undefined)) return [];
    return [...new Set(named.map(({ protocol }) => protocol as string))].sort();
  }

  /** The filters that routes and clusters need. */
  private filters(needed: Set<string>, targets: Map<string, Target>): Out[] {
    const outliers = [...targets.values()].find(({ rule }) => rule.outliers)?.rule.outliers;
    if (outliers) needed.add("fault_tolerance");
    return FILTERS.filter((type) => needed.has(type)).map((type) => ({
      type,
      config: type === "fault_tolerance" ? (outliers as Out) : {},
    }));
  }

  /** One virtual host for each host that has an annotation, and one for all calls by the addresses that they went to. */
  private meshHosts(context: Context, use: (target: Target) => void): Out[] {
    const out: Out[] = [];
    const byAddress: Out[] = [];
    const owners = new Map<string, Host>();
    for (const host of this.hosts) {
      const port = host.ports.find(({ number }) => number === context.port);
      if (!port) continue;
      const domains = domainsOf(host, port, this.report);
      const addresses = this.isCaptured(host, port) ? host.addresses : [];
      if (domains.length === 0 && addresses.length === 0) {
        const missing = `nothing tells which calls are for ${host.name}: give it the annotation "${ANNOTATION}", or an address`;
        this.report.error(port.place, missing);
        continue;
      }
      for (const domain of domains) this.claim(domain, host, owners);
      const routers = this.routersOfHost(host, port, context, use);
      if (domains.length > 0) out.push({ name: host.name, domains, routers });
      byAddress.push(...addresses.flatMap((address) => routers.map((router) => at(address, context.port, router))));
    }
    const wildcard = out.find(({ domains }) => (domains as string[]).includes("*"));
    // What names no known service, but was sent to a known address.
    if (wildcard) (wildcard.routers as Out[]).unshift(...byAddress);
    else if (byAddress.length > 0) out.push({ name: "by-address", domains: ["*"], routers: byAddress });
    return out;
  }

  /** Whether calls to the address of a host come with it. */
  private isCaptured(host: Host, port: Port): boolean {
    return host.addresses.length > 0 && host.unreachable === undefined && port.number > 0;
  }

  private claim(domain: string, host: Host, owners: Map<string, Host>): void {
    const owner = owners.get(domain.toLowerCase());
    if (owner) this.report.error(host.place, `the RPC service "${domain}" is that of ${owner.name}, too`);
    owners.set(domain.toLowerCase(), host);
  }

  private routersOfHost(host: Host, port: Port, context: Context, use: (target: Target) => void): Out[] {
    const service = this.virtualServiceOf(host);
    if (service) {
      const routers = routersOf(service, context);
      if (routers.length > 0 || service.spec.has("http") || service.spec.has("tcp")) return routers;
    }
    if (host.unreachable) this.report.error(port.place, host.unreachable);
    const target = this.targetOf(host, "", context.port);
    use(target);
    return [plainRoute(target)];
  }

  /** The VirtualService of a host: one that names it, or else the one with the longest wildcard. */
  private virtualServiceOf(host: Host): Resource | undefined {
    const best = (one: Resource): string | undefined =>
      one.spec
        .texts("hosts")
        .map((name) => fullName(name, one.namespace, this.options))
        .filter((pattern) => matchesHost(pattern, host.name))
        .sort((a, b) => b.length - a.length)[0];
    const fits = this.virtualServices
      .flatMap((one) => {
        const pattern = best(one);
        return pattern === undefined ? [] : [{ one, pattern }];
      })
      .sort(
        (a, b) =>
          Number(a.pattern.startsWith("*")) - Number(b.pattern.startsWith("*")) || b.pattern.length - a.pattern.length,
      );
    const [first, next] = fits;
    if (next && next.pattern === first.pattern)
      this.report.error(
        next.one.place,
        `${first.pattern} is a host of ${first.one.place.resource}, too: Istio takes one of them`,
      );
    if (first) this.used.add(first.one);
    return first?.one;
  }

  /** The routes of all VirtualServices that are bound to the gateway. */
  private gatewayHosts(context: Context): Out[] {
    const routers = this.virtualServices.flatMap((one) => {
      this.used.add(one);
      return routersOf(one, context);
    });
    if (routers.length === 0)
      this.report.error(
        { file: "--gateway", line: 0, document: 1, resource: "", path: "" },
        `no VirtualService of the input has a route for port ${context.port} of ${this.options.gateway}`,
      );
    return [{ name: this.options.gateway, domains: ["*"], routers }];
  }

  /** The cluster of a destination. */
  private target(destination: Fields, namespace: string, port: number): Target | undefined {
    const name = fullName(destination.text("host") ?? "", namespace, this.options);
    const own = destination.child("port");
    const number = own?.count("number");
    own?.finish();
    const subset = destination.text("subset") ?? "";
    destination.finish();
    const host = this.hosts.find((one) => one.name === name);
    if (!host) {
      destination.error("host", `no Service or ServiceEntry of the input is ${name || "it"}`);
      return undefined;
    }
    if (host.unreachable) destination.error("host", host.unreachable);
    const numbers = host.ports.map((one) => one.number);
    const chosen = number ?? (numbers.includes(port) ? port : numbers.length === 1 ? numbers[0] : undefined);
    if (chosen === undefined || !numbers.includes(chosen)) {
      destination.error("port", `expected one of the ports of ${name}: ${numbers.join(", ")}`);
      return undefined;
    }
    if (subset && !this.rules.hasSubset(host, subset)) {
      destination.error("subset", `no DestinationRule of ${name} in the input has the subset "${subset}"`);
      return undefined;
    }
    return this.targetOf(host, subset, chosen);
  }

  private targetOf(host: Host, subset: string, port: number): Target {
    return { name: `outbound|${port}|${subset}|${host.name}`, rule: this.rules.of(host, subset, port) };
  }

  /** Warns of what nothing has asked for. */
  finish(): void {
    this.rules.finish(this.hosts);
    for (const { spec, namespace } of this.virtualServices.filter((one) => !this.used.has(one))) {
      const names = spec.texts("hosts").map((name) => fullName(name, namespace, this.options));
      if (!names.some((name) => this.hosts.some((host) => matchesHost(name, host.name))))
        spec.warn("unused", "hosts", `none of ${names.join(", ")} is a host of the input`);
    }
  }
}

/** A router for calls to an address alone. */
function at(address: string, port: number, router: Out): Out {
  const value = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const match = (router.match ?? {}) as { variables?: Out[] };
  const variables = [{ name: "downstream_local_address", value }, ...(match.variables ?? [])];
  return { ...router, match: { ...match, variables } };
}
