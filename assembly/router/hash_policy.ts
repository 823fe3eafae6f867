import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { siphash24 } from "../bytes/hash";
import { View } from "../bytes/view";
import { IpAddress } from "../config/ip_address";
import { ObjectReader } from "../config/object";
import { RouteInput } from "./input";

/** MOSN's key for hashes of headers and cookies. */
const SIP_KEY: u64 = 0xbeefcafebabedead;
/** Longest value that takes part, bytes. */
const MAX_VALUE: i32 = 65536;

const enum HashKind {
  SOURCE_IP = 0,
  HEADER = 1,
  COOKIE = 2,
}

const COOKIE: Bytes = Bytes.of("cookie");
const scratch = new ByteBuffer();
const view = new View();
const address = new IpAddress();

/** What the hash of a request, for consistent hashing, is made of (mosn-semantics.md §6.8). Immutable. */
export class HashPolicy {
  private kind: HashKind = HashKind.SOURCE_IP;
  /** The header's name and ":", or the cookie's and "=". */
  private prefix: Bytes = Bytes.EMPTY;

  /** Reads the field `hash_policy` of a route; the client's address counts where there is none. */
  constructor(route: ObjectReader) {
    const policies = route.objects("hash_policy");
    if (policies.length > 1) route.fail("hash_policy", "expected at most one policy");
    if (policies.length > 0) this.read(policies[0]);
  }

  private read(policy: ObjectReader): void {
    const header = policy.object("header");
    const cookie = policy.object("cookie");
    const given = (policy.has("header") ? 1 : 0) + (policy.has("cookie") ? 1 : 0) + (policy.has("source_ip") ? 1 : 0);
    policy.object("source_ip").finish();
    policy.finish();
    if (given != 1) return policy.failHere("expected one of header, cookie, source_ip");
    if (policy.has("header")) this.readHeader(header);
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

  /** The hash of a request; 0 where it lacks what is hashed. */
  hash(input: RouteInput): u64 {
    if (this.kind == HashKind.SOURCE_IP) {
      // The last 32 bits, as in MOSN.
      const known = input.sourceAddress(view) && address.parseEndpoint(view.ptr, view.length);
      return known ? address.low & 0xffffffff : 0;
    }
    const prefix = this.prefix;
    if (this.kind == HashKind.HEADER) {
      if (!input.header(prefix.ptr, prefix.length - 1, view)) return 0;
    } else if (!input.header(COOKIE.ptr, COOKIE.length, view) || !this.findCookie()) return 0;
    if (view.length > MAX_VALUE) return 0;
    scratch.reset(MAX_VALUE);
    scratch.append(prefix.ptr, prefix.length);
    scratch.append(view.ptr, view.length);
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
