// envoy/envoy.yaml, of which every RPC listener is made: what it ships is what a conversion gets.
import { join } from "node:path";
import { type Listener, readBootstrap, rpcListener } from "../lib/bootstrap.ts";
import { PACKAGE } from "../lib/package.ts";

const template = readBootstrap(join(PACKAGE, "envoy/envoy.yaml"));

/** A copy of the shipped RPC listener, to be changed. */
export function templateListener(): Listener {
  return structuredClone(rpcListener(template));
}

/** The shipped bounds of client connections. */
export const overloadManager = template.overload_manager;
