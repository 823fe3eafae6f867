// `npm run discover -- -s URL --out FOLDER`: hosts from registries, written for Envoy or Istio.
import { discoverCommand } from "./discover/command.ts";

await discoverCommand("npm run discover --").parseAsync();
