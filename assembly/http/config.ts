import { ConfigErrors } from "../config/errors";
import { ObjectReader } from "../config/object";
import { parseConfiguration } from "../config/struct";
import { FilterChains } from "../stream/chain";
import { FilterRegistry } from "../stream/registry";

/** What is known of Envoy's `allow_on_headers_stop_iteration` of this plugin. */
export const enum HeaderHold {
  /** The first request with a body will tell. */
  UNKNOWN = 0,
  /** Set: headers can be held until the body is complete. */
  ALLOWED = 1,
  /** Not set: headers go on before the body comes. */
  REFUSED = 2,
}

const LEAST_COUNTED_MS: i64 = 1000;
const DAY_MS: i64 = 86400000;

/** The configuration of the root `http`. Immutable. */
export class HttpConfig {
  readonly chains: FilterChains;
  readonly hold: HeaderHold;
  /** Whether a message is refused when changes of its headers or body are lost. */
  readonly strictChanges: bool;
  /** Shortest timeout of a caller's own that counts against a server, ms. */
  readonly minCountedTimeoutMs: i64;

  private constructor(from: ObjectReader, filters: FilterRegistry) {
    this.chains = filters.parse(from);
    this.hold = readHold(from);
    this.strictChanges = from.bool("strict_changes", false);
    this.minCountedTimeoutMs = from.milliseconds("min_counted_timeout", LEAST_COUNTED_MS, 0, DAY_MS);
    from.finish();
  }

  /** Reads the configuration, a JSON text; no text at all is no filters. Null and an error when it is wrong. */
  static parse(ptr: usize, length: i32, errors: ConfigErrors, filters: FilterRegistry): HttpConfig | null {
    const value = length > 0 ? parseConfiguration(ptr, length, errors) : null;
    if (errors.failed) return null;
    const config = new HttpConfig(new ObjectReader(value, "", errors), filters);
    return errors.failed ? null : config;
  }
}

function readHold(from: ObjectReader): HeaderHold {
  const name = "allow_on_headers_stop_iteration";
  if (!from.has(name)) return HeaderHold.UNKNOWN;
  return from.bool(name, false) ? HeaderHold.ALLOWED : HeaderHold.REFUSED;
}
