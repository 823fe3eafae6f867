import { BufferType, type HeaderMapType, Result } from "./abi.ts";
import { ConstBuffer, type GuestBuffer } from "./buffer.ts";
import type { HeaderMap } from "./http/header-map.ts";
import { Properties } from "./properties.ts";
import type { Vm } from "./vm.ts";

/** One plugin: a root id with its configuration. */
export interface PluginConfig {
  /** `name` of the plugin in Envoy's configuration. */
  name: string;
  rootId: string;
  /** `configuration`, as the bytes that the module gets. */
  configuration: Buffer;
}

/** The host's side of one proxy-wasm context; answers what Envoy answers where a call makes no sense for it. */
export abstract class GuestContext {
  readonly id: number;
  readonly properties: Properties;

  constructor(
    readonly vm: Vm,
    properties: Properties,
  ) {
    this.id = vm.adopt(this);
    this.properties = properties;
  }

  abstract get root(): RootContext;

  /** The buffer of that type, empty and read-only where Envoy has one without content; null: NotFound. */
  buffer(type: BufferType): GuestBuffer | null {
    if (type === BufferType.PluginConfiguration) return null;
    return new ConstBuffer(type === BufferType.VmConfiguration ? this.vm.configuration : undefined);
  }

  property(path: string): Buffer | null {
    if (path === "plugin_name") return Buffer.from(this.root.plugin.name);
    if (path === "plugin_root_id") return Buffer.from(this.root.plugin.rootId);
    if (path === "plugin_vm_id") return Buffer.from(this.vm.id);
    return this.properties.get(path);
  }

  /** The headers or trailers that the context has now, to be changed if `write`; null: none. */
  headerMap(type: HeaderMapType, write: boolean): HeaderMap | null;
  headerMap(): HeaderMap | null {
    return null;
  }

  /** The module has changed a header map. */
  headersModified(type: HeaderMapType): void;
  headersModified(): void {}

  /** `proxy_send_local_response`; without a stream it does nothing. */
  sendLocalResponse(status: number, body: Buffer, headers: HeaderMap, details: string, grpc: number): void;
  sendLocalResponse(): void {}

  /** The foreign function `clear_route_cache`. */
  clearRouteCache(): void {}

  abstract setProperty(path: string, value: Buffer): Result;
  /** `proxy_continue_stream`. */
  abstract continueStream(type: number): Result;
  /** `proxy_close_stream`. */
  abstract closeStream(type: number): Result;
}

/** The root context of one plugin in one VM. */
export class RootContext extends GuestContext {
  private configuring = false;

  constructor(
    vm: Vm,
    readonly plugin: PluginConfig,
    properties: Properties,
  ) {
    super(vm, properties);
  }

  get root(): RootContext {
    return this;
  }

  /** Runs proxy_on_configure; false: the module refused the configuration. */
  configure(): boolean {
    this.configuring = true;
    const accepted = this.vm.call("proxy_on_configure", this, this.id, this.plugin.configuration.length) ?? 1;
    this.configuring = false;
    return accepted !== 0;
  }

  override buffer(type: BufferType): GuestBuffer | null {
    if (type === BufferType.PluginConfiguration && this.configuring) return new ConstBuffer(this.plugin.configuration);
    return super.buffer(type);
  }

  /** Only streams have filter state to write to. */
  override setProperty(): Result {
    return Result.NotFound;
  }

  override continueStream(): Result {
    return Result.Ok;
  }

  override closeStream(): Result {
    return Result.Ok;
  }
}
