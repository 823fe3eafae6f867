import { receiveAt, returned } from "../abi/inbox";
import { proxy_get_buffer_bytes, proxy_set_buffer_bytes } from "../abi/imports";
import { BufferType, Result } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";

/**
 * Points `out` at a copy of the first `size` bytes of a host buffer, in scratch memory: valid until the next host call
 * that returns bytes. False, and empty, when the host has no such buffer now.
 */
export function readBuffer(type: BufferType, size: i32, out: View): bool {
  out.set(0, 0);
  if (size == 0) return true;
  if (proxy_get_buffer_bytes(type, 0, size, returned, returned + sizeof<usize>()) != Result.OK) return false;
  out.set(load<usize>(returned), load<usize>(returned, sizeof<usize>()) as i32);
  return true;
}

/**
 * Appends the first `size` bytes of a host buffer to `to`, with no copy in between. False as `readBuffer`.
 * @param most memory that `to` should take, if these bytes fit (`ByteBuffer.reserve`)
 */
export function appendBuffer(type: BufferType, size: i32, to: ByteBuffer, most: i32 = 0x3fffffff): bool {
  if (size == 0) return true;
  receiveAt(to.reserve(size, most), size);
  const result = proxy_get_buffer_bytes(type, 0, size, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (result != Result.OK) return false;
  to.commit(min(size, load<usize>(returned, sizeof<usize>()) as i32));
  return true;
}

/** Replaces the first `size` bytes of a host buffer by `length` bytes at `ptr`. False when the host refuses. */
export function replaceBuffer(type: BufferType, size: i32, ptr: usize, length: i32): bool {
  return proxy_set_buffer_bytes(type, 0, size, ptr, length) == Result.OK;
}
