// TLS for the samples: sofa-rpc-node speaks plain TCP only, so connections are wrapped outside of it.
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { ensureCertificates } from "../certs.ts";

function join(a: Socket, b: Socket): void {
  a.pipe(b).pipe(a);
  for (const [one, other] of [
    [a, b],
    [b, a],
  ]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

/** Has the server listen; port 0 lets the system choose. Returns the port. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, () => done((server.address() as AddressInfo).port));
  });
}

/**
 * Takes TLS connections with a client certificate at `port` and passes their bytes to `target`. Returns the port. Keeps no
 * process alive that has nothing else to do; nor does `tlsClient`.
 */
export function tlsServer(port: number, target: number): Promise<number> {
  const { ca, server: certificate } = ensureCertificates();
  const options = { ...certificate, ca, requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer(options, (socket) => join(socket, connect({ port: target, noDelay: true })));
  return listen(server.unref(), port);
}

/** A port of this machine whose connections go on over TLS to `target`; `alpn` is the protocol that they offer there. */
export function tlsClient(target: number, alpn?: string): Promise<number> {
  const { ca, client } = ensureCertificates();
  const offer = alpn === undefined ? {} : { ALPNProtocols: [alpn] };
  const server = createServer({ noDelay: true }, (socket) => {
    join(socket, connectTls({ port: target, host: "127.0.0.1", servername: "localhost", ca, ...client, ...offer }));
  });
  return listen(server.unref(), 0);
}
