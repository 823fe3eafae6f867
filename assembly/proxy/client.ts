import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { CalloutShare } from "../host/callout";
import { enterContext } from "../host/stream";
import { Admission } from "../stream/filter";
import { mayHold } from "../upstream/memory";
import { Owner } from "../upstream/owner";
import { Pools } from "../upstream/pools";
import { ClientOutput } from "./client_output";
import { ConnectionInfo } from "./connection_info";
import { MirrorTraffic } from "./mirror_traffic";
import { RequestTraffic } from "./request_traffic";
import { Services } from "./services";

const DENIED = Bytes.of("denied by a filter");

const scratch = new View();

/**
 * One client's conversation: who it is, its requests, and the bytes for it. Subclasses say what it travels on: a connection
 * of Envoy today.
 */
export abstract class Client {
  readonly output: ClientOutput;
  readonly requests: RequestTraffic;
  readonly mirrors: MirrorTraffic = new MirrorTraffic();
  /** Bytes of requests that are kept for retries, and of messages that filters hold. */
  keptBytes: i32 = 0;
  /** Its share of the callouts. */
  readonly callouts: CalloutShare = new CalloutShare();
  /** No more of its bytes are read; it is closed when nothing is in flight, or when that is overdue. */
  lingering: bool = false;
  /** Whether the client may use its connection for what is no request; UNDECIDED: nobody has asked. */
  private admission: Admission = Admission.UNDECIDED;

  /**
   * @param owner of the server connections that its requests go out on, and whose ticks serve it
   * @param pools those server connections
   * @param noClient the client of requests that are not in use; null: this one is that client
   */
  constructor(
    readonly services: Services,
    readonly owner: Owner,
    readonly pools: Pools,
    readonly info: ConnectionInfo,
    private readonly noClient: Client | null,
  ) {
    const output = new ClientOutput(owner);
    this.output = output;
    this.requests = new RequestTraffic(services, output);
  }

  /** The client of requests that are not in use. */
  get nobody(): Client {
    const nobody = this.noClient;
    return nobody === null ? this : nobody;
  }

  /** Bytes of it that are in memory and not read. */
  abstract get unread(): i32;

  /** Those of them that are a frame whose rest has not come; 0: there is none, or nothing is known of it. */
  abstract get partial(): i32;

  /** Whether it is not the client who is to blame that the rest of its frame has not come. */
  abstract get heldUp(): bool;

  /** Reads no more of it, and closes once the requests in flight are answered or five seconds have passed. */
  abstract linger(): void;

  /** Closes with the next tick, whatever is in flight. */
  abstract closeSoon(): void;

  /** Deals with bytes that were kept until it was known what to do with them. */
  abstract reread(): void;

  /** Counts and logs why it is refused, and lingers. */
  refuse(why: Bytes): void {
    this.services.clients.refused(this.info, why, this.services.now());
    this.linger();
  }

  /**
   * Whether the client may use the connection for what comes to no filter: heartbeats, bytes of no known protocol. If not,
   * it is refused here.
   * @param raw whether it is the latter
   */
  admits(raw: bool): bool {
    if (this.admission == Admission.UNDECIDED) {
      const services = this.services;
      // The first bytes may have waited for a timer.
      enterContext(this.info.context);
      const address = this.info.sourceAddress;
      scratch.set(address.ptr, address.length);
      const admitted = services.chains.admits(scratch, raw, services.filterMetrics);
      this.admission = admitted ? Admission.GRANTED : Admission.DENIED;
    }
    if (this.admission == Admission.DENIED) this.refuse(DENIED);
    return this.admission == Admission.GRANTED;
  }

  /** Whether there is room for so many bytes of a request beside those that are kept already. */
  mayKeep(length: i32): bool {
    return mayHold(this.keptBytes, length, this.services.config.maxConnectionBytes);
  }

  /** A request of it is finished. */
  // @ts-ignore: decorator
  @inline
  finished(): void {
    if (this.lingering && this.requests.exchanges.count == 0) this.owner.schedule();
  }

  /** It is gone: all that it asked for is forgotten. */
  protected end(): void {
    this.requests.finishAll();
    this.mirrors.finishAll();
    this.requests.serverRequests.drop(null);
    this.output.bytes.free();
  }
}
