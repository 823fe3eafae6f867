// Reads `rules` and `shadow_rules`. Objects nest as deep as JSON text may.
import { Bytes } from "../../../assembly/bytes/bytes";
import { AddressSet } from "../../../assembly/config/address_set";
import { ObjectReader } from "../../../assembly/config/object";
import { oneOf, protoFields } from "../../../assembly/config/proto_fields";
import { HeaderMatcher } from "../../../assembly/policy/header_matcher";
import { TextMatcher } from "../../../assembly/policy/text_matcher";
import { ValueMatcher } from "../../../assembly/policy/value_matcher";
import {
  All,
  Any,
  Authenticated,
  Claim,
  Condition,
  DestinationIp,
  DestinationPort,
  Header,
  IstioPrincipal,
  Not,
  OneOf,
  ServerName,
  SourceIp,
  UrlPath,
} from "./conditions";
import { Action, Engine, Policy } from "./engine";

const ACTIONS: string[] = ["ALLOW", "DENY", "LOG"];

const PERMISSIONS: string[] = [
  "and_rules",
  "or_rules",
  "not_rule",
  "any",
  "header",
  "url_path",
  "destination_ip",
  "destination_port",
  "destination_port_range",
  "metadata",
  "requested_server_name",
];
const PRINCIPALS: string[] = [
  "and_ids",
  "or_ids",
  "not_id",
  "any",
  "authenticated",
  "source_ip",
  "direct_remote_ip",
  "remote_ip",
  "header",
  "url_path",
  "metadata",
];

/** Filters whose metadata there is: ours and Envoy's name of the one for tokens, and Istio's of certificates. */
const FILTERS: string[] = ["jwt_authn", "envoy.filters.http.jwt_authn", "istio_authn"];
const ISTIO: i32 = 2;
const SOURCE_PRINCIPAL = "source.principal";

/** Reads rules for one root of the module; `http`: HTTP's. */
export class RulesReader {
  constructor(private readonly http: bool) {}

  engine(from: ObjectReader): Engine {
    protoFields(from);
    const action = from.choice("action", 0, ACTIONS) as Action;
    const map = from.object("policies");
    const names = map.value.members.keys();
    const policies: Policy[] = [];
    for (let i = 0; i < names.length; i++) policies.push(this.policy(names[i], map.object(names[i])));
    from.finish();
    return new Engine(action, policies);
  }

  private policy(name: string, from: ObjectReader): Policy {
    protoFields(from);
    const permissions = this.list(from, "permissions", true);
    const principals = this.list(from, "principals", false);
    const why = "expressions of CEL are not evaluated; use permissions, principals or the filter dsl";
    if (from.has("condition")) from.fail("condition", why);
    if (from.has("checked_condition")) from.fail("checked_condition", why);
    from.finish();
    return new Policy(Bytes.of(name), new OneOf(permissions), new OneOf(principals));
  }

  /** The conditions of a list, which must have some. */
  private list(from: ObjectReader, field: string, permission: bool): Condition[] {
    const items = from.objects(field);
    if (items.length == 0) from.fail(field, "must name at least one");
    const out: Condition[] = [];
    for (let i = 0; i < items.length; i++) out.push(this.condition(items[i], permission));
    return out;
  }

  private nested(from: ObjectReader, field: string, permission: bool): Condition[] {
    protoFields(from);
    const out = this.list(from, field, permission);
    from.finish();
    return out;
  }

  private condition(from: ObjectReader, permission: bool): Condition {
    protoFields(from);
    const kind = oneOf(from, permission ? PERMISSIONS : PRINCIPALS);
    const condition = permission ? this.permission(from, kind) : this.principal(from, kind);
    from.finish();
    return condition;
  }

  private permission(from: ObjectReader, kind: string): Condition {
    const port = from.integer("destination_port", 0, 0, 65535) as i32;
    if (kind == "and_rules") return new All(this.nested(from.object(kind), "rules", true));
    if (kind == "or_rules") return new OneOf(this.nested(from.object(kind), "rules", true));
    if (kind == "not_rule") return new Not(this.condition(from.object(kind), true));
    if (kind == "destination_ip") return new DestinationIp(readNetwork(from.object(kind)));
    if (kind == "destination_port") return new DestinationPort(port, port + 1);
    if (kind == "destination_port_range") return readPorts(from.object(kind));
    if (kind == "requested_server_name") return new ServerName(TextMatcher.read(from.object(kind)));
    return this.common(from, kind);
  }

  private principal(from: ObjectReader, kind: string): Condition {
    if (kind == "and_ids") return new All(this.nested(from.object(kind), "ids", false));
    if (kind == "or_ids") return new OneOf(this.nested(from.object(kind), "ids", false));
    if (kind == "not_id") return new Not(this.condition(from.object(kind), false));
    if (kind == "authenticated") return readAuthenticated(from.object(kind));
    if (kind == "source_ip" || kind == "remote_ip") return new SourceIp(readNetwork(from.object(kind)));
    if (kind == "direct_remote_ip") {
      const why = "on HTTP Envoy does not tell the module this address; use remote_ip, or Envoy's own filter rbac";
      if (this.http) from.fail(kind, why);
      return new SourceIp(readNetwork(from.object(kind)));
    }
    return this.common(from, kind);
  }

  /** What both have. */
  private common(from: ObjectReader, kind: string): Condition {
    const any = from.bool("any", true);
    if (kind == "header") return new Header(HeaderMatcher.read(from.object(kind), !this.http));
    if (kind == "url_path") return readPath(from.object(kind));
    if (kind == "metadata") return readMetadata(from.object(kind));
    if (!any) from.fail("any", "must be true");
    return new Any();
  }
}

function readPath(from: ObjectReader): Condition {
  protoFields(from);
  const path = TextMatcher.read(from.object("path"));
  from.finish();
  return new UrlPath(path);
}

/** Envoy's CidrRange. Without a length it would be a range of all addresses: it has to be given. */
function readNetwork(from: ObjectReader): AddressSet {
  protoFields(from);
  const prefix = from.required("address_prefix");
  from.demand("prefix_len");
  const length = from.integer("prefix_len", 0, 0, 128);
  const set = new AddressSet([`${prefix}/${length}`]);
  if (prefix.length > 0 && set.wrong.length > 0) {
    from.fail("address_prefix", `expected an IP address with a prefix of ${length} bits, got "${prefix}"`);
  }
  from.finish();
  return set;
}

function readPorts(from: ObjectReader): Condition {
  const start = from.integer("start", 0, 0, 65535) as i32;
  const end = from.integer("end", 0, 1, 65536) as i32;
  from.demand("end");
  if (end <= start) from.fail("end", "must be above start");
  from.finish();
  return new DestinationPort(start, end);
}

function readAuthenticated(from: ObjectReader): Condition {
  protoFields(from);
  const named = from.has("principal_name");
  const matcher = named ? TextMatcher.read(from.object("principal_name")) : null;
  from.finish();
  return new Authenticated(matcher);
}

/** Envoy's MetadataMatcher, for what there is of metadata. */
function readMetadata(from: ObjectReader): Condition {
  protoFields(from);
  const filter = from.choice("filter", 0, FILTERS);
  from.demand("filter");
  const path: Bytes[] = [];
  const segments = from.objects("path");
  for (let i = 0; i < segments.length; i++) {
    path.push(Bytes.of(segments[i].required("key")));
    segments[i].finish();
  }
  const inverts = from.bool("invert", false);
  const condition = filter == ISTIO ? readIstio(from, path) : readClaim(from, path, inverts);
  from.finish();
  return filter == ISTIO && inverts ? new Not(condition) : condition;
}

function readClaim(from: ObjectReader, path: Bytes[], inverts: bool): Condition {
  if (path.length < 2) {
    from.fail("path", "expected the key that jwt_authn's payload_in_metadata names, and the names of a claim");
  }
  const value = ValueMatcher.read(from.object("value"));
  const variable = path.length > 0 ? Bytes.of("jwt_authn." + path[0].toString()) : Bytes.EMPTY;
  return new Claim(variable, path.slice(1), value, inverts);
}

function readIstio(from: ObjectReader, path: Bytes[]): Condition {
  const known = path.length == 1 && path[0].toString() == SOURCE_PRINCIPAL;
  if (!known) from.fail("path", `expected the one key "${SOURCE_PRINCIPAL}"`);
  const value = protoFields(from.object("value"));
  const matcher = TextMatcher.read(value.object("string_match"));
  value.finish();
  return new IstioPrincipal(matcher);
}
