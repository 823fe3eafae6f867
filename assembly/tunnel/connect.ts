import { isAlphanumeric } from "../bytes/ascii";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { readStatus } from "../bytes/decimal";
import { HeaderSink } from "../http2/hpack/decoder";
import { appendLiteral } from "../http2/hpack/encoder";

const METHOD = Bytes.of(":method");
const CONNECT = Bytes.of("CONNECT");
const AUTHORITY = Bytes.of(":authority");
const CLUSTER = Bytes.of("x-moe-cluster");
const PIN = Bytes.of("x-moe-pin");
const HOST = Bytes.of("x-moe-host");
const PROBE = Bytes.of("x-moe-ask");
const DESTINATION = Bytes.of("x-moe-destination");
const STATUS = Bytes.of(":status");

function literal(out: ByteBuffer, name: Bytes, value: Bytes): void {
  appendLiteral(out, name.ptr, name.length, value.ptr, value.length);
}

/** Which cluster, and which subset of it, a CONNECT asks for: its header block, made once. */
export class ConnectTarget {
  private readonly block: Bytes;

  /**
   * @param cluster the cluster's name
   * @param keys names of subset criteria, sent as `x-moe-KEY` for the switchboard's routes to match
   * @param values their values
   */
  constructor(cluster: Bytes, keys: Bytes[], values: Bytes[]) {
    const out = new ByteBuffer();
    literal(out, METHOD, CONNECT);
    literal(out, AUTHORITY, authorityOf(cluster));
    literal(out, CLUSTER, cluster);
    for (let i = 0, n = min(keys.length, values.length); i < n; i++) {
      literal(out, Bytes.of("x-moe-" + keys[i].toString().toLowerCase()), values[i]);
    }
    this.block = Bytes.copy(out.ptr, out.length);
    out.free();
  }

  /**
   * Appends the header block; with a pin that is not empty the connection goes to that host or fails. `destination`, if any, is
   * for clusters of type ORIGINAL_DST, which find no such address behind an internal listener.
   */
  append(out: ByteBuffer, pin: Bytes, destination: Bytes): void {
    out.append(this.block.ptr, this.block.length);
    if (pin.length > 0) literal(out, PIN, pin);
    if (destination.length > 0) literal(out, DESTINATION, destination);
  }
}

const DRAIN = Bytes.of("drain");

/**
 * Appends the header block of a drain probe, a CONNECT that opens nothing. The shipped switchboard has a route which answers it with 304;
 * without that route it names no cluster, and the answer is 404.
 */
export function appendProbe(out: ByteBuffer): void {
  literal(out, METHOD, CONNECT);
  literal(out, AUTHORITY, DRAIN);
  literal(out, PROBE, DRAIN);
}

/** A cluster's name as an authority: for logs, and with "-" for what Envoy does not accept there (Istio's "|"). */
function authorityOf(cluster: Bytes): Bytes {
  const copy = Bytes.copy(cluster.ptr, cluster.length);
  for (let i = 0; i < copy.length; i++) {
    const at = copy.ptr + (i as usize);
    const c = load<u8>(at);
    if (!isAlphanumeric(c) && c != 0x2e && c != 0x5f) store<u8>(at, 0x2d);
  }
  return copy;
}

/** The answer to a CONNECT, gathered from its header block. Reused for one after the other. */
export class ConnectAnswer extends HeaderSink {
  status: i32 = 0;
  host: Bytes = Bytes.EMPTY;
  pin: Bytes = Bytes.EMPTY;

  clear(): void {
    this.status = 0;
    this.host = Bytes.EMPTY;
    this.pin = Bytes.EMPTY;
  }

  onHeader(name: usize, nameLength: i32, value: usize, valueLength: i32): void {
    if (STATUS.equals(name, nameLength)) this.status = readStatus(value, valueLength);
    else if (HOST.equals(name, nameLength)) this.host = Bytes.copy(value, valueLength);
    else if (PIN.equals(name, nameLength)) this.pin = Bytes.copy(value, valueLength);
  }
}
