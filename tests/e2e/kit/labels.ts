// Labels that filters set choose hosts: Envoy's side of it, for RPC and for HTTP.
import { type Bootstrap, type Listener, switchboard } from "../../../scripts/lib/bootstrap.ts";

/** Clusters whose hosts are in these zones, in their order. */
export interface Zoned {
  clusters: string[];
  zones: string[];
  /** Where requests without a zone go: nowhere by default. */
  fallback?: "NO_FALLBACK" | "ANY_ENDPOINT";
}

/** Routes of the switchboard that make subsets of the label zone, and hosts that have it. */
export function addZones(bootstrap: Bootstrap, listener: Listener, { clusters, zones, fallback }: Zoned): void {
  const config = switchboard(listener).route_config as { virtual_hosts: { routes: { route: object }[] }[] };
  const { routes } = config.virtual_hosts[0];
  const { route: shipped } = routes[routes.length - 1];
  const metadata = zones.map((zone) => ({ filter_metadata: { "envoy.lb": { zone } } }));
  for (const [i, zone] of zones.entries()) {
    const headers = [{ name: "x-moe-zone", string_match: { exact: zone } }];
    const route = { ...shipped, metadata_match: metadata[i] };
    routes.unshift({ match: { connect_matcher: {}, headers }, route } as { route: object });
  }
  for (const cluster of bootstrap.static_resources.clusters.filter(({ name }) => clusters.includes(name))) {
    cluster.lb_subset_config = {
      fallback_policy: fallback ?? "NO_FALLBACK",
      subset_selectors: [{ keys: ["zone"] }],
    };
    cluster.load_assignment.endpoints[0].lb_endpoints.forEach((host, i) =>
      Object.assign(host, { metadata: metadata[i] }),
    );
  }
}

/** Envoy's own HTTP filter: the label zone, which came as a header, becomes what the cluster's subsets go by. */
export const ZONE_OF_HEADER = {
  name: "envoy.filters.http.header_to_metadata",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
    request_rules: [
      {
        header: "x-moe-zone",
        on_header_present: { metadata_namespace: "envoy.lb", key: "zone", type: "STRING" },
        remove: true,
      },
    ],
  },
};
