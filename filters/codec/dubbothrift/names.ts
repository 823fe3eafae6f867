import { hashBytes } from "../../../assembly/bytes/hash";
import { bytesEqual } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";

/** Pairs kept, a power of two, and how many places there are for one. */
const PLACES: u32 = 4096;
const PLACE_BITS: u32 = 12;
const WAYS: u32 = 4;
/** Generations of a place, so that a number takes 31 bits. */
const GENERATIONS: u32 = 0x7ffff;
/** The longest pair kept, bytes of both names. */
const MAX_LENGTH: i32 = 512;


@unmanaged
class Entry {
  number: u32;
  serviceLength: i32;
  methodLength: i32;
  // The bytes of both follow.
}

/**
 * Service and method of the latest requests under small numbers: a local reply repeats both, and may be due when the
 * request's bytes are gone. New pairs take the place of older ones, whose numbers then find nothing. At most 2 MiB.
 */
export class NameCache {
  private readonly entries: StaticArray<usize> = new StaticArray<usize>(PLACES as i32);
  private generation: u32 = 0;

  /** The number of a pair of names, kept from now on; 0 for a pair that is too long. */
  numberOf(service: usize, serviceLength: i32, method: usize, methodLength: i32): u32 {
    if (serviceLength > MAX_LENGTH || methodLength > MAX_LENGTH - serviceLength) return 0;
    const hash = hashBytes(method, methodLength, hashBytes(service, serviceLength)) as u32;
    for (let way: u32 = 0; way < WAYS; way++) {
      const ptr = unchecked(this.entries[placeOf(hash, way)]);
      if (ptr == 0) continue;
      const entry = changetype<Entry>(ptr);
      const bytes = ptr + offsetof<Entry>();
      if (!bytesEqual(bytes, entry.serviceLength, service, serviceLength)) continue;
      if (bytesEqual(bytes + (serviceLength as usize), entry.methodLength, method, methodLength)) return entry.number;
    }
    return this.add(this.freePlace(hash), service, serviceLength, method, methodLength);
  }

  /** Points at the names with this number, valid until the next `numberOf`; at nothing when they are gone. */
  find(number: u32, service: View, method: View): void {
    const ptr = unchecked(this.entries[(number & (PLACES - 1)) as i32]);
    service.set(0, 0);
    method.set(0, 0);
    if (ptr == 0) return;
    const entry = changetype<Entry>(ptr);
    if (entry.number != number) return;
    service.set(ptr + offsetof<Entry>(), entry.serviceLength);
    method.set(service.ptr + (service.length as usize), entry.methodLength);
  }

  /** A place for a pair with this hash: a free one, or any. */
  private freePlace(hash: u32): i32 {
    for (let way: u32 = 0; way < WAYS; way++) {
      const place = placeOf(hash, way);
      if (unchecked(this.entries[place]) == 0) return place;
    }
    return placeOf(hash, this.generation % WAYS);
  }

  private add(place: i32, service: usize, serviceLength: i32, method: usize, methodLength: i32): u32 {
    const old = unchecked(this.entries[place]);
    if (old != 0) heap.free(old);
    const ptr = heap.alloc(offsetof<Entry>() + ((serviceLength + methodLength) as usize));
    const entry = changetype<Entry>(ptr);
    this.generation = (this.generation % GENERATIONS) + 1;
    entry.number = (this.generation << PLACE_BITS) | (place as u32);
    entry.serviceLength = serviceLength;
    entry.methodLength = methodLength;
    const bytes = ptr + offsetof<Entry>();
    memory.copy(bytes, service, serviceLength as usize);
    memory.copy(bytes + (serviceLength as usize), method, methodLength as usize);
    unchecked((this.entries[place] = ptr));
    return entry.number;
  }
}

// @ts-ignore: decorator
@inline
function placeOf(hash: u32, way: u32): i32 {
  return ((hash + way) & (PLACES - 1)) as i32;
}
