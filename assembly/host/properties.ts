import { receiveAt, returned } from "../abi/inbox";
import { proxy_get_property, proxy_set_property } from "../abi/imports";
import { Result } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { takeReturned } from "./header_map";

/** Room for a property, so that reading one does not overwrite bytes of the connection in the scratch area. */
const ROOM: usize = 4096;
const room: usize = heap.alloc(ROOM);

/** A property of Envoy as text, "" when there is none; about 600 ns, for messages. */
export function readProperty(first: string, second: string = ""): string {
  const path = String.UTF8.encode(second.length > 0 ? `${first}\0${second}` : first);
  receiveAt(room, ROOM);
  const result = proxy_get_property(changetype<usize>(path), path.byteLength, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (result != Result.OK) return "";
  return String.UTF8.decodeUnsafe(load<usize>(returned), load<usize>(returned, sizeof<usize>()));
}

/** The path of a property, as the ABI wants it, from its parts separated by slashes ("source/address"). */
export function propertyPath(path: string): Bytes {
  return Bytes.of(path.split("/").join("\0"));
}

/** Room that is offered for a value, bytes; larger ones go through the scratch area. */
const OFFER: i32 = 256;

/** Appends the bytes of a property of the current context to `to`; false when it has none. About 600 ns, 100 for none. */
export function appendProperty(path: Bytes, to: ByteBuffer): bool {
  receiveAt(to.reserve(OFFER), OFFER);
  const result = proxy_get_property(path.ptr, path.length, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (result != Result.OK) return false;
  takeReturned(to, OFFER);
  return true;
}

/** A property that does not change while a configuration is in force, in memory of its own; empty: there is none. */
export function fixedProperty(path: Bytes): Bytes {
  const value = new ByteBuffer();
  const found = appendProperty(path, value);
  const bytes = found ? Bytes.copy(value.ptr, value.length) : Bytes.EMPTY;
  value.free();
  return bytes;
}

/**
 * Sets a property of the current context, which Envoy keeps as the object `wasm.NAME` of its filter state: that of a network
 * filter is the connection's, and the filters behind it see it. Peers cannot set or read it. About 110 ns.
 * @param name one part, without NUL
 */
export function setProperty(name: Bytes, value: Bytes): bool {
  return proxy_set_property(name.ptr, name.length, value.ptr, value.length) == Result.OK;
}
