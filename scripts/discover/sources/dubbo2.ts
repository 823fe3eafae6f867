// Dubbo 2 in ZooKeeper, by interface: /dubbo/INTERFACE/{providers,configurators,routers}, and rules in /dubbo/config/dubbo.
import type { Endpoint, Listener } from "../model.ts";
import type { Tree } from "../zookeeper/tree.ts";
import { applyOverrides, type Override, readConfigurators, readOverrideUrl } from "./dubbo_overrides.ts";
import { readTagRule, type TagRule } from "./dubbo_tags.ts";
import { decode } from "./dubbo_url.ts";
import { readProviders } from "./providers.ts";

/** Folders of /dubbo that are no interfaces. */
const OTHERS = new Set(["config", "metadata", "mapping"]);

interface Interface {
  /** By the name that callers use, which is the path where it is not the interface. */
  providers: Map<string, Endpoint[]>;
  overrides: Override[];
}

/** A rule's node in the configuration centre: KEY and what it is. */
const RULE = /^(.+?)(?:::)?\.(configurators|tag-router|condition-router|script-router)$/;

export class Dubbo2 {
  private readonly interfaces = new Map<string, Interface>();
  /** Rules of the configuration centre, by the node's name. */
  private readonly rules = new Map<string, Override[]>();
  /** By application. */
  private readonly tags = new Map<string, TagRule>();
  private ruleNodes = new Set<string>();
  /** Interfaces by service, where that is not the interface's own name: a provider may set its path. */
  private readonly paths = new Map<string, Set<string>>();
  private soon?: NodeJS.Immediate;

  constructor(
    private readonly tree: Tree,
    private readonly root: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    this.tree.children(this.root, (names = []) => this.onInterfaces(names));
    this.tree.children(`${this.root}/config/dubbo`, (names = []) => this.onRules(names));
  }

  /** Hosts of an interface, and its callers' rules, after what operators have set for them. */
  ruled(service: string, endpoints: Endpoint[]): ReturnType<typeof applyOverrides> {
    const known = this.interfaces.get(service)?.overrides ?? [];
    const central = [...this.rules.values()].flat().filter((rule) => isFor(rule, service));
    return applyOverrides(service, this.tagged(endpoints), [...known, ...central]);
  }

  /** Called when rules have changed. */
  onRulesChanged: () => void = () => undefined;

  private onInterfaces(names: string[]): void {
    const present = new Set(names.filter((name) => !OTHERS.has(name)));
    for (const [name, one] of this.interfaces) {
      if (present.has(name)) continue;
      this.tree.forget(`${this.root}/${name}`);
      this.interfaces.delete(name);
      for (const service of one.providers.keys()) this.offer(service, name);
    }
    for (const name of present) {
      if (this.interfaces.has(name)) continue;
      this.interfaces.set(name, { providers: new Map(), overrides: [] });
      const path = `${this.root}/${name}`;
      this.tree.children(`${path}/providers`, (children = []) => this.onProviders(name, children));
      this.tree.children(`${path}/configurators`, (children = []) => this.onConfigurators(name, children));
      this.tree.children(`${path}/routers`, (children = []) => this.onRouters(name, children));
    }
  }

  private onProviders(name: string, children: string[]): void {
    const one = this.interfaces.get(name);
    if (!one) return;
    const found = readProviders(`${this.root}/${name}/providers`, children, this.listener, ({ protocol, path }) => {
      return protocol === "empty" ? undefined : path || name;
    });
    const gone = [...one.providers.keys()].filter((service) => !found.has(service));
    one.providers = found;
    for (const service of [...gone, ...found.keys()]) this.offer(service, name);
  }

  private onConfigurators(name: string, children: string[]): void {
    const one = this.interfaces.get(name);
    if (!one) return;
    const key = `${this.root}/${name}/configurators`;
    const overrides = this.noting(key, (note) => children.flatMap((child) => readOverrideUrl(child, note) ?? []));
    if (overrides.length === 0 && one.overrides.length === 0) return;
    one.overrides = overrides;
    for (const service of one.providers.keys()) this.offer(service, name);
    this.onRulesChanged();
  }

  private onRouters(name: string, children: string[]): void {
    const key = `${this.root}/${name}/routers`;
    const rules = children.map((child) => decode(child) ?? child).filter((url) => !url.startsWith("empty:"));
    if (rules.length === 0) return this.listener.unwarn(key);
    const what = rules.map((url) => url.split("?")[0]).join(", ");
    this.listener.warn(key, `${rules.length} condition routes are not followed: ${what}`);
  }

  private onRules(names: string[]): void {
    const found = names.filter((name) => RULE.test(name));
    const present = new Set(found);
    for (const name of this.ruleNodes) {
      if (present.has(name)) continue;
      this.tree.forget(`${this.root}/config/dubbo/${name}`);
      this.onRule(name, "");
    }
    this.ruleNodes = present;
    for (const name of found) {
      this.tree.data(`${this.root}/config/dubbo/${name}`, (data) => this.onRule(name, data?.toString() ?? ""));
    }
  }

  private onRule(name: string, text: string): void {
    const [, key, kind] = RULE.exec(name) ?? [];
    const path = `${this.root}/config/dubbo/${name}`;
    if (kind === "configurators") {
      this.rules.set(
        name,
        this.noting(path, (note) => readConfigurators(text, note)),
      );
    } else if (kind === "tag-router") {
      const rule = this.noting(path, (note) => readTagRule(text, note));
      if (rule) this.tags.set(key, rule);
      else this.tags.delete(key);
    } else if (text.trim() !== "") {
      this.listener.warn(
        path,
        `the ${kind === "script-router" ? "script" : "condition"} route of ${key} is not followed`,
      );
      return;
    } else return this.listener.unwarn(path);
    // Once for all rules that come at a time.
    this.soon ??= setImmediate(() => this.flush());
  }

  /** Offers everything anew if central rules have changed. */
  flush(): void {
    if (!this.soon) return;
    clearImmediate(this.soon);
    this.soon = undefined;
    for (const [name, { providers }] of this.interfaces)
      for (const service of providers.keys()) this.offer(service, name);
    this.onRulesChanged();
  }

  /** Gathers what a reader has to note into one warning of the key. */
  private noting<T>(key: string, read: (note: (text: string) => void) => T): T {
    const notes: string[] = [];
    const result = read((text) => void notes.push(text));
    if (notes.length > 0) this.listener.warn(key, [...new Set(notes)].slice(0, 5).join("; "));
    else this.listener.unwarn(key);
    return result;
  }

  /** Hosts with the tags that rules of their applications give them. */
  private tagged(endpoints: Endpoint[]): Endpoint[] {
    if (this.tags.size === 0) return endpoints;
    return endpoints.map((one) => this.tags.get(one.application)?.(one) ?? one);
  }

  /** Offers a service that the interface has, or had. */
  private offer(service: string, name: string): void {
    if (service !== name) {
      const sharers = this.paths.get(service) ?? new Set();
      if (this.interfaces.get(name)?.providers.has(service)) this.paths.set(service, sharers.add(name));
      else sharers.delete(name);
      if (sharers.size === 0) this.paths.delete(service);
    }
    const offers = [service, ...(this.paths.get(service) ?? [])].flatMap((one) => {
      const endpoints = this.interfaces.get(one)?.providers.get(service);
      return endpoints ? [this.ruled(one, endpoints)] : [];
    });
    const endpoints = offers.length === 1 ? offers[0].endpoints : offers.flatMap((one) => one.endpoints);
    this.listener.offer({ service, endpoints, rules: offers.find(({ rules }) => rules.timeoutMs > 0)?.rules });
  }
}

/** Whether a rule can be about the interface: its key is `{GROUP/}INTERFACE{:VERSION}`. */
function isFor({ service }: Override, name: string): boolean {
  return service === "*" || service.replace(/^[^/]*\//, "").split(":")[0] === name;
}
