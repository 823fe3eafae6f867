import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { StringMap } from "../bytes/string_map";
import { UpstreamHost } from "../stream/upstream_host";

/** Addresses of one cluster that are remembered; addresses of hosts that are gone stay until then. */
const MAX_RECORDS: i32 = 2048;

/** The hosts of a cluster as filters judge them, by address: the same for all subsets. */
export class HostRecords {
  private readonly byAddress: StringMap<UpstreamHost> = new StringMap<UpstreamHost>();

  constructor(private readonly cluster: Bytes) {}

  /** The record of an address. Allocates: hosts keep theirs. */
  of(address: Bytes): UpstreamHost {
    const key = address.toString();
    const known = this.byAddress.get(key);
    if (known !== null) return known;
    if (this.byAddress.size >= MAX_RECORDS) this.dropOthers();
    const record = new UpstreamHost(this.cluster, address);
    this.byAddress.set(key, record);
    return record;
  }

  /** Forgets those that are not ejected: hosts in use keep theirs. */
  private dropOthers(): void {
    const keys = this.byAddress.keys();
    for (let i = 0, kept = 0; i < keys.length; i++) {
      const record = this.byAddress.get(keys[i]);
      if (record !== null && record.ejected && kept < MAX_RECORDS >> 1) kept++;
      else this.byAddress.delete(keys[i]);
    }
    noteGarbage(keys.length);
  }
}
