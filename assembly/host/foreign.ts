// Envoy's foreign functions (source/extensions/common/wasm/foreign.cc): what it has beyond the ABI, by name.
import { receiveAt, returned } from "../abi/inbox";
import { proxy_call_foreign_function } from "../abi/imports";
import { Result } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import {
  DeclarePropertyArguments,
  LifeSpan,
  SetEnvoyFilterStateArguments,
  VerifySignatureArguments,
  VerifySignatureResult,
  WasmType,
} from "./generated/foreign";
import { ProtoStatus } from "../protobuf/reader";
import { takeReturned } from "./header_map";

/** Room that is offered for a result, bytes; larger ones go through the scratch area. */
const OFFER: i32 = 256;

const CLEAR_ROUTE_CACHE = Bytes.of("clear_route_cache");
const SET_ENVOY_FILTER_STATE = Bytes.of("set_envoy_filter_state");
const DECLARE_PROPERTY = Bytes.of("declare_property");

const VERIFY_SIGNATURE = Bytes.of("verify_signature");

const state = new SetEnvoyFilterStateArguments();
const property = new DeclarePropertyArguments();
const signed = new VerifySignatureArguments();
const verdict = new VerifySignatureResult();
const written = new ByteBuffer();
const answer = new ByteBuffer();

/**
 * Calls a foreign function in the current context. About 300 ns and what it does itself.
 * @param ptr,length its arguments: of most functions an encoded message
 * @param result what it returns is appended here; null: nothing is wanted
 * @returns NOT_FOUND where Envoy has no such function, BAD_ARGUMENT where it cannot read the arguments, or what the
 * function says; nothing is appended then
 */
export function callForeign(name: Bytes, ptr: usize, length: i32, result: ByteBuffer | null): Result {
  // A function that returns nothing may leave them alone.
  store<usize>(returned, 0);
  store<usize>(returned, 0, sizeof<usize>());
  if (result !== null) receiveAt(result.reserve(OFFER), OFFER);
  const status = proxy_call_foreign_function(name.ptr, name.length, ptr, length, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (status == Result.OK && result !== null) takeReturned(result, OFFER);
  return status as Result;
}

/** Has Envoy match the route of the current HTTP stream again, before it is forwarded. */
export function clearRouteCache(): void {
  callForeign(CLEAR_ROUTE_CACHE, 0, 0, null);
}

/**
 * Sets an object of Envoy's filter state, which its own filters and access logs read (`%FILTER_STATE(KEY:PLAIN)%`).
 * @param key one that Envoy can make an object for: "envoy.string", "envoy.tcp_proxy.cluster", …
 * @param value,length what the object is made of, UTF-8
 * @returns NOT_FOUND for other keys, BAD_ARGUMENT for a value that cannot be one
 */
export function setFilterState(key: Bytes, value: usize, length: i32, span: LifeSpan): Result {
  state.path.set(key.ptr, key.length);
  state.value.set(value, length);
  state.span = span;
  written.clear();
  state.encode(written);
  state.clear();
  return callForeign(SET_ENVOY_FILTER_STATE, written.ptr, written.length, null);
}

/**
 * Has Envoy's expressions take a property that `setProperty` sets for a text; without it they see bytes. Only a root may
 * declare, and once is enough.
 * @returns NOT_FOUND where the host has no such function
 */
export function declareText(name: Bytes): Result {
  property.name.set(name.ptr, name.length);
  property.type = WasmType.STRING;
  written.clear();
  property.encode(written);
  property.clear();
  return callForeign(DECLARE_PROPERTY, written.ptr, written.length, null);
}

/**
 * Has Envoy check a signature of RSA (PKCS #1 v1.5) or ECDSA. Envoy reads the key each time: RSA of 2048 bits takes about
 * 20 µs, P-256 70 µs, P-384 0.5 ms, P-521 1.2 ms.
 * @param hash "sha1", "sha224", "sha256", "sha384" or "sha512"
 * @param key SubjectPublicKeyInfo, DER
 * @param signature,length of ECDSA: DER
 * @param text what is signed; borrowed
 * @returns whether it is good; false also where Envoy cannot tell
 */
export function verifySignature(hash: Bytes, key: Bytes, signature: usize, length: i32, text: View): bool {
  signed.hashFunction.set(hash.ptr, hash.length);
  signed.publicKey.set(key.ptr, key.length);
  signed.signature.set(signature, length);
  signed.text.set(text.ptr, text.length);
  written.clear();
  signed.encode(written);
  signed.clear();
  answer.clear();
  if (callForeign(VERIFY_SIGNATURE, written.ptr, written.length, answer) != Result.OK) return false;
  return verdict.decode(answer.ptr, answer.length) == ProtoStatus.OK && verdict.result;
}
