// A real Envoy with the module as an HTTP filter, made from envoy/http.yaml so that tests run what users copy.
import { resolve } from "node:path";
import { build } from "../../../scripts/build.ts";
import {
  type Bootstrap,
  type Cluster,
  type Listener,
  type PluginConfig,
  readBootstrap,
  socketAddress,
} from "../../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import { PACKAGE } from "../../../scripts/lib/package.ts";
import { type RunOptions, runEnvoy } from "./envoy.ts";
import type { Scope } from "./scope.ts";

/** One listener with the module as an HTTP filter. */
export interface HttpListenerOptions {
  name: string;
  /** Where it listens; default 127.0.0.1. */
  address?: string;
  /** The module's configuration; a text as it is. Default: the shipped one. */
  config?: object | string;
  /** Default true, as shipped. */
  allowOnHeadersStopIteration?: boolean;
  /** per_connection_buffer_limit_bytes; default as shipped. */
  bufferLimit?: number;
  /** Routes of the virtual host; default as shipped. */
  routes?: object[];
  /** HTTP filters between the module and the router. */
  filters?: object[];
  /** Another module, by its file. */
  module?: string;
  /** The VM: listeners that name the same one share it. Default: one of its own, so that they tell nothing to each other. */
  vm?: string;
}

export interface HttpClusterOptions {
  ports: number[];
  /** The servers speak HTTP/2. */
  http2?: boolean;
  /** Metadata `envoy.lb` of each host, for subsets. */
  labels?: Record<string, string>[];
  fields?: Record<string, unknown>;
}

export interface HttpEnvoyOptions extends RunOptions {
  listeners: HttpListenerOptions[];
  /** By name; default the shipped ones. */
  clusters?: Record<string, HttpClusterOptions>;
  /** Last changes to the bootstrap. */
  change?: (bootstrap: Bootstrap) => void;
}

interface ConnectionManager {
  route_config: { virtual_hosts: { routes: object[] }[] };
  http_filters: { name: string; typed_config: { config: PluginConfig } }[];
}

/** Starts Envoy for as long as the scope lasts; `ports` of the process are those of the listeners, by name. */
export async function startHttpEnvoy(scope: Scope, options: HttpEnvoyOptions): Promise<EnvoyProcess> {
  return runEnvoy(scope, makeBootstrap(options), options);
}

function makeBootstrap(options: HttpEnvoyOptions): Bootstrap {
  const bootstrap = readBootstrap(resolve(PACKAGE, "envoy/http.yaml"));
  const { static_resources: resources } = bootstrap;
  if (bootstrap.admin) socketAddress(bootstrap.admin).port_value = 0;
  const [shipped] = resources.listeners;
  resources.listeners = options.listeners.map((listener) => makeListener(shipped, listener));
  if (options.clusters !== undefined) {
    const [http, grpc] = resources.clusters;
    resources.clusters = Object.entries(options.clusters).map(([name, cluster]) =>
      makeCluster(name, cluster.http2 === true ? grpc : http, cluster),
    );
  }
  options.change?.(bootstrap);
  return bootstrap;
}

/** The shipped listener with what the test wants instead, for an Envoy that has others beside it. */
export function httpListener(options: HttpListenerOptions): Listener {
  return makeListener(readBootstrap(resolve(PACKAGE, "envoy/http.yaml")).static_resources.listeners[0], options);
}

function makeListener(shipped: Listener, options: HttpListenerOptions): Listener {
  const listener = structuredClone(shipped);
  listener.name = options.name;
  socketAddress(listener).address = options.address ?? "127.0.0.1";
  socketAddress(listener).port_value = 0;
  if (options.bufferLimit !== undefined) listener.per_connection_buffer_limit_bytes = options.bufferLimit;
  const manager = listener.filter_chains[0].filters[0].typed_config as unknown as ConnectionManager;
  if (options.routes !== undefined) manager.route_config.virtual_hosts[0].routes = options.routes;
  manager.http_filters.splice(1, 0, ...((options.filters ?? []) as typeof manager.http_filters));
  const plugin = manager.http_filters[0].typed_config.config;
  plugin.name = options.name;
  plugin.vm_config.code.local.filename = options.module ?? process.env.MOE_MODULE ?? build();
  plugin.vm_config.vm_id = options.vm ?? options.name;
  if (options.allowOnHeadersStopIteration === false) delete plugin.allow_on_headers_stop_iteration;
  if (options.config !== undefined) plugin.configuration = configuration(options.config);
  return listener;
}

function configuration(config: object | string): object {
  const type = typeof config === "string" ? "StringValue" : "Struct";
  return { "@type": `type.googleapis.com/google.protobuf.${type}`, value: config };
}

function makeCluster(name: string, shipped: Cluster, options: HttpClusterOptions): Cluster {
  const cluster = structuredClone(shipped);
  cluster.name = name;
  const endpoints = options.ports.map((port, i) => ({
    endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
    ...(options.labels && { metadata: { filter_metadata: { "envoy.lb": options.labels[i] } } }),
  }));
  cluster.load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] };
  return Object.assign(cluster, options.fields);
}
