import { receiveAt, returned } from "../abi/inbox";
import { proxy_get_property } from "../abi/imports";
import { Result } from "../abi/types";

/** Room for a property, so that reading one does not overwrite bytes of the connection in the scratch area. */
const ROOM: usize = 4096;
const room: usize = heap.alloc(ROOM);

/** A property of Envoy as text, "" when there is none; about 600 ns, for messages. */
export function readProperty(first: string, second: string): string {
  const path = String.UTF8.encode(`${first}\0${second}`);
  receiveAt(room, ROOM);
  const result = proxy_get_property(changetype<usize>(path), path.byteLength, returned, returned + sizeof<usize>());
  receiveAt(0, 0);
  if (result != Result.OK) return "";
  return String.UTF8.decodeUnsafe(load<usize>(returned), load<usize>(returned, sizeof<usize>()));
}
