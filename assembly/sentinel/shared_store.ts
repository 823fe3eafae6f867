import { Result } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { SECRET0 } from "../bytes/secret";
import { busyNanos } from "../host/busy";
import { ABSENT, SharedData } from "../host/shared_data";
import { BusyShare } from "./busy_share";
import { RecordStore, Saved, SharedRecord } from "./store";
import { Workers } from "./workers";

/** No record is as long: 16 rules of each kind, with breakers of 100 buckets. */
const ROOM: i32 = 65536;

const data = new SharedData();
/** The key of the secret that all workers share: the first one that asks draws it. */
const SECRET_KEY = Bytes.of("me.flow.secret");

/** Where records arrive: in the host's scratch area the bytes of the request are. */
const arrived: usize = heap.alloc(ROOM as usize);

/** Records in the shared data of the process: all workers of all listeners with the same vm_id see them. */
export class ProcessStore extends RecordStore {
  private drawn: u64 = 0;

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

  /** Where the host refuses it is this worker's own: then none of its records can be shared either. */
  get secret(): u64 {
    if (this.drawn == 0 && !this.readSecret()) {
      store<u64>(arrived, SECRET0 | 1);
      // Another worker may have been first: then this is refused.
      SharedData.set(SECRET_KEY.ptr, SECRET_KEY.length, arrived, 8, ABSENT);
      if (!this.readSecret()) this.drawn = SECRET0 | 1;
    }
    return this.drawn;
  }

  private readSecret(): bool {
    if (!data.get(SECRET_KEY.ptr, SECRET_KEY.length, arrived, ROOM) || data.length != 8) return false;
    this.drawn = load<u64>(data.ptr);
    return this.drawn != 0;
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
