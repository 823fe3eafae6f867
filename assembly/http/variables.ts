// MOSN's variables on HTTP (docs/reference/mosn.md#variables).
import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { isPlain, normalisePath } from "../bytes/path";
import { decodePercent } from "../bytes/percent";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { VariableNames } from "../stream/variable_names";
import { HttpTransaction } from "./transaction";
import { escapePath, findArgument, findCookie, splitTarget } from "./uri";

const enum Variable {
  NONE,
  PROTOCOL,
  REMOTE_ADDRESS,
  LOCAL_ADDRESS,
  UPSTREAM_HOST,
  UPSTREAM_CLUSTER,
  RESPONSE_CODE,
  RESPONSE_FLAG,
  FLAGS_IN_HEX,
  DIRECT_RESPONSE,
  SCHEME,
  HOST,
  TARGET,
  PATH,
  PATH_ORIGINAL,
  QUERY,
  METHOD,
  RPC_SERVICE,
  RPC_METHOD,
  CONTENT_LENGTH,
}

const names = new VariableNames();
names.add("protocol", Variable.PROTOCOL);
names.add("downstream_protocol", Variable.PROTOCOL);
names.add("downstream_remote_address", Variable.REMOTE_ADDRESS);
names.add("downstream_local_address", Variable.LOCAL_ADDRESS);
names.add("upstream_host", Variable.UPSTREAM_HOST);
names.add("upstream_local_address", Variable.UPSTREAM_HOST);
names.add("upstream_cluster", Variable.UPSTREAM_CLUSTER);
names.add("response_code", Variable.RESPONSE_CODE);
names.add("x-mosn-status", Variable.RESPONSE_CODE);
names.add("response_flag", Variable.RESPONSE_FLAG);
names.add("upstream_transport_failure_reason", Variable.FLAGS_IN_HEX);
names.add("proxy_direct_response", Variable.DIRECT_RESPONSE);
names.add("x-mosn-scheme", Variable.SCHEME);
names.add("x-mosn-host", Variable.HOST);
names.add("x-mosn-path", Variable.PATH);
names.add("x-mosn-path-original", Variable.PATH_ORIGINAL);
names.add("x-mosn-querystring", Variable.QUERY);
names.add("x-mosn-method", Variable.METHOD);
names.add("x-mosn-rpc-service", Variable.RPC_SERVICE);
names.add("x-mosn-rpc-method", Variable.RPC_METHOD);
addRequestNames("Http1_request_");
addRequestNames("Http2_request_");

function addRequestNames(prefix: string): void {
  names.add(prefix + "scheme", Variable.SCHEME);
  names.add(prefix + "method", Variable.METHOD);
  names.add(prefix + "length", Variable.CONTENT_LENGTH);
  names.add(prefix + "uri", Variable.TARGET);
  names.add(prefix + "path", Variable.PATH);
  names.add(prefix + "path_original", Variable.PATH_ORIGINAL);
  names.add(prefix + "arg", Variable.QUERY);
}

const REQUEST_HEADER = Bytes.of("request_header_");
const RESPONSE_HEADER = Bytes.of("response_header_");
/** Behind "Http1_" or "Http2_". */
const PROTOCOL_PREFIX = Bytes.of("Http");
const PROTOCOL_LENGTH: i32 = 6;
const ARGUMENT = Bytes.of("request_arg_");
const COOKIE = Bytes.of("cookie_");

const SCHEME = Bytes.of(":scheme");
const METHOD = Bytes.of(":method");
const PATH = Bytes.of(":path");
const AUTHORITY = Bytes.of(":authority");
const COOKIES = Bytes.of("cookie");
const CONTENT_TYPE = Bytes.of("content-type");
const CONTENT_LENGTH = Bytes.of("content-length");
const GRPC = Bytes.of("application/grpc");
const TRUE = Bytes.of("true");
const FALSE = Bytes.of("false");

const target = new View();
const path = new View();
const query = new View();
const scratch = new ByteBuffer();

/** Points `out` at a variable of MOSN's that nobody has set; false where it has no value here. */
export function findVariable(stream: HttpTransaction, name: Bytes, out: View): bool {
  if (REQUEST_HEADER.isPrefixOf(name.ptr, name.length)) {
    return stream.request.headers.get(after(name, REQUEST_HEADER.length), name.length - REQUEST_HEADER.length, out);
  }
  if (RESPONSE_HEADER.isPrefixOf(name.ptr, name.length)) {
    const skip = RESPONSE_HEADER.length;
    return stream.hasResponse && stream.response.headers.get(after(name, skip), name.length - skip, out);
  }
  const number = names.find(name) as Variable;
  if (number == Variable.NONE) return findOfProtocol(stream, name, out);
  if (number >= Variable.SCHEME) return findOfRequest(stream, number, out);
  switch (number) {
    case Variable.PROTOCOL:
      return stream.properties.protocol(out);
    case Variable.REMOTE_ADDRESS:
      return stream.sourceAddress(out);
    case Variable.LOCAL_ADDRESS:
      return stream.properties.local.read(out);
    case Variable.UPSTREAM_HOST:
      return stream.hostAddress(out);
    case Variable.UPSTREAM_CLUSTER:
      return stream.clusterName(out);
    case Variable.RESPONSE_CODE:
      return stream.responseCode > 0 && give(stream, stream.responseCode.toString(), out);
    case Variable.FLAGS_IN_HEX:
      return give(stream, "0x" + stream.flags.toString(16), out);
    case Variable.RESPONSE_FLAG:
      return point(stream.flags != 0 ? TRUE : FALSE, out);
    default:
      return stream.isLocal && point(TRUE, out);
  }
}

// @ts-ignore: decorator
@inline
function after(name: Bytes, skip: i32): usize {
  return name.ptr + (skip as usize);
}

function point(value: Bytes, out: View): bool {
  out.set(value.ptr, value.length);
  return true;
}

/** A value that had to be made: kept for as long as the request. */
function give(stream: HttpTransaction, text: string, out: View): bool {
  noteGarbage(2);
  return point(stream.keep(Bytes.of(text)), out);
}

function giveScratch(stream: HttpTransaction, out: View): bool {
  noteGarbage(2);
  return point(stream.keep(Bytes.copy(scratch.ptr, scratch.length)), out);
}

function findOfRequest(stream: HttpTransaction, number: Variable, out: View): bool {
  const headers = stream.request.headers;
  switch (number) {
    case Variable.SCHEME:
      return headers.find(SCHEME, out);
    case Variable.HOST:
      return headers.find(AUTHORITY, out);
    case Variable.METHOD:
      return headers.find(METHOD, out);
    case Variable.CONTENT_LENGTH:
      return headers.find(CONTENT_LENGTH, out);
    case Variable.TARGET:
      return headers.find(PATH, out);
    default:
      return headers.find(PATH, target) && findOfPath(stream, number, out);
  }
}

function findOfPath(stream: HttpTransaction, number: Variable, out: View): bool {
  const hasQuery = splitTarget(target, path, query);
  switch (number) {
    case Variable.PATH_ORIGINAL:
      out.set(path.ptr, path.length);
      return true;
    case Variable.QUERY:
      out.set(query.ptr, query.length);
      return hasQuery && query.length > 0;
    case Variable.PATH: {
      out.set(path.ptr, path.length);
      if (isPlain(path)) return true;
      scratch.reset(KEEP);
      normalisePath(path, scratch);
      return giveScratch(stream, out);
    }
    default:
      return findOfGrpc(stream, number == Variable.RPC_SERVICE, out);
  }
}

/** The service and the method of gRPC are in its path: "/SERVICE/METHOD". */
function findOfGrpc(stream: HttpTransaction, service: bool, out: View): bool {
  if (!stream.request.headers.find(CONTENT_TYPE, out) || !GRPC.isPrefixOf(out.ptr, out.length)) return false;
  let end = path.length;
  while (end > 0 && load<u8>(path.ptr + ((end - 1) as usize)) != 0x2f) end--;
  if (end < 2) return false;
  if (service) out.set(path.ptr + 1, end - 2);
  else out.set(path.ptr + (end as usize), path.length - end);
  return true;
}

/** Variables with a prefix of HTTP's. */
function findOfProtocol(stream: HttpTransaction, name: Bytes, out: View): bool {
  if (name.length <= PROTOCOL_LENGTH || !PROTOCOL_PREFIX.isPrefixOf(name.ptr, name.length)) return false;
  const digit = load<u8>(after(name, 4));
  if ((digit != 0x31 && digit != 0x32) || load<u8>(after(name, 5)) != 0x5f) return false;
  const rest = after(name, PROTOCOL_LENGTH);
  const length = name.length - PROTOCOL_LENGTH;
  const headers = stream.request.headers;
  if (REQUEST_HEADER.isPrefixOf(rest, length)) {
    const skip = REQUEST_HEADER.length;
    return headers.get(rest + (skip as usize), length - skip, out);
  }
  if (COOKIE.isPrefixOf(rest, length)) {
    const skip = COOKIE.length;
    return headers.find(COOKIES, target) && findCookie(target, rest + (skip as usize), length - skip, out);
  }
  if (!ARGUMENT.isPrefixOf(rest, length) || !headers.find(PATH, target)) return false;
  splitTarget(target, path, query);
  const skip = ARGUMENT.length;
  if (!findArgument(query, rest + (skip as usize), length - skip, out)) return false;
  target.set(out.ptr, out.length);
  scratch.reset(KEEP);
  decodePercent(target, true, scratch);
  if (scratch.length == target.length && memory.compare(scratch.ptr, target.ptr, target.length) == 0) return true;
  return giveScratch(stream, out);
}

const SET_PATH = Bytes.of("x-mosn-path");
const SET_QUERY = Bytes.of("x-mosn-querystring");
const SET_HOST = Bytes.of("x-mosn-host");
const SET_AUTHORITY = Bytes.of("authority");
const SET_METHOD = Bytes.of("x-mosn-method");
const GLOBAL_TIMEOUT = Bytes.of("proxy_global_timeout");
const TRY_TIMEOUT = Bytes.of("proxy_try_timeout");
const ENVOY_TIMEOUT = Bytes.of("x-envoy-upstream-rq-timeout-ms");
const ENVOY_TRY_TIMEOUT = Bytes.of("x-envoy-upstream-rq-per-try-timeout-ms");

const value = new View();
const own = new View();

/** Does to the request what the variables say that filters have set: its path, query, host, method and timeouts. */
export function applyVariables(stream: HttpTransaction): void {
  if (stream.variables.count == 0) return;
  applyTarget(stream);
  applyTo(stream, SET_HOST, AUTHORITY);
  applyTo(stream, SET_AUTHORITY, AUTHORITY);
  applyTo(stream, SET_METHOD, METHOD);
  applyTo(stream, GLOBAL_TIMEOUT, ENVOY_TIMEOUT);
  applyTo(stream, TRY_TIMEOUT, ENVOY_TRY_TIMEOUT);
}

/** Gives a header the value of a variable that was set. */
function applyTo(stream: HttpTransaction, variable: Bytes, header: Bytes): void {
  if (!stream.variables.get(variable, value) || value.length == 0) return;
  const headers = stream.request.headers;
  if (headers.find(header, target) && target.length == value.length) {
    if (memory.compare(target.ptr, value.ptr, value.length) == 0) return;
  }
  headers.set(header.ptr, header.length, value.ptr, value.length);
}

/** Puts the request's target together anew where its path or query was set to another one. */
function applyTarget(stream: HttpTransaction): void {
  const newPath = stream.variables.get(SET_PATH, value);
  const newQuery = stream.variables.get(SET_QUERY, query);
  if (!newPath && !newQuery) return;
  const headers = stream.request.headers;
  if (!headers.find(PATH, target)) return;
  splitTarget(target, path, own);
  scratch.reset(KEEP);
  normalisePath(path, scratch);
  // The path as it came stays where filters see no difference.
  const same =
    !newPath || (scratch.length == value.length && memory.compare(scratch.ptr, value.ptr, value.length) == 0);
  scratch.clear();
  if (same) scratch.append(path.ptr, path.length);
  else escapePath(value, scratch);
  if (newQuery) own.set(query.ptr, query.length);
  if (own.length > 0) {
    scratch.appendByte(0x3f);
    scratch.append(own.ptr, own.length);
  }
  if (scratch.length == target.length && memory.compare(scratch.ptr, target.ptr, target.length) == 0) return;
  headers.set(PATH.ptr, PATH.length, scratch.ptr, scratch.length);
}
