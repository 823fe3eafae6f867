// Dubbo 3 in ZooKeeper, by application: /services/APPLICATION/INSTANCE, with what each revision of it serves in
// /dubbo/metadata/APPLICATION/REVISION, or else which interfaces it serves in /dubbo/mapping/INTERFACE.
import { isObject } from "../../lib/values.ts";
import type { Endpoint, Listener } from "../model.ts";
import type { Tree } from "../zookeeper/tree.ts";
import type { Dubbo2 } from "./dubbo2.ts";
import { endpointOf } from "./dubbo_url.ts";

interface Instance {
  application: string;
  host: string;
  revision: string;
  /** Ports by protocol. */
  ports: Map<string, number>;
  parameters: Map<string, string>;
}

/** What a revision of an application serves. */
interface Served {
  name: string;
  protocol: string;
  parameters: Map<string, string>;
}

const texts = (value: unknown) =>
  new Map(Object.entries(isObject(value) ? value : {}).map(([key, text]) => [key, String(text)]));

function json(data: Buffer | string): unknown {
  try {
    return JSON.parse(data.toString());
  } catch {
    return undefined;
  }
}

/** Reads an instance's node; undefined: it is none. */
export function readInstance(application: string, data: Buffer): Instance | undefined {
  const root = json(data);
  if (!isObject(root)) return undefined;
  const parameters = texts(isObject(root.payload) ? root.payload.metadata : undefined);
  const host = typeof root.address === "string" ? root.address : "";
  const listed = json(parameters.get("dubbo.endpoints") ?? "");
  const ports = new Map<string, number>();
  for (const one of Array.isArray(listed) ? listed : []) {
    if (isObject(one)) ports.set(String(one.protocol), Number(one.port));
  }
  if (ports.size === 0 && Number.isInteger(root.port)) ports.set("dubbo", Number(root.port));
  if (host === "" || ports.size === 0) return undefined;
  return { application, host, revision: parameters.get("dubbo.metadata.revision") ?? "", ports, parameters };
}

/** Reads a revision's metadata; undefined: it is none. */
export function readMetadata(data: Buffer): Served[] | undefined {
  const root = json(data);
  if (!isObject(root) || !isObject(root.services)) return undefined;
  return Object.values(root.services).flatMap((one) => {
    if (!isObject(one)) return [];
    const parameters = texts(one.params);
    for (const key of ["group", "version"]) if (one[key]) parameters.set(key, String(one[key]));
    const path = one.path === undefined || one.path === null ? "" : String(one.path);
    return [{ name: path || String(one.name), protocol: String(one.protocol), parameters }];
  });
}

/** What every provider serves beside its own. */
const OWN = /^org\.apache\.dubbo\.(metadata|mock|registry)\./;

export class Dubbo3 {
  private readonly instances = new Map<string, Map<string, Instance | undefined>>();
  /** By `APPLICATION/REVISION`; undefined: asked for, and not there. */
  private readonly metadata = new Map<string, Served[] | undefined>();
  /** Interfaces by application, from the mapping; undefined: not asked for. */
  private mapping?: Map<string, Set<string>>;
  /** By interface, as the mapping has it. */
  private readonly mapped = new Map<string, string[]>();
  /** By application: the services that it has a part in; and the other way round. */
  private readonly offered = new Map<string, Set<string>>();
  private readonly sharers = new Map<string, Set<string>>();
  /** Applications whose services are to be offered anew. */
  private readonly dirty = new Set<string>();
  private soon?: NodeJS.Immediate;

  constructor(
    private readonly tree: Tree,
    private readonly root: string,
    private readonly dubboRoot: string,
    private readonly rules: Dubbo2,
    private readonly listener: Listener,
  ) {}

  start(): void {
    this.tree.children(this.root, (names = []) => this.onApplications(names));
    this.rules.onRulesChanged = () => {
      for (const application of this.instances.keys()) this.update(application);
    };
  }

  private onApplications(names: string[]): void {
    for (const application of this.instances.keys()) {
      if (names.includes(application)) continue;
      this.tree.forget(`${this.root}/${application}`);
      this.instances.delete(application);
      this.update(application);
    }
    for (const application of names) {
      if (this.instances.has(application)) continue;
      this.instances.set(application, new Map());
      this.tree.children(`${this.root}/${application}`, (ids = []) => this.onInstances(application, ids));
    }
  }

  private onInstances(application: string, ids: string[]): void {
    const known = this.instances.get(application);
    if (!known) return;
    const present = new Set(ids);
    for (const id of known.keys()) {
      if (present.has(id)) continue;
      known.delete(id);
      this.tree.forget(`${this.root}/${application}/${id}`);
    }
    for (const id of ids) {
      if (known.has(id)) continue;
      known.set(id, undefined);
      const path = `${this.root}/${application}/${id}`;
      this.tree.data(path, (data) => {
        // It may have gone while it was read: then the folder's own watch tells.
        if (!known.has(id) || data === undefined) return;
        const instance = readInstance(application, data);
        if (instance) this.listener.unwarn(path);
        else this.listener.warn(path, "left out: expected an instance of Dubbo 3 in JSON");
        known.set(id, instance);
        if (instance) this.wantMetadata(instance);
        this.update(application);
      });
    }
    this.update(application);
  }

  private wantMetadata({ application, revision }: Instance): void {
    const key = `${application}/${revision}`;
    if (revision === "" || revision === "0" || this.metadata.has(key)) return;
    this.metadata.set(key, undefined);
    this.tree.data(`${this.dubboRoot}/metadata/${key}`, (data) => {
      const served = data === undefined ? undefined : readMetadata(data);
      this.metadata.set(key, served);
      if (!served) this.wantMapping();
      this.update(application);
    });
  }

  private wantMapping(): void {
    if (this.mapping) return;
    this.mapping = new Map();
    const root = `${this.dubboRoot}/mapping`;
    this.tree.children(root, (names = []) => {
      for (const name of names) {
        if (this.mapped.has(name)) continue;
        this.mapped.set(name, []);
        this.tree.data(`${root}/${name}`, (data) => this.onMapping(name, data?.toString() ?? ""));
      }
    });
  }

  private onMapping(name: string, text: string): void {
    const applications = text.split(",").filter(Boolean);
    const before = this.mapped.get(name) ?? [];
    this.mapped.set(name, applications);
    for (const one of before) this.mapping?.get(one)?.delete(name);
    for (const one of applications) {
      const names = this.mapping?.get(one) ?? new Set<string>();
      names.add(name);
      this.mapping?.set(one, names);
    }
    for (const one of new Set([...before, ...applications])) if (this.instances.has(one)) this.update(one);
  }

  /** What an instance serves, by its metadata or else by the mapping, which knows no versions and groups. */
  private servedBy(instance: Instance): Served[] {
    const known = this.metadata.get(`${instance.application}/${instance.revision}`);
    const key = `${this.root}/${instance.application}`;
    if (known) {
      this.listener.unwarn(key);
      return known;
    }
    const names = [...(this.mapping?.get(instance.application) ?? [])];
    if (names.length > 0) {
      this.listener.warn(
        key,
        "its metadata is not in ZooKeeper: interfaces are known by the mapping, without version and group",
      );
    }
    const parameters = new Map<string, string>();
    return names.flatMap((name) => [...instance.ports.keys()].map((protocol) => ({ name, protocol, parameters })));
  }

  /** The services of an application are to be offered anew, once for all that comes at a time. */
  private update(application: string): void {
    this.dirty.add(application);
    this.soon ??= setImmediate(() => this.flush());
  }

  /** Offers what has changed. */
  flush(): void {
    clearImmediate(this.soon);
    this.soon = undefined;
    const services = new Set<string>();
    for (const application of this.dirty) for (const one of this.share(application)) services.add(one);
    this.dirty.clear();
    for (const service of services) this.offer(service);
  }

  /** Notes which services an application has a part in; returns those, and those that it had. */
  private share(application: string): Set<string> {
    const before = this.offered.get(application) ?? new Set<string>();
    const now = new Set<string>();
    for (const instance of this.instances.get(application)?.values() ?? []) {
      if (!instance) continue;
      for (const { name } of this.servedBy(instance)) if (!OWN.test(name)) now.add(name);
    }
    if (now.size > 0) this.offered.set(application, now);
    else this.offered.delete(application);
    for (const service of before) if (!now.has(service)) this.sharers.get(service)?.delete(application);
    for (const service of now) this.sharers.set(service, (this.sharers.get(service) ?? new Set()).add(application));
    return new Set([...before, ...now]);
  }

  private offer(service: string): void {
    const endpoints: Endpoint[] = [];
    for (const application of this.sharers.get(service) ?? []) {
      for (const instance of this.instances.get(application)?.values() ?? []) {
        if (instance) endpoints.push(...this.endpoints(instance, service));
      }
    }
    if (endpoints.length === 0) this.sharers.delete(service);
    this.listener.offer({ service, ...this.rules.ruled(service, endpoints) });
  }

  private endpoints(instance: Instance, service: string): Endpoint[] {
    return this.servedBy(instance).flatMap((one) => {
      const port = instance.ports.get(one.protocol);
      if (one.name !== service || port === undefined) return [];
      const { application, host } = instance;
      const parameters = new Map([...instance.parameters, ...one.parameters, ["application", application]]);
      const found = endpointOf({ protocol: one.protocol, host, port, path: service, parameters });
      return typeof found === "string" ? [] : [found];
    });
  }
}
