import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import type { Scope } from "./scope.ts";

const SAMPLE_MS = 20;

/** Watches how much memory Envoy takes; tells the growth since the call at its highest so far, bytes. */
export function watchMemory(scope: Scope, envoy: EnvoyProcess): () => number {
  const before = envoy.usage().rss;
  let highest = before;
  const look = () => {
    if (!envoy.ended) highest = Math.max(highest, envoy.usage().rss);
  };
  const timer = setInterval(look, SAMPLE_MS);
  scope.after(() => clearInterval(timer));
  return () => {
    look();
    return highest - before;
  };
}
