import { Bytes } from "../bytes/bytes";
import { readDecimal } from "../bytes/decimal";
import { IpAddress } from "./ip_address";

const SLASH: u32 = 0x2f;

/** The addresses from a first to a last one, as 128-bit numbers. */
class Range {
  constructor(
    readonly firstHigh: u64,
    readonly firstLow: u64,
    readonly lastHigh: u64,
    readonly lastLow: u64,
  ) {}
}

/** Whether 128-bit number `a` is above `b`. */
// @ts-ignore: decorator
@inline
function above(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): bool {
  return aHigh != bHigh ? aHigh > bHigh : aLow > bLow;
}

/** Ranges of one family, sorted and apart from each other. */
class Ranges {
  private readonly ranges: StaticArray<Range>;

  constructor(all: Range[]) {
    all.sort((a: Range, b: Range): i32 => {
      if (above(a.firstHigh, a.firstLow, b.firstHigh, b.firstLow)) return 1;
      return above(b.firstHigh, b.firstLow, a.firstHigh, a.firstLow) ? -1 : 0;
    });
    const apart = new Array<Range>();
    for (let i = 0; i < all.length; i++) {
      const range = all[i];
      const last = apart.length > 0 ? apart[apart.length - 1] : null;
      if (last === null || above(range.firstHigh, range.firstLow, last.lastHigh, last.lastLow)) apart.push(range);
      else if (above(range.lastHigh, range.lastLow, last.lastHigh, last.lastLow))
        apart[apart.length - 1] = new Range(last.firstHigh, last.firstLow, range.lastHigh, range.lastLow);
    }
    this.ranges = StaticArray.fromArray(apart);
  }

  contains(high: u64, low: u64): bool {
    let from = 0;
    let to = this.ranges.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const range = unchecked(this.ranges[middle]);
      if (above(range.firstHigh, range.firstLow, high, low)) to = middle;
      else if (above(high, low, range.lastHigh, range.lastLow)) from = middle + 1;
      else return true;
    }
    return false;
  }
}

/**
 * IP addresses and networks. IPv4 and IPv6 are apart, as in Go: "::/0" has no IPv4 address in it. Asking takes time
 * logarithmic in their number and allocates nothing.
 */
export class AddressSet {
  private readonly v4: Ranges;
  private readonly v6: Ranges;
  /** Indexes of the texts that are none of them. */
  readonly wrong: i32[];

  /** @param texts addresses ("10.0.0.1") and networks ("10.0.0.0/8", whatever the bits behind the prefix) */
  constructor(texts: string[]) {
    const wrong: i32[] = [];
    const v4 = new Array<Range>();
    const v6 = new Array<Range>();
    const address = new IpAddress();
    for (let i = 0; i < texts.length; i++) {
      const bits = readNetwork(texts[i], address);
      if (bits < 0) {
        wrong.push(i);
        continue;
      }
      (address.isV4 ? v4 : v6).push(rangeOf(address, bits));
    }
    this.wrong = wrong;
    this.v4 = new Ranges(v4);
    this.v6 = new Ranges(v6);
  }

  contains(address: IpAddress): bool {
    return (address.isV4 ? this.v4 : this.v6).contains(address.high, address.low);
  }
}

/** Reads an address or a network; returns how many bits of it are the network's, -1 when it is none. */
function readNetwork(text: string, out: IpAddress): i32 {
  const bytes = Bytes.of(text);
  let end = 0;
  while (end < bytes.length && load<u8>(bytes.ptr + (end as usize)) != SLASH) end++;
  if (!out.parse(bytes.ptr, end)) return -1;
  const most = out.isV4 ? 32 : 128;
  if (end == bytes.length) return most;
  const digits = bytes.length - end - 1;
  if (digits < 1 || digits > 3) return -1;
  let bits = readDecimal(bytes.ptr + (end as usize) + 1, digits) as i32;
  if (bits < 0) return -1;
  // Of an IPv4 address in IPv6's notation the first 96 bits are not its own.
  if (out.isV4 && text.includes(":")) bits -= 96;
  return bits <= most ? bits : -1;
}

/** All addresses whose first `bits` bits are those of `address`. */
function rangeOf(address: IpAddress, bits: i32): Range {
  const free = (address.isV4 ? 32 : 128) - bits;
  const low: u64 = free >= 64 ? u64.MAX_VALUE : ((1 as u64) << (free as u64)) - 1;
  const high: u64 = free <= 64 ? 0 : free == 128 ? u64.MAX_VALUE : ((1 as u64) << ((free - 64) as u64)) - 1;
  return new Range(address.high & ~high, address.low & ~low, address.high | high, address.low | low);
}
