import { receiveAt, returned } from "../abi/inbox";
import {
  proxy_add_header_map_value,
  proxy_get_header_map_pairs,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
} from "../abi/imports";
import { HeaderMapType, Result } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";

/** Room that is offered for the headers of a message, bytes; larger ones go through the scratch area. */
const ROOM: i32 = 1024;

/**
 * Appends the headers of a map of the current context to `to`, in the ABI's form for pairs: a count, the lengths of
 * each key and value, then the bytes of each, with a zero behind (all numbers u32, little-endian). Nothing is appended
 * where the host has no such map now. One host call, about 700 ns.
 */
export function appendPairs(map: HeaderMapType, to: ByteBuffer): void {
  receiveAt(to.reserve(ROOM), ROOM);
  const result = proxy_get_header_map_pairs(map, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (result == Result.OK) takeReturned(to, ROOM);
}

/** Counts the bytes that the last host call returned into the `room` bytes reserved in `to`, or copies them there. */
export function takeReturned(to: ByteBuffer, room: i32): void {
  const length = load<usize>(returned, sizeof<usize>()) as i32;
  if (length <= room) to.commit(length);
  else to.append(load<usize>(returned), length);
}

/** Leaves one value of a header; false where the host has no such map, or it cannot be changed any more. */
export function setHeader(map: HeaderMapType, key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
  return proxy_replace_header_map_value(map, key, keyLength, value, valueLength) == Result.OK;
}

/** Adds a value to a header; false as `setHeader`. */
export function addHeader(map: HeaderMapType, key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
  return proxy_add_header_map_value(map, key, keyLength, value, valueLength) == Result.OK;
}

/** Removes all values of a header; false as `setHeader`. */
export function removeHeader(map: HeaderMapType, key: usize, keyLength: i32): bool {
  return proxy_remove_header_map_value(map, key, keyLength) == Result.OK;
}
