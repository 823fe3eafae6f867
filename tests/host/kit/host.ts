import { readFileSync } from "node:fs";
import type { CallbackRecord } from "./accounting.ts";
import type { CalloutServers } from "./callouts.ts";
import { Client } from "./client.ts";
import { Clock } from "./clock.ts";
import { Connection } from "./connection.ts";
import type { PluginConfig } from "./context.ts";
import type { ConnectStream } from "./connect-stream.ts";
import { KitFault } from "./errors.ts";
import { HttpExchange, type RequestOptions, requestHeaders } from "./http/client.ts";
import type { HeaderMap } from "./http/header-map.ts";
import type { RouteTable } from "./http/route.ts";
import { HttpStream } from "./http/stream.ts";
import type { UpstreamRequest } from "./http/upstream.ts";
import { LogSink } from "./log.ts";
import { EventLoop } from "./loop.ts";
import { MetricStore } from "./metrics.ts";
import { Properties, type PropertyValue } from "./properties.ts";
import { SharedData, SharedQueues } from "./shared.ts";
import { structBytes } from "./struct.ts";
import { Switchboard } from "./switchboard.ts";
import type { SwitchboardOptions } from "./switchboard-options.ts";
import type { Terminal } from "./terminal.ts";
import { type Services, Vm } from "./vm.ts";
import { loadModule } from "./wasm-module.ts";

export interface HostOptions {
  /** The module: a path or its bytes. */
  module: string | Uint8Array;
  /** Root id of the plugin; default `proxy`. */
  root?: string;
  /** Configuration: a Struct, as Envoy serializes it, for an object; text or bytes as they are; none by default. */
  config?: object | string | Uint8Array;
  /** VMs that serve connections, each like one of Envoy's worker threads; default 1. */
  workers?: number;
  /** Also start the main thread's VM, which never sees a connection but has ticks. */
  mainThread?: boolean;
  vmId?: string;
  /** Properties that every context has, by path ("xds/node/id"). */
  properties?: Record<string, PropertyValue>;
  /** A trap of the module is part of the test, not a fault. */
  expectTraps?: boolean;
  /** Strict mode: names of the host calls that the module may make; any other one is a fault. Default: all. */
  allowedCalls?: readonly string[];
  /** The plugin's `allow_on_headers_stop_iteration`, for HTTP. */
  allowOnHeadersStopIteration?: boolean;
  /** Resolution of Envoy's timers, milliseconds; default 4. */
  resolutionMs?: number;
}

export interface ConnectOptions {
  /** Index of the worker; default 0. */
  worker?: number;
  /** per_connection_buffer_limit_bytes; default 1 MiB as in Envoy, 0: none. */
  bufferLimit?: number;
  properties?: Record<string, PropertyValue>;
  switchboard?: Partial<SwitchboardOptions>;
  /** A terminal filter instead of the switchboard. */
  terminal?: Terminal;
}

/** A client whose connection ends in a switchboard. */
export interface SwitchboardClient extends Client {
  readonly switchboard: Switchboard;
}

const modules = new Map<string, WebAssembly.Module>();

/** One Envoy process: workers with their VMs, the clock, and what they share. */
export class Host {
  readonly loop = new EventLoop();
  readonly clock: Clock;
  readonly log = new LogSink();
  readonly metrics = new MetricStore();
  readonly workers: Vm[] = [];
  /** Foreign functions by name; stock Envoy's are not imitated. */
  readonly foreign: Services["foreign"] = new Map();
  /** Servers of callouts: without one, nothing answers before the timeout. */
  readonly callouts: CalloutServers = { clusters: null, unhealthy: new Set(), onCallout: () => {} };
  /** Broken rules so far; `close` throws the first. */
  readonly faults: KitFault[] = [];
  /** Every connection's decision about CONNECT requests, unless its switchboard has one of its own. */
  onConnect: (stream: ConnectStream) => void = (stream) => stream.refuse(503);
  /** The route of each HTTP request. */
  routes: RouteTable = () => ({});
  /** Every server: it gets HTTP requests. */
  onRequest: (request: UpstreamRequest) => void = (request) => request.respond();
  private clients: Client[] = [];
  private exchanges: HttpExchange[] = [];
  private lastConnectionId = 0;

  private readonly services: Services;
  private readonly module: WebAssembly.Module;
  private plugin: PluginConfig;

  private constructor(private readonly options: HostOptions) {
    this.clock = new Clock(this.loop, options.resolutionMs);
    const services: Services = {
      loop: this.loop,
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      shared: new SharedData(),
      queues: new SharedQueues(),
      foreign: this.foreign,
      callouts: this.callouts,
      properties: options.properties ?? {},
      expectTraps: options.expectTraps ?? false,
      allowed: options.allowedCalls ? new Set(options.allowedCalls) : null,
      fault: (rule, message) => this.fault(rule, message),
    };
    this.services = services;
    this.module = compiled(options.module);
    this.plugin = { name: "moe", rootId: options.root ?? "proxy", configuration: bytesOf(options.config) };
    const count = (options.workers ?? 1) + (options.mainThread === true ? 1 : 0);
    for (let worker = 0; worker < count; worker++) this.load(worker);
  }

  private load(worker: number): void {
    const vm = new Vm(this.module, this.services, worker, this.options.vmId ?? "", Buffer.alloc(0));
    this.workers[worker] = vm;
    this.loop.enter(() => vm.start([this.plugin]));
  }

  /**
   * An update by LDS or ECDS: new connections go by this configuration, and those that are open by the one before. Throws
   * `LoadError` where it is refused: Envoy tries it in a VM of its own, and no worker sees it.
   */
  update(config: HostOptions["config"]): void {
    const plugin = { ...this.plugin, configuration: bytesOf(config) };
    const vmId = this.options.vmId ?? "";
    const canary = new Vm(this.module, this.services, this.workers.length, vmId, Buffer.alloc(0));
    this.loop.enter(() => canary.start([plugin]));
    canary.stop();
    this.plugin = plugin;
    for (const vm of this.workers) this.loop.enter(() => vm.update(plugin));
  }

  /** A trap somewhere in a worker's VM: nothing is called in it any longer. */
  kill(worker = 0): void {
    this.workers[worker].dead = true;
  }

  /** Loads the module anew into a worker whose VM is dead, as FAIL_RELOAD does with the next connection. */
  reload(worker = 0): void {
    if (!this.workers[worker].dead) throw new Error(`the VM of worker ${worker} lives`);
    this.load(worker);
  }

  /** The data that workers share; a test may come in between reading and writing. */
  get shared(): SharedData {
    return this.services.shared;
  }

  /** Loads the module into every worker. Rejects with `LoadError` where Envoy would refuse module or configuration. */
  static async start(options: HostOptions): Promise<Host> {
    return new Host(options);
  }

  /** The first worker's VM. */
  get vm(): Vm {
    return this.workers[0];
  }

  /** A new client connection; by the time it returns, the filters have seen it. */
  connect(options: ConnectOptions = {}): SwitchboardClient {
    const vm = this.workers[options.worker ?? 0];
    const id = ++this.lastConnectionId;
    const host = { loop: this.loop, clock: this.clock, fault: (rule: string, text: string) => this.fault(rule, text) };
    const switchboard = new Switchboard(host, (stream) => this.onConnect(stream), options.switchboard);
    const client = Object.assign(new Client(this.loop), { switchboard });
    const properties = new Properties({
      ...connectionProperties(id),
      ...this.options.properties,
      ...options.properties,
    });
    this.loop.enter(() => {
      const limit = options.bufferLimit ?? 1 << 20;
      client.connection = new Connection(id, vm.root, options.terminal ?? switchboard, client, limit, properties);
      client.connection.start();
    });
    this.clients.push(client);
    return client;
  }

  /** A new HTTP request; by the time it returns, the filter has seen it, and so has the server if it got that far. */
  request(options: RequestOptions = {}): HttpExchange {
    const { worker = 0, bufferLimit = 1 << 20, protocol = "HTTP/1.1", body, open = false } = options;
    const exchange = new HttpExchange(this.loop, protocol);
    const id = ++this.lastConnectionId;
    const properties = { ...connectionProperties(id), ...this.options.properties, ...options.properties };
    const allowOnHeadersStopIteration = this.options.allowOnHeadersStopIteration ?? false;
    const host = {
      loop: this.loop,
      clock: this.clock,
      routes: (headers: HeaderMap) => this.routes(headers),
      onRequest: (request: UpstreamRequest) => this.onRequest(request),
    };
    this.exchanges.push(exchange);
    this.loop.enter(() => {
      exchange.stream = new HttpStream(id, options.root ?? this.workers[worker].root, host, exchange, {
        bufferLimit,
        protocol,
        properties,
        allowOnHeadersStopIteration,
      });
      exchange.stream.receiveHeaders(requestHeaders(options), body === undefined && !open);
    });
    if (body !== undefined) exchange.write(body, !open);
    return exchange;
  }

  /** Lets virtual time pass. */
  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Strict mode for an action: a host call of any other name is a fault. */
  allowing(calls: readonly string[], action: () => void): void {
    const before = this.services.allowed;
    this.services.allowed = new Set(calls);
    try {
      action();
    } finally {
      this.services.allowed = before;
    }
  }

  /** Every entry into the guest of a worker during `action`, with its host calls. */
  trace(action: () => void, worker = 0): CallbackRecord[] {
    return this.workers[worker].accounting.trace(action);
  }

  /** Forgets clients whose connection has ended, for tests with very many of them. */
  forgetClosed(): void {
    this.clients = this.clients.filter((client) => client.closed === null);
    this.exchanges = this.exchanges.filter((exchange) => exchange.closed === null);
  }

  /** Ends all connections that are still open and throws the first fault there was. Call it at the end of every test. */
  close(): void {
    const [fault] = this.faults;
    if (fault !== undefined) throw fault;
    for (const client of this.clients) if (client.closed === null) client.rst();
    for (const exchange of this.exchanges) if (exchange.closed === null) exchange.cancel();
    if (this.faults.length > 0) throw this.faults[0];
  }

  private fault(rule: string, message: string): KitFault {
    const fault = new KitFault(rule, message);
    this.faults.push(fault);
    return fault;
  }
}

function bytesOf(config: HostOptions["config"] = ""): Buffer {
  return config instanceof Uint8Array || typeof config === "string"
    ? Buffer.from(config as string)
    : structBytes(config);
}

function compiled(source: string | Uint8Array): WebAssembly.Module {
  if (typeof source !== "string") return loadModule(source);
  const known = modules.get(source) ?? loadModule(readFileSync(source));
  modules.set(source, known);
  return known;
}

function connectionProperties(id: number): Record<string, PropertyValue> {
  const port = 40_000 + (id % 20_000);
  return {
    connection_id: id,
    "connection/id": id,
    "source/address": `127.0.0.1:${port}`,
    "source/port": port,
    "destination/address": "127.0.0.1:12045",
    "destination/port": 12045,
  };
}
