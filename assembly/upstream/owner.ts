import { Tunnel } from "../tunnel/tunnel";
import { UpstreamServices } from "./services";
import { TickTask } from "./tick_queue";

/**
 * Whoever has server connections: one client connection today. They share its tunnel, its ticks and its memory. Bytes that
 * they have written go out when the owner flushes the tunnel.
 */
export abstract class Owner extends TickTask {
  readonly tunnel: Tunnel = new Tunnel();
  /** Bytes of servers' frames whose rest has not come. */
  gathered: i32 = 0;
  /** It is gone, and its server connections with it. */
  closed: bool = false;

  /** @param context the host's id of the connection that the tunnel runs over */
  constructor(
    context: u32,
    readonly services: UpstreamServices,
  ) {
    super(context);
  }

  /** Has the next tick flush the tunnel. */
  // @ts-ignore: decorator
  @inline
  schedule(): void {
    if (!this.scheduled && !this.closed) this.services.ticks.add(this);
  }

  /** Whether there is room for more of servers' large frames. */
  get mayGather(): bool {
    return this.gathered <= this.services.upstreamConfig.maxConnectionBytes;
  }
}
