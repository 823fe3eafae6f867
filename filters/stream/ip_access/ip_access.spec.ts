// Sets of addresses, and requests without an address; what lists do is in tests/vectors/ip_access.json.
import { Bytes } from "../../../assembly/bytes/bytes";
import { AddressSet } from "../../../assembly/config/address_set";
import { IpAddress } from "../../../assembly/config/ip_address";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";

import { ipAccess } from "./ip_access";

const address = new IpAddress();

function has(set: AddressSet, text: string): bool {
  const bytes = Bytes.of(text);
  assert(address.parse(bytes.ptr, bytes.length), text);
  return set.contains(address);
}

/** A small generator (xorshift). */
let state: u32 = 0x2545f491;
function roll(sides: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % sides;
}

function v4(number: u32): string {
  return [number >> 24, (number >> 16) & 0xff, (number >> 8) & 0xff, number & 0xff].join(".");
}

/** An IPv6 address whose first and last 32 bits are the number. */
function v6(number: u32): string {
  const high = (number >> 16).toString(16);
  const low = (number & 0xffff).toString(16);
  return `${high}:${low}::${high}:${low}`;
}

describe("AddressSet", () => {
  test("has what one of its networks has: random ones, one by one", () => {
    for (let round = 0; round < 60; round++) {
      const isV6 = round % 2 == 1;
      const texts: string[] = [];
      const bases: u32[] = [];
      const lengths: u32[] = [];
      for (let i = 0; i < 20; i++) {
        // Few different numbers, so that networks touch, overlap and repeat.
        const base = (roll(4) << 30) | (roll(8) << 12) | roll(8);
        const bits = [1, 2, 18, 20, 29, 31, 32][roll(7)];
        texts.push((isV6 ? v6(base) : v4(base)) + "/" + bits.toString());
        bases.push(base);
        lengths.push(bits);
      }
      const set = new AddressSet(texts);
      expect(set.wrong.length).toBe(0);
      for (let i = 0; i < 200; i++) {
        const number = (roll(4) << 30) | (roll(9) << 12) | roll(9);
        let expected = false;
        for (let j = 0; j < bases.length; j++) if ((number ^ bases[j]) >> (32 - lengths[j]) == 0) expected = true;
        expect(has(set, isV6 ? v6(number) : v4(number))).toBe(expected, texts.join(" ") + ": " + v4(number));
      }
    }
  });

  test("the first and the last addresses there are", () => {
    const ends = new AddressSet(["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]);
    expect(has(ends, "0.0.0.0") && has(ends, "255.255.255.255") && has(ends, "::")).toBe(true);
    expect(has(ends, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).toBe(true);
    expect(has(ends, "0.0.0.1") || has(ends, "255.255.255.254") || has(ends, "::1")).toBe(false);
    const all = new AddressSet(["0.0.0.0/0", "::/0", "10.0.0.0/8"]);
    expect(has(all, "0.0.0.0") && has(all, "255.255.255.255") && has(all, "::")).toBe(true);
    expect(has(all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).toBe(true);
  });

  test("nothing", () => {
    expect(has(new AddressSet([]), "10.0.0.1")).toBe(false);
  });

  test("2,000 addresses", () => {
    const texts: string[] = [];
    for (let i: u32 = 0; i < 2000; i++) texts.push(v4(0x0a000000 + i * 3));
    const set = new AddressSet(texts);
    for (let i: u32 = 0; i < 6000; i++) if (has(set, v4(0x0a000000 + i)) != (i % 3 == 0)) expect(i).toBe(0);
  });
});

describe("ip_access", () => {
  test("denies, and counts, what has no address where lists want one", () => {
    const handler = new TestHandler();
    expect(handler.run(chainOf(ipAccess, "{'ips':[{'action':'deny','addrs':['10.0.0.1']}]}"), Phase.BEFORE_ROUTE)).toBe(
      FilterStatus.STOP,
    );
    expect(handler.responseCode).toBe(403);
    expect(handler.failures.join()).toBe("ip_access");
  });

  test("counts no failure where no lists are", () => {
    const handler = new TestHandler();
    expect(handler.run(chainOf(ipAccess, "{}"), Phase.BEFORE_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(handler.run(chainOf(ipAccess, "{'default_action':'deny'}"), Phase.BEFORE_ROUTE)).toBe(FilterStatus.STOP);
    expect(handler.failures.length).toBe(0);
  });

  test("its own lists are for requests that have no route yet", () => {
    const handler = new TestHandler();
    expect(handler.run(chainOf(ipAccess, "{'default_action':'deny'}"), Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
  });

  test("protects: HTTP refuses what it cannot ask it about", () => {
    expect(ipAccess.protective).toBe(true);
  });
});
