// A DNS server that knows one name: whatever it is asked for has the address that was set last.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Scope } from "../e2e/kit/scope.ts";

const HEADER = 12;
const TYPE_A = 1;

export class DnsServer {
  /** Queries so far. */
  queries = 0;

  private constructor(
    private readonly socket: Socket,
    public address: string,
  ) {
    socket.on("message", (query, from) => {
      this.queries++;
      socket.send(this.answer(query), from.port, from.address);
    });
  }

  static async start(scope: Scope, address: string): Promise<DnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    scope.after(() => socket.close());
    return new DnsServer(socket, address);
  }

  get port(): number {
    return (this.socket.address() as AddressInfo).port;
  }

  /** RFC 1035, section 4: the question again, and for an A record its address. Other types have no records. */
  private answer(query: Buffer): Buffer {
    let end = HEADER;
    while (query[end] > 0) end += 1 + query[end];
    end += 5;
    const known = query.readUInt16BE(end - 4) === TYPE_A;
    const head = Buffer.from(query.subarray(0, end));
    // A response, recursion available, no error; one question, one answer, nothing else.
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(known ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    if (!known) return head;
    const record = Buffer.from("c00c00010001000000010004", "hex");
    return Buffer.concat([head, record, Buffer.from(this.address.split(".").map(Number))]);
  }
}

/** Fields of a cluster that asks this server, often. */
export function resolvedBy(dns: DnsServer): Record<string, unknown> {
  const address = { socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: dns.port } };
  return {
    dns_refresh_rate: "0.1s",
    typed_dns_resolver_config: {
      name: "envoy.network.dns_resolver.cares",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        resolvers: [address],
        dns_resolver_options: { use_tcp_for_dns_lookups: false, no_default_search_domain: true },
      },
    },
  };
}
