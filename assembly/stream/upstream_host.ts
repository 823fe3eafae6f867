import { Bytes } from "../bytes/bytes";

/** A host of a cluster as filters that judge hosts see it: one for all subsets and client connections, in one VM. */
export class UpstreamHost {
  /** The balancer leaves it out while this is set. Who sets it clears it. */
  ejected: bool = false;

  /**
   * @param cluster the cluster's name; the same object for all its hosts
   * @param address "IP:PORT"
   */
  constructor(
    readonly cluster: Bytes,
    readonly address: Bytes,
  ) {}
}
