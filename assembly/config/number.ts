import { isDigit } from "../bytes/ascii";
import { JsonValue } from "./value";

/** Largest integer up to which every integer is an exact f64. */
const EXACT: f64 = 9007199254740992.0;

/** Reads numbers as RFC 8259 spells them. */
export class NumberReader {
  private ptr: usize = 0;
  private left: i32 = 0;
  private at: i32 = 0;

  /**
   * Reads the number at `ptr` (`left` bytes may be read) into `value`.
   * Returns its length, 0 when it is malformed, -1 when it is beyond the range of f64.
   */
  read(ptr: usize, left: i32, value: JsonValue): i32 {
    this.ptr = ptr;
    this.left = left;
    this.at = 0;
    value.negative = this.take(0x2d);
    const whole = this.at;
    const digits = this.digits();
    if (digits == 0 || (digits > 1 && load<u8>(ptr + (whole as usize)) == 0x30)) return 0;
    const integer = this.at;
    if (this.take(0x2e) && this.digits() == 0) return 0;
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (this.digits() == 0) return 0;
    }
    value.number = parseFloat(String.UTF8.decodeUnsafe(ptr, this.at, false));
    if (!isFinite(value.number)) return -1;
    if (this.at == integer) this.exact(whole, value);
    else this.approximate(value);
    return this.at;
  }

  private take(c: u32): bool {
    if (this.at >= this.left || load<u8>(this.ptr + (this.at as usize)) != c) return false;
    this.at++;
    return true;
  }

  private digits(): i32 {
    const from = this.at;
    while (this.at < this.left && isDigit(load<u8>(this.ptr + (this.at as usize)))) this.at++;
    return this.at - from;
  }

  /** Without fraction and exponent: the digits say it. */
  private exact(from: i32, value: JsonValue): void {
    let magnitude: u64 = 0;
    for (let i = from; i < this.at; i++) {
      const digit = (load<u8>(this.ptr + (i as usize)) - 0x30) as u64;
      if (magnitude > (u64.MAX_VALUE - digit) / 10) return;
      magnitude = magnitude * 10 + digit;
    }
    value.magnitude = magnitude;
    value.integral = true;
  }

  /** 3.0 and 1e3 are integers too. */
  private approximate(value: JsonValue): void {
    const size = Math.abs(value.number);
    if (size > EXACT || Math.floor(size) != size) return;
    value.magnitude = size as u64;
    value.integral = true;
  }
}
