import { Timer } from "../host/timers";
import { DownstreamConnection } from "./downstream_connection";

/** The end of lingering, or the time for another look at the connection. */
export class LookTimer extends Timer {
  constructor(private readonly connection: DownstreamConnection) {
    super();
  }

  onTimer(now: i64): void {
    this.connection.onTimer();
  }
}
