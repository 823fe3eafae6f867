import { Bytes } from "../bytes/bytes";
import { Tunnel } from "../tunnel/tunnel";
import { StreamState, TunnelStream } from "../tunnel/tunnel_stream";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Destination } from "./cluster";
import { Exchange } from "./exchange";
import { Host } from "./host";

/** A connection to a server as those who use it see it: the exchanges on it, and where it goes. */
export abstract class UpstreamConnection extends TunnelStream {
  /** Exchanges that wait for their responses, oldest first. */
  first: Exchange | null = null;
  private last: Exchange | null = null;
  active: i32 = 0;
  /** Exchanges that are counted as waiting for it to open. */
  private pending: i32 = 0;
  /** The server wants no more requests on it. */
  draining: bool = false;
  /** Requests of the server's own that wait for a client. */
  serverRequests: i32 = 0;
  /** The protocol that was last spoken on it, and that protocol's notion of such a connection. */
  codec: Codec | null = null;
  protected aux: u64 = 0;

  /**
   * @param tunnel that it is a stream of
   * @param destination which cluster and subset it goes to
   * @param host which host it goes to; null until that is known
   */
  constructor(
    protected readonly tunnel: Tunnel,
    readonly destination: Destination,
    public host: Host | null,
  ) {
    super();
  }

  /** Ends it without a fault: nothing waits on it. */
  abstract retire(): void;

  /** Says that an answer of the proxy's own, `length` bytes, has been added to the queue. */
  abstract answered(length: i32): void;

  /** Whether it can take another exchange. */
  get usable(): bool {
    return !this.draining && this.state <= StreamState.OPEN;
  }

  /** Says that a request of this codec, `length` bytes, has been added to the queue; `aux` as in `Frame`. */
  wrote(codec: Codec, aux: u64, length: i32): void {
    this.codec = codec;
    this.aux = aux;
    this.tunnel.wrote(this, length);
  }

  /** Adds an exchange that has been written to it. */
  attach(exchange: Exchange): void {
    const last = this.last;
    exchange.upstream = this;
    exchange.next = null;
    exchange.previous = last;
    if (last !== null) last.next = exchange;
    else this.first = exchange;
    this.last = exchange;
    this.active++;
    const host = this.host;
    exchange.triedHost = host;
    if (host !== null) host.active++;
    if (this.state != StreamState.OPENING) return;
    this.pending++;
    this.destination.cluster.pending++;
  }

  /** Removes an exchange that is answered, or goes elsewhere. */
  detach(exchange: Exchange): void {
    const previous = exchange.previous;
    const next = exchange.next;
    if (previous !== null) previous.next = next;
    else this.first = next;
    if (next !== null) next.previous = previous;
    else this.last = previous;
    exchange.upstream = null;
    exchange.previous = null;
    exchange.next = null;
    this.active--;
    const host = this.host;
    if (host !== null) {
      host.active--;
      exchange.triedHost = host;
    }
    if (this.pending > 0) {
      this.pending--;
      this.destination.cluster.pending--;
    }
    if (this.active == 0 && this.draining) this.retire();
  }

  /** No exchange waits for it to open any longer. */
  protected settle(): void {
    this.destination.cluster.pending -= this.pending;
    this.pending = 0;
  }

  /** Forwards an answer to a request of the server's own; `id` is the server's. */
  forward(codec: Codec, frame: Frame, id: u64): void {
    this.tunnel.wrote(this, codec.copy(frame, id, this.queue));
  }

  /** Answers a request of the server's own with an error: MOSN's code and a readable reason. */
  refuseRequest(frame: Frame, code: i32, reason: Bytes): void {
    const codec = frame.codec;
    if (codec === null) return;
    const before = this.queue.length;
    codec.reply(frame.id, frame.aux, codec.toStatus(code), reason.ptr, reason.length, this.queue);
    this.answered(this.queue.length - before);
  }
}
