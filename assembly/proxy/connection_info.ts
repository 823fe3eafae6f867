import { Bytes } from "../bytes/bytes";
import { hostOf } from "../host/log";
import { readProperty } from "../host/properties";
import { ClientIdentity } from "../stream/identity";

/** What Envoy knows of a client's connection. It is asked once; the connection has to be the effective context then. */
export class ConnectionInfo {
  private source: Bytes = Bytes.EMPTY;
  private local: Bytes = Bytes.EMPTY;
  private knownIdentity: ClientIdentity | null = null;

  /** @param context the host's id of the client's connection */
  constructor(readonly context: u32) {}

  /** The client's address, "IP:PORT". */
  get sourceAddress(): Bytes {
    if (this.source.length == 0) this.source = Bytes.of(readProperty("source", "address"));
    return this.source;
  }

  /** The client's host, without its port, as a number that tells hosts apart. */
  get sourceHost(): u64 {
    return hostOf(this.sourceAddress.ptr, this.sourceAddress.length);
  }

  /** The address that the client connected to, "IP:PORT". */
  get localAddress(): Bytes {
    if (this.local.length == 0) this.local = Bytes.of(readProperty("destination", "address"));
    return this.local;
  }

  /** Who the client is by its certificate. */
  get identity(): ClientIdentity {
    const known = this.knownIdentity;
    if (known !== null) return known;
    const made = new ClientIdentity();
    this.knownIdentity = made;
    return made;
  }
}
