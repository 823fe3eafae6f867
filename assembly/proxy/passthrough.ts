import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { ConnectTarget } from "../tunnel/connect";
import { CloseReason, StreamState, TunnelStream } from "../tunnel/tunnel_stream";
import { Client } from "./client";

const NO_CONNECTION = Bytes.of("no connection to the cluster of the fallback");

/** A connection of no known protocol, carried byte for byte to the cluster of `fallback`. */
export class Passthrough extends TunnelStream {
  private readonly timer: OpenTimer = new OpenTimer(this);

  constructor(private readonly client: Client) {
    super();
  }

  open(target: ConnectTarget): void {
    const services = this.client.services;
    services.setTimer(this.timer, services.now() + (services.config.fallbackTimeoutMs as i64), false);
    this.client.owner.tunnel.open(this, target, Bytes.EMPTY);
  }

  onOpenTimeout(now: i64): void {
    if (this.state != StreamState.OPENING) return;
    this.client.owner.tunnel.abandon(this, now);
    this.client.refuse(NO_CONNECTION);
  }

  /** Sends bytes of the client. */
  write(ptr: usize, length: i32): void {
    this.queue.append(ptr, length);
    this.client.owner.tunnel.wrote(this, length);
  }

  onOpen(): void {
    this.dispose();
  }

  onData(ptr: usize, length: i32): void {
    this.client.output.bytes.append(ptr, length);
  }

  onClose(reason: CloseReason): void {
    this.dispose();
    if (reason == CloseReason.NO_CLUSTER) this.reportUnknown();
    this.client.linger();
  }

  /** Envoy has no cluster of the fallback's name. */
  private reportUnknown(): void {
    const services = this.client.services;
    const destination = services.destinations.of(services.config.fallbackChoice);
    if (destination !== null) services.reports.unknownCluster(destination.cluster, services.now());
  }

  /** Cancels what is set when the connection ends. */
  dispose(): void {
    this.client.services.cancelTimer(this.timer);
  }
}

/** The open timeout: Envoy does not answer where the cluster may have no more connections. */
class OpenTimer extends Timer {
  constructor(private readonly upstream: Passthrough) {
    super();
  }

  onTimer(now: i64): void {
    this.upstream.onOpenTimeout(now);
  }
}
