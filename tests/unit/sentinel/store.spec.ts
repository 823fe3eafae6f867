// The change of a record: read, decide, write if nobody else has, or all again.
import { identify, recordKey } from "../../../assembly/sentinel/keys";
import { Change, Committed, Decision, SharedRecord } from "../../../assembly/sentinel/store";
import { TestStore } from "./world";

/** Adds one to the record's number, up to a bound. */
class Increment extends Change {
  asked: i32 = 0;
  most: i64 = i64.MAX_VALUE;
  fails: bool = false;

  apply(record: SharedRecord): Decision {
    this.asked++;
    if (this.fails) return Decision.FAIL;
    if (record.length == 0) record.resize(8);
    const value = load<i64>(record.ptr);
    if (value >= this.most) return Decision.KEEP;
    store<i64>(record.ptr, value + 1);
    return Decision.WRITE;
  }
}

function record(): SharedRecord {
  return new SharedRecord(recordKey(identify("a"), 0));
}

describe("a change of a record", () => {
  test("is written; the next one is made on what was written, without reading it", () => {
    const shared = new TestStore();
    const own = record();
    const change = new Increment();
    for (let i = 0; i < 3; i++) expect(shared.commit(own, change, 4)).toBe(Committed.WRITTEN);
    expect(shared.loads).toBe(1);
    expect(shared.saves).toBe(3);
    expect(load<i64>(own.ptr)).toBe(3);
  });

  test("is made again on what another worker wrote in between", () => {
    const shared = new TestStore();
    const a = record();
    const b = record();
    const change = new Increment();
    shared.commit(a, change, 4);
    shared.commit(b, change, 4);
    change.asked = 0;
    // What this worker presumes is no longer so.
    expect(shared.commit(a, change, 4)).toBe(Committed.WRITTEN);
    expect(change.asked).toBe(2);
    expect(load<i64>(a.ptr)).toBe(3);
  });

  test("that writes nothing holds only on what was read", () => {
    const shared = new TestStore();
    const own = record();
    const change = new Increment();
    shared.commit(own, change, 4);
    change.most = 1;
    change.asked = 0;
    const loads = shared.loads;
    expect(shared.commit(own, change, 4)).toBe(Committed.KEPT);
    expect(change.asked).toBe(2);
    expect(shared.loads).toBe(loads + 1);
    expect(shared.commit(own, change, 4)).toBe(Committed.KEPT);
    expect(change.asked).toBe(3);
  });

  test("fails when it cannot decide, when the store is broken, and when others are faster every time", () => {
    const shared = new TestStore();
    const change = new Increment();
    change.fails = true;
    expect(shared.commit(record(), change, 4)).toBe(Committed.FAILED);
    expect(shared.saves).toBe(0);
    change.fails = false;
    shared.conflicts = 4;
    change.asked = 0;
    expect(shared.commit(record(), change, 4)).toBe(Committed.FAILED);
    expect(change.asked).toBe(4);
    shared.conflicts = 3;
    expect(shared.commit(record(), change, 4)).toBe(Committed.WRITTEN);
    shared.broken = true;
    expect(shared.commit(record(), change, 4)).toBe(Committed.FAILED);
  });
});
