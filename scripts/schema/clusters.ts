// The schema of `clusters`, as assembly/router/cluster_config.ts reads it.
import * as part from "./parts.ts";
import type { Schema } from "./parts.ts";

const LB_TYPES = ["LB_ROUNDROBIN", "LB_RANDOM", "LB_WEIGHTED_ROUNDROBIN", "LB_LEAST_REQUEST", "LB_MAGLEV"];
const WEIGHTED = "LB_WEIGHTED_ROUNDROBIN";
const HOST = "^([0-9]{1,3}([.][0-9]{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):[1-9][0-9]{0,4}$";
const NO_LIMIT = "in this worker; 0: no limit.";

/** The limits that both spellings have. */
const limits = {
  max_requests: part.integer(`Most requests under way, ${NO_LIMIT}`, 0, part.U32_MAX, 0),
  max_pending_requests: part.integer(`Most requests that wait for a connection, ${NO_LIMIT}`, 0, part.U32_MAX, 0),
  max_retries: part.integer(`Most retries under way, ${NO_LIMIT}`, 0, part.U32_MAX, 0),
};

/** `keepalive`; a cluster's own has no defaults, as absent fields are those of the whole. */
function keepalive(description: string, defaults: (number | undefined)[]): Schema {
  const [interval, timeout, failures] = defaults;
  return part.object(description, {
    interval_ms: part.integer("Time between heartbeats, milliseconds; 0: none.", 0, 3600000, interval),
    timeout_ms: part.integer("How long an answer may take, milliseconds.", 1, 3600000, timeout),
    max_failures: part.integer("Failures in a row that close the connection.", 1, 1000, failures),
  });
}

const threshold = part.object("MOSN's spelling of the limits.", {
  max_connections: part.integer('The same as "connections"; 0: the default.', 0, 64, 0),
  ...limits,
});

const cluster = part.object(
  "How requests are spread over a cluster's hosts, and limits.",
  {
    lb_type: part.choice("How the host of a request is chosen.", LB_TYPES, "LB_ROUNDROBIN"),
    host_weights: part.map(
      `Weights by "IP:PORT", with ${WEIGHTED} only; 1 by default.`,
      { pattern: HOST },
      part.integer("The host's weight.", 1, 128),
    ),
    connections: part.integer("Upstream connections of one client connection to one host.", 1, 64, 1),
    ...limits,
    retry_budget: part.object("Bounds all further tries of what was sent.", {
      budget_percent: part.decimal({
        description: "Further tries, as a part of the requests under way.",
        minimum: 0,
        maximum: 100,
        default: 20,
      }),
      min_retry_concurrency: part.integer("Further tries that are always allowed.", 0, part.U32_MAX, 3),
    }),
    connect_timeout: part.duration("How long Envoy tries to connect: the cluster's own", "1ms", "10m", "5s"),
    connect_timeout_ms: part.integer("The same, milliseconds.", 1, 600000, 5000),
    keepalive: keepalive("Heartbeats; what is absent is taken from the one of the whole.", []),
    circuit_breakers: {
      description: "MOSN's spelling of the limits.",
      anyOf: [
        part.list("At most one threshold.", part.ref("threshold"), { maxItems: 1 }),
        part.object("The same under a name.", {
          Thresholds: part.list("At most one threshold.", part.ref("threshold"), { maxItems: 1 }),
        }),
      ],
    },
  },
  {
    if: { required: ["host_weights"], properties: { host_weights: { type: "object", minProperties: 1 } } },
    then: { required: ["lb_type"], properties: { lb_type: { const: WEIGHTED } } },
  },
);

export const clusterDefinitions: Record<string, Schema> = { cluster, threshold };

export const clusters = part.map(
  "How requests are spread over the hosts of Envoy's clusters, and limits, by the clusters' names.",
  { pattern: part.VISIBLE },
  part.ref("cluster"),
  { maxProperties: 4096 },
);

export const sharedKeepalive = keepalive("Heartbeats on upstream connections.", [15000, 1000, 6]);
