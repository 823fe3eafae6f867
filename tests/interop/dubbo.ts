// The Dubbo part of `npm run test:interop`: 2.7 and 3.3, clients and servers, each way.
import { socketAddress } from "../../scripts/lib/bootstrap.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import type { Scope } from "../../scripts/lib/scope.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
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

const SERVICE = "interop.DubboService";

interface Ports {
  main: number;
  gray: number;
  /** Nothing listens there. */
  refused: number;
}

function failure(reason: string): object {
  return { exception: "RpcException", cause: "RemotingException", reason, "at once": true };
}

/** What a client must report of the cases that only run through the proxy, by name without `proxy`. */
const EXPECTED: Record<string, { result: unknown; extras?: object }> = {
  "no route": { result: failure("no route matches") },
  refused: {
    result: failure(
      "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
    ),
  },
  unreachable: { result: failure("no healthy upstream") },
  unknown: { result: failure("no such cluster") },
  aborted: { result: failure("stopped for the test") },
  denied: { result: failure("403|permission denied") },
  limited: { result: failure("too many requests to the cluster"), extras: { first: true, third: "Hello third" } },
  shutdown: { result: "0 failed", extras: { "second gone": true, "second used": true } },
};

/** Routes by the attachments: tag first, then group; the service itself goes to `main`, others nowhere. */
function routes(): object[] {
  const service = { name: "service", value: SERVICE };
  const group = (name: string) => ({ headers: [service, { name: "group", value: name }] });
  const toCluster = (name: string) => ({ match: group(name), route: { cluster_name: name } });
  return [
    { match: { headers: [service, { name: "dubbo.tag", value: "gray" }] }, route: { cluster_name: "gray" } },
    ...["limited", "pair", "second", "refused", "unreachable", "unknown"].map(toCluster),
    { match: group("aborted"), direct_response: { status: 500, body: "stopped for the test" } },
    { match: group("denied"), direct_response: { status: 403 } },
    { match: { headers: [service] }, route: { cluster_name: "main" } },
  ];
}

async function startProxy(scope: Scope, ports: Ports & { second: number }): Promise<EnvoyProcess> {
  return startEnvoy(scope, {
    config: {
      protocols: ["dubbo"],
      clusters: { limited: { max_requests: 1 } },
      router: { virtual_hosts: [{ name: "interop", domains: ["*"], routers: routes() }] },
    },
    clusters: {
      main: { hosts: [ports.main] },
      gray: { hosts: [ports.gray] },
      limited: { hosts: [ports.main] },
      pair: { hosts: [ports.main, ports.second] },
      second: { hosts: [ports.second] },
      refused: { hosts: [ports.refused] },
      unreachable: { hosts: [] },
    },
    // Dubbo 2.7 puts the machine's own address for a loopback one.
    change: (_, listener) => (socketAddress(listener).address = "0.0.0.0"),
  });
}

/** One client version against one server version. The second server is told to leave: it serves this run only. */
async function runPair(
  scope: Scope,
  [client, server]: [DubboVersion, DubboVersion],
  ports: Ports,
  wanted: string[],
  direct: boolean,
): Promise<Verdict[]> {
  const pair = pairName(client, server);
  const own = wanted.filter((name) => name.startsWith("proxy "));
  const both = wanted.filter((name) => !own.includes(name));
  const run = async (name: string, to: { main: number; gray: number }, cases: string[]) =>
    cases.length > 0 ? runDubboClient(client, `${pair}${name}/`, to, cases) : [];
  const first = await run("direct", ports, both);
  if (direct) return compare(both, first, await run("again", ports, both), pair);

  const second = await freePort();
  scope.after(asEnd(await startDubboServer(server, { second })));
  const envoy = await startProxy(scope, { ...ports, second });
  const proxied = await run("proxied", { main: envoy.port, gray: envoy.port }, wanted);
  return [
    ...compare(both, first, proxied, pair),
    ...expectProxied(own, proxied, (name) => EXPECTED[name.replace("proxy ", "")], pair),
    await counters(`${pair}counters`, [envoy]),
  ];
}

function pairName(client: DubboVersion, server: DubboVersion): string {
  return `dubbo ${client}-${server} `;
}

function asEnd(stop: () => void): () => Promise<void> {
  return async () => stop();
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
    const ports = { main: await freePort(), gray: await freePort(), refused: await freePort() };
    scope.after(asEnd(await startDubboServer(server, { main: ports.main, gray: ports.gray })));
    for (const client of VERSIONS) {
      const wanted = all.filter((name) => chosen(pairName(client, server) + name));
      if (wanted.length === 0) continue;
      say(`Dubbo: ${wanted.length} cases, ${client} client to ${server} server`);
      verdicts.push(...(await runPair(scope, [client, server], ports, wanted, direct)));
    }
  }
  return verdicts;
}
