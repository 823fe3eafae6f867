import { Bytes } from "../../../assembly/bytes/bytes";
import { writeDecimal } from "../../../assembly/bytes/decimal";
import { bytesEqual } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { HeaderList } from "../../../assembly/message/list";

/** MOSN's names (dubbothrift/types.go). */
export const SERVICE: Bytes = Bytes.of("service");
export const METHOD: Bytes = Bytes.of("method");
const SEQ_ID: Bytes = Bytes.of("seqId");
const MESSAGE_TYPE: Bytes = Bytes.of("messageType");

/** Headers there are; the protocol has no place for others. */
const FIELDS: i32 = 4;
/** The longest i32 in decimal. */
const DIGITS: usize = 11;

/**
 * The fields of a message as headers: `service` and `method` may be set, `seqId` and `messageType` are there to be
 * read, and none can be removed. Others can be added, but not written. `encode` refuses what has no place.
 */
export class ThriftHeaders extends HeaderList {
  /** `seqId`, then `messageType`, in decimal. */
  private readonly text: StaticArray<u8> = new StaticArray<u8>(2 * (DIGITS as i32));
  private readonly view: View = new View();
  /** Whether a field was to have another value, or to go, that has to stay. */
  fixed: bool = false;

  /** Makes them those of a message; the ranges are borrowed. */
  bind(service: usize, serviceLength: i32, method: usize, methodLength: i32, seqId: i32, type: i32): void {
    this.clear();
    this.fixed = false;
    this.append(SERVICE.ptr, SERVICE.length, service, serviceLength);
    this.append(METHOD.ptr, METHOD.length, method, methodLength);
    const end = changetype<usize>(this.text) + DIGITS;
    this.number(SEQ_ID, seqId, end);
    this.number(MESSAGE_TYPE, type, end + DIGITS);
  }

  /** Whether all of them have a place in a message. */
  get fit(): bool {
    return this.length == FIELDS;
  }

  get changed(): bool {
    return this.fixed || super.changed;
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (!isNumber(key, keyLength)) {
      super.set(key, keyLength, value, valueLength);
      return;
    }
    const view = this.view;
    if (!this.get(key, keyLength, view) || !bytesEqual(view.ptr, view.length, value, valueLength)) this.fixed = true;
  }

  /** A field has one value. */
  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (isField(key, keyLength)) this.fixed = true;
    else super.add(key, keyLength, value, valueLength);
  }

  remove(key: usize, keyLength: i32): i32 {
    if (!isField(key, keyLength)) return super.remove(key, keyLength);
    this.fixed = true;
    return 0;
  }

  /** Writes the digits of `value` before `end`, and appends them as the value of `key`. */
  private number(key: Bytes, value: i32, end: usize): void {
    const at = writeDecimal(end, value);
    this.append(key.ptr, key.length, at, (end - at) as i32);
  }
}

function isNumber(key: usize, keyLength: i32): bool {
  return SEQ_ID.equals(key, keyLength) || MESSAGE_TYPE.equals(key, keyLength);
}

function isField(key: usize, keyLength: i32): bool {
  return SERVICE.equals(key, keyLength) || METHOD.equals(key, keyLength) || isNumber(key, keyLength);
}
