// The packages of the sample clients and services: optional dependencies, because nothing else needs them.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PACKAGE } from "../lib/package.ts";

const CLIENTS = ["sofa-rpc-node", "sofa-bolt-node", "dubbo-remoting"];

/** Those that are not installed, as `npm install` takes them; empty: all are. */
export function missingClients(): string {
  const text = readFileSync(join(PACKAGE, "package.json"), "utf8");
  const { optionalDependencies } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  const folders = createRequire(join(PACKAGE, "package.json")).resolve.paths("any") ?? [];
  const missing = CLIENTS.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  return missing.map((name) => `${name}@${optionalDependencies[name]}`).join(" ");
}
