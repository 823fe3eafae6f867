import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { bytesEqual } from "../bytes/memory";
import { decodePercent } from "../bytes/percent";
import { View } from "../bytes/view";
import { currentTime } from "../host/clock";
import { Part, StreamHandler } from "../stream/handler";
import { Headers } from "../message/headers";
import { Attribute, AttributeSource } from "./attributes";

const LOCAL_ADDRESS = Bytes.of("downstream_local_address");
const HOST = Bytes.of("x-mosn-host");
const METHOD = Bytes.of("x-mosn-method");
const PATH = Bytes.of("x-mosn-path");
const QUERY = Bytes.of("x-mosn-querystring");
const PROTOCOL = Bytes.of("protocol");
const HTTP1 = Bytes.of("Http1");
const HTTP2 = Bytes.of("Http2");
const HTTP = Bytes.of("http");
const H2 = Bytes.of("h2");

const COLON: u32 = 0x3a;
/** Parts of a cluster's name of Istio's, "outbound|80|v1|host", and which of them are what. */
const CLUSTER_PARTS: i32 = 4;
const CLUSTER_KIND: i32 = 0;
const CLUSTER_HOST: i32 = 3;

const piece = new View();
const name = new View();

// @ts-ignore: decorator
@inline
function at(view: View, i: i32): u32 {
  return load<u8>(view.ptr + (i as usize)) as u32;
}

/** Points `out` at a fixed text. */
function point(text: Bytes, out: View): bool {
  out.set(text.ptr, text.length);
  return true;
}

/**
 * What expressions ask of the request of a handler (MOSN's pkg/cel/extract). One object is used for one evaluation after
 * the other: `begin`, then `end`.
 */
export class RequestAttributes extends AttributeSource {
  private handler: StreamHandler | null = null;
  /** The time of this evaluation, ns since 1970; 0: nobody has asked. */
  private now: i64 = 0;
  private readonly scratch: ByteBuffer = new ByteBuffer();

  begin(handler: StreamHandler): void {
    this.handler = handler;
    this.now = 0;
  }

  end(): void {
    this.handler = null;
    this.scratch.reset(KEEP);
  }

  text(attribute: Attribute, out: View): bool {
    const handler = this.handler;
    if (handler === null) return false;
    switch (attribute) {
      case Attribute.REQUEST_HOST:
        return handler.variable(HOST, out) && out.length > 0;
      case Attribute.REQUEST_METHOD:
        return handler.variable(METHOD, out) && out.length > 0;
      case Attribute.REQUEST_PATH:
        return handler.variable(PATH, out) && out.length > 0;
      case Attribute.REQUEST_URL_PATH:
        return this.target(handler, out);
      case Attribute.ORIGIN_IP:
        return handler.variable(LOCAL_ADDRESS, out) && cutPort(out);
      case Attribute.DESTINATION_IP:
        return handler.hostAddress(out) && cutPort(out);
      case Attribute.CONTEXT_PROTOCOL:
        return protocolOf(handler, out);
      default:
        return handler.clusterName(out) && partOfCluster(attribute, out);
    }
  }

  /** The path with the query, if there is one. */
  private target(handler: StreamHandler, out: View): bool {
    if (!handler.variable(PATH, out) || out.length == 0) return false;
    const scratch = this.scratch;
    scratch.clear();
    scratch.append(out.ptr, out.length);
    if (handler.variable(QUERY, out) && out.length > 0) {
      scratch.appendByte(0x3f);
      scratch.append(out.ptr, out.length);
    }
    out.set(scratch.ptr, scratch.length);
    return true;
  }

  number(attribute: Attribute): bool {
    const handler = this.handler;
    if (handler === null) return false;
    switch (attribute) {
      case Attribute.REQUEST_TIME:
        return this.give(handler.startTime) && this.integer > 0;
      case Attribute.RESPONSE_TIME:
        return this.give(this.time());
      case Attribute.RESPONSE_DURATION: {
        const start = handler.startTime;
        return this.give(max(this.time() - start, 0)) && start > 0;
      }
      case Attribute.RESPONSE_CODE:
        return this.give(handler.responseCode as i64);
      case Attribute.REQUEST_SIZE:
        return this.give(handler.size(Part.REQUEST_BODY));
      case Attribute.REQUEST_TOTAL_SIZE:
        return this.give(handler.size(Part.REQUEST));
      case Attribute.RESPONSE_SIZE:
        return this.give(handler.size(Part.RESPONSE_BODY));
      case Attribute.RESPONSE_TOTAL_SIZE:
        return this.give(handler.size(Part.RESPONSE));
      case Attribute.DESTINATION_PORT:
        return handler.hostAddress(piece) && this.port();
      default:
        return false;
    }
  }

  private give(value: i64): bool {
    this.integer = value;
    return true;
  }

  private time(): i64 {
    if (this.now == 0) this.now = currentTime() as i64;
    return this.now;
  }

  /** The port of the address in `piece`. */
  private port(): bool {
    let port: i64 = 0;
    let digits = 0;
    let scale: i64 = 1;
    for (let i = piece.length - 1; i >= 0 && at(piece, i) != COLON; i--, digits++) {
      const digit = at(piece, i) - 0x30;
      if (digit > 9 || digits >= 5) return false;
      port += (digit as i64) * scale;
      scale *= 10;
    }
    return digits > 0 && digits < piece.length && this.give(port);
  }

  private headersOf(attribute: Attribute): Headers | null {
    const handler = this.handler;
    if (handler === null) return null;
    return attribute == Attribute.RESPONSE_HEADERS ? handler.responseHeaders : handler.requestHeaders;
  }

  has(attribute: Attribute): bool {
    if (attribute != Attribute.REQUEST_QUERY_PARAMS) return this.headersOf(attribute) !== null;
    const handler = this.handler;
    return handler !== null && handler.variable(QUERY, piece) && piece.length > 0;
  }

  find(attribute: Attribute, key: usize, length: i32, out: View): bool {
    if (attribute == Attribute.REQUEST_QUERY_PARAMS) return this.findParameter(key, length, out);
    const headers = this.headersOf(attribute);
    return headers !== null && headers.get(key, length, out);
  }

  /** The first parameter of the query with this name, both decoded. */
  private findParameter(key: usize, length: i32, out: View): bool {
    const handler = this.handler;
    if (handler === null || !handler.variable(QUERY, out)) return false;
    const query = out.ptr;
    const size = out.length;
    for (let from = 0; from < size;) {
      let to = from;
      while (to < size && !isSeparator(load<u8>(query + (to as usize)))) to++;
      if (to > from && this.isNamed(query + (from as usize), to - from, key, length)) {
        out.set(this.scratch.ptr, this.scratch.length);
        return true;
      }
      from = to + 1;
    }
    return false;
  }

  /** Whether "NAME=VALUE" has this name; then `scratch` is the value. */
  private isNamed(pair: usize, pairLength: i32, key: usize, length: i32): bool {
    let equals = 0;
    while (equals < pairLength && load<u8>(pair + (equals as usize)) != 0x3d) equals++;
    const scratch = this.scratch;
    scratch.clear();
    name.set(pair, equals);
    decodePercent(name, true, scratch);
    if (!bytesEqual(scratch.ptr, scratch.length, key, length)) return false;
    scratch.clear();
    if (equals == pairLength) return true;
    name.set(pair + (equals as usize) + 1, pairLength - equals - 1);
    decodePercent(name, true, scratch);
    return true;
  }

  rewriteUrl(path: usize, length: i32): bool {
    const handler = this.handler;
    return handler !== null && handler.setVariable(PATH, path, length);
  }

  setHeader(response: bool, key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const headers = this.headersOf(response ? Attribute.RESPONSE_HEADERS : Attribute.REQUEST_HEADERS);
    if (headers === null || keyLength == 0) return false;
    headers.set(key, keyLength, value, valueLength);
    return true;
  }

  removeHeader(response: bool, key: usize, length: i32): bool {
    const headers = this.headersOf(response ? Attribute.RESPONSE_HEADERS : Attribute.REQUEST_HEADERS);
    if (headers === null) return false;
    headers.remove(key, length);
    return true;
  }
}

// @ts-ignore: decorator
@inline
function isSeparator(c: u32): bool {
  return c == 0x26 || c == 0x3b;
}

/** MOSN's names of HTTP's versions are other ones here. */
function protocolOf(handler: StreamHandler, out: View): bool {
  if (!handler.variable(PROTOCOL, out)) return point(HTTP, out);
  if (HTTP1.equals(out.ptr, out.length)) return point(HTTP, out);
  return !HTTP2.equals(out.ptr, out.length) || point(H2, out);
}

/** Leaves the address of "IP:PORT" or "[IP]:PORT". */
function cutPort(out: View): bool {
  let end = out.length;
  while (end > 0 && at(out, end - 1) != COLON) end--;
  if (end < 2) return false;
  end--;
  const inBrackets = at(out, 0) == 0x5b && at(out, end - 1) == 0x5d && end > 2;
  out.set(inBrackets ? out.ptr + 1 : out.ptr, inBrackets ? end - 2 : end);
  return true;
}

/** Leaves what an attribute takes of Istio's name of a cluster; false when it is not such a name. */
function partOfCluster(attribute: Attribute, out: View): bool {
  const wanted = attribute == Attribute.CONTEXT_REPORTER_KIND ? CLUSTER_KIND : CLUSTER_HOST;
  let part = 0;
  let from = 0;
  for (let i = 0; i <= out.length; i++) {
    if (i < out.length && at(out, i) != 0x7c) continue;
    if (part == wanted) piece.set(out.ptr + (from as usize), i - from);
    part++;
    from = i + 1;
  }
  if (part != CLUSTER_PARTS) return false;
  out.set(piece.ptr, piece.length);
  if (attribute == Attribute.DESTINATION_SERVICE_NAME) return label(out, 0);
  return attribute != Attribute.DESTINATION_SERVICE_NAMESPACE || label(out, 1);
}

/** Leaves the first or second label of a host of three or more; empty when it has fewer. */
function label(out: View, index: i32): bool {
  const first = indexOf(out, 0);
  const second = indexOf(out, first + 1);
  if (second >= out.length) out.set(out.ptr, 0);
  else if (index == 0) out.set(out.ptr, first);
  else out.set(out.ptr + (first as usize) + 1, second - first - 1);
  return true;
}

function indexOf(view: View, from: i32): i32 {
  let i = from;
  while (i < view.length && at(view, i) != 0x2e) i++;
  return i;
}
