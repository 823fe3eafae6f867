// `--source URL`: which registry, and how.
import { resolve } from "node:path";
import { BadInput, type Source } from "../model.ts";
import { Nacos, NACOS_OPTIONS } from "./nacos.ts";
import { parseSourceUrl, type SourceUrl } from "./source_url.ts";
import { StaticFile } from "./static_file.ts";
import { ZooKeeper, ZOOKEEPER_OPTIONS } from "./zookeeper.ts";

interface Kind {
  /** Without a port in the address. */
  port: number;
  options: string[];
  create: (url: SourceUrl) => Source;
}

const KINDS: Record<string, Kind> = {
  zookeeper: { port: 2181, options: ZOOKEEPER_OPTIONS, create: (url) => new ZooKeeper(url) },
  nacos: { port: 8848, options: NACOS_OPTIONS, create: (url) => new Nacos(url) },
};

/** The kinds that there are, `file` beside those of registries. */
export function sourceKinds(): string[] {
  return ["file", ...Object.keys(KINDS)];
}

/** Makes the source of a URL. Throws BadInput: one line that says what is allowed. */
export function openSource(text: string, base: string): Source {
  const [, kind, rest] = /^([a-z0-9]+):(.*)$/.exec(text) ?? [];
  if (kind === "file") return new StaticFile(resolve(base, rest.replace(/^\/\//, "")));
  const known = kind === undefined ? undefined : KINDS[kind];
  if (!known) throw new BadInput(`--source ${text}: expected ${sourceKinds().join(": or ")}: and an address`);
  const url = parseSourceUrl(text, known.port);
  const unknown = [...url.options.keys()].find((option) => !known.options.includes(option));
  if (unknown !== undefined) {
    throw new BadInput(`--source ${text}: unknown option "${unknown}"; allowed: ${known.options.join(", ")}`);
  }
  return known.create(url);
}
