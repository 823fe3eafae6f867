// Servers behind an HTTP bootstrap: each answers with what it got, so that one sees what filters did to it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type Bootstrap, localEndpoints } from "../lib/bootstrap.ts";

/** Port and protocol of a server that the bootstrap's clusters want on this machine. */
export interface EchoAddress {
  port: number;
  http2: boolean;
}

/** The hosts of the clusters that are on this machine. */
export function echoAddresses(bootstrap: Bootstrap): EchoAddress[] {
  return bootstrap.static_resources.clusters.flatMap((cluster) => {
    const http2 = JSON.stringify(cluster.typed_extension_protocol_options ?? {}).includes("http2_protocol_options");
    return localEndpoints(cluster).map(({ port_value }) => ({ port: port_value, http2 }));
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).length;
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
  const lines = [`${request.method} ${request.url}`, ...headers.filter((line) => !line.startsWith(":"))];
  response.end([...lines, `${length} bytes of body`, ""].join("\n"));
}

/** Starts them; the function that is returned ends them. */
export async function startEchoes(addresses: EchoAddress[]): Promise<() => void> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };
  const servers = addresses.map(({ http2 }) =>
    http2 ? (createHttp2Server(listener as never) as unknown as Server) : createServer(listener),
  );
  await Promise.all(
    servers.map((server, i) => {
      return new Promise<void>((done, failed) =>
        server.once("error", failed).listen(addresses[i].port, "127.0.0.1", done),
      );
    }),
  );
  return () => servers.forEach((server) => server.close());
}
