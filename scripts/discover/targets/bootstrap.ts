// Envoy's side of `--out FOLDER`: the module as a resource of its own, and a bootstrap that follows the folder.
import { join } from "node:path";
import { overloadManager, templateListener } from "../../convert/template.ts";
import { pluginConfig, rpcChain, writeBootstrap } from "../../lib/bootstrap.ts";

type Json = Record<string, unknown>;

const WASM = "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm";
const EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
/** The filter's name, which is its resource's. */
const NAME = "moe";

/** The plugin with this configuration, as a resource of Envoy's extension discovery. `module`: the file. */
export function pluginResource(configuration: Json, module: string): object {
  const plugin = pluginConfig(templateListener());
  plugin.vm_config.code.local.filename = module;
  plugin.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: configuration };
  return { "@type": EXTENSION, name: NAME, typed_config: { "@type": WASM, config: plugin } };
}

/** A subscription to a file of the folder. */
function follow(folder: string, part: string): Json {
  const path = join(folder, part, `${part}.json`);
  return {
    resource_api_version: "V3",
    path_config_source: { path, watched_directory: { path: join(folder, part) } },
  };
}

/** The text of a bootstrap: the shipped RPC listener, whose module and clusters come from `folder`. */
export function bootstrapFor(folder: string, port: number, adminPort: number): string {
  const listener = templateListener();
  const chain = rpcChain(listener);
  // RPC only: what comes as HTTP would need routes that no registry knows.
  listener.filter_chains = [chain];
  delete listener.listener_filters;
  delete listener.listener_filters_timeout;
  delete listener.continue_on_listener_filters_timeout;
  listener.address.socket_address.port_value = port;
  const [, ...others] = chain.filters;
  const module = {
    name: NAME,
    config_discovery: { config_source: follow(folder, "module"), type_urls: [WASM] },
  };
  chain.filters = [module as never, ...others];
  return writeBootstrap({
    node: { id: "moe", cluster: "moe" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
    dynamic_resources: { cds_config: follow(folder, "clusters") },
    static_resources: { listeners: [listener], clusters: [] },
    overload_manager: overloadManager,
  });
}
