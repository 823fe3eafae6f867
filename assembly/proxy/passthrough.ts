import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { ConnectTarget } from "../tunnel/connect";
import { CloseReason, StreamState, TunnelStream } from "../tunnel/tunnel_stream";
import { Connection } from "./connection";

const NO_CONNECTION = Bytes.of("no connection to the cluster of the fallback");

/** The end of waiting for the connection to the cluster: Envoy does not answer when there may be no more of them. */
class OpenTimer extends Timer {
  constructor(private readonly upstream: Passthrough) {
    super();
  }

  onTimer(now: i64): void {
    this.upstream.onOpenTimeout(now);
  }
}

/** A connection of no known protocol, carried byte for byte to the cluster of `fallback`. */
export class Passthrough extends TunnelStream {
  private readonly timer: OpenTimer = new OpenTimer(this);

  constructor(private readonly connection: Connection) {
    super();
  }

  open(target: ConnectTarget): void {
    const root = this.connection.root;
    root.setTimer(this.timer, root.now() + root.fallbackTimeoutMs, false);
    this.connection.tunnel.open(this, target, Bytes.EMPTY);
  }

  onOpenTimeout(now: i64): void {
    if (this.state != StreamState.OPENING) return;
    this.connection.tunnel.abandon(this, now);
    this.connection.refuse(NO_CONNECTION);
  }

  /** Sends bytes of the client. */
  write(ptr: usize, length: i32): void {
    this.queue.append(ptr, length);
    this.connection.tunnel.wrote(this, length);
  }

  onOpen(): void {
    this.dispose();
  }

  onData(ptr: usize, length: i32): void {
    this.connection.toClient.append(ptr, length);
  }

  onClose(reason: CloseReason): void {
    this.dispose();
    if (reason == CloseReason.NO_CLUSTER) this.connection.root.unknownFallback();
    this.connection.linger();
  }

  /** Cancels what is set when the connection ends. */
  dispose(): void {
    this.connection.root.cancelTimer(this.timer);
  }
}
