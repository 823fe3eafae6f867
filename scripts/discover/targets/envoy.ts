// Clusters and hosts in the words of Envoy's discovery services.
import { HEARTBEATS } from "../../lib/health_bytes.ts";
import type { Endpoint } from "../model.ts";
import { type Cluster, isRpc, scaledWeights } from "./clusters.ts";

type Json = Record<string, unknown>;

const TYPE = "type.googleapis.com/envoy";
/** Envoy adds the weights of a cluster up in 32 bits. */
const MAX_WEIGHT = 10_000;

export interface ClusterOptions {
  connectTimeout: string;
  /** Whether Envoy asks the hosts for a heartbeat in their own protocol. */
  healthChecks: boolean;
}

/** A host's labels, for subsets. Only those that say something. */
function labels(one: Endpoint): Record<string, string> {
  const { version, group, zone, tag, serialization, application } = one;
  const all = Object.entries({ version, group, zone, tag, serialization, application });
  return Object.fromEntries(all.filter(([, value]) => value !== ""));
}

/**
 * The hosts of a cluster. Those of RPC are all alike for Envoy: the module gives them their shares (`host_weights`), and
 * learns of hosts by where Envoy sends its connections, which would seldom be to one with a small weight.
 */
function assignmentOf(cluster: Cluster): Json {
  const weights = isRpc(cluster) ? undefined : scaledWeights(cluster.endpoints, MAX_WEIGHT);
  const zones = new Map<string, Json[]>();
  cluster.endpoints.forEach((one, i) => {
    const address = { socket_address: { address: one.host, port_value: one.port } };
    const metadata = { filter_metadata: { "envoy.lb": labels(one) } };
    const host = { endpoint: { address }, metadata, ...(weights && { load_balancing_weight: weights[i] }) };
    zones.set(one.zone, [...(zones.get(one.zone) ?? []), host]);
  });
  const endpoints = [...zones].map(([zone, lb_endpoints]) => ({
    ...(zone === "" ? {} : { locality: { zone } }),
    lb_endpoints,
  }));
  return { cluster_name: cluster.name, endpoints };
}

/** The hosts of a cluster (EDS), as the text of a file: the same hosts give the same text. */
export function assignment(cluster: Cluster): string {
  const type = `${TYPE}.config.endpoint.v3.ClusterLoadAssignment`;
  return JSON.stringify({ resources: [{ "@type": type, ...assignmentOf(cluster) }] });
}

/** Where a cluster's hosts are: in a file of their own, or (undefined) in the cluster. */
function discovery(cluster: Cluster, file: string | undefined): Json {
  if (file === undefined) return { type: "STATIC", load_assignment: assignmentOf(cluster) };
  // Without a watched directory: Envoy would read the files of all clusters whenever one of them changes.
  const eds_config = { resource_api_version: "V3", path_config_source: { path: file } };
  return { type: "EDS", eds_cluster_config: { eds_config } };
}

/** One cluster (CDS). `file` has its hosts; undefined: the cluster itself has them. */
export function clusterResource(cluster: Cluster, file: string | undefined, options: ClusterOptions): Json {
  return {
    "@type": `${TYPE}.config.cluster.v3.Cluster`,
    name: cluster.name,
    ...discovery(cluster, file),
    connect_timeout: options.connectTimeout,
    ...subsets(cluster),
    common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: "0s" },
    outlier_detection: {
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 3,
      interval: "5s",
      base_ejection_time: "10s",
      max_ejection_percent: 50,
    },
    circuit_breakers: { thresholds: [{ max_connections: 16384, max_pending_requests: 16384 }] },
    upstream_connection_options: {
      tcp_keepalive: { keepalive_probes: 3, keepalive_time: 60, keepalive_interval: 20 },
    },
    ...(isRpc(cluster) ? {} : http2(cluster)),
    ...(options.healthChecks ? healthChecks(cluster) : {}),
  };
}

/** Labels that calls may choose hosts by, beside what chooses the cluster. */
const KEYS = ["version", "group", "zone", "application"];

function subsets(cluster: Cluster): Json {
  const used = KEYS.filter((key) => cluster.endpoints.some((one) => labels(one)[key] !== undefined));
  if (used.length === 0) return {};
  const subset_selectors = used.map((key) => ({ keys: [key] }));
  return { lb_subset_config: { fallback_policy: "ANY_ENDPOINT", subset_selectors } };
}

/** Dubbo's Triple and gRPC are HTTP/2. */
function http2({ protocol }: Cluster): Json {
  if (protocol !== "tri" && protocol !== "grpc") return {};
  const name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const options = {
    "@type": `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  };
  return { typed_extension_protocol_options: { [name]: options } };
}

function healthChecks({ protocol }: Cluster): Json {
  const bytes = HEARTBEATS[protocol];
  if (bytes === undefined) return {};
  const check = {
    timeout: "1s",
    interval: "5s",
    unhealthy_interval: "1s",
    no_traffic_interval: "5s",
    no_traffic_healthy_interval: "5s",
    unhealthy_threshold: 2,
    healthy_threshold: 1,
    tcp_health_check: { send: { text: bytes.send }, receive: [{ text: bytes.receive }] },
  };
  return { health_checks: [check], close_connections_on_host_health_failure: true };
}
