// The Dubbo part of `npm run test:interop`: 2.7 and 3.3, clients and servers, each way.
import { freePort } from "../../scripts/lib/ports.ts";
import type { Scope } from "../../scripts/lib/scope.ts";
import { compare, expectProxied, type Verdict } from "./compare.ts";
import { counters } from "./counters.ts";
import {
  buildDubboPeers,
  type DubboVersion,
  listDubboCases,
  runDubboClient,
  startDubboServer,
  VERSIONS,
} from "./dubbo_peers.ts";
import { EXPECTED, type ServerPorts, startDubboProxy } from "./dubbo_proxy.ts";

type Pair = [client: DubboVersion, server: DubboVersion];

/**
 * Whether a pair can run a case at all: the versions have no serialization in common but Hessian, and only Dubbo 3 has
 * Triple.
 */
function canRun([client, server]: Pair, name: string): boolean {
  if (name.includes("other serialization")) return client === server;
  if (name.startsWith("triple")) return client === "3.3" && server === "3.3";
  return true;
}

/** One client version against one server version. The second server is told to leave: it serves this run only. */
async function runPair(
  scope: Scope,
  [client, server]: Pair,
  ports: Omit<ServerPorts, "second">,
  wanted: string[],
  direct: boolean,
): Promise<Verdict[]> {
  const pair = pairName([client, server]);
  const own = wanted.filter((name) => name.startsWith("proxy "));
  const both = wanted.filter((name) => !own.includes(name));
  const run = async (name: string, to: Record<string, number>, cases: string[]) =>
    cases.length > 0 ? runDubboClient(client, `${pair}${name}/`, to, cases) : [];
  const { main, gray, triple = 0 } = ports;
  const straight = { main, gray, other: main, triple, http: triple };
  const first = await run("direct", straight, both);
  if (direct) return compare(both, first, await run("again", straight, both), pair);

  const second = await freePort();
  scope.after(asEnd(await startDubboServer(server, { second })));
  const proxy = await startDubboProxy(scope, { ...ports, second });
  const proxied = await run("proxied", proxy.ports, wanted);
  return [
    ...compare(both, first, proxied, pair),
    ...expectProxied(own, proxied, (name) => EXPECTED[name.replace("proxy ", "")], pair),
    await counters(`${pair}counters`, [proxy.rpc]),
  ];
}

function pairName([client, server]: Pair): string {
  return `dubbo ${client}-${server} `;
}

function asEnd(stop: () => void): () => Promise<void> {
  return async () => stop();
}

/** Starts the two servers that stay, of one version; the ports, one of them of nobody. */
async function startServers(scope: Scope, server: DubboVersion): Promise<Omit<ServerPorts, "second">> {
  const ports = { main: await freePort(), gray: await freePort() };
  const triple: { triple?: number } = server === "3.3" ? { triple: await freePort() } : {};
  scope.after(asEnd(await startDubboServer(server, { ...ports, ...(triple as Record<string, number>) })));
  return { ...ports, ...triple, refused: await freePort() };
}

/** All cases whose name `chosen` takes, for each pair of versions; `direct`: two direct runs instead. */
export async function runDubbo(
  scope: Scope,
  chosen: (name: string) => boolean,
  direct: boolean,
  say: (line: string) => void,
): Promise<Verdict[]> {
  buildDubboPeers(say);
  const all = await listDubboCases();
  const verdicts: Verdict[] = [];
  for (const server of VERSIONS) {
    const pairs = VERSIONS.map((client): [Pair, string[]] => {
      const pair: Pair = [client, server];
      return [pair, all.filter((name) => canRun(pair, name) && chosen(pairName(pair) + name))];
    }).filter(([, wanted]) => wanted.length > 0);
    if (pairs.length === 0) continue;
    const ports = await startServers(scope, server);
    for (const [pair, wanted] of pairs) {
      say(`Dubbo: ${wanted.length} cases, ${pair[0]} client to ${server} server`);
      verdicts.push(...(await runPair(scope, pair, ports, wanted, direct)));
    }
  }
  return verdicts;
}
