// The Bolt part of `npm run test:interop`.
import type { Scope } from "../../scripts/lib/scope.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { compare, type Verdict } from "./compare.ts";
import { counters } from "./counters.ts";
import { buildPeers, type JavaServer, listCases, runClient, startServer, type Target } from "./peers.ts";

function target(sofaPort: number, rawPort: number): Target {
  return { sofa: `127.0.0.1:${sofaPort}`, raw: `127.0.0.1:${rawPort}` };
}

/** Two Envoys with the module's default configuration, one before each server. */
async function startEnvoys(scope: Scope, server: JavaServer): Promise<EnvoyProcess[]> {
  const start = (port: number) => startEnvoy(scope, { config: null, clusters: { upstream: { hosts: [port] } } });
  return Promise.all([start(server.sofaPort), start(server.rawPort)]);
}

/** All cases whose name `chosen` takes; `direct`: two direct runs instead. */
export async function runBolt(
  scope: Scope,
  chosen: (name: string) => boolean,
  direct: boolean,
  say: (line: string) => void,
): Promise<Verdict[]> {
  buildPeers(say);
  const wanted = (await listCases()).filter(chosen);
  if (wanted.length === 0) return [];
  const server = await startServer();
  scope.after(async () => server.stop());
  say(`Bolt: ${wanted.length} cases direct`);
  const straight = target(server.sofaPort, server.rawPort);
  const first = await runClient("direct/", straight, wanted);
  if (direct) {
    say(`Bolt: ${wanted.length} cases direct again`);
    return compare(wanted, first, await runClient("again/", straight, wanted));
  }
  say(`Bolt: ${wanted.length} cases through Envoy`);
  const envoys = await startEnvoys(scope, server);
  const proxied = await runClient("proxied/", target(envoys[0].port, envoys[1].port), wanted);
  return [...compare(wanted, first, proxied), await counters("bolt counters", envoys)];
}
