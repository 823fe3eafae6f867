// Configurations of MOSN for the tests of scripts/convert.

export const proxy = (protocol: string, config: object = {}) => ({
  type: "proxy",
  config: { downstream_protocol: protocol, router_config_name: "r", ...config },
});

export interface Parts {
  routers?: object[];
  clusters?: object[];
  listener?: object;
  chain?: object;
  filters?: object[];
  top?: object;
}

/** A MOSN configuration with one listener and one router `r`. */
export function mosn({ routers, clusters, listener, chain, filters, top }: Parts, protocol = "bolt"): string {
  return JSON.stringify({
    servers: [
      {
        routers: [
          {
            router_config_name: "r",
            virtual_hosts: [{ domains: ["*"], routers: routers ?? [{ route: { cluster_name: "c" } }] }],
          },
        ],
        listeners: [
          {
            name: "l",
            address: "127.0.0.1:2045",
            bind_port: true,
            filter_chains: [{ filters: [proxy(protocol)], ...chain }],
            stream_filters: filters,
            ...listener,
          },
        ],
      },
    ],
    cluster_manager: { clusters: clusters ?? [{ name: "c", hosts: [{ address: "127.0.0.1:8080" }] }] },
    ...top,
  });
}
