// Runs the sample services until it is stopped: `tsx scripts/samples/services.ts [PROTOCOL:VERSION:PORT …]`.
import type { Server, Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import dubbo from "dubbo-remoting";
import rpc, { type Logger } from "sofa-rpc-node";
import {
  DUBBO_VERSIONS,
  helloService,
  type Instance,
  INSTANCES,
  INTERFACE,
  type Protocol,
  PROTOCOLS,
} from "./hello.ts";
import { listen, tlsServer } from "./tls.ts";
import { grpcServer, httpServer } from "./web.ts";

const quiet: Logger = { info() {}, debug() {}, warn() {}, error: console.error };

/** A running instance. */
export interface Service extends Instance {
  stop(): Promise<void>;
}

/** A server that has just begun to listen. */
interface Running {
  port: number;
  stop(): Promise<void>;
}

/** SOFARPC or Dubbo, by sofa-rpc-node. */
async function startRpc(self: Instance, port: number): Promise<Running> {
  const version = self.protocol === "dubbo" ? DUBBO_VERSIONS[self.version] : undefined;
  const server = new rpc.server.RpcServer({ logger: quiet, port, ...(version && { protocol: dubbo }) });
  // Node's sockets hold back a second small answer until the first is acknowledged.
  server.on("connection", (connection: { socket: Socket }) => connection.socket.setNoDelay(true));
  server.addService({ interfaceName: INTERFACE, ...(version && { version }) }, helloService(self));
  await server.start();
  return { port: server.publishPort, stop: () => server.close() };
}

async function startWeb(server: Server & { closeAllConnections?(): void }, port: number): Promise<Running> {
  const stop = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections?.();
    });
  return { port: await listen(server, port), stop };
}

function startPlain(self: Instance, port: number): Promise<Running> {
  if (self.protocol === "http") return startWeb(httpServer(self), port);
  if (self.protocol === "grpc") return startWeb(grpcServer(self), port);
  return startRpc(self, port);
}

/** Starts one instance, behind TLS on demand; port 0 lets the system choose. */
export async function startService(instance: Instance, tls = false): Promise<Service> {
  const self = { ...instance };
  const { port, stop } = await startPlain(self, tls ? 0 : instance.port);
  self.port = tls ? await tlsServer(instance.port, port) : port;
  return { ...self, stop };
}

function parseInstance(text: string, before: Instance[]): Instance[] {
  const [, protocol, version, port] = /^(\w+):(v[12]):(\d+)$/.exec(text) ?? [];
  if (!PROTOCOLS.includes(protocol as Protocol) || Number(port) > 65535) {
    const known = PROTOCOLS.join(", ");
    throw new InvalidArgumentError(`Expected PROTOCOL:VERSION:PORT, e.g. dubbo:v1:12204; protocols are ${known}.`);
  }
  return [...before, { protocol: protocol as Protocol, version, port: Number(port) }];
}

async function main(): Promise<void> {
  const command = new Command("services")
    .description("Sample services, until stopped")
    .option("--tls", "take TLS connections only, as envoy/tls.yaml makes them", false)
    .argument("[instances...]", "PROTOCOL:VERSION:PORT each; by default those of envoy/envoy.yaml", parseInstance, [])
    .parse();
  const { tls } = command.opts<{ tls: boolean }>();
  const wanted = command.processedArgs[0] as Instance[];
  const running = await Promise.all(
    (wanted.length > 0 ? wanted : INSTANCES).map((instance) => startService(instance, tls)),
  );
  for (const { protocol, version, port } of running) console.log(`${protocol} ${version} on port ${port}`);
  // Tells a parent process (npm start, tests) that all listen, and where; it ends with it.
  process.send?.({ ports: running.map(({ port }) => port) });
  process.once("disconnect", () => process.exit());
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
