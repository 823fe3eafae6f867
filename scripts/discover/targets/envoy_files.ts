// `--out FOLDER`: files that Envoy follows. clusters/clusters.json (CDS), hosts/NAME.json (EDS), module/module.json (ECDS).
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../lib/replace_file.ts";
import { fileName } from "./file_name.ts";
import { type Cluster, clustersOf } from "./clusters.ts";
import { assignment, type ClusterOptions, clusterResource } from "./envoy.ts";
import { moduleConfiguration, type ModuleOptions, moduleShape } from "./module.ts";
import type { Changes, Target } from "./target.ts";

export interface EnvoyFilesOptions extends ClusterOptions {
  folder: string;
  module: ModuleOptions;
  /** The resource that carries the module's configuration. */
  plugin: (configuration: Record<string, unknown>) => object;
  /** Most clusters whose hosts are files of their own: each costs Envoy an inotify instance, and it dies when there is none. */
  watches: number;
  say: (text: string) => void;
  now: () => number;
}

/** A cluster that is gone stays for so long: requests may still be on the way to it, and its routes go after it. */
const LINGER_MS = 10_000;
/** What the module takes as configuration. */
const MAX_CONFIGURATION = { bytes: 1024 * 1024, values: 65_536 };
/** After so many files others get a turn. */
const FILES_AT_ONCE = 100;

interface Known {
  /** The cluster as in CDS, as text; changes of hosts do not change it. */
  resource: string;
  /** The text of the file of its hosts, and where that is; "": the cluster itself has them. */
  hosts: string;
  file: string;
}

export class EnvoyFiles implements Target {
  readonly name = "envoy";
  private readonly known = new Map<string, Known>();
  /** The clusters of each service, and what the module has to know of them. */
  private readonly ofService = new Map<string, { clusters: Cluster[]; shape: string }>();
  private readonly leaving = new Map<string, number>();
  private moduleText = "";
  /** Whether the files of all clusters and of the module may be out of date. */
  private clustersChanged = true;
  private moduleChanged = true;
  private watched = 0;
  private toldWatches = false;
  private started = false;
  private written = 0;

  constructor(private readonly options: EnvoyFilesOptions) {}

  due(): number | undefined {
    return this.leaving.size > 0 ? Math.min(...this.leaving.values()) : undefined;
  }

  async write(changes: Changes): Promise<number> {
    this.written = 0;
    if (!this.started) this.prepare();
    for (const name of changes.changed) await this.writeHosts(name, changes);
    const gone = this.expire();
    if (this.clustersChanged) this.writeClusters();
    if (this.moduleChanged) this.writeModule();
    for (const file of gone) rmSync(file, { force: true });
    if (!this.started) this.sweep();
    this.started = true;
    return this.written;
  }

  private prepare(): void {
    for (const part of ["hosts", "clusters", "module"]) mkdirSync(join(this.options.folder, part), { recursive: true });
  }

  /** Files of clusters that an earlier process has left. */
  private sweep(): void {
    const folder = join(this.options.folder, "hosts");
    const mine = new Set([...this.known.values()].map(({ file }) => file));
    for (const name of readdirSync(folder)) if (!mine.has(join(folder, name))) rmSync(join(folder, name));
  }

  private async writeHosts(name: string, changes: Changes): Promise<void> {
    const service = changes.service(name);
    const clusters = service ? clustersOf(service) : [];
    for (const cluster of clusters) {
      this.leaving.delete(cluster.name);
      this.writeOne(cluster);
      if (this.written % FILES_AT_ONCE === FILES_AT_ONCE - 1) await new Promise(setImmediate);
    }
    const names = new Set(clusters.map((cluster) => cluster.name));
    for (const old of this.ofService.get(name)?.clusters ?? []) {
      if (!names.has(old.name)) this.leaving.set(old.name, this.options.now() + LINGER_MS);
    }
    const shape = moduleShape(clusters);
    if (shape !== (this.ofService.get(name)?.shape ?? "")) this.moduleChanged = true;
    if (clusters.length > 0) this.ofService.set(name, { clusters, shape });
    else this.ofService.delete(name);
  }

  private writeOne(cluster: Cluster): void {
    const old = this.known.get(cluster.name);
    const file = old?.file ?? this.newFile(cluster.name);
    const hosts = file === "" ? "" : assignment(cluster);
    if (old?.hosts !== hosts && file !== "") this.replace(file, hosts);
    const resource = JSON.stringify(clusterResource(cluster, file === "" ? undefined : file, this.options));
    if (old?.resource !== resource) this.clustersChanged = true;
    this.known.set(cluster.name, { resource, hosts, file });
  }

  /** A file for the hosts of one more cluster; "" when Envoy could not watch it. */
  private newFile(name: string): string {
    if (this.watched >= this.options.watches) {
      if (!this.toldWatches) {
        this.options.say(
          `more than ${this.options.watches} clusters: the hosts of the others stand in clusters.json, which is read whole for ` +
            "each change; raise fs.inotify.max_user_instances, or say --watches",
        );
      }
      this.toldWatches = true;
      return "";
    }
    this.watched++;
    return join(this.options.folder, "hosts", `${fileName(name)}.json`);
  }

  /** Forgets clusters whose time is over; returns their files. */
  private expire(): string[] {
    const files: string[] = [];
    for (const [name, until] of this.leaving) {
      if (until > this.options.now()) continue;
      this.leaving.delete(name);
      const known = this.known.get(name);
      if (known && known.file !== "") {
        files.push(known.file);
        this.watched--;
      }
      this.clustersChanged = this.known.delete(name) || this.clustersChanged;
    }
    return files;
  }

  private writeClusters(): void {
    const resources = [...this.known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { resource }]) => resource);
    const text = `{"resources":[${resources.join(",\n")}]}\n`;
    this.replace(join(this.options.folder, "clusters", "clusters.json"), text);
    this.clustersChanged = false;
  }

  private writeModule(): void {
    const services = [...this.ofService].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { clusters }]) => clusters);
    const configuration = moduleConfiguration(services, this.options.module);
    const { bytes, values } = sizeOf(configuration);
    if (bytes > MAX_CONFIGURATION.bytes || values > MAX_CONFIGURATION.values) {
      const most = `${MAX_CONFIGURATION.bytes} bytes and ${MAX_CONFIGURATION.values} values are allowed`;
      this.options.say(
        `the module's configuration stays as it was: ${bytes} bytes and ${values} values, ${most}; ` +
          'open services by pattern, as --allow "com.example.*" does',
      );
      return;
    }
    const text = `${JSON.stringify({ resources: [this.options.plugin(configuration)] })}\n`;
    if (text !== this.moduleText) this.replace(join(this.options.folder, "module", "module.json"), text);
    this.moduleText = text;
    this.moduleChanged = false;
  }

  private replace(path: string, text: string): void {
    replaceFile(path, text);
    this.written++;
  }
}

/** Bytes and values of a configuration, as the module counts them. */
function sizeOf(value: unknown): { bytes: number; values: number } {
  return { bytes: Buffer.byteLength(JSON.stringify(value)), values: valuesOf(value) };
}

function valuesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, one) => sum + valuesOf(one), 1);
}
