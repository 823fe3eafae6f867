import { Bytes } from "../bytes/bytes";
import { setFilterState } from "../host/foreign";
import { LifeSpan } from "../host/generated/foreign";

const KEY = Bytes.of("envoy.string");

/** What was said last, and of which connection. */
let last: Bytes | null = null;
let lastConnection: u32 = 0;

/** Tells the access logs of the connection, which is the current context, why a request was answered. */
export function explain(connection: u32, why: Bytes): void {
  if (last === why && lastConnection == connection) return;
  last = why;
  lastConnection = connection;
  setFilterState(KEY, why.ptr, why.length, LifeSpan.DOWNSTREAM_CONNECTION);
}
