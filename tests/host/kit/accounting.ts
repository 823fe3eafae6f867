import { Result } from "./abi.ts";

/** Number of calls by name of the host function. */
export type CallCounts = Record<string, number>;

/** One entry into the guest. */
export interface CallbackRecord {
  /** Export that was called. */
  callback: string;
  /** Host calls made from it, callbacks nested inside it not included. */
  calls: CallCounts;
}

/** An entry into the guest that goes on. */
export class Entry {
  /** Names of the host calls, one after the other: to count them at once costs too much. */
  private readonly names: string[] = [];

  /** @param callback export that was called */
  constructor(readonly callback: string) {}

  add(name: string): void {
    this.names.push(name);
  }

  get calls(): CallCounts {
    const counts: CallCounts = {};
    for (const name of this.names) add(counts, name);
    return counts;
  }
}

/** How many host calls each callback makes: host calls are the cost of a filter. */
export class Accounting {
  private readonly latest = new Map<string, Entry>();
  /** All host calls since the VM started. */
  readonly totals: CallCounts = {};
  /** Entries into each export since the VM started. */
  readonly entries: CallCounts = {};
  /** Answers other than Ok, by host call and result name ("proxy_get_property NotFound"). */
  readonly failures: CallCounts = {};
  private readonly recorders = new Set<Entry[]>();

  /** Collects every entry into the guest that happens during `action`, in the order of their start. */
  trace(action: () => void): CallbackRecord[] {
    const records: Entry[] = [];
    this.recorders.add(records);
    try {
      action();
    } finally {
      this.recorders.delete(records);
    }
    return records.map(({ callback, calls }) => ({ callback, calls }));
  }

  begin(callback: string): Entry {
    const record = new Entry(callback);
    add(this.entries, callback);
    for (const records of this.recorders) records.push(record);
    return record;
  }

  end(record: Entry): void {
    this.latest.set(record.callback, record);
  }

  /** Host calls of the latest finished entry into this export. */
  last(callback: string): CallCounts {
    return this.latest.get(callback)?.calls ?? {};
  }

  count(record: Entry, name: string): void {
    record.add(name);
    add(this.totals, name);
  }

  answered(name: string, result: number): void {
    if (result !== Result.Ok) add(this.failures, `${name} ${Result[result] ?? result}`);
  }
}

function add(counts: CallCounts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
