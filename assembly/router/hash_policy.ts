import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { siphash24 } from "../bytes/hash";
import { View } from "../bytes/view";
import { IpAddress } from "../config/ip_address";
import { ObjectReader } from "../config/object";
import { RouteInput } from "./input";

/** MOSN's key for hashes of headers and cookies. */
const SIP_KEY: u64 = 0xbeefcafebabedead;
/** Bytes of a value that take part. */
const MAX_VALUE: i32 = 65536;
/** Most policies of one route. */
const MAX_POLICIES: i32 = 16;

const enum HashKind {
  SOURCE_IP = 0,
  HEADER = 1,
  COOKIE = 2,
}

/** The fields of a policy, one of which is given. */
const KINDS: string[] = ["header", "cookie", "source_ip"];
const COOKIE: Bytes = Bytes.of("cookie");
const scratch = new ByteBuffer();
const view = new View();
const address = new IpAddress();

/** One entry of `hash_policy`. */
class HashMethod {
  kind: HashKind = HashKind.SOURCE_IP;
  /** The header's name and ":", or the cookie's and "=". */
  prefix: Bytes = Bytes.EMPTY;
  /** Envoy's: what comes after it does not count once there is a hash. */
  terminal: bool = false;

  constructor(policy: ObjectReader) {
    const header = policy.object("header");
    const cookie = policy.object("cookie");
    const given = (policy.has("header") ? 1 : 0) + (policy.has("cookie") ? 1 : 0) + (policy.has("source_ip") ? 1 : 0);
    policy.object("source_ip").finish();
    this.terminal = policy.bool("terminal", false);
    policy.finish();
    if (given != 1) policy.failTogether(KINDS, "expected one of header, cookie, source_ip");
    else if (policy.has("header")) this.readHeader(header);
    else if (policy.has("cookie")) this.readCookie(cookie);
  }

  private readHeader(header: ObjectReader): void {
    this.kind = HashKind.HEADER;
    this.prefix = Bytes.of(header.required("key") + ":");
    header.finish();
  }

  private readCookie(cookie: ObjectReader): void {
    this.kind = HashKind.COOKIE;
    this.prefix = Bytes.of(cookie.required("name") + "=");
    // For cookies that a proxy makes up; none is.
    cookie.string("path");
    cookie.milliseconds("ttl", 0, 0, i64.MAX_VALUE / 1000000);
    cookie.finish();
  }

  /** The hash of what the request has of it; 0: it has none. An empty value says as little as a missing one. */
  hash(input: RouteInput): u64 {
    const prefix = this.prefix;
    if (this.kind == HashKind.SOURCE_IP) return readSource(input) ? hashAddress() : 0;
    if (this.kind == HashKind.HEADER) {
      if (!input.header(prefix.ptr, prefix.length - 1, view)) return 0;
    } else if (!input.header(COOKIE.ptr, COOKIE.length, view) || !this.findCookie()) return 0;
    if (view.length == 0) return 0;
    scratch.reset(MAX_VALUE);
    scratch.append(prefix.ptr, prefix.length);
    scratch.append(view.ptr, min(view.length, MAX_VALUE));
    return siphash24(SIP_KEY, 0, scratch.ptr, scratch.length);
  }

  /** Narrows the view from the header "cookie" ("a=1; b=2") to the value of the cookie. */
  private findCookie(): bool {
    const prefix = this.prefix;
    const end = view.ptr + (view.length as usize);
    let at = view.ptr;
    while (at < end) {
      while (at < end && (load<u8>(at) == 0x20 || load<u8>(at) == 0x3b)) at++;
      let stop = at;
      while (stop < end && load<u8>(stop) != 0x3b) stop++;
      if (prefix.isPrefixOf(at, (stop - at) as i32)) {
        const value = at + (prefix.length as usize);
        view.set(value, (stop - value) as i32);
        return true;
      }
      at = stop;
    }
    return false;
  }
}

/** What the hash of a request, for consistent hashing, is made of (docs/reference/mosn.md#hash-policies). Immutable. */
export class HashPolicy {
  private readonly methods: HashMethod[] = [];

  /** Reads the field `hash_policy` of a route; the client's address counts where there is none. */
  constructor(route: ObjectReader) {
    const policies = route.objects("hash_policy");
    if (policies.length > MAX_POLICIES) route.fail("hash_policy", `more than ${MAX_POLICIES} policies`);
    for (let i = 0; i < min(policies.length, MAX_POLICIES); i++) this.methods.push(new HashMethod(policies[i]));
  }

  /**
   * The hash of a request. Several policies are combined as Envoy combines them: those that find nothing are left out,
   * and a terminal one that finds the hash not empty is the last. Where none finds anything the client's address counts,
   * unless it is a loopback address, which all clients of a sidecar have. 0: nothing tells this request from others.
   */
  hash(input: RouteInput): u64 {
    const methods = this.methods;
    if (methods.length == 0) return readSource(input) ? hashAddress() : 0;
    let hash: u64 = 0;
    for (let i = 0; i < methods.length; i++) {
      const method = unchecked(methods[i]);
      const one = method.hash(input);
      if (one != 0) hash = hash != 0 ? rotl<u64>(hash, 1) ^ one : one;
      if (method.terminal && hash != 0) break;
    }
    if (hash != 0) return hash;
    return readSource(input) && !address.isLoopback ? hashAddress() : 0;
  }
}

/** Reads the client's address. */
function readSource(input: RouteInput): bool {
  return input.sourceAddress(view) && address.parseEndpoint(view.ptr, view.length);
}

/** MOSN's hash of an IPv4 address is its number. MOSN takes the last 32 bits of an IPv6 address; here all bits count. */
function hashAddress(): u64 {
  return address.isV4 ? address.low : (address.high * 0x9e3779b97f4a7c15) ^ address.low;
}
