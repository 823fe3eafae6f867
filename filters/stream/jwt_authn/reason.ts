import { Bytes } from "../../../assembly/bytes/bytes";
import { FilterMetric } from "../../../assembly/stream/metrics";

/** Why a request is denied, or a provider's token is not good. */
export const enum Reason {
  NONE = 0,
  MISSING = 1,
  DUPLICATE = 2,
  TOO_LONG = 3,
  MALFORMED = 4,
  ALGORITHM = 5,
  ISSUER = 6,
  AUDIENCE = 7,
  EXPIRED = 8,
  NOT_YET = 9,
  NO_KEYS = 10,
  UNKNOWN_KEY = 11,
  SIGNATURE = 12,
  /** The request cannot be judged: no path, or headers that cannot be read. */
  UNDECIDED = 13,
  /** No reason yet: the provider's keys have to be fetched before. */
  FETCH = 14,
}

const NAMES: string[] = [
  "none",
  "missing",
  "duplicate",
  "too_long",
  "malformed",
  "algorithm",
  "issuer",
  "audience",
  "expired",
  "not_yet_valid",
  "no_keys",
  "unknown_key",
  "signature",
  "undecided",
];

const COUNTERS: FilterMetric[] = [];
const DETAILS: Bytes[] = [];
for (let i = 0; i < NAMES.length; i++) {
  COUNTERS.push(FilterMetric.counter("jwt_authn", "denied_" + NAMES[i]));
  DETAILS.push(Bytes.of("jwt_authn_access_denied{" + NAMES[i] + "}"));
}

/** The counter of a reason. */
export function counterOf(reason: Reason): FilterMetric {
  return COUNTERS[min(reason as i32, NAMES.length - 1)];
}

/** What access logs are told, without spaces. */
export function detailsOf(reason: Reason): Bytes {
  return DETAILS[min(reason as i32, NAMES.length - 1)];
}

/** For the log. */
export function nameOf(reason: Reason): string {
  return NAMES[min(reason as i32, NAMES.length - 1)];
}
