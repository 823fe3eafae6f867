import { View } from "../bytes/view";
import { Kind } from "./kind";

/** What expressions can ask of a request (MOSN's pkg/cel/extract): those that can have a value. */
export const enum Attribute {
  /** Known by name, and never with a value. */
  NONE = 0,
  ORIGIN_IP = 1,
  REQUEST_TIME = 2,
  REQUEST_HOST = 3,
  REQUEST_METHOD = 4,
  REQUEST_PATH = 5,
  REQUEST_URL_PATH = 6,
  REQUEST_QUERY_PARAMS = 7,
  REQUEST_HEADERS = 8,
  REQUEST_SIZE = 9,
  REQUEST_TOTAL_SIZE = 10,
  RESPONSE_CODE = 11,
  RESPONSE_HEADERS = 12,
  RESPONSE_SIZE = 13,
  RESPONSE_TOTAL_SIZE = 14,
  RESPONSE_DURATION = 15,
  RESPONSE_TIME = 16,
  CONTEXT_PROTOCOL = 17,
  CONTEXT_REPORTER_KIND = 18,
  DESTINATION_IP = 19,
  DESTINATION_PORT = 20,
  DESTINATION_SERVICE_HOST = 21,
  DESTINATION_SERVICE_NAME = 22,
  DESTINATION_SERVICE_NAMESPACE = 23,
}

/**
 * The request that an expression is about. Ranges given are borrowed until the next call: who asks copies them. Which
 * method is asked for an attribute goes by its type.
 */
export abstract class AttributeSource {
  /** An attribute of type string, or ip as text; false: it has no value. */
  abstract text(attribute: Attribute, out: View): bool;
  /**
   * An attribute of type int, duration (ns) or timestamp (ns since 1970) into `integer`; false: it has no value.
   */
  abstract number(attribute: Attribute): bool;
  /** What `number` found. */
  integer: i64 = 0;
  /** Whether an attribute of type map is there. */
  abstract has(attribute: Attribute): bool;
  /** A value of a map; false: it has no such key. */
  abstract find(attribute: Attribute, key: usize, length: i32, out: View): bool;

  /** Sets the request's path (MOSN's variable x-mosn-path). False when it cannot be set, also below. */
  abstract rewriteUrl(path: usize, length: i32): bool;
  /** Leaves one value for a header of the request, or of the response. */
  abstract setHeader(response: bool, key: usize, keyLength: i32, value: usize, valueLength: i32): bool;
  /** Removes a header of the request, or of the response. */
  abstract removeHeader(response: bool, key: usize, length: i32): bool;
}

/** An attribute by its name. */
class Known {
  constructor(
    readonly kind: Kind,
    readonly attribute: Attribute,
  ) {}
}

const all = new Map<string, Known>();
/** What stands before a dot in a name: "request", "destination.service". */
const groups = new Set<string>();

function add(kind: Kind, name: string, attribute: Attribute): void {
  all.set(name, new Known(kind, attribute));
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) groups.add(name.substring(0, dot));
}

/** Adds attributes of one group that never have a value. */
function addEmpty(kind: Kind, group: string, names: string): void {
  const list = names.split(" ");
  for (let i = 0; i < list.length; i++) add(kind, group + "." + list[i], Attribute.NONE);
}

add(Kind.IP, "origin.ip", Attribute.ORIGIN_IP);
add(Kind.TIMESTAMP, "request.time", Attribute.REQUEST_TIME);
add(Kind.STRING, "request.host", Attribute.REQUEST_HOST);
add(Kind.STRING, "request.method", Attribute.REQUEST_METHOD);
add(Kind.STRING, "request.path", Attribute.REQUEST_PATH);
add(Kind.STRING, "request.url_path", Attribute.REQUEST_URL_PATH);
add(Kind.MAP, "request.query_params", Attribute.REQUEST_QUERY_PARAMS);
add(Kind.MAP, "request.headers", Attribute.REQUEST_HEADERS);
add(Kind.INT, "request.size", Attribute.REQUEST_SIZE);
add(Kind.INT, "request.total_size", Attribute.REQUEST_TOTAL_SIZE);
add(Kind.INT, "response.code", Attribute.RESPONSE_CODE);
add(Kind.MAP, "response.headers", Attribute.RESPONSE_HEADERS);
add(Kind.INT, "response.size", Attribute.RESPONSE_SIZE);
add(Kind.INT, "response.total_size", Attribute.RESPONSE_TOTAL_SIZE);
add(Kind.DURATION, "response.duration", Attribute.RESPONSE_DURATION);
add(Kind.TIMESTAMP, "response.time", Attribute.RESPONSE_TIME);
add(Kind.STRING, "context.protocol", Attribute.CONTEXT_PROTOCOL);
add(Kind.STRING, "context.reporter.kind", Attribute.CONTEXT_REPORTER_KIND);
add(Kind.IP, "destination.ip", Attribute.DESTINATION_IP);
add(Kind.INT, "destination.port", Attribute.DESTINATION_PORT);
add(Kind.STRING, "destination.service.host", Attribute.DESTINATION_SERVICE_HOST);
add(Kind.STRING, "destination.service.name", Attribute.DESTINATION_SERVICE_NAME);
add(Kind.STRING, "destination.service.namespace", Attribute.DESTINATION_SERVICE_NAMESPACE);
add(Kind.CONTEXT, "ctx", Attribute.NONE);

// What MOSN takes from Istio's header x-istio-attributes alone.
addEmpty(Kind.STRING, "origin", "uid user");
addEmpty(Kind.STRING, "request", "id reason referer scheme useragent api_key");
addEmpty(Kind.STRING, "request.auth", "principal audiences presenter raw_claims");
addEmpty(Kind.MAP, "request.auth", "claims");
addEmpty(Kind.STRING, "response", "grpc_status grpc_message");
addEmpty(Kind.IP, "source", "ip");
addEmpty(Kind.MAP, "source", "labels metadata");
addEmpty(Kind.STRING, "source", "uid user principal name namespace owner serviceAccount services");
addEmpty(Kind.STRING, "source.workload", "uid name namespace");
addEmpty(Kind.MAP, "destination", "labels metadata");
addEmpty(Kind.STRING, "destination", "uid principal owner name container.name namespace serviceAccount");
addEmpty(Kind.STRING, "destination", "service.uid workload.uid workload.name workload.namespace");
addEmpty(Kind.STRING, "connection", "event id requested_server_name");
addEmpty(Kind.INT, "connection", "received.bytes received.bytes_total sent.bytes sent.bytes_total");
addEmpty(Kind.DURATION, "connection", "duration");
addEmpty(Kind.BOOL, "connection", "mtls");
addEmpty(Kind.STRING, "context", "proxy_error_code proxy_version reporter.uid");
addEmpty(Kind.TIMESTAMP, "context", "timestamp time");
addEmpty(Kind.BOOL, "context", "reporter.local");
addEmpty(Kind.STRING, "api", "service version operation protocol");
addEmpty(Kind.STRING, "rbac.permissive", "response_code effective_policy_id");
addEmpty(Kind.INT, "check", "error_code");
addEmpty(Kind.STRING, "check", "error_message");
addEmpty(Kind.BOOL, "check", "cache_hit");
addEmpty(Kind.BOOL, "quota", "cache_hit");

/** The type of an attribute; NONE: there is no such name. */
export function attributeKind(name: string): Kind {
  return all.has(name) ? all.get(name).kind : Kind.NONE;
}

/** The attribute of a name; NONE also where it never has a value. */
export function attributeOf(name: string): Attribute {
  return all.has(name) ? all.get(name).attribute : Attribute.NONE;
}

/** Whether the name is a group of attributes. */
export function isGroup(name: string): bool {
  return groups.has(name);
}

/** The names of a group, or of everything that stands alone, for messages. */
export function namesIn(group: string): string {
  const names: string[] = [];
  const keys = all.keys();
  const prefix = group + ".";
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const name = group.length == 0 ? key.split(".")[0] : key;
    if (group.length > 0 && !key.startsWith(prefix)) continue;
    if (!names.includes(name)) names.push(name);
  }
  return names.join(", ");
}
