import { Accounting, type Entry } from "./accounting.ts";
import { LogLevel, Result } from "./abi.ts";
import { type CalloutServers, CalloutTable } from "./callouts.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import { type GuestContext, type PluginConfig, RootContext } from "./context.ts";
import { KitFault, LoadError } from "./errors.ts";
import { hostFunctions } from "./imports.ts";
import type { LogSink } from "./log.ts";
import type { EventLoop } from "./loop.ts";
import { GuestMemory } from "./memory.ts";
import { MetricIds, type MetricStore } from "./metrics.ts";
import { Properties } from "./properties.ts";
import type { SharedData, SharedQueues } from "./shared.ts";
import { wasiFunctions } from "./wasi.ts";

/** A foreign function of the host: bytes in, bytes or a failure out. */
export type ForeignFunction = (argument: Buffer) => Buffer | Result;

/** What all VMs of one Envoy process share. */
export interface Services {
  loop: EventLoop;
  clock: Clock;
  log: LogSink;
  metrics: MetricStore;
  shared: SharedData;
  queues: SharedQueues;
  foreign: Map<string, ForeignFunction>;
  callouts: CalloutServers;
  /** Properties of every context that has none of its own by that path. */
  properties: Record<string, string | number | boolean | Uint8Array>;
  /** Whether a trap belongs to the test; otherwise it is a fault. */
  expectTraps: boolean;
  /** Strict mode: host calls that the module may make; null: all. */
  allowed: ReadonlySet<string> | null;
  /** Records a broken rule and returns it to be thrown. */
  fault(rule: string, message: string): KitFault;
}

/** An entry into the guest that has not returned. */
export interface Frame {
  callback: string;
  record: Entry;
  context: GuestContext | null;
  /** Set by proxy_set_effective_context, 0: none. */
  effective: number;
  /** Calls so far that have a stream go on, or answer it. */
  continues: number;
}

/** Host calls that Envoy allows while the module initialises itself. */
const ALLOWED_AT_START = new Set(["proxy_log"]);

/** One wasm VM: one worker thread's instance of the module, with its contexts. */
export class Vm {
  readonly accounting = new Accounting();
  readonly contexts = new Map<number, GuestContext>();
  readonly roots: RootContext[] = [];
  readonly metrics: MetricIds;
  readonly memory: GuestMemory;
  readonly callouts: CalloutTable;
  /** After a trap no export is called again. */
  dead = false;
  /** The current callback has sent a local response: what it answers does not count. */
  stopNext = false;
  /** Deepest nesting of after-call actions seen: each level is native stack in Envoy. */
  deepestNesting = 0;
  private readonly exports: Record<string, (...args: number[]) => number | undefined>;
  private readonly frames: Frame[] = [];
  private readonly actions: (() => void)[] = [];
  private readonly ticks = new Map<number, { periodMs: number; timer: TimerHandle }>();
  private nesting = 0;
  private lastContextId = 0;
  private current: RootContext | null = null;
  private readonly kept = new Set<RootContext>();

  constructor(
    module: WebAssembly.Module,
    readonly services: Services,
    readonly worker: number,
    readonly id: string,
    /** VM configuration bytes. */
    readonly configuration: Buffer,
  ) {
    this.metrics = new MetricIds(services.metrics);
    this.callouts = new CalloutTable(this, services.clock, services.callouts);
    const functions: Record<string, Record<string, (...args: never[]) => number>> = {
      env: hostFunctions(this),
      wasi_snapshot_preview1: wasiFunctions(this),
    };
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if (from === "coverage")
        imports[from] = (globalThis as { moeCoverage?: WebAssembly.ModuleImports }).moeCoverage ?? {}; // an instrumented build
      else (imports[from] ??= {})[name] = this.counted(from, name, functions[from]?.[name]);
    }
    const instance = new WebAssembly.Instance(module, imports);
    this.exports = instance.exports as typeof this.exports;
    const malloc = this.exports.malloc ?? this.exports.proxy_on_memory_allocate;
    this.memory = new GuestMemory(instance.exports.memory as WebAssembly.Memory, (size) => (malloc(size) ?? 0) >>> 0);
  }

  /** Starts the module and configures its plugins, as Envoy does for each worker. Throws `LoadError` on refusal. */
  start(plugins: readonly PluginConfig[]): void {
    this.enter(this.exports._initialize === undefined ? "_start" : "_initialize", null, []);
    for (const plugin of plugins) {
      const root = this.createRoot(plugin);
      if (root === this.roots[0] && this.call("proxy_on_vm_start", root, root.id, this.configuration.length) === 0) {
        throw this.refusal("Failed to start the VM: proxy_on_vm_start returned false");
      }
    }
    for (const root of this.roots) this.configure(root);
    if (this.dead) throw this.refusal("The module trapped while it was loaded");
  }

  private createRoot(plugin: PluginConfig): RootContext {
    const root = new RootContext(this, plugin, new Properties(this.services.properties));
    this.roots.push(root);
    this.call("proxy_on_context_create", root, root.id, 0);
    return root;
  }

  private configure(root: RootContext): void {
    if (!root.configure()) throw this.refusal(`Plugin '${root.plugin.name}' refused its configuration`);
  }

  /** The root of new connections and streams: that of the configuration in force. */
  get root(): RootContext {
    return this.current ?? this.roots[0];
  }

  /**
   * Another configuration of the plugin comes into force, in the same VM: a root of its own, or one that is still there
   * for older connections and has the same configuration. The root before ends with its last connection or stream.
   */
  update(plugin: PluginConfig): void {
    const before = this.root;
    const known = this.roots.find(
      ({ plugin: { name, rootId, configuration } }) =>
        name === plugin.name && rootId === plugin.rootId && configuration.equals(plugin.configuration),
    );
    if (known) this.current = known;
    else this.configure((this.current = this.createRoot(plugin)));
    this.release(before);
  }

  /** A connection of HTTP has streams of this root for as long as it is there; returns its end. */
  keep(root: RootContext): () => void {
    this.kept.add(root);
    return () => {
      this.kept.delete(root);
      this.release(root);
    };
  }

  /** Ends a root that nothing is of any longer. */
  private release(root: RootContext): void {
    if (root === this.root || this.kept.has(root) || !this.roots.includes(root)) return;
    for (const context of this.contexts.values()) if (context !== root && context.root === root) return;
    this.roots.splice(this.roots.indexOf(root), 1);
    this.call("proxy_on_done", root, root.id);
    this.setTickPeriod(root, 0);
    this.call("proxy_on_delete", root, root.id);
    this.contexts.delete(root.id);
  }

  /** The VM goes without a word: nothing is called in it any longer. */
  stop(): void {
    this.dead = true;
    for (const { timer } of this.ticks.values()) timer.cancel();
    this.ticks.clear();
  }

  private refusal(message: string): LoadError {
    return new LoadError(message, this.services.log.text(LogLevel.warn));
  }

  /** Registers a context and returns its id; ids are not used twice. */
  adopt(context: GuestContext): number {
    this.contexts.set(++this.lastContextId, context);
    return this.lastContextId;
  }

  forget(context: GuestContext): void {
    this.contexts.delete(context.id);
    this.release(context.root);
  }

  /** Whether the module has this export. */
  has(callback: string): boolean {
    return this.exports[callback] !== undefined;
  }

  /**
   * Calls an export on behalf of a context, then runs the actions that the call queued (Envoy: DeferAfterCallActions).
   * Undefined when there is no such export or the VM is dead.
   */
  call(callback: string, context: GuestContext, ...args: number[]): number | undefined {
    return this.callThen(callback, context, args, () => {});
  }

  /** Like `call`; `returned` gets the answer (undefined: it trapped) before the queued actions run. */
  callThen(
    callback: string,
    context: GuestContext,
    args: number[],
    returned: (answer: number | undefined) => void,
  ): number | undefined {
    if (this.dead || !this.has(callback)) return undefined;
    const answer = this.enter(callback, context, args);
    returned(answer);
    this.stopNext = false;
    this.runActions();
    return answer;
  }

  private enter(callback: string, context: GuestContext | null, args: number[]): number | undefined {
    const run = this.exports[callback];
    if (run === undefined) return undefined;
    const record = this.accounting.begin(callback);
    this.frames.push({ callback, record, context, effective: 0, continues: 0 });
    try {
      return run(...args);
    } catch (error) {
      this.dead = true;
      if (error instanceof KitFault) throw error;
      this.trapped(callback, error as Error);
      return undefined;
    } finally {
      this.frames.pop();
      this.accounting.end(record);
    }
  }

  private trapped(callback: string, error: Error): void {
    const message = `Function: ${callback} failed: ${error.stack ?? error.message}`;
    this.services.log.write(LogLevel.critical, message, this.worker);
    if (!this.services.expectTraps) throw this.services.fault("trap", message);
  }

  /** The innermost entry into the guest. */
  get frame(): Frame {
    const frame = this.frames.at(-1);
    if (frame === undefined) throw new Error("host call outside of a callback");
    return frame;
  }

  /** The context that host calls act on. */
  get context(): GuestContext {
    const { effective, context } = this.frame;
    const chosen = this.contexts.get(effective) ?? context;
    if (chosen === null) throw new Error("host call without a context");
    return chosen;
  }

  /** Queues an action for the moment the current callback has returned. */
  afterCall(action: () => void): void {
    this.actions.push(action);
  }

  private runActions(): void {
    this.deepestNesting = Math.max(this.deepestNesting, ++this.nesting);
    for (let next = this.actions.shift(); next !== undefined; next = this.actions.shift()) next();
    this.nesting--;
  }

  /** Period of the root's ticks, 0 stops them; re-armed after the handler, as Envoy's tickHandler does. */
  setTickPeriod(root: RootContext, periodMs: number): void {
    this.ticks.get(root.id)?.timer.cancel();
    this.ticks.delete(root.id);
    if (periodMs > 0) this.armTick(root, periodMs);
  }

  private armTick(root: RootContext, periodMs: number): void {
    const timer = this.services.clock.after(periodMs, () => {
      this.call("proxy_on_tick", root, root.id);
      const current = this.ticks.get(root.id);
      if (current === undefined) return;
      current.timer.cancel();
      this.armTick(root, current.periodMs);
    });
    this.ticks.set(root.id, { periodMs, timer });
  }

  /** Period of the root's ticks, milliseconds; 0: none. */
  tickPeriod(root = this.root): number {
    return this.ticks.get(root.id)?.periodMs ?? 0;
  }

  private counted(from: string, name: string, run?: (...args: never[]) => number): (...args: never[]) => number {
    return (...args) => {
      const { record, context } = this.frame;
      this.accounting.count(record, name);
      if (context === null && from === "env" && !ALLOWED_AT_START.has(name)) {
        throw this.services.fault("call-at-start", `${name} called before the VM has started`);
      }
      if (this.services.allowed?.has(name) === false) {
        throw this.services.fault("unexpected-call", `${name} in ${this.frame.callback}`);
      }
      if (run === undefined)
        throw this.services.fault("unimplemented", `${name}: not expected here, the kit has no such call`);
      const result = run(...args);
      this.accounting.answered(name, result);
      return result;
    };
  }
}
