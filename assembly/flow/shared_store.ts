import { busyNanos } from "../abi/busy";
import { Result } from "../abi/types";
import { SharedData } from "../host/shared_data";
import { BusyShare } from "./busy_share";
import { RecordStore, Saved, SharedRecord } from "./store";
import { Workers } from "./workers";

/** No record is as long: 16 rules of each kind, with breakers of 100 buckets. */
const ROOM: i32 = 65536;

const data = new SharedData();
/** Where records arrive: in the host's scratch area the bytes of the request are. */
const arrived: usize = heap.alloc(ROOM as usize);

/** Records in the shared data of the process: all workers of all listeners with the same vm_id see them. */
export class ProcessStore extends RecordStore {
  protected read(record: SharedRecord): bool {
    record.length = 0;
    if (!data.get(record.key.ptr, record.key.length, arrived, ROOM)) return false;
    record.room(data.length);
    memory.copy(record.ptr, data.ptr, data.length as usize);
    record.length = data.length;
    record.version = data.version;
    return true;
  }

  protected write(record: SharedRecord): Saved {
    const result = SharedData.set(record.key.ptr, record.key.length, record.ptr, record.length, record.version);
    if (result == Result.OK) {
      record.version = SharedData.presumed;
      return Saved.OK;
    }
    return result == Result.CAS_MISMATCH ? Saved.CONFLICT : Saved.FAILED;
  }

  get shared(): bool {
    return true;
  }
}

/** The share of this VM, as long as it is measured (`measureBusy`). */
class ProcessBusy extends BusyShare {
  protected busyNs(): i64 {
    return busyNanos();
  }
}

/** The store of the process, and this VM among its workers. */
export const processStore = new ProcessStore();
export const processBusy = new ProcessBusy();
export const processWorkers = new Workers(processStore, processBusy);
