import rpc, { type Consumer } from "sofa-rpc-node";
import type { Scope } from "./scope.ts";

const quiet = { info() {}, debug() {}, warn() {}, error: console.error };

/** A SOFARPC client (npm sofa-rpc-node) of the service behind a port of this machine, for as long as the scope lasts. */
export async function sofaConsumer(scope: Scope, interfaceName: string, port: number): Promise<Consumer> {
  const client = new rpc.client.RpcClient({ logger: quiet });
  scope.after(() => client.close());
  const serverHost = `127.0.0.1:${port}`;
  const consumer = client.createConsumer({ interfaceName, serverHost, retryFaultInterval: 200 });
  await consumer.ready();
  return consumer;
}
