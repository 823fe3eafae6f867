// JSON web keys (RFC 7517), as Envoy's verify_signature wants them: DER.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { decodeBase64Url } from "../../../assembly/bytes/base64url";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { JsonKind, JsonValue } from "../../../assembly/config/value";
import { Algorithm, algorithmOf, Family } from "./algorithm";
import { ecKey, rsaKey } from "./der";

/** Most keys of one set, and most bytes of its text. */
const MAX_KEYS: i32 = 256;
const MAX_TEXT: i32 = 256 * 1024;
/** Bits of an RSA key: weaker ones are none, and stronger ones take too long. */
const MIN_RSA: i32 = 2048;
const MAX_RSA: i32 = 8192;

const CURVES: string[] = ["P-256", "P-384", "P-521"];
/** Bytes of a coordinate of each. */
const SIZES: i32[] = [32, 48, 66];

/** A public key that signatures can be checked with. */
export class Key {
  /**
   * @param id its `kid`; empty: none
   * @param family of algorithms that it may be used with, and no others
   * @param curve of EC: its place in `CURVES`
   * @param algorithm the only one that it may be used with; null: any of the family
   * @param spki its SubjectPublicKeyInfo, DER
   */
  constructor(
    readonly id: string,
    private readonly family: Family,
    private readonly curve: i32,
    private readonly algorithm: Algorithm | null,
    readonly spki: Bytes,
  ) {}

  /** Whether a token that says it is signed so may be by this key. */
  fits(algorithm: Algorithm): bool {
    const only = this.algorithm;
    if (only !== null && only !== algorithm) return false;
    return algorithm.family == this.family && (this.family != Family.EC || algorithm.curve == this.curve);
  }
}

/** A set of keys. Owned by the collector. */
export class KeySet {
  readonly keys: Key[] = [];
  /** Why there is none, or why keys were left out. */
  fault: string = "";

  /** Reads a JSON web key set. Keys that cannot be used are left out; a set without any is none. */
  static parse(ptr: usize, length: i32): KeySet {
    const set = new KeySet();
    if (length > MAX_TEXT) {
      set.fault = "longer than 256 KiB";
      return set;
    }
    const errors = new ConfigErrors();
    const value = parseJson(ptr, length, errors);
    if (value === null || value.kind != JsonKind.OBJECT) {
      set.fault = errors.failed ? errors.message : "expected an object";
      return set;
    }
    const keys = value.members.has("keys") ? value.members.get("keys") : value;
    if (keys.kind != JsonKind.ARRAY || keys.items.length > MAX_KEYS) {
      set.fault = "expected up to 256 keys in an array";
      return set;
    }
    for (let i = 0; i < keys.items.length; i++) set.add(keys.items[i]);
    if (set.keys.length == 0 && set.fault.length == 0) set.fault = "no keys";
    return set;
  }

  private add(value: JsonValue): void {
    if (value.kind != JsonKind.OBJECT) this.fault = "a key that is no object";
    else if (!isTextIfAny(value, "alg") || !isTextIfAny(value, "kid")) this.fault = "a key whose alg or kid is no text";
    else if (textOf(value, "use", "sig") != "sig") this.fault = "keys that are not for signatures";
    else {
      const type = textOf(value, "kty", "");
      if (type == "RSA") this.addRsa(value);
      else if (type == "EC") this.addEc(value);
      else this.fault = 'keys of type "' + type + '" cannot be used here: RSA and EC can';
    }
  }

  private push(value: JsonValue, family: Family, curve: i32, spki: Bytes): void {
    const name = textOf(value, "alg", "");
    const algorithm = algorithmOf(name);
    if (name.length > 0 && algorithm === null) this.fault = 'algorithm "' + name + '" cannot be used here';
    else this.keys.push(new Key(textOf(value, "kid", ""), family, curve, algorithm, spki));
  }

  private addRsa(value: JsonValue): void {
    const n = bytesOf(value, "n");
    const e = bytesOf(value, "e");
    const bits = n.length * 8 - leadingZeros(n);
    const odd = e.length >= 1 && e.length <= 4 && (load<u8>(e.ptr + ((e.length - 1) as usize)) & 1) == 1;
    if (bits < MIN_RSA || bits > MAX_RSA) this.fault = "an RSA key that has not 2048 to 8192 bits";
    else if (!odd || e.length * 8 - leadingZeros(e) < 2)
      this.fault = "an RSA key with another exponent than an odd one of up to 32 bits";
    else this.push(value, Family.RSA, -1, rsaKey(n, e));
  }

  private addEc(value: JsonValue): void {
    const curve = CURVES.indexOf(textOf(value, "crv", ""));
    const x = bytesOf(value, "x");
    const y = bytesOf(value, "y");
    if (curve < 0) this.fault = "an EC key of another curve than P-256, P-384 and P-521";
    else if (x.length != SIZES[curve] || y.length != SIZES[curve]) this.fault = "an EC key of the wrong length";
    else this.push(value, Family.EC, curve, ecKey(curve, x, y));
  }
}

function leadingZeros(bytes: Bytes): i32 {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = load<u8>(bytes.ptr + (i as usize)) as u32;
    if (byte != 0) return bits + (clz<u32>(byte) as i32) - 24;
    bits += 8;
  }
  return bits;
}

/** A member that is a text; `fallback` where there is none, "" where it is something else. */
function textOf(value: JsonValue, name: string, fallback: string): string {
  if (!value.members.has(name)) return fallback;
  const member = value.members.get(name);
  return member.kind == JsonKind.STRING ? member.text : "";
}

function isTextIfAny(value: JsonValue, name: string): bool {
  return !value.members.has(name) || value.members.get(name).kind == JsonKind.STRING;
}

function bytesOf(value: JsonValue, name: string): Bytes {
  const text = Bytes.of(textOf(value, name, ""));
  const out = new ByteBuffer();
  const good = decodeBase64Url(text.ptr, text.length, out);
  const bytes = good ? Bytes.copy(out.ptr, out.length) : Bytes.EMPTY;
  out.free();
  return bytes;
}
