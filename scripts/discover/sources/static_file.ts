// A file of services, in YAML or JSON: for hosts that no registry has, and for trying.
import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { parse } from "yaml";
import { isObject } from "../../lib/values.ts";
import { BadInput, badAddress, badName, type Endpoint, endpoint, type Listener, type Source } from "../model.ts";

const MAX_BYTES = 64 * 1024 * 1024;
const SETTLE_MS = 50;
const RETRY_MS = 1000;

const TEXTS = ["protocol", "version", "group", "tag", "zone", "serialization", "application"] as const;
const FIELDS = ["address", "weight", "enabled", "timeout_ms", "methods", ...TEXTS];

/** Follows one file: `services: {NAME: [{address: "10.0.0.1:12200", …}]}`. */
export class StaticFile implements Source {
  readonly name: string;
  private watcher?: FSWatcher;
  private timer?: NodeJS.Timeout;
  private known = new Set<string>();

  constructor(private readonly file: string) {
    this.name = `file ${file}`;
  }

  /** Throws BadInput for a file that is wrong at the start; later such a file changes nothing. */
  async start(listener: Listener): Promise<void> {
    await this.read(listener);
    // The folder is watched: editors and kubelet put another file in its place.
    this.watcher = watch(dirname(this.file), (_, changed) => {
      if (changed === null || changed === basename(this.file) || changed.startsWith("..")) this.soon(listener);
    });
    this.watcher.on("error", (error) => listener.warn("watch", error.message));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.watcher?.close();
  }

  private soon(listener: Listener, delay = SETTLE_MS): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.read(listener).then(
        () => listener.unwarn("contents"),
        (error: Error) => {
          listener.warn("contents", `${error.message}; what it said before stays`);
          // A file that is half written, or not there for a moment.
          this.soon(listener, RETRY_MS);
        },
      );
    }, delay);
  }

  private async read(listener: Listener): Promise<void> {
    const services = parseServices(await this.text(), this.file);
    listener.connected(true, "read");
    for (const [service, endpoints] of services) listener.offer({ service, endpoints });
    for (const service of this.known) if (!services.has(service)) listener.offer({ service, endpoints: [] });
    this.known = new Set(services.keys());
    listener.synced();
  }

  private async text(): Promise<string> {
    let text: string;
    try {
      text = await readFile(this.file, "utf8");
    } catch (error) {
      throw new BadInput(`${this.file}: ${(error as Error).message}`);
    }
    if (text.length > MAX_BYTES) throw new BadInput(`${this.file}: larger than ${MAX_BYTES} bytes`);
    return text;
  }
}

/** Reads the text of such a file. Throws BadInput with the path of the first field that is wrong. */
export function parseServices(text: string, file: string): Map<string, Endpoint[]> {
  let root: unknown;
  try {
    root = parse(text);
  } catch (error) {
    throw new BadInput(`${file}: ${(error as Error).message.split("\n")[0]}`);
  }
  const services = isObject(root) ? root.services : undefined;
  if (!isObject(services)) throw new BadInput(`${file}: services: expected an object of lists by service`);
  const found = new Map<string, Endpoint[]>();
  for (const [name, list] of Object.entries(services)) {
    const at = `${file}: services.${name}`;
    const bad = badName(name);
    if (bad !== undefined) throw new BadInput(`${at}: ${bad}`);
    if (!Array.isArray(list)) throw new BadInput(`${at}: expected a list of hosts`);
    found.set(
      name,
      list.map((one, i) => parseEndpoint(one, `${at}[${i}]`)),
    );
  }
  return found;
}

function parseEndpoint(value: unknown, at: string): Endpoint {
  if (!isObject(value)) throw new BadInput(`${at}: expected an object with ${FIELDS.join(", ")}`);
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw new BadInput(`${at}.${unknown}: unknown; allowed: ${FIELDS.join(", ")}`);
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(typeof value.address === "string" ? value.address : "");
  const host = parts?.[1] ?? parts?.[2] ?? "";
  const port = Number(parts?.[3]);
  const bad = parts ? badAddress(host, port) : `expected "IP:PORT", got ${JSON.stringify(value.address)}`;
  if (bad !== undefined) throw new BadInput(`${at}.address: ${bad}`);
  const texts = Object.fromEntries(TEXTS.map((field) => [field, textOf(value, field, at)]));
  return endpoint({
    host,
    port,
    ...texts,
    protocol: texts.protocol || "bolt",
    weight: numberOf(value, "weight", 100, at),
    timeoutMs: numberOf(value, "timeout_ms", 0, at),
    enabled: flagOf(value, "enabled", at),
    methods: namesOf(value, "methods", at),
  });
}

function textOf(value: Record<string, unknown>, field: string, at: string): string {
  const text = value[field] ?? "";
  // YAML makes numbers of versions.
  if (typeof text !== "string" && typeof text !== "number") throw new BadInput(`${at}.${field}: expected a text`);
  return String(text);
}

function numberOf(value: Record<string, unknown>, field: string, usual: number, at: string): number {
  const number = value[field] ?? usual;
  if (Number.isInteger(number) && (number as number) >= 0 && (number as number) <= 1_000_000) return number as number;
  throw new BadInput(`${at}.${field}: expected a whole number from 0 to 1000000`);
}

function flagOf(value: Record<string, unknown>, field: string, at: string): boolean {
  const flag = value[field] ?? true;
  if (typeof flag !== "boolean") throw new BadInput(`${at}.${field}: expected true or false`);
  return flag;
}

function namesOf(value: Record<string, unknown>, field: string, at: string): string[] {
  const names = value[field] ?? [];
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new BadInput(`${at}.${field}: expected a list of names`);
}
