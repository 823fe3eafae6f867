// `npm run discover -- -s URL --out FOLDER`: hosts from registries, written for Envoy or Istio.
import { discoverCommand } from "./discover/command.ts";
import { runScript } from "./lib/command.ts";

await runScript(import.meta, discoverCommand, "npm run discover --");
