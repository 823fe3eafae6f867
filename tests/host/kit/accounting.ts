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

/** How many host calls each callback makes: host calls are the cost of a filter. */
export class Accounting {
  /** The latest finished entry into each export. */
  readonly last: Record<string, CallCounts> = {};
  /** All host calls since the VM started. */
  readonly totals: CallCounts = {};
  /** Entries into each export since the VM started. */
  readonly entries: CallCounts = {};
  /** Answers other than Ok, by host call and result name ("proxy_get_property NotFound"). */
  readonly failures: CallCounts = {};
  private readonly recorders = new Set<CallbackRecord[]>();

  /** Collects every entry into the guest that happens during `action`, in the order of their start. */
  trace(action: () => void): CallbackRecord[] {
    const records: CallbackRecord[] = [];
    this.recorders.add(records);
    try {
      action();
    } finally {
      this.recorders.delete(records);
    }
    return records;
  }

  begin(callback: string): CallbackRecord {
    const record = { callback, calls: {} };
    add(this.entries, callback);
    for (const records of this.recorders) records.push(record);
    return record;
  }

  end(record: CallbackRecord): void {
    this.last[record.callback] = record.calls;
  }

  count(record: CallbackRecord, name: string): void {
    add(record.calls, name);
    add(this.totals, name);
  }

  answered(name: string, result: number): void {
    if (result !== Result.Ok) add(this.failures, `${name} ${Result[result] ?? result}`);
  }
}

function add(counts: CallCounts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
