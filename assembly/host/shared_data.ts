import { receiveAt, returned } from "../abi/inbox";
import { proxy_get_shared_data, proxy_set_shared_data } from "../abi/imports";
import { Result } from "../abi/types";

/**
 * The version to write with where there is nothing yet: the host creates a value that is missing under any version but 0,
 * and refuses it for one that another worker has created in the meantime. It counts versions up from 1.
 */
export const ABSENT: u32 = u32.MAX_VALUE;

const version: usize = heap.alloc(4);

/** The latest version that this VM knows of, of any key: all values of the process are counted by one counter. */
let latest: u32 = 0;

/** Data of the process that all VMs of one vm_id share, by key: the last value that was read. */
export class SharedData {
  /** Its bytes, borrowed until the next host call that returns some; and its version. */
  ptr: usize = 0;
  length: i32 = 0;
  version: u32 = ABSENT;

  /**
   * Reads the value of a key, to `to` where it has at most `room` bytes. A missing one is empty. About 0.6 µs.
   * @returns false: the host refused
   */
  get(key: usize, keyLength: i32, to: usize, room: i32): bool {
    this.ptr = to;
    this.length = 0;
    this.version = ABSENT;
    if (room > 0) receiveAt(to, room as usize);
    const result = proxy_get_shared_data(key, keyLength, returned, returned + sizeof<usize>(), version);
    receiveAt(0, 0);
    if (result == Result.NOT_FOUND) return true;
    if (result != Result.OK) return false;
    this.ptr = load<usize>(returned);
    this.length = load<usize>(returned, sizeof<usize>()) as i32;
    this.version = load<u32>(version);
    if (((this.version - latest) as i32) > 0) latest = this.version;
    return true;
  }

  /** Writes a value if the key still has that version: OK, or CAS_MISMATCH. About 0.15 µs. */
  static set(key: usize, keyLength: i32, value: usize, length: i32, version: u32): Result {
    const result = proxy_set_shared_data(key, keyLength, value, length, version) as Result;
    if (result == Result.OK) {
      latest++;
      if (latest == 0) latest = 1;
    }
    return result;
  }

  /**
   * Right after a `set` that was OK: the version that the value has if nobody else in the process has written anything
   * since this VM last knew. It is never above the true one, so a write under it that is accepted finds the value as it
   * was left: whoever wrote later got a higher version.
   */
  static get presumed(): u32 {
    return latest;
  }
}
