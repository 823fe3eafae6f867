import { Bytes } from "../../../assembly/bytes/bytes";
import { labelOf } from "../../../assembly/bytes/name_table";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { fixedProperty } from "../../../assembly/host/properties";
import { FilterConfig } from "../../../assembly/stream/filter";
import { FilterMetricTable } from "../../../assembly/stream/metrics";

const MAX_PROTOCOLS: i32 = 16;

/** Counters of the table, in its order; MOSN's names. */
export const enum Counter {
  REQUEST = 0,
  SUCCESS = 1,
  FAILURE = 2,
}
const COUNTERS: string[] = ["request_total", "response_succ_total", "response_fail_total"];

/** Configuration of `dubbo_stream`. */
export class DubboStreamConfig extends FilterConfig {
  readonly protocols: Bytes[] = [];
  readonly table: FilterMetricTable;
  /** Whether a response that carries an exception is a failure. */
  readonly exceptionsAreErrors: bool;

  constructor(from: ObjectReader) {
    super();
    this.table = readTable(from);
    this.exceptionsAreErrors = from.bool("exceptions_are_errors", false);
    const names = from.has("protocols") ? from.strings("protocols") : ["dubbo"];
    if (names.length == 0 || names.length > MAX_PROTOCOLS) from.fail("protocols", `1 to ${MAX_PROTOCOLS} names`);
    for (let i = 0; i < names.length; i++) {
      if (names[i].length == 0 || names[i].startsWith("Http")) {
        from.errors.add(`${from.pathOf("protocols")}[${i}]`, from.value, "expected a protocol of RPC");
      }
      this.protocols.push(Bytes.of(names[i]));
    }
    from.finish();
  }
}

/** The counters with the labels that all of them have. */
function readTable(from: ObjectReader): FilterMetricTable {
  const listener = from.string("listener");
  const subset = from.string("subset");
  let fixed = label("listener", listener.length > 0 ? Bytes.of(listener) : fixedProperty(Bytes.of("plugin_name")));
  if (subset.length > 0) {
    const value = label("subset", fixedProperty(Bytes.of("xds\0node\0metadata\0LABELS\0" + subset)));
    if (value.length > 0) fixed = fixed.length > 0 ? `${fixed}.${value}` : value;
  }
  return new FilterMetricTable("dubbo_stream", fixed, "service", "method", COUNTERS);
}

/** "NAME.VALUE" as part of a metric's name; "" for an empty value. */
function label(name: string, value: Bytes): string {
  if (value.length == 0) return "";
  const view = new View();
  view.set(value.ptr, value.length);
  return `${name}.${labelOf(view)}`;
}
