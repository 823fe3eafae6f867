// Runs the sample SOFARPC services until it is stopped: `tsx scripts/samples/services.ts [VERSION:PORT …]`.
import type { Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import rpc, { type Logger } from "sofa-rpc-node";
import { helloService, type Instance, INSTANCES, INTERFACE } from "./hello.ts";
import { tlsServer } from "./tls.ts";

const quiet: Logger = { info() {}, debug() {}, warn() {}, error: console.error };

/** A running instance. */
export interface Service extends Instance {
  stop(): Promise<void>;
}

/** Starts one instance, behind TLS on demand; port 0 lets the system choose. */
export async function startService(instance: Instance, tls = false): Promise<Service> {
  const server = new rpc.server.RpcServer({ logger: quiet, port: tls ? 0 : instance.port });
  // Node's sockets hold back a second small answer until the first is acknowledged.
  server.on("connection", (connection: { socket: Socket }) => connection.socket.setNoDelay(true));
  const self = { ...instance };
  server.addService({ interfaceName: INTERFACE }, helloService(self));
  await server.start();
  self.port = tls ? await tlsServer(instance.port, server.publishPort) : server.publishPort;
  return { ...self, stop: () => server.close() };
}

function parseInstance(text: string, before: Instance[]): Instance[] {
  const [, version, port] = /^(\w+):(\d+)$/.exec(text) ?? [];
  if (!version) throw new InvalidArgumentError("Expected VERSION:PORT, for example v1:12201.");
  return [...before, { version, port: Number(port) }];
}

async function main(): Promise<void> {
  const command = new Command("services")
    .description("Sample SOFARPC services, until stopped")
    .option("--tls", "take TLS connections only, as envoy/tls.yaml makes them", false)
    .argument("[instances...]", "VERSION:PORT each; by default those of envoy/envoy.yaml", parseInstance, [])
    .parse();
  const { tls } = command.opts<{ tls: boolean }>();
  const wanted = command.processedArgs[0] as Instance[];
  const running = await Promise.all(
    (wanted.length > 0 ? wanted : INSTANCES).map((instance) => startService(instance, tls)),
  );
  for (const { version, port } of running) console.log(`${INTERFACE} ${version} on port ${port}`);
  // Tells a parent process (npm start, tests) that all listen, and ends with it.
  process.send?.("listening");
  process.once("disconnect", () => process.exit());
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
