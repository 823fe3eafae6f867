import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { readDecimal } from "../bytes/decimal";
import { View } from "../bytes/view";
import { RouteInput } from "../router/input";
import { VariableNames } from "../stream/variable_names";
import { VariableTable } from "../stream/variables";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../message/headers";
import { CallName } from "./call_name";
import { ConnectionInfo } from "./connection_info";

const HEADER_PREFIX = Bytes.of("request_header_");
const RESPONSE_PREFIX = Bytes.of("response_header_");
const HOST = Bytes.of("x-mosn-host");
const PATH = Bytes.of("x-mosn-path");
const TRUE = Bytes.of("true");

/** A variable by name; MOSN's names (pkg/types/variable.go). */
const enum Variable {
  NONE,
  SERVICE,
  METHOD,
  PATH,
  PROTOCOL,
  SOURCE,
  LOCAL,
  UPSTREAM_HOST,
  UPSTREAM_CLUSTER,
  GENERIC,
}

const names = new VariableNames();
names.add("x-mosn-rpc-service", Variable.SERVICE);
names.add("x-mosn-host", Variable.SERVICE);
names.add("x-mosn-rpc-method", Variable.METHOD);
names.add("x-mosn-method", Variable.METHOD);
names.add("x-mosn-path", Variable.PATH);
names.add("protocol", Variable.PROTOCOL);
names.add("downstream_protocol", Variable.PROTOCOL);
names.add("downstream_remote_address", Variable.SOURCE);
names.add("downstream_local_address", Variable.LOCAL);
names.add("upstream_host", Variable.UPSTREAM_HOST);
names.add("upstream_cluster", Variable.UPSTREAM_CLUSTER);
names.add("x-mosn-rpc-generic", Variable.GENERIC);

/**
 * A request frame as the router sees it: host is the service, path is "/SERVICE/METHOD", unless filters have set the
 * variables x-mosn-host and x-mosn-path. One object is bound to one request after the other; the codec's headers are read
 * only when a rule asks for one.
 */
export class FrameInput extends RouteInput {
  private client: ConnectionInfo | null = null;
  private codec: Codec | null = null;
  private frame: Frame | null = null;
  private parsed: Headers | null = null;
  private upstream: UpstreamConnection | null = null;
  /** Of a response: what its request called; the frame itself does not say. */
  callName: CallName | null = null;
  /** Variables that filters have set on the request. */
  variables: VariableTable | null = null;
  private readonly text: ByteBuffer = new ByteBuffer();
  private readonly number: View = new View();

  /** Makes it speak of this frame; `upstream` is where a response came from. */
  // @ts-ignore: decorator
  @inline
  bind(client: ConnectionInfo, codec: Codec, frame: Frame, upstream: UpstreamConnection | null): FrameInput {
    this.client = client;
    this.codec = codec;
    this.frame = frame;
    this.parsed = null;
    this.upstream = upstream;
    this.callName = null;
    this.variables = null;
    return this;
  }

  /** The timeout that the frame itself carries, ms; 0 or less: none. */
  get timeout(): i32 {
    const frame = this.frame;
    return frame === null ? 0 : frame.timeout;
  }

  /** The frame's headers if anybody has asked for them, and may have changed them; else null. */
  get knownHeaders(): Headers | null {
    return this.parsed;
  }

  /** The frame's headers, with the changes made through them so far. */
  get headers(): Headers | null {
    const codec = this.codec;
    const frame = this.frame;
    if (this.parsed === null && codec !== null && frame !== null) this.parsed = codec.headers(frame);
    return this.parsed;
  }

  header(key: usize, keyLength: i32, out: View): bool {
    const headers = this.headers;
    return headers !== null && headers.get(key, keyLength, out);
  }

  /** A header that is a time in whole milliseconds; -1 where there is none. */
  milliseconds(name: Bytes): i64 {
    const view = this.number;
    return this.header(name.ptr, name.length, view) ? readDecimal(view.ptr, view.length) : -1;
  }

  /** Points `out` at a variable that a filter has set; false where none has. */
  isSet(name: Bytes, out: View): bool {
    const variables = this.variables;
    return variables !== null && variables.count > 0 && variables.get(name, out);
  }

  variable(name: Bytes, out: View): bool {
    if (this.isSet(name, out)) return true;
    const isHeader = HEADER_PREFIX.isPrefixOf(name.ptr, name.length);
    if (isHeader || RESPONSE_PREFIX.isPrefixOf(name.ptr, name.length)) {
      // Only one of the two exists at a time.
      if (isHeader != (this.upstream === null)) return false;
      const skip = isHeader ? HEADER_PREFIX.length : RESPONSE_PREFIX.length;
      return this.header(name.ptr + (skip as usize), name.length - skip, out);
    }
    switch (names.find(name) as Variable) {
      case Variable.SERVICE:
        return this.service(out);
      case Variable.METHOD:
        return this.method(out);
      case Variable.PATH:
        return this.path(out);
      case Variable.PROTOCOL:
        return this.protocol(out);
      case Variable.SOURCE:
        return this.sourceAddress(out);
      case Variable.LOCAL:
        return this.localAddress(out);
      case Variable.UPSTREAM_HOST:
        return this.upstreamName(true, out);
      case Variable.UPSTREAM_CLUSTER:
        return this.upstreamName(false, out);
      case Variable.GENERIC:
        return this.generic(out);
      default:
        return false;
    }
  }

  private localAddress(out: View): bool {
    const client = this.client;
    if (client === null) return false;
    const address = client.localAddress;
    out.set(address.ptr, address.length);
    return address.length > 0;
  }

  private protocol(out: View): bool {
    const codec = this.codec;
    if (codec === null) return false;
    out.set(codec.label.ptr, codec.label.length);
    return true;
  }

  private upstreamName(host: bool, out: View): bool {
    const upstream = this.upstream;
    if (upstream === null) return false;
    const name = host ? upstream.address : upstream.destination.cluster.name;
    out.set(name.ptr, name.length);
    return true;
  }

  path(out: View): bool {
    if (this.isSet(PATH, out)) return true;
    // A long one of an earlier request need not be kept.
    this.text.reset(KEEP);
    this.text.appendByte(0x2f);
    this.service(out);
    this.text.append(out.ptr, out.length);
    this.text.appendByte(0x2f);
    this.method(out);
    this.text.append(out.ptr, out.length);
    out.set(this.text.ptr, this.text.length);
    return true;
  }

  host(out: View): bool {
    return this.isSet(HOST, out) || this.service(out);
  }

  method(out: View): bool {
    const name = this.callName;
    if (name !== null) return name.method(out);
    const frame = this.frame;
    return frame !== null && frame.method(out);
  }

  service(out: View): bool {
    const name = this.callName;
    if (name !== null) return name.service(out);
    const frame = this.frame;
    return frame !== null && frame.service(out);
  }

  /** Points `out` at "true" where the call is generic; false where it is not. */
  private generic(out: View): bool {
    const name = this.callName;
    const frame = this.frame;
    out.set(TRUE.ptr, TRUE.length);
    return name !== null ? name.generic : frame !== null && frame.generic;
  }

  sourceAddress(out: View): bool {
    const client = this.client;
    if (client === null) return false;
    const address = client.sourceAddress;
    out.set(address.ptr, address.length);
    return address.length > 0;
  }
}
