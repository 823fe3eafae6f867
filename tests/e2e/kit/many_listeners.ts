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
import { type HttpEnvoyOptions, startHttpEnvoy } from "./http_envoy.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

const REFUSED = "configuration refused: ";

const PROXY_PROTOCOL = {
  name: "envoy.filters.listener.proxy_protocol",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
    allow_requests_without_proxy_protocol: true,
  },
};

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
export function startListeners(
  scope: Scope,
  listeners: NamedListener[],
  options: TestEnvoyOptions,
): Promise<ManyListeners> {
  return discovered(scope, listeners, (discover) => {
    const change = (bootstrap: Bootstrap, shipped: Listener): void =>
      discover(
        bootstrap,
        listeners.map((listener) => derived(shipped, listener)),
      );
    return startEnvoy(scope, { ...options, change });
  });
}

/** The same with listeners of HTTP. */
export function startHttpListeners(scope: Scope, options: HttpEnvoyOptions): Promise<ManyListeners> {
  return discovered(scope, options.listeners, (discover) => {
    const change = (bootstrap: Bootstrap): void => {
      const { listeners } = bootstrap.static_resources;
      discover(bootstrap, listeners.splice(1));
    };
    // Envoy counts as started once it has its own listener.
    const own = { name: "own", config: {}, routes: [] };
    return startHttpEnvoy(scope, { ...options, listeners: [own, ...options.listeners], change });
  });
}

/** Tells a bootstrap to discover listeners. */
type Discover = (bootstrap: Bootstrap, listeners: Listener[]) => void;

async function discovered(
  scope: Scope,
  listeners: { name: string }[],
  start: (discover: Discover) => Promise<EnvoyProcess>,
): Promise<ManyListeners> {
  const folder = mkdtempSync(join(tmpdir(), "moe-listeners-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const envoy = await start((bootstrap, all) => {
    const type = "type.googleapis.com/envoy.config.listener.v3.Listener";
    const resources = all.map((one) => ({ "@type": type, ...one, listener_filters: [PROXY_PROTOCOL] }));
    const path = join(folder, "listeners.json");
    writeFileSync(path, JSON.stringify({ version_info: "1", resources }));
    const lds = { path_config_source: { path }, resource_api_version: "V3" };
    bootstrap.dynamic_resources = { lds_config: lds };
  });
  let ports = new Map<string, number>();
  const refusal = (name: string) => moduleLine(envoy.log, name);
  const isSettled = async () => {
    ports = await readPorts(envoy);
    return listeners.every(({ name }) => ports.has(name) || refusal(name) !== "");
  };
  await waitUntil(isSettled, WAIT_MS, () => `${ports.size} listeners of ${listeners.length}`);
  return { envoy, ports, refusal };
}

/** The line by which a proxy says for whom it connects: "IP:PORT" (PROXY protocol, version 1). */
export function proxyLine(endpoint: string): string {
  const { hostname, port } = new URL(`tcp://${endpoint}`);
  const isV6 = hostname.startsWith("[");
  const source = isV6 ? hostname.slice(1, -1) : hostname;
  return `PROXY ${isV6 ? "TCP6" : "TCP4"} ${source} ${isV6 ? "::1" : "127.0.0.1"} ${port} 12045\r\n`;
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
  const before = log.slice(0, Math.max(end, 0));
  // All mistakes are told, a line each: the first of those behind what the plugin before was refused for.
  const since = before.map((line) => line.includes(" failed to load")).lastIndexOf(true);
  const line = before.slice(since + 1).find((one) => one.includes(REFUSED));
  return line?.split(REFUSED)[1] ?? "";
}
