// Parsers of what strangers send: base64url, tokens and key sets, DER; a hundred thousand that are broken.
import { decodeBase64Url, encodeBase64Url } from "../../../assembly/bytes/base64url";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { JsonScan } from "../../../assembly/config/json_scan";
import { JsonKind } from "../../../assembly/config/value";
import { ecKey, ecSignature, rsaKey } from "./der";
import { KeySet } from "./jwk";
import { Reason } from "./reason";
import { Token } from "./token";

const buffer = new ByteBuffer();

function decoded(text: string): string {
  const bytes = Bytes.of(text);
  buffer.clear();
  if (!decodeBase64Url(bytes.ptr, bytes.length, buffer)) return "none";
  return String.UTF8.decodeUnsafe(buffer.ptr, buffer.length);
}

function encoded(text: string, pads: bool = false): string {
  const bytes = Bytes.of(text);
  buffer.clear();
  encodeBase64Url(bytes.ptr, bytes.length, pads, buffer);
  return String.UTF8.decodeUnsafe(buffer.ptr, buffer.length);
}

function hex(): string {
  let out = "";
  for (let i = 0; i < buffer.length; i++)
    out += load<u8>(buffer.ptr + (i as usize))
      .toString(16)
      .padStart(2, "0");
  return out;
}

function bytesOf(text: string): Bytes {
  buffer.clear();
  for (let i = 0; i + 1 < text.length; i += 2) buffer.appendByte(U32.parseInt(text.substr(i, 2), 16));
  return Bytes.copy(buffer.ptr, buffer.length);
}

describe("base64url", () => {
  test("both ways, of all lengths", () => {
    const texts = ["", "a", "ab", "abc", "abcd", "\u00ff\u00fe?>"];
    for (let i = 0; i < texts.length; i++) expect(decoded(encoded(texts[i]))).toBe(texts[i]);
    expect(encoded("a", true)).toBe("YQ==");
    expect(encoded("ab")).toBe("YWI");
  });

  test("nothing else", () => {
    const wrong = ["a", "YQ==", "YR", "YWJ", "Y Q", "YQ\n", "Y+/A", "\u00e9a", "abcde"];
    for (let i = 0; i < wrong.length; i++) expect(decoded(wrong[i])).toBe("none", wrong[i]);
  });
});

describe("DER", () => {
  test("of signatures: shortest numbers, and positive ones", () => {
    buffer.clear();
    const raw = bytesOf("0001" + "ff02");
    buffer.clear();
    ecSignature(raw.ptr, 2, buffer);
    expect(hex()).toBe("3008" + "020101" + "020300ff02");
    const zero = bytesOf("0000" + "0000");
    buffer.clear();
    ecSignature(zero.ptr, 2, buffer);
    expect(hex()).toBe("3006" + "020100" + "020100");
  });

  test("of keys", () => {
    const key = rsaKey(bytesOf("00c1"), bytesOf("03"));
    buffer.clear();
    buffer.append(key.ptr, key.length);
    expect(hex()).toBe("301b300d06092a864886f70d0101010500030a003007020200c1020103");
    const point = ecKey(0, bytesOf("11"), bytesOf("22"));
    buffer.clear();
    buffer.append(point.ptr, point.length);
    expect(hex()).toBe("301b301306072a8648ce3d020106082a8648ce3d030107030400041122");
  });
});

/** xorshift: the same numbers each time. */
let state: u32 = 0x12345678;
function random(below: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % below;
}

const PIECES: string[] = [
  '{"alg":"RS256","kid":"a"}',
  '{"alg":"none"}',
  '{"alg":"ES256"}',
  '{"alg":1}',
  '{"iss":"i","exp":1e400}',
  '{"iss":"i","aud":["a",{"b":[]}],"exp":12}',
  '{"a":"\\ud83d\\ude00","b":{"c":[1,2,{"d":null}]}}',
  "[[[[[[[[",
  '{"a":1,"a":2}',
  "",
  "\u0000\u0001",
];

/** A token of pieces that may be good ones, with some of its bytes changed. */
function broken(): Bytes {
  let text =
    encoded(PIECES[random(PIECES.length)]) +
    "." +
    encoded(PIECES[random(PIECES.length)]) +
    "." +
    encoded("x".repeat(random(40)));
  const cut = random(4);
  if (cut == 0) text = text.substring(0, random(text.length + 1));
  else if (cut == 1) text += text.substring(random(text.length + 1));
  const bytes = Bytes.of(text);
  for (let i = random(4); i > 0 && bytes.length > 0; i--)
    store<u8>(bytes.ptr + (random(bytes.length) as usize), random(256) as u8);
  return bytes;
}

const KEYS =
  '{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"oct","k":"x"}]}';

describe("a hundred thousand that are broken", () => {
  test("tokens: each has an answer, and the next good one is read", () => {
    const token = new Token();
    let read = 0;
    for (let i = 0; i < 100000; i++) {
      const bytes = broken();
      if (token.read(bytes.ptr, bytes.length) == Reason.NONE) read++;
      if ((i & 1023) == 0) __collect();
    }
    expect(read > 0 && read < 50000).toBe(true);
    const good = Bytes.of(
      encoded('{"alg":"ES512","kid":"k"}') +
        "." +
        encoded('{"iss":"i","aud":"a","exp":5,"nbf":1.5}') +
        "." +
        encoded("s"),
    );
    expect(token.read(good.ptr, good.length)).toBe(Reason.NONE);
    expect(token.keyId).toBe("k");
    expect(token.claims.issuer).toBe("i");
    expect(token.claims.audiences).toStrictEqual(["a"]);
    expect(token.claims.expires).toBe(5);
    expect(token.claims.notBefore).toBe(1);
    expect(String.UTF8.decodeUnsafe(token.payload.ptr, token.payload.length)).toBe(
      '{"iss":"i","aud":"a","exp":5,"nbf":1.5}',
    );
  });

  test("key sets", () => {
    for (let i = 0; i < 5000; i++) {
      const bytes = Bytes.of(KEYS);
      for (let j = random(6); j > 0; j--) store<u8>(bytes.ptr + (random(bytes.length) as usize), random(256) as u8);
      const set = KeySet.parse(bytes.ptr, random(4) == 0 ? (random(bytes.length) as i32) : bytes.length);
      expect(set.keys.length).toBe(0);
      if ((i & 1023) == 0) __collect();
    }
  });

  test("texts of claims, also such as never get so far", () => {
    const scan = new JsonScan();
    const view = new View();
    const name = Bytes.of("a");
    for (let i = 0; i < 100000; i++) {
      const bytes = Bytes.of(PIECES[random(PIECES.length)]);
      if (bytes.length > 0 && random(2) == 0) store<u8>(bytes.ptr + (random(bytes.length) as usize), random(256) as u8);
      scan.begin(bytes.ptr, bytes.length - (random(3) == 0 ? (random(bytes.length + 1) as i32) : 0));
      scan.raw(view);
      if (scan.member(name) || scan.enter()) {
        for (let j = 0; j < 3; j++) {
          if (scan.kind == JsonKind.STRING) scan.text(view);
          else scan.raw(view);
          expect(view.length <= bytes.length).toBe(true);
          if (!scan.next()) break;
        }
      }
      if ((i & 1023) == 0) __collect();
    }
  });
});
