// Addresses, names and URIs as values, as far as they are ASCII (MOSN's pkg/cel/ext/externs.go).
import { isAlphanumeric } from "../bytes/ascii";
import { byteAt, bytesEqual } from "../bytes/memory";
import { ADDRESS_ROOM, putAddress } from "../config/ip_text";
import { arena } from "./arena";
import { Fault, fail } from "./fault";
import { Value } from "./value";

/** Longest name and label, bytes (RFC 1035). */
const MAX_NAME: i32 = 253;
const MAX_LABEL: i32 = 63;

const DOT: u32 = 0x2e;
const HYPHEN: u32 = 0x2d;

/** Whether a label has hyphens only where DNS allows them; a third and fourth one are for "xn--" alone. */
function isLabel(ptr: usize, length: i32): bool {
  if (length > MAX_LABEL || byteAt(ptr, 0) == HYPHEN || byteAt(ptr, length - 1) == HYPHEN) return false;
  if (length < 4 || byteAt(ptr, 2) != HYPHEN || byteAt(ptr, 3) != HYPHEN) return true;
  return (byteAt(ptr, 0) | 0x20) == 0x78 && (byteAt(ptr, 1) | 0x20) == 0x6e;
}

/** Makes a value a DNS name; null when the text can be none. A dot may be behind the last label. */
export function parseName(text: Value, value: Value): Value | null {
  const length = text.length;
  const whole = length > 0 && byteAt(text.ptr, length - 1) == DOT ? length - 1 : length;
  if (whole < 1 || whole > MAX_NAME) return fail(Fault.CONVERSION);
  let from = 0;
  for (let i = 0; i <= whole; i++) {
    if (i < whole && byteAt(text.ptr, i) >= 0x80) return fail(Fault.CONVERSION);
    if (i < whole && byteAt(text.ptr, i) != DOT) continue;
    if (i == from || !isLabel(text.ptr + (from as usize), i - from)) return fail(Fault.CONVERSION);
    from = i + 1;
  }
  return value.setText(text.ptr, length);
}

/** Whether two names are the same but for the case of letters; below 0: one of them is no name. */
export function compareNames(a: usize, aLength: i32, b: usize, bLength: i32): i32 {
  if (!isName(a, aLength) || !isName(b, bLength)) return -1;
  if (aLength != bLength) return 0;
  for (let i = 0; i < aLength; i++) if ((byteAt(a, i) | 0x20) != (byteAt(b, i) | 0x20)) return 0;
  return 1;
}

function isName(ptr: usize, length: i32): bool {
  for (let i = 0; i < length; i++) {
    const c = byteAt(ptr, i);
    if (!isAlphanumeric(c) && c != DOT && c != HYPHEN) return false;
  }
  return true;
}

/** Whether two e-mail addresses are the same: the domain but for the case of letters; below 0: one has no domain name. */
export function compareEmails(a: Value, b: Value): i32 {
  const aDomain = behindAt(a);
  const bDomain = behindAt(b);
  const same = compareNames(
    a.ptr + (aDomain as usize),
    a.length - aDomain,
    b.ptr + (bDomain as usize),
    b.length - bDomain,
  );
  return same < 1 ? same : bytesEqual(a.ptr, aDomain, b.ptr, bDomain) ? 1 : 0;
}

/** What is behind the first "@"; the length where there is none. */
function behindAt(email: Value): i32 {
  for (let i = 0; i < email.length; i++) if (byteAt(email.ptr, i) == 0x40) return i + 1;
  return email.length;
}

/** Writes an address as Go's net.IP does: the longest run of zeros as "::". */
export function formatAddress(address: Value, value: Value): Value | null {
  const to = arena.take(ADDRESS_ROOM);
  if (to == 0) return fail(Fault.TOO_LONG);
  if (!address.known) {
    memory.copy(to, changetype<usize>(NIL), 5);
    return value.setText(to, 5);
  }
  const isV4 = address.high == 0 && address.low >> 32 == 0xffff;
  return value.setText(to, putAddress(to, isV4, address.high, address.low));
}

/** How Go writes an address that is none: <nil>. */
const NIL: StaticArray<u8> = [0x3c, 0x6e, 0x69, 0x6c, 0x3e];

/** What an e-mail address' words are made of (RFC 5322's atext), and what is beyond ASCII. */
function isAtom(c: u32): bool {
  if (isAlphanumeric(c) || c >= 0x80) return true;
  // ! # $ % & ' * + - / = ? ^ _ ` { | } ~
  if (c == 0x21 || (c >= 0x23 && c <= 0x27) || c == 0x2a || c == 0x2b || c == HYPHEN || c == 0x2f) return true;
  return c == 0x3d || c == 0x3f || (c >= 0x5e && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/** Reads e-mail addresses: "a@b.c", "\"a b\"@c.d", "Name <a@b.c>", "a@[1.2.3.4]". */
class EmailReader {
  private ptr: usize = 0;
  private end: i32 = 0;
  private next: i32 = 0;
  private to: usize = 0;
  private written: i32 = 0;

  read(text: Value, value: Value): Value | null {
    this.ptr = text.ptr;
    this.end = text.length;
    this.next = 0;
    this.written = 0;
    this.to = arena.take(text.length);
    if (this.to == 0) return fail(Fault.TOO_LONG);
    this.space();
    let good = this.address();
    if (!good) {
      this.next = 0;
      this.words();
      this.written = 0;
      good = this.take(0x3c) && this.address() && this.take(0x3e);
    }
    this.space();
    return good && this.next == this.end ? value.setText(this.to, this.written) : fail(Fault.CONVERSION);
  }

  private peek(): u32 {
    return this.next < this.end ? byteAt(this.ptr, this.next) : 0;
  }

  private take(c: u32): bool {
    if (this.next >= this.end || this.peek() != c) return false;
    this.next++;
    return true;
  }

  private put(c: u32): void {
    store<u8>(this.to + (this.written++ as usize), c);
  }

  private space(): void {
    while (this.peek() == 0x20 || this.peek() == 0x09) this.next++;
  }

  /** The name before an address in angle brackets. */
  private words(): void {
    for (;;) {
      this.space();
      this.written = 0;
      if (!(this.peek() == 0x22 ? this.quoted() : this.atoms())) return;
    }
  }

  private address(): bool {
    this.written = 0;
    if (!(this.peek() == 0x22 ? this.quoted() : this.atoms()) || !this.take(0x40)) return false;
    this.put(0x40);
    return this.peek() == 0x5b ? this.literal() : this.atoms();
  }

  /** Words with single dots between them. */
  private atoms(): bool {
    const from = this.next;
    while (isAtom(this.peek()) || (this.peek() == DOT && this.next > from && byteAt(this.ptr, this.next - 1) != DOT)) {
      this.put(this.peek());
      this.next++;
    }
    return this.next > from && byteAt(this.ptr, this.next - 1) != DOT;
  }

  private quoted(): bool {
    this.next++;
    while (this.next < this.end && this.peek() != 0x22) {
      if (this.peek() == 0x5c) this.next++;
      if (this.next >= this.end || this.peek() < 0x20) return false;
      this.put(this.peek());
      this.next++;
    }
    return this.take(0x22);
  }

  /** An address in brackets. */
  private literal(): bool {
    while (this.next < this.end) {
      const c = this.peek();
      this.put(c);
      this.next++;
      if (c == 0x5d) return true;
      if (!isAlphanumeric(c) && c != DOT && c != 0x3a && c != 0x5b) return false;
    }
    return false;
  }
}

const emails = new EmailReader();

/** Makes a value an e-mail address; null when the text is none. Comments are not taken. */
export function parseEmail(text: Value, value: Value): Value | null {
  return emails.read(text, value);
}
