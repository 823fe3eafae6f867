import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Bootstrap,
  type Listener,
  pluginConfig,
  socketAddress,
  switchboard,
} from "../../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import { startEnvoy, type TestEnvoyOptions } from "./envoy.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

const REFUSED = "configuration refused: ";

/** One of many listeners of one Envoy, each with a configuration of its own for the module. */
export interface NamedListener {
  /** Unique; also the plugin's name. */
  name: string;
  config: object;
  /** The first routes of its switchboard. */
  routes?: object[];
}

/** An Envoy with many listeners, of which some were refused. */
export interface ManyListeners {
  envoy: EnvoyProcess;
  /** Ports of the listeners that came up, by name. */
  ports: Map<string, number>;
  /** What the module said to the configuration of a listener; "" if nothing. */
  refusal(name: string): string;
}

/**
 * Starts one Envoy that is told of its listeners by discovery, so that each is refused alone. Clients may say where they
 * come from: with a line of the PROXY protocol before anything else.
 */
export async function startListeners(
  scope: Scope,
  listeners: NamedListener[],
  options: TestEnvoyOptions,
): Promise<ManyListeners> {
  const folder = mkdtempSync(join(tmpdir(), "moe-listeners-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const change = (bootstrap: Bootstrap, shipped: Listener): void => {
    const resources = listeners.map((listener) => ({
      "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
      ...derived(shipped, listener),
    }));
    const path = join(folder, "listeners.json");
    writeFileSync(path, JSON.stringify({ version_info: "1", resources }));
    const lds = { path_config_source: { path }, resource_api_version: "V3" };
    bootstrap.dynamic_resources = { lds_config: lds };
  };
  const envoy = await startEnvoy(scope, { ...options, change });
  let ports = new Map<string, number>();
  const refusal = (name: string) => moduleLine(envoy.log, name);
  const isSettled = async () => {
    ports = await readPorts(envoy);
    return listeners.every(({ name }) => ports.has(name) || refusal(name) !== "");
  };
  await waitUntil(isSettled, WAIT_MS, () => `${ports.size} listeners of ${listeners.length}`);
  return { envoy, ports, refusal };
}

function derived(shipped: Listener, { name, config, routes = [] }: NamedListener): Listener {
  const listener = structuredClone(shipped);
  listener.name = name;
  socketAddress(listener).port_value = 0;
  const plugin = pluginConfig(listener);
  plugin.name = name;
  plugin.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: config };
  const { virtual_hosts: hosts } = switchboard(listener).route_config as { virtual_hosts: { routes: object[] }[] };
  hosts[0].routes.unshift(...routes);
  const proxyProtocol = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";
  listener.listener_filters = [
    {
      name: "envoy.filters.listener.proxy_protocol",
      typed_config: { "@type": proxyProtocol, allow_requests_without_proxy_protocol: true },
    },
  ];
  return listener;
}

interface ListenersPage {
  listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
}

async function readPorts(envoy: EnvoyProcess): Promise<Map<string, number>> {
  const page = JSON.parse(await envoy.admin("/listeners?format=json")) as ListenersPage;
  return new Map(page.listener_statuses.map((one) => [one.name, one.local_address.socket_address.port_value]));
}

/** What the module said before Envoy gave the plugin of this name up. */
function moduleLine(log: string[], name: string): string {
  const end = log.findIndex((line) => line.includes(`Plugin ${name} failed to load`));
  const lines = log.slice(0, Math.max(end, 0)).filter((line) => line.includes(REFUSED));
  return lines.pop()?.split(REFUSED)[1] ?? "";
}
