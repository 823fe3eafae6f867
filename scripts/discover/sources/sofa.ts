// SOFARPC in ZooKeeper: /sofa-rpc/INTERFACE/providers.
import type { Listener } from "../model.ts";
import type { Tree } from "../zookeeper/tree.ts";
import { decode } from "./dubbo_url.ts";
import { readProviders } from "./providers.ts";

/** In the name of a service; a registration's own `version` is that of its format. */
const VERSION = "1.0";

/** The service as requests name it: `INTERFACE:1.0`, with a unique id `INTERFACE:1.0:ID`. */
function serviceOf(name: string, uniqueId: string): string {
  return uniqueId === "" ? `${name}:${VERSION}` : `${name}:${VERSION}:${uniqueId}`;
}

export class Sofa {
  /** By interface: the services that it has offered. */
  private readonly interfaces = new Map<string, Set<string>>();

  constructor(
    private readonly tree: Tree,
    private readonly root: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    this.tree.children(this.root, (names = []) => this.onInterfaces(names));
  }

  private onInterfaces(names: string[]): void {
    const present = new Set(names);
    for (const [name, services] of this.interfaces) {
      if (present.has(name)) continue;
      this.tree.forget(`${this.root}/${name}`);
      this.interfaces.delete(name);
      for (const service of services) this.listener.offer({ service, endpoints: [] });
    }
    for (const name of present) {
      if (this.interfaces.has(name)) continue;
      this.interfaces.set(name, new Set());
      this.tree.children(`${this.root}/${name}/providers`, (children = []) => this.onProviders(name, children));
      for (const folder of ["configs", "overrides"]) {
        const path = `${this.root}/${name}/${folder}`;
        this.tree.children(path, (children = []) => this.onSettings(path, children));
      }
    }
  }

  private onProviders(name: string, children: string[]): void {
    const found = readProviders(`${this.root}/${name}/providers`, children, this.listener, ({ parameters }) =>
      serviceOf(name, parameters.get("uniqueId") ?? ""),
    );
    const gone = [...(this.interfaces.get(name) ?? [])].filter((service) => !found.has(service));
    this.interfaces.set(name, new Set(found.keys()));
    for (const service of gone) this.listener.offer({ service, endpoints: [] });
    for (const [service, hosts] of found) {
      this.listener.offer({ service, endpoints: hosts.map((host) => ({ ...host, version: VERSION })) });
    }
  }

  /** Settings of callers (timeout, serialization, load balancer), which callers of SOFARPC read themselves. */
  private onSettings(path: string, children: string[]): void {
    if (children.length === 0) return this.listener.unwarn(path);
    const what = children.map((child) => (decode(child) ?? child).split("?")[0]).slice(0, 5);
    this.listener.warn(path, `${children.length} settings of callers are not followed: ${what.join(", ")}`);
  }
}
