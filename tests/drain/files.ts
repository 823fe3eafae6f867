// Configuration that Envoy reads from files and watches: listeners (LDS) and the module's (ECDS).
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Bootstrap,
  type Listener,
  type NetworkFilter,
  pluginConfig,
  rpcChain,
  socketAddress,
} from "../../scripts/lib/bootstrap.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import type { Scope } from "../e2e/kit/scope.ts";

type Change = (bootstrap: Bootstrap, listener: Listener) => void;
/** Makes the listener what it is in a version, counted from 1. */
type Vary = (listener: Listener, version: number) => void;

/** A file with one resource of a discovery service. */
export class FileSource {
  private readonly folder = mkdtempSync(join(tmpdir(), "moe-xds-"));
  private version = 0;
  /** Changes the resource; the next `update` writes it. */
  private next: () => object = () => ({});

  constructor(scope: Scope) {
    scope.after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  get path(): string {
    return join(this.folder, "resource.json");
  }

  /** Envoy's ConfigSource for it. */
  get config(): object {
    return { path_config_source: { path: this.path }, resource_api_version: "V3" };
  }

  /** Writes the first version of what `next` makes. */
  begin(next: () => object): void {
    this.next = next;
    this.update();
  }

  /** Writes the next version. Envoy takes only files that are moved into place. */
  update(): void {
    const response = { version_info: String(++this.version), resources: [this.next()] };
    writeFileSync(`${this.path}.new`, JSON.stringify(response));
    renameSync(`${this.path}.new`, this.path);
  }
}

/** Another configuration each time, and the same behaviour: a service that nobody calls has a route, so that nothing else changes. */
function addRoute(listener: Listener, version: number): void {
  const value = (pluginConfig(listener).configuration as { value: { router: { virtual_hosts: Route[] } } }).value;
  value.router.virtual_hosts[0].routers.unshift({
    match: { headers: [{ name: "service", value: `test.version${version}:1.0` }] },
    direct_response: { status: 200, body: String(version) },
  });
}

interface Route {
  routers: object[];
}

/** The RPC listener comes from the source; every version has one route more, or is what `vary` makes. */
export async function lds(source: FileSource, vary: Vary = addRoute): Promise<Change> {
  const port = await freePort();
  return (bootstrap, listener) => {
    socketAddress(listener).port_value = port;
    bootstrap.static_resources.listeners = bootstrap.static_resources.listeners.filter((one) => one !== listener);
    bootstrap.dynamic_resources = { lds_config: source.config };
    let version = 0;
    source.begin(() => {
      vary(listener, ++version);
      return { "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", ...listener };
    });
  };
}

/** The module with its configuration comes from the source, as Envoy's extension configuration `moe`; as with `lds`. */
export function ecds(source: FileSource, vary: Vary = addRoute): Change {
  return (_, listener) => {
    const copy = structuredClone(listener);
    const { filters } = rpcChain(listener);
    const type = (filters[0].typed_config as { "@type": string })["@type"];
    const discovered = { name: "moe", config_discovery: { config_source: source.config, type_urls: [type] } };
    filters[0] = discovered as unknown as NetworkFilter;
    let version = 0;
    source.begin(() => {
      vary(copy, ++version);
      return {
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        name: "moe",
        typed_config: rpcChain(copy).filters[0].typed_config,
      };
    });
  };
}
