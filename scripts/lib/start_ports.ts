// Where `npm start` listens: the ports and addresses of a bootstrap, and of the sample services behind it.
import { type Bootstrap, localEndpoints, mainListener, maybeSocketAddress } from "./bootstrap.ts";
import { freePort, isFree } from "./ports.ts";
import { type EchoAddress } from "../samples/echo.ts";
import { type Instance, INSTANCES } from "../samples/hello.ts";

export interface PortOptions {
  /** Address of the listener; undefined: the file's own. */
  host?: string;
  port?: number;
  adminPort?: number;
  /** The first of the sample services' ports; 0: free ones; undefined: those of the bootstrap. */
  samplePorts?: number;
}

/** The sample services that the bootstrap's clusters name. */
export function sampleInstances(bootstrap: Bootstrap): Instance[] {
  const ports = bootstrap.static_resources.clusters.flatMap(localEndpoints).map(({ port_value }) => port_value);
  return INSTANCES.filter(({ port }) => ports.includes(port));
}

/**
 * Sets the addresses that are asked for. Returns the sample services at their ports, which the clusters then have, too. The
 * port 0 is a free one.
 */
export async function setPorts(bootstrap: Bootstrap, options: PortOptions): Promise<Instance[]> {
  const listener = maybeSocketAddress(mainListener(bootstrap));
  if (listener && options.host !== undefined) listener.address = options.host;
  if (listener && options.port !== undefined) listener.port_value = options.port || (await freePort());
  const admin = maybeSocketAddress(bootstrap.admin);
  if (admin && options.adminPort !== undefined) admin.port_value = options.adminPort || (await freePort());
  const instances = sampleInstances(bootstrap);
  if (options.samplePorts === undefined) return instances;
  const moved = new Map<number, number>();
  for (const [i, { port }] of instances.entries()) {
    moved.set(port, options.samplePorts === 0 ? await freePort() : options.samplePorts + i);
  }
  for (const endpoint of bootstrap.static_resources.clusters.flatMap(localEndpoints)) {
    endpoint.port_value = moved.get(endpoint.port_value) ?? endpoint.port_value;
  }
  return instances.map((instance) => ({ ...instance, port: moved.get(instance.port) ?? instance.port }));
}

/** Envoy itself would share a busy port with another Envoy, without a word. Throws with what to do. */
export async function checkPorts(bootstrap: Bootstrap): Promise<void> {
  const wanted = [
    { of: mainListener(bootstrap), help: "Choose another one with --port." },
    { of: bootstrap.admin, help: "Choose another one for Envoy's admin with --admin-port." },
  ];
  for (const { of, help } of wanted) {
    const { address, port_value } = maybeSocketAddress(of) ?? { address: "127.0.0.1", port_value: 0 };
    if (!(await isFree(port_value, address))) throw new Error(`Port ${port_value} is in use. ${help}`);
  }
}

/**
 * The sample services, or echoes, whose ports are free. What listens on the others is the user's own and stays, where the
 * bootstrap is: each is told. Throws where the bootstrap is ours, as its calls would go astray.
 */
export async function freeOnes<T extends Instance | EchoAddress>(
  servers: T[],
  own: boolean,
  say: (line: string) => void,
): Promise<T[]> {
  const free: T[] = [];
  for (const server of servers) {
    const { port } = server;
    if ((await isFree(port, "127.0.0.1")) && (await isFree(port, "0.0.0.0"))) free.push(server);
    else if (own) say(`Port ${port} has a server of yours: no sample service is started there.`);
    else
      throw new Error(
        `Port ${port} is in use. The sample services need it: --sample-ports moves them, --no-samples leaves them out.`,
      );
  }
  return free;
}
