// JSON web tokens (RFC 7519) as JWS has them: three parts of base64url with dots between.
import { noteGarbage } from "../../../assembly/abi/dispatch";
import { decodeBase64Url } from "../../../assembly/bytes/base64url";
import { ByteBuffer, KEEP } from "../../../assembly/bytes/buffer";
import { View } from "../../../assembly/bytes/view";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { JsonKind, JsonValue } from "../../../assembly/config/value";
import { Algorithm, algorithmOf } from "./algorithm";
import { Reason } from "./reason";

/** Longest token, bytes. */
export const MAX_TOKEN: i32 = 16384;

const DOT: u32 = 0x2e;
/** Objects that parsing a token leaves to the collector, about. */
const GARBAGE: i32 = 64;
/** Latest time that is one, s: the year 9999. */
const LATEST: f64 = 253402300799;

/** A time claim that is missing. */
export const NO_TIME: i64 = -1;

/** What a token says. Owned by the collector. */
export class Claims {
  issuer: string = "";
  audiences: string[] = [];
  /** Seconds since 1970; NO_TIME: there is none. */
  expires: i64 = NO_TIME;
  notBefore: i64 = NO_TIME;
  issued: i64 = NO_TIME;
}

/** A token that is read, and not verified. One object is used for one token after the other. */
export class Token {
  algorithm: Algorithm | null = null;
  /** Its `kid`; empty: none. */
  keyId: string = "";
  claims: Claims = new Claims();
  /** What is signed; the payload as it stands; and the parts decoded. Borrowed from the text, or until the next one. */
  readonly signed: View = new View();
  readonly payloadText: View = new View();
  readonly header: ByteBuffer = new ByteBuffer();
  readonly payload: ByteBuffer = new ByteBuffer();
  readonly signature: ByteBuffer = new ByteBuffer();

  /** Reads one; NONE, or why it is none. Whatever the bytes, it takes time linear in their number. */
  read(ptr: usize, length: i32): Reason {
    this.header.reset(KEEP);
    this.payload.reset(KEEP);
    this.signature.reset(KEEP);
    if (length > MAX_TOKEN) return Reason.TOO_LONG;
    const first = dotFrom(ptr, length, 0);
    const second = dotFrom(ptr, length, first + 1);
    if (second >= length || dotFrom(ptr, length, second + 1) < length) return Reason.MALFORMED;
    this.signed.set(ptr, second);
    this.payloadText.set(ptr + ((first + 1) as usize), second - first - 1);
    const end = ptr + ((second + 1) as usize);
    const decoded =
      decodeBase64Url(ptr, first, this.header) &&
      decodeBase64Url(this.payloadText.ptr, this.payloadText.length, this.payload) &&
      decodeBase64Url(end, length - second - 1, this.signature);
    if (!decoded) return Reason.MALFORMED;
    noteGarbage(GARBAGE);
    const reason = this.readHeader();
    return reason == Reason.NONE ? this.readClaims() : reason;
  }

  private readHeader(): Reason {
    const header = objectIn(this.header);
    if (header === null) return Reason.MALFORMED;
    // What is critical has to be understood, and nothing is (RFC 7515, 4.1.11).
    if (header.members.has("crit")) return Reason.MALFORMED;
    if (!isText(header, "alg") || (header.members.has("kid") && !isText(header, "kid"))) return Reason.MALFORMED;
    this.keyId = header.members.has("kid") ? header.members.get("kid").text : "";
    this.algorithm = algorithmOf(header.members.get("alg").text);
    return this.algorithm === null ? Reason.ALGORITHM : Reason.NONE;
  }

  private readClaims(): Reason {
    const object = objectIn(this.payload);
    if (object === null || (object.members.has("iss") && !isText(object, "iss"))) return Reason.MALFORMED;
    const claims = new Claims();
    claims.issuer = object.members.has("iss") ? object.members.get("iss").text : "";
    claims.expires = timeIn(object, "exp");
    claims.notBefore = timeIn(object, "nbf");
    claims.issued = timeIn(object, "iat");
    this.claims = claims;
    const times = claims.expires != WRONG && claims.notBefore != WRONG && claims.issued != WRONG;
    return times && readAudiences(object, claims.audiences) ? Reason.NONE : Reason.MALFORMED;
  }
}

/** Reads `aud`: a text, or a list of them. */
function readAudiences(object: JsonValue, to: string[]): bool {
  if (!object.members.has("aud")) return true;
  const value = object.members.get("aud");
  if (value.kind == JsonKind.STRING) to.push(value.text);
  else if (value.kind != JsonKind.ARRAY) return false;
  for (let i = 0; i < value.items.length; i++) {
    if (value.items[i].kind != JsonKind.STRING) return false;
    to.push(value.items[i].text);
  }
  return true;
}

/** A time claim that is no time. */
const WRONG: i64 = -2;

/** Where the next dot is; `length`, or more: there is none. */
function dotFrom(ptr: usize, length: i32, from: i32): i32 {
  let i = from;
  while (i < length && load<u8>(ptr + (i as usize)) != DOT) i++;
  return i;
}

/** The JSON object in a buffer; null where there is none, or it has a key twice. */
function objectIn(text: ByteBuffer): JsonValue | null {
  const value = parseJson(text.ptr, text.length, new ConfigErrors());
  return value !== null && value.kind == JsonKind.OBJECT ? value : null;
}

function isText(object: JsonValue, name: string): bool {
  return object.members.has(name) && object.members.get(name).kind == JsonKind.STRING;
}

function timeIn(claims: JsonValue, name: string): i64 {
  if (!claims.members.has(name)) return NO_TIME;
  const value = claims.members.get(name);
  if (value.kind != JsonKind.NUMBER || !(value.number >= 0 && value.number <= LATEST)) return WRONG;
  return value.number as i64;
}
