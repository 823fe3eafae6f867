import { Result } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { Metrics } from "./metrics";
import { random } from "./random";
import { SharedData } from "./shared_data";

/** Records there may be: one for each worker and plugin with requests under way. Beyond that gauges are as without them. */
const SLOTS: i32 = 256;
const NONE: i32 = -1;
/** Longest record, bytes. */
const ROOM: i32 = 4096;
/** Bytes of a record before the gauges: who wrote it. */
const HEAD: i32 = 8;
/** Bytes of a gauge beside its name: the name's length, and the value. */
const EACH: i32 = 9;
/** A record that says something is written anew so often, ms; and belongs to a dead VM if it was not for so long. */
const RENEW_MS: i64 = 500;
const LEASE_MS: i64 = 3000;
/** Attempts to write while others write. */
const ATTEMPTS: i32 = 4;

const data = new SharedData();
const arrived: usize = heap.alloc(ROOM as usize);
/** The key of the slot that its last byte names. */
const key = Bytes.of("moe.gauges.?");

/** Reads a slot into `data`; false where the host refuses. */
function read(slot: i32): bool {
  store<u8>(key.ptr + (key.length as usize) - 1, slot as u8);
  return data.get(key.ptr, key.length, arrived, ROOM);
}

/** Writes the slot that was read last, if nobody else has since. */
function write(ptr: usize, length: i32): bool {
  return SharedData.set(key.ptr, key.length, ptr, length, data.version) == Result.OK;
}

/**
 * What each VM has added to gauges, in data that all share: of a VM that traps Envoy keeps what it had added. A VM renews
 * its record as long as there is something in it. One that is started looks at all records, and again after a lease:
 * what was not renewed it takes off the gauges. A VM whose record is gone, because it stood still for so long, adds
 * its part again.
 */
export class GaugeLedger {
  private id: u64 = 0;
  private slot: i32 = NONE;
  private writtenAt: i64 = 0;
  private readonly record: ByteBuffer = new ByteBuffer();
  /** Versions of records that others had at the survey, 0: none; and when to look again, 0: there is no need. */
  private suspects: StaticArray<u32> = new StaticArray<u32>(0);
  private reapAt: i64 = 0;

  constructor(private readonly metrics: Metrics) {}

  /** Whether there is something to do after a while. */
  get waits(): bool {
    return this.slot != NONE || this.reapAt != 0;
  }

  /** Looks which records there are. */
  survey(now: i64): void {
    this.reapAt = 0;
    for (let slot = 0; slot < SLOTS && read(slot) && data.version != u32.MAX_VALUE; slot++) {
      if (data.length == 0) continue;
      if (this.suspects.length == 0) this.suspects = new StaticArray<u32>(SLOTS);
      unchecked((this.suspects[slot] = data.version));
      this.reapAt = now + LEASE_MS;
    }
  }

  /** Does what is due. */
  tick(now: i64): void {
    if (this.slot != NONE && now - this.writtenAt >= RENEW_MS) this.write(now);
    if (this.reapAt == 0 || now < this.reapAt) return;
    this.reapAt = 0;
    for (let slot = 0; slot < this.suspects.length; slot++) this.reap(slot, unchecked(this.suspects[slot]));
    this.suspects = new StaticArray<u32>(0);
  }

  /** Puts the totals of this VM's gauges on record. */
  write(now: i64): void {
    this.writtenAt = now;
    for (let i = 0; i < ATTEMPTS; i++) {
      if (this.slot != NONE && !this.isMine()) this.lost();
      this.compose();
      const empty = this.record.length == HEAD;
      if (this.slot == NONE && (empty || !this.claim())) return;
      if (!write(this.record.ptr, empty ? 0 : this.record.length)) {
        // Whoever was faster: somebody has claimed the slot, or thinks that this VM is dead.
        if (!this.isMine()) this.lost();
        continue;
      }
      const gauges = this.metrics.gauges;
      for (let k = 0, n = gauges.length; k < n; k++) unchecked(gauges[k]).recorded = unchecked(gauges[k]).total;
      if (empty) this.slot = NONE;
      return;
    }
  }

  private isMine(): bool {
    return read(this.slot) && data.length >= HEAD && load<u64>(data.ptr) == this.id;
  }

  /** The record was taken for a dead VM's, and its values off the gauges. */
  private lost(): void {
    this.slot = NONE;
    const gauges = this.metrics.gauges;
    for (let i = 0, n = gauges.length; i < n; i++) {
      const gauge = unchecked(gauges[i]);
      if (gauge.recorded != 0) gauge.correct(gauge.recorded);
      gauge.recorded = 0;
    }
  }

  /** Finds a slot that nobody uses: the one that was read last. */
  private claim(): bool {
    for (let slot = 0; slot < SLOTS && read(slot); slot++) {
      if (data.length > 0) continue;
      this.slot = slot;
      return true;
    }
    return false;
  }

  private compose(): void {
    const record = this.record;
    if (this.id == 0) this.id = random();
    record.clear();
    store<u64>(record.reserve(HEAD), this.id);
    record.commit(HEAD);
    const gauges = this.metrics.gauges;
    for (let i = 0, n = gauges.length; i < n; i++) {
      const gauge = unchecked(gauges[i]);
      const name = gauge.name;
      if (gauge.total == 0 || name.length > 255 || record.length + name.length + EACH > ROOM) continue;
      record.appendByte(name.length);
      record.append(name.ptr, name.length);
      store<i64>(record.reserve(8), gauge.total);
      record.commit(8);
    }
  }

  /** Takes a record's values off the gauges if it is as it was. */
  private reap(slot: i32, version: u32): void {
    if (version == 0 || !read(slot) || data.version != version || data.length > ROOM) return;
    const length = data.length;
    const record = data.ptr;
    if (!write(0, 0)) return;
    for (let at = HEAD; at + EACH <= length;) {
      const nameLength = load<u8>(record + (at as usize)) as i32;
      if (at + nameLength + EACH > length) return;
      const name = record + (at as usize) + 1;
      const value = load<i64>(name + (nameLength as usize));
      this.metrics.gaugeOf(Bytes.copy(name, nameLength)).correct(-value);
      at += nameLength + EACH;
    }
  }
}
