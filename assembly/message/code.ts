/**
 * MOSN's internal response codes (mosn.io/api xprotocol.go), HTTP-like; each codec maps them to statuses of its
 * protocol. Other values come from configuration (direct_response, fault) and map to the protocol's "unknown".
 */
export const enum Code {
  CODEC_EXCEPTION = 0,
  UNKNOWN = 2,
  DESERIALIZE_EXCEPTION = 3,
  SUCCESS = 200,
  /** Ours: a request that could be read in more than one way. */
  BAD_REQUEST = 400,
  PERMISSION_DENIED = 403,
  ROUTER_UNAVAILABLE = 404,
  INTERNAL_ERROR = 500,
  NO_HEALTH_UPSTREAM = 502,
  UPSTREAM_OVERFLOW = 503,
  TIMEOUT = 504,
  LIMIT_EXCEEDED = 509,
}
