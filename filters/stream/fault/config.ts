import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { readRegex } from "../../../assembly/regex/read_regex";
import { Regex } from "../../../assembly/regex/regex";
import { FilterConfig } from "../../../assembly/stream/filter";

/** Longest delay, ms; longer ones are most likely mistakes. */
const MAX_DELAY_MS: i64 = 600000;
const MAX_HEADERS: i32 = 64;

/** One of `headers`: a header that requests must have. */
export class FaultHeader {
  constructor(
    readonly name: Bytes,
    readonly value: Bytes,
    /** Searched in the value instead of comparing it. */
    readonly regex: Regex | null,
  ) {}
}

/** Configuration of `fault`, MOSN's v2.StreamFaultInject. */
export class FaultConfig extends FilterConfig {
  /** Delay, ms, and how many of a hundred requests get it. */
  readonly delayMs: i32;
  readonly delayPercent: i32;
  /** MOSN's code of the answer, and how many of a hundred requests get it. */
  readonly abortStatus: i32;
  readonly abortPercent: i32;
  /** Only requests to this cluster; empty: all. */
  readonly upstreamCluster: Bytes;
  readonly headers: FaultHeader[] = [];

  constructor(from: ObjectReader) {
    super();
    const delay = from.object("delay");
    this.delayMs = delay.milliseconds("fixed_delay", 0, 0, MAX_DELAY_MS) as i32;
    this.delayPercent = delay.integer("percentage", 0, 0, 100) as i32;
    delay.finish();
    const abort = from.object("abort");
    this.abortStatus = abort.integer("status", 0, 0, 999) as i32;
    const percent = abort.integer("percentage", 0, 0, 100) as i32;
    if (percent > 0) abort.demand("status");
    this.abortPercent = percent;
    abort.finish();
    this.upstreamCluster = Bytes.of(from.string("upstream_cluster"));
    const headers = from.objects("headers");
    if (headers.length > MAX_HEADERS) from.fail("headers", `more than ${MAX_HEADERS} headers`);
    for (let i = 0; i < headers.length; i++) this.headers.push(readHeader(headers[i]));
    from.finish();
  }
}

function readHeader(from: ObjectReader): FaultHeader {
  const name = from.required("name");
  const value = from.string("value");
  const regex = from.bool("regex", false) ? readRegex(from, "value") : null;
  from.finish();
  return new FaultHeader(Bytes.of(name), Bytes.of(value), regex);
}
