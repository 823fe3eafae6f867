import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { Regulator } from "./regulator";

/** MOSN's defaults; a field that is 0 has its default, too. */
const TIME_WINDOW_MS: i64 = 10000;
const LEAST_CALLS: i64 = 10;
const MULTIPLE: f64 = 5;
const MAX_EJECTED: i64 = 1;
const RECOVER_MS: i64 = 900000;
const EXCEPTIONS: i64[] = [502, 503, 504];
/** Ours. */
const FEW_HOSTS_RATE: f64 = 0.5;

const HOUR_MS: i64 = 3600000;
const MAX_CODE: i64 = 999;

/** Configuration of `fault_tolerance` (pkg/filter/stream/faulttolerance), and what its filters have counted. */
export class FaultToleranceConfig extends FilterConfig {
  readonly enabled: bool;
  /** Length of a window, ms. */
  readonly timeWindow: i64;
  /** Calls that a host must have had in a window. */
  readonly leastWindowCount: i64;
  readonly exceptionRateMultiple: f64;
  /** Most hosts of a cluster that are ejected at the same time, and the part of its hosts; 0: any part. */
  readonly maxIpCount: i64;
  readonly maxIpRatio: f64;
  /** Least time that a host stays ejected, ms. */
  readonly recoverTime: i64;
  /** Least rate by which a host is ejected where MOSN's rule never does; 0: by none. */
  readonly fewHostsExceptionRate: f64;
  /** Whether a response that carries an exception is one, whatever its code. */
  readonly exceptionsAreErrors: bool;
  readonly regulator: Regulator = new Regulator();
  /** For each code whether it is an exception. */
  private readonly exceptions: StaticArray<bool> = new StaticArray<bool>((MAX_CODE as i32) + 1);

  constructor(from: ObjectReader) {
    super();
    this.enabled = from.bool("enabled", false);
    this.readExceptions(from);
    this.timeWindow = orDefault(from, "timeWindow", TIME_WINDOW_MS, 10, HOUR_MS);
    this.leastWindowCount = orDefault(from, "leastWindowCount", LEAST_CALLS, 1, i32.MAX_VALUE);
    const multiple = from.float("exceptionRateMultiple", MULTIPLE, 0, 1000000);
    this.exceptionRateMultiple = multiple == 0 ? MULTIPLE : multiple;
    if (this.exceptionRateMultiple <= 1) from.fail("exceptionRateMultiple", "must be above 1");
    this.maxIpCount = orDefault(from, "maxIpCount", MAX_EJECTED, 1, i32.MAX_VALUE);
    this.maxIpRatio = from.float("maxIpRatio", 0, 0, 1);
    this.recoverTime = orDefault(from, "recoverTime", RECOVER_MS, 1, 24 * HOUR_MS);
    this.fewHostsExceptionRate = from.float("fewHostsExceptionRate", FEW_HOSTS_RATE, 0, 1);
    this.exceptionsAreErrors = from.bool("exceptions_are_errors", false);
    // MOSN's number of goroutines.
    from.integer("taskSize", 0, 0, i32.MAX_VALUE);
    from.finish();
  }

  /** Whether an answer with MOSN's code is an exception. */
  isException(code: i32): bool {
    return code >= 0 && code < this.exceptions.length && unchecked(this.exceptions[code]);
  }

  begin(plugin: FilterPlugin): void {
    if (this.enabled) this.regulator.begin(this, plugin);
  }

  end(): void {
    this.regulator.end();
  }

  private readExceptions(from: ObjectReader): void {
    const given = from.integers("exceptionTypes", 0, MAX_CODE);
    if (from.has("exceptionTypes") && given.length == 0) from.fail("exceptionTypes", "must not be empty");
    const codes = given.length > 0 ? given : EXCEPTIONS;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] >= 0 && codes[i] <= MAX_CODE) this.exceptions[codes[i] as i32] = true;
    }
  }
}

/** An integer from `min` on; 0 is the default. */
function orDefault(from: ObjectReader, name: string, fallback: i64, min: i64, max: i64): i64 {
  const value = from.integer(name, fallback, 0, max);
  if (value == 0) return fallback;
  if (value < min) from.fail(name, `expected an integer from ${min} to ${max}, or 0 for ${fallback}, got ${value}`);
  return value;
}
