// The Bolt part of `npm run test:interop`.
import type { Scope } from "../../scripts/lib/scope.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { compare, expectProxied, type Verdict } from "./compare.ts";
import { counters } from "./counters.ts";
import { buildPeers, type JavaServer, listCases, runClient, startServer, type Target } from "./peers.ts";

function target(sofaPort: number, rawPort: number): Target {
  return { sofa: `127.0.0.1:${sofaPort}`, raw: `127.0.0.1:${rawPort}` };
}

const SERVICE = "interop.HelloService:1.0";
const LIMITED = `${SERVICE}:limited#sayHello`;
const EXPLAINED = `${SERVICE}:explained#sayHello`;

const OTHERS = { others: "Hello others" };

/** What a client reports of an exception of its own whose message is the text. */
function refused(type: number, name: string, text: string, wrapped = ""): object {
  return { exception: "SofaRpcException", type, message: `${wrapped}${text}`, cause: `${name}: ${text}` };
}

const REMOTING = "com.alipay.remoting.rpc.exception";
/** RpcErrorType: SERVER_BUSY, and SERVER_UNDECLARED_ERROR. SOFARPC reads no text that comes with the first. */
const [BUSY, UNDECLARED] = [100, 199];
const LIMIT_TEXT = `current request is limited: flow rule of ${EXPLAINED}`;

/** What a client must report of the cases that only run through the proxy, by name. */
const EXPECTED: Record<string, { result: unknown; extras?: object }> = {
  "proxy sofa limited": {
    result: refused(
      BUSY,
      "InvokeServerBusyException",
      "Server thread pool busy! the address is ADDR, id=ID",
      `${REMOTING}.InvokeServerBusyException: `,
    ),
    extras: OTHERS,
  },
  "proxy sofa explained": {
    result: refused(UNDECLARED, "RpcServerException", LIMIT_TEXT, `${REMOTING}.RpcServerException: `),
    extras: OTHERS,
  },
  "proxy sofa callback limited": {
    result: refused(
      UNDECLARED,
      "InvokeServerBusyException",
      "Server thread pool busy when invoke with callback.The address is ADDR",
    ),
  },
};

const noCalls = (resource: string) => ({ global_switch: true, rules: [{ resource, threshold: 0 }] });
const ROUTE = { cluster_name: "upstream" };

/** Another status for those that are refused. */
const EXPLAINED_ROUTE = {
  match: { headers: [{ name: "service", value: `${SERVICE}:explained` }] },
  route: ROUTE,
  per_filter_config: { flowControlFilter: { action: { rpc_status: 403 }, ...noCalls(EXPLAINED) } },
};

/** No call of two unique ids of the service passes. */
const CONFIG = {
  stream_filters: [{ type: "flowControlFilter", config: noCalls(LIMITED) }],
  router: { virtual_hosts: [{ name: "all", domains: ["*"], routers: [EXPLAINED_ROUTE, { route: ROUTE }] }] },
};

/** Two Envoys, one before each server: SOFARPC's limits one unique id, the raw one has the default configuration. */
async function startEnvoys(scope: Scope, server: JavaServer): Promise<EnvoyProcess[]> {
  const start = (port: number, config: object | null) =>
    startEnvoy(scope, { config, clusters: { upstream: { hosts: [port] } } });
  return Promise.all([start(server.sofaPort, CONFIG), start(server.rawPort, null)]);
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
  const own = wanted.filter((name) => name.startsWith("proxy "));
  const both = wanted.filter((name) => !own.includes(name));
  const run = async (name: string, to: Target, cases: string[]) => (cases.length > 0 ? runClient(name, to, cases) : []);
  say(`Bolt: ${both.length} cases direct`);
  const straight = target(server.sofaPort, server.rawPort);
  const first = await run("direct/", straight, both);
  if (direct) {
    say(`Bolt: ${both.length} cases direct again`);
    return compare(both, first, await run("again/", straight, both));
  }
  say(`Bolt: ${wanted.length} cases through Envoy`);
  const envoys = await startEnvoys(scope, server);
  const proxied = await runClient("proxied/", target(envoys[0].port, envoys[1].port), wanted);
  return [
    ...compare(both, first, proxied),
    ...expectProxied(own, proxied, (name) => EXPECTED[name], ""),
    await counters("bolt counters", envoys),
  ];
}
