import { memoryIsShort } from "../bytes/buffer";
import { Timer } from "../host/timers";
import { Patience, SLOW } from "../upstream/patience";
import { Client } from "./client";
import { Holding, relieve } from "../bytes/holders";
import { OUT_OF_MEMORY } from "./reply";

/** What a request with filters takes beside its bytes, about, bytes. */
const REQUEST_BYTES: i32 = 2048;
/** Time between two looks at frames whose rest has not come, ms. */
const LOOK_MS: i64 = 1000;

/** A client's share of the worker's memory: how much it holds, how long it may, and what it gives up while that is short. */
export class Share extends Holding {
  /** How long the rest of the client's own frame has been missing. */
  readonly patience: Patience = new Patience();
  private readonly watch: FrameWatch = new FrameWatch(this);

  constructor(private readonly client: Client) {
    super();
  }

  /** Counts what is held now. The last act of a callback: the host's effective context may be another one after it. */
  settle(): void {
    const client = this.client;
    if (client.owner.closed) return;
    this.count();
    if (this.watch.slot < 0 && (client.partial > 0 || client.owner.gathered > 0)) this.watchAgain();
    if (memoryIsShort()) relieve();
  }

  private count(): void {
    const client = this.client;
    const owner = client.owner;
    const tunnel = owner.tunnel;
    let bytes = client.unread + owner.gathered + client.keptBytes + client.output.bytes.length;
    bytes += tunnel.backlog + tunnel.secondary.backlog;
    if (!client.services.chains.empty) bytes += client.requests.exchanges.count * REQUEST_BYTES;
    this.update(bytes);
  }

  /** The largest frame of a server that is not whole goes, or the copies for retries, or else the client. */
  giveUp(): void {
    const client = this.client;
    const half = this.bytes >> 1;
    const server = client.owner.gathered > half ? client.pools.largestPartial() : null;
    client.services.shortages.add(1);
    if (server !== null) server.dropPartial();
    else if (client.keptBytes <= half || !this.dropCopies()) {
      client.refuse(OUT_OF_MEMORY);
      this.leave();
      client.closeSoon();
      return;
    }
    this.count();
  }

  /** Drops what is kept for retries: those requests are sent once. False when there is nothing. */
  private dropCopies(): bool {
    const client = this.client;
    const before = client.keptBytes;
    const exchanges = client.requests.exchanges;
    for (let i = 0; i < exchanges.capacity; i++) {
      const exchange = exchanges.at(i);
      if (exchange !== null) exchange.dropCopy();
    }
    return client.keptBytes < before;
  }

  /** Looks at frames whose rest has not come: those that take too long are given up. */
  look(now: i64): void {
    if (this.checkPartials(now)) this.watchAgain();
  }

  private watchAgain(): void {
    const services = this.client.services;
    services.setTimer(this.watch, services.now() + LOOK_MS, false);
  }

  /** Returns whether there are still frames whose rest has not come. */
  private checkPartials(now: i64): bool {
    const client = this.client;
    const services = client.services;
    const timeout = services.config.frameTimeoutMs as i64;
    const servers = client.pools.checkPartials(now, timeout);
    const bytes = client.partial;
    if (bytes == 0) return servers;
    if (client.heldUp) this.patience.restart();
    else if (this.patience.isOver(now, bytes, timeout)) {
      services.frameTimeouts.add(1);
      client.refuse(SLOW);
      return servers;
    }
    return true;
  }

  /** The client is gone. */
  close(): void {
    this.client.services.cancelTimer(this.watch);
    this.end();
  }
}

/** The time for a look at frames whose rest has not come. */
class FrameWatch extends Timer {
  constructor(private readonly share: Share) {
    super();
  }

  onTimer(now: i64): void {
    this.share.look(now);
  }
}
