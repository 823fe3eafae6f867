import { ObjectReader } from "../config/object";

/** MOSN's number of retries where the configuration says none. */
const DEFAULT_RETRIES: i32 = 3;
/** Ten minutes; longer ones are most likely mistakes. */
const MAX_TRY_MS: i64 = 600000;

/**
 * How often and after what a request is sent again (docs/reference/mosn.md#retries). Without `retry_on` only requests that did
 * not reach a server are. Immutable.
 */
export class RetryPolicy {
  /** Whether answers and resets count, not failed connections alone. */
  readonly retryOn: bool;
  /** Most retries of one request. */
  readonly numRetries: i32;
  /** Limit of one try, milliseconds; -1: none. Of no effect where it is not below the request's timeout. */
  readonly perTryTimeoutMs: i32;
  private readonly codes: i64[];

  /** Reads `retry_policy`; an empty object where there is none. */
  constructor(from: ObjectReader) {
    this.retryOn = from.bool("retry_on", false);
    this.numRetries = from.integer("num_retries", DEFAULT_RETRIES, 0, 100) as i32;
    const perTry = from.milliseconds("retry_timeout", 0, 0, MAX_TRY_MS);
    this.perTryTimeoutMs = perTry == 0 ? -1 : (perTry as i32);
    this.codes = from.integers("status_codes", 0, 999);
    if (this.codes.length > 0 && !this.retryOn && !from.isWrong("retry_on")) {
      from.fail("status_codes", 'has no effect without "retry_on": true');
    }
    from.finish();
  }

  /** Whether an answer with MOSN's code `code` (`Codec.toCode`) is a reason to try again. */
  retriesCode(code: i32): bool {
    if (!this.retryOn) return false;
    if (this.codes.length == 0) return code >= 500;
    for (let i = 0; i < this.codes.length; i++) if (unchecked(this.codes[i]) == code) return true;
    return false;
  }
}
