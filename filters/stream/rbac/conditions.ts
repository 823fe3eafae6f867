// What permissions and principals ask of a request: Envoy's config/rbac/v3/rbac.proto.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { AddressSet } from "../../../assembly/config/address_set";
import { IpAddress } from "../../../assembly/config/ip_address";
import { JsonScan } from "../../../assembly/config/json_scan";
import { HeaderMatcher } from "../../../assembly/policy/header_matcher";
import { matchPath } from "../../../assembly/policy/path";
import { TextMatcher } from "../../../assembly/policy/text_matcher";
import { ValueMatcher } from "../../../assembly/policy/value_matcher";
import { not, Verdict, verdictOf } from "../../../assembly/policy/verdict";
import { StreamHandler } from "../../../assembly/stream/handler";
import { Identity } from "../../../assembly/stream/identity";

const LOCAL_ADDRESS = Bytes.of("downstream_local_address");
const SPIFFE = Bytes.of("spiffe://");
const COMMON_NAME = Bytes.of("CN=");

const view = new View();
const name = new View();
const address = new IpAddress();
const claims = new JsonScan();

/** Whose request is judged; without `handler` it is what is no request, of which the address alone is known. */
export class Subject {
  handler: StreamHandler | null = null;
  /** The client's address, "IP:PORT", where there is no handler to ask. */
  readonly source: View = new View();

  /** Points `out` at the client's address; on HTTP asking is a host call. */
  address(out: View): bool {
    const handler = this.handler;
    if (handler !== null) return handler.sourceAddress(out);
    out.set(this.source.ptr, this.source.length);
    return true;
  }
}

/** A permission or a principal. Asking allocates nothing; the depth is that of the configuration. */
export abstract class Condition {
  abstract test(subject: Subject): Verdict;
}

export class Any extends Condition {
  test(subject: Subject): Verdict {
    return Verdict.YES;
  }
}

export class All extends Condition {
  constructor(private readonly parts: Condition[]) {
    super();
  }

  test(subject: Subject): Verdict {
    let result = Verdict.YES;
    for (let i = 0, n = this.parts.length; i < n; i++) {
      const verdict = unchecked(this.parts[i]).test(subject);
      if (verdict == Verdict.NO) return verdict;
      if (verdict == Verdict.UNKNOWN) result = verdict;
    }
    return result;
  }
}

export class OneOf extends Condition {
  constructor(private readonly parts: Condition[]) {
    super();
  }

  test(subject: Subject): Verdict {
    let result = Verdict.NO;
    for (let i = 0, n = this.parts.length; i < n; i++) {
      const verdict = unchecked(this.parts[i]).test(subject);
      if (verdict == Verdict.YES) return verdict;
      if (verdict == Verdict.UNKNOWN) result = verdict;
    }
    return result;
  }
}

export class Not extends Condition {
  constructor(private readonly part: Condition) {
    super();
  }

  test(subject: Subject): Verdict {
    return not(this.part.test(subject));
  }
}

export class Header extends Condition {
  constructor(private readonly matcher: HeaderMatcher) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    return handler === null ? Verdict.UNKNOWN : this.matcher.test(handler);
  }
}

/** The path without the query; of RPC "/SERVICE/METHOD". */
export class UrlPath extends Condition {
  constructor(private readonly matcher: TextMatcher) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    return handler === null ? Verdict.UNKNOWN : matchPath(handler, this.matcher);
  }
}

/** The client's address. */
export class SourceIp extends Condition {
  constructor(private readonly addresses: AddressSet) {
    super();
  }

  test(subject: Subject): Verdict {
    if (!subject.address(view) || !address.parseEndpoint(view.ptr, view.length)) return Verdict.UNKNOWN;
    return verdictOf(this.addresses.contains(address));
  }
}

/** Reads the address that the client connected to into `address`. */
function readLocal(subject: Subject): bool {
  const handler = subject.handler;
  return handler !== null && handler.variable(LOCAL_ADDRESS, view) && address.parseEndpoint(view.ptr, view.length);
}

export class DestinationIp extends Condition {
  constructor(private readonly addresses: AddressSet) {
    super();
  }

  test(subject: Subject): Verdict {
    return readLocal(subject) ? verdictOf(this.addresses.contains(address)) : Verdict.UNKNOWN;
  }
}

/** A port from `start` on and below `end`. */
export class DestinationPort extends Condition {
  constructor(
    private readonly start: i32,
    private readonly end: i32,
  ) {
    super();
  }

  test(subject: Subject): Verdict {
    if (!readLocal(subject) || address.port < 0) return Verdict.UNKNOWN;
    return verdictOf(address.port >= this.start && address.port < this.end);
  }
}

export class ServerName extends Condition {
  constructor(private readonly matcher: TextMatcher) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    if (handler === null) return Verdict.UNKNOWN;
    // Envoy too compares an empty name where the client gave none.
    if (!handler.identity(Identity.SERVER_NAME, view)) view.set(0, 0);
    return this.matcher.matches(view.ptr, view.length);
  }
}

/**
 * What the client's certificate calls it: its URI, or else its DNS name, or else its subject. A client without one may be
 * anybody.
 */
export class Authenticated extends Condition {
  /** @param matcher null: any certificate will do */
  constructor(private readonly matcher: TextMatcher | null) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    const matcher = this.matcher;
    if (handler === null) return Verdict.UNKNOWN;
    if (matcher === null) return verdictOf(handler.hasCertificate);
    if (!handler.hasCertificate) return Verdict.UNKNOWN;
    const named =
      handler.identity(Identity.URI, view) ||
      handler.identity(Identity.DNS, view) ||
      handler.identity(Identity.SUBJECT, view);
    return named ? matcher.matches(view.ptr, view.length) : Verdict.UNKNOWN;
  }
}

/** Istio's `source.principal` as MOSN has it: the certificate's URI without "spiffe://", or its subject's common name. */
export class IstioPrincipal extends Condition {
  constructor(private readonly matcher: TextMatcher) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    if (handler === null || !handler.hasCertificate) return Verdict.UNKNOWN;
    let result = Verdict.UNKNOWN;
    if (handler.identity(Identity.URI, view) && SPIFFE.isPrefixOf(view.ptr, view.length)) {
      const skip = SPIFFE.length;
      result = this.matcher.matches(view.ptr + (skip as usize), view.length - skip);
    }
    if (result == Verdict.YES || !handler.identity(Identity.SUBJECT, view) || !commonName(view, name)) return result;
    return this.matcher.matches(name.ptr, name.length);
  }
}

/** Points `out` at the common name in a subject of RFC 2253; false where there is none. */
function commonName(from: View, out: View): bool {
  let start = 0;
  for (let i = 0; i <= from.length; i++) {
    const c = i < from.length ? load<u8>(from.ptr + (i as usize)) : 0x2c;
    if (c == 0x5c) i++;
    else if (c == 0x2c || c == 0x2b) {
      const part = from.ptr + (start as usize);
      if (COMMON_NAME.isPrefixOf(part, i - start)) {
        out.set(part + (COMMON_NAME.length as usize), i - start - COMMON_NAME.length);
        return true;
      }
      start = i + 1;
    }
  }
  return false;
}

/** A claim of the JSON web token that `jwt_authn` has verified before. Without one the client may be anybody. */
export class Claim extends Condition {
  /**
   * @param variable what `jwt_authn` has put the claims in
   * @param path names from the outside in
   */
  constructor(
    private readonly variable: Bytes,
    private readonly path: Bytes[],
    private readonly matcher: ValueMatcher,
    private readonly inverts: bool,
  ) {
    super();
  }

  test(subject: Subject): Verdict {
    const handler = subject.handler;
    if (handler === null || !handler.variable(this.variable, view)) return Verdict.UNKNOWN;
    claims.begin(view.ptr, view.length);
    let found = true;
    for (let i = 0, n = this.path.length; i < n && found; i++) found = claims.member(unchecked(this.path[i]));
    const verdict = this.matcher.test(found ? claims : null);
    return this.inverts ? not(verdict) : verdict;
  }
}
