import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { hashBytes } from "../../../assembly/bytes/hash";
import { View } from "../../../assembly/bytes/view";
import { verifySignature } from "../../../assembly/host/foreign";
import { StreamHandler } from "../../../assembly/stream/handler";
import { Algorithm, Family } from "./algorithm";
import { ecSignature } from "./der";
import { Key } from "./jwk";
import { KeySource, Need } from "./key_source";
import { Location } from "./location";
import { Output } from "./output";
import { Reason } from "./reason";
import { Claims, MAX_TOKEN, NO_TIME, Token } from "./token";
import { Now } from "./wall_clock";

/** Signatures that are checked for one token: keys without a `kid` may all be meant. */
const MAX_TRIES: i32 = 16;
/** Longest token that is remembered, bytes. */
const MAX_REMEMBERED: i32 = 4096;

const token = new Token();
const now = new Now();
const found = new View();
const other = new View();
const der = new ByteBuffer();

/** A token whose signature was good. Owned by the collector. */
export class Verified {
  constructor(
    readonly text: Bytes,
    readonly claims: Claims,
    readonly payload: Bytes,
    readonly payloadText: Bytes,
    readonly header: Bytes,
    readonly generation: u32,
  ) {}
}

/** What the claims have to be, beside the signature. */
export class Demands {
  issuer: string = "";
  /** One of them has to be in the token; none: any. */
  audiences: string[] = [];
  skew: i64 = 60;
  needsExpiration: bool = false;
  /** Longest time from when a token is issued until it expires, s; 0: any. */
  maxLifetime: i64 = 0;
}

/** One of `providers`. */
export class Provider {
  /** The token of the request at hand, once it is good. */
  verified: Verified | null = null;
  private readonly cache: StaticArray<Verified | null>;

  constructor(
    readonly name: string,
    private readonly demands: Demands,
    readonly keys: KeySource,
    readonly locations: Location[],
    readonly output: Output,
    cacheSize: i32,
  ) {
    this.cache = new StaticArray<Verified | null>(max(cacheSize, 0));
  }

  /**
   * Judges the token of a request: NONE, and `verified`, or why it is not good, or FETCH.
   * @param audiences instead of the provider's own; null: these
   */
  check(handler: StreamHandler, audiences: string[] | null): Reason {
    this.verified = null;
    const place = this.locate(handler);
    if (place != Reason.NONE) return place;
    if (found.length > MAX_TOKEN) return Reason.TOO_LONG;
    const slot = this.slotOf(found);
    const known = this.remembered(slot);
    if (known !== null && known.generation == this.keys.generation && known.text.equals(found.ptr, found.length)) {
      let reason = this.checkClaims(known.claims, audiences);
      if (reason == Reason.NONE) reason = this.checkKeys();
      if (reason == Reason.NONE) this.verified = known;
      return reason;
    }
    let reason = token.read(found.ptr, found.length);
    if (reason == Reason.NONE) reason = this.checkClaims(token.claims, audiences);
    if (reason == Reason.NONE) reason = this.checkKeys();
    if (reason == Reason.NONE) reason = this.checkSignature();
    if (reason != Reason.NONE) return reason;
    const good = this.keep();
    if (slot >= 0) unchecked((this.cache[slot] = good));
    this.verified = good;
    return reason;
  }

  /** Whether there are keys; asked last, so that no bad token has them fetched. */
  private checkKeys(): Reason {
    const need = this.keys.need();
    if (need == Need.NOTHING) return Reason.NONE;
    return need == Need.FETCH ? Reason.FETCH : Reason.NO_KEYS;
  }

  /** Tells the server and later filters of the token that `check` has found good. */
  tell(handler: StreamHandler): void {
    const verified = this.verified;
    if (verified === null) return;
    if (!this.output.forwards) {
      for (let i = 0, n = this.locations.length; i < n; i++) unchecked(this.locations[i]).remove(handler);
    }
    this.output.write(handler, verified);
  }

  /** Points `found` at the token; two that differ are none. */
  private locate(handler: StreamHandler): Reason {
    let count = 0;
    for (let i = 0, n = this.locations.length; i < n; i++) {
      const reason = unchecked(this.locations[i]).find(handler, other);
      if (reason == Reason.MISSING) continue;
      if (reason != Reason.NONE) return reason;
      const same =
        count == 0 || (other.length == found.length && memory.compare(other.ptr, found.ptr, other.length) == 0);
      if (!same) return Reason.DUPLICATE;
      found.set(other.ptr, other.length);
      count++;
    }
    return count > 0 ? Reason.NONE : Reason.MISSING;
  }

  private checkClaims(claims: Claims, audiences: string[] | null): Reason {
    const demands = this.demands;
    if (demands.issuer.length > 0 && claims.issuer != demands.issuer) return Reason.ISSUER;
    now.read();
    const expires = claims.expires;
    if (expires != NO_TIME && now.latest >= expires + demands.skew) return Reason.EXPIRED;
    if (expires == NO_TIME && (demands.needsExpiration || demands.maxLifetime > 0)) return Reason.EXPIRED;
    if (claims.notBefore != NO_TIME && now.earliest + demands.skew < claims.notBefore) return Reason.NOT_YET;
    if (demands.maxLifetime > 0) {
      const from = claims.issued != NO_TIME ? claims.issued : now.earliest;
      if (now.earliest + demands.skew < from) return Reason.NOT_YET;
      if (expires - from > demands.maxLifetime) return Reason.EXPIRED;
    }
    const allowed = audiences !== null ? audiences : demands.audiences;
    return allowed.length == 0 || haveOne(claims.audiences, allowed) ? Reason.NONE : Reason.AUDIENCE;
  }

  /** Whether one of the keys has made the token's signature. */
  private checkSignature(): Reason {
    const set = this.keys.keys;
    const algorithm = token.algorithm;
    if (set === null || algorithm === null) return Reason.NO_KEYS;
    let tries = 0;
    let named = false;
    for (let i = 0, n = set.keys.length; i < n && tries < MAX_TRIES; i++) {
      const key = unchecked(set.keys[i]);
      if (token.keyId.length > 0 && key.id.length > 0 && key.id != token.keyId) continue;
      if (key.id == token.keyId) named = true;
      if (!key.fits(algorithm)) continue;
      tries++;
      if (isSigned(algorithm, key)) return Reason.NONE;
    }
    if (token.keyId.length > 0 && !named) {
      return this.keys.needForUnknown() == Need.FETCH ? Reason.FETCH : Reason.UNKNOWN_KEY;
    }
    return tries > 0 ? Reason.SIGNATURE : Reason.ALGORITHM;
  }

  private remembered(slot: i32): Verified | null {
    return slot >= 0 && slot < this.cache.length ? unchecked(this.cache[slot]) : null;
  }

  private keep(): Verified {
    return new Verified(
      Bytes.copy(found.ptr, found.length),
      token.claims,
      Bytes.copy(token.payload.ptr, token.payload.length),
      Bytes.copy(token.payloadText.ptr, token.payloadText.length),
      Bytes.copy(token.header.ptr, token.header.length),
      this.keys.generation,
    );
  }

  /** Where a token is remembered; -1: nowhere. */
  private slotOf(text: View): i32 {
    const size = this.cache.length;
    if (size == 0 || text.length > MAX_REMEMBERED) return -1;
    return (hashBytes(text.ptr, text.length) % (size as u64)) as i32;
  }
}

/** Whether Envoy finds the signature of the token at hand good. Its length is that of the algorithm's. */
function isSigned(algorithm: Algorithm, key: Key): bool {
  const given = token.signature;
  let ptr = given.ptr;
  let length = given.length;
  if (length == 0) return false;
  if (algorithm.family == Family.EC) {
    if (length != 2 * algorithm.size) return false;
    der.clear();
    ecSignature(ptr, algorithm.size, der);
    ptr = der.ptr;
    length = der.length;
  }
  return verifySignature(algorithm.hash, key.spki, ptr, length, token.signed);
}

function haveOne(names: string[], allowed: string[]): bool {
  for (let i = 0; i < names.length; i++) if (allowed.includes(names[i])) return true;
  return false;
}
