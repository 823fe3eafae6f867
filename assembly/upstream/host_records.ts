import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { UpstreamHost } from "../stream/upstream_host";

/** Addresses of one cluster that are remembered; addresses of hosts that are gone stay until then. */
const MAX_RECORDS: i32 = 2048;

/** The hosts of a cluster as filters judge them, by address: the same for all subsets. */
export class HostRecords {
  private readonly byAddress: Map<string, UpstreamHost> = new Map<string, UpstreamHost>();

  constructor(private readonly cluster: Bytes) {}

  /** The record of an address. Allocates: hosts keep theirs. */
  of(address: Bytes): UpstreamHost {
    const key = address.toString();
    if (this.byAddress.has(key)) return this.byAddress.get(key);
    if (this.byAddress.size >= MAX_RECORDS) this.dropOthers();
    const record = new UpstreamHost(this.cluster, address);
    this.byAddress.set(key, record);
    return record;
  }

  /** Forgets those that are not ejected: hosts in use keep theirs. */
  private dropOthers(): void {
    const all = this.byAddress.values();
    this.byAddress.clear();
    for (let i = 0; i < all.length; i++) {
      if (all[i].ejected && i < MAX_RECORDS >> 1) this.byAddress.set(all[i].address.toString(), all[i]);
    }
    noteGarbage(all.length);
  }
}
