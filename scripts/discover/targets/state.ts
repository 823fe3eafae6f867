// The last good state on disk, for a start while the registry is down.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../keeper.ts";
import { badAddress, type CallRules, type Endpoint, endpoint } from "../model.ts";
import { replaceFile } from "../../lib/replace_file.ts";
import type { Changes, Target } from "./target.ts";

/** Services are spread over so many files, so that a change writes a small part. */
const FILES = 64;

type Stored = Record<string, { endpoints: Endpoint[]; rules: CallRules }>;

function fileOf(service: string): string {
  const first = createHash("sha256").update(service).digest()[0];
  return `${(first % FILES).toString().padStart(2, "0")}.json`;
}

export class State implements Target {
  readonly name = "state";
  private readonly stored = new Map<string, Stored>();

  constructor(private readonly folder: string) {}

  /** What an earlier process has kept; files that cannot be read are left out and told. */
  read(say: (text: string) => void): { name: string; endpoints: Endpoint[]; rules: CallRules }[] {
    mkdirSync(this.folder, { recursive: true });
    const found = readdirSync(this.folder).filter((name) => /^\d\d\.json$/.test(name));
    return found.flatMap((name) => {
      try {
        const stored = JSON.parse(readFileSync(join(this.folder, name), "utf8")) as Stored;
        this.stored.set(name, stored);
        return Object.entries(stored).map(([service, { endpoints, rules }]) => ({
          name: service,
          endpoints: endpoints
            .filter(({ host, port }) => badAddress(host, port) === undefined)
            .map((one) => endpoint(one)),
          rules: { timeoutMs: Number(rules.timeoutMs) || 0 },
        }));
      } catch (error) {
        say(`${join(this.folder, name)}: ${(error as Error).message}; what it kept is lost`);
        return [];
      }
    });
  }

  async write(changes: Changes): Promise<number> {
    const files = new Set<string>();
    for (const name of changes.changed) {
      const file = fileOf(name);
      const stored = this.stored.get(file) ?? {};
      const service: Service | undefined = changes.service(name);
      if (service) stored[name] = { endpoints: service.endpoints, rules: service.rules };
      else delete stored[name];
      this.stored.set(file, stored);
      files.add(file);
    }
    for (const file of files) replaceFile(join(this.folder, file), JSON.stringify(this.stored.get(file)));
    return files.size;
  }
}
