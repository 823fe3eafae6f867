import { SlotTable } from "../bytes/slots";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Exchange } from "./exchange";
import { UpstreamConnection } from "./upstream_connection";

/**
 * A kind of exchanges that an owner sends, such as clients' requests or mirrored ones: their ids, the bounds of the
 * connections they travel on, and what becomes of what servers send that answers none of them.
 */
export abstract class Traffic {
  /** The exchanges under way, by the ids that servers know them by. */
  readonly exchanges: SlotTable<Exchange> = new SlotTable<Exchange>();

  /**
   * @param secondary it must not hold up other traffic (`TunnelStream.secondary`)
   * @param maxSpan hosts of a large cluster that one owner spreads it over
   * @param maxConnections of secondary traffic: most connections of one owner, whatever their clusters
   */
  constructor(
    readonly secondary: bool,
    readonly maxSpan: i32,
    readonly maxConnections: i32,
  ) {}

  /** A response came to nothing that waits on its connection. */
  abstract onLateResponse(codec: Codec): void;

  /** A server sent a request or a one-way request of its own. */
  abstract onServerRequest(from: UpstreamConnection, codec: Codec, frame: Frame): void;

  /** A server sent a request of its own that cannot be used; `frame.error` says why. */
  abstract onBadServerRequest(from: UpstreamConnection, frame: Frame): void;

  /** A connection is gone, or was never opened; its exchanges are told next. `now`: the module's time, ms. */
  abstract onClose(connection: UpstreamConnection, now: i64): void;

  /** Ends all exchanges; nobody is told. */
  finishAll(): void {
    for (let i = 0; i < this.exchanges.capacity; i++) {
      const exchange = this.exchanges.at(i);
      if (exchange !== null) exchange.finish();
    }
  }
}
