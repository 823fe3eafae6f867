/** How long a draining connection has to be silent before it is closed: its client's next request may be on its way, ms. */
const QUIET_MS: i64 = 500;
/** The part of the time between two probes by which connections differ, so that they do not all probe at once. */
const SPREAD: i64 = 4;

/**
 * What a client connection knows of its switchboard's drain. Envoy announces a drain only together with an answer to a
 * CONNECT, so a client that has all its server connections would hear of none: while it is active its connection probes.
 */
export class Drain {
  /** The switchboard drains: the connection closes once nothing is in flight and none has come or gone for a while. */
  begun: bool = false;
  private activeAt: i64 = 0;
  private probeAt: i64 = 0;
  /** Time between two probes, ms; 0: none are sent. */
  private readonly period: i64;

  /**
   * @param id of the client connection
   * @param interval the longest time between two probes, ms; 0: none are sent
   */
  constructor(id: u32, interval: i64) {
    const spread = interval / SPREAD;
    this.period = interval - (spread > 0 ? (((id * 0x9e3779b1) >>> 8) as i64) % spread : 0);
  }

  /** The client has sent something; returns whether it is time for a probe (`Tunnel.sendProbe`). */
  onClient(now: i64): bool {
    if (this.begun) {
      this.activeAt = now;
      return false;
    }
    if (now < this.probeAt || this.period == 0) return false;
    // The first bytes need no probe: they have a CONNECT of their own.
    const first = this.probeAt == 0;
    this.probeAt = now + this.period;
    return !first;
  }

  /** The switchboard has written while it drains; returns whether that is news. */
  begin(now: i64): bool {
    const news = !this.begun;
    this.begun = true;
    this.activeAt = now;
    return news;
  }

  /** Whether it drains and all has been quiet for long enough to close. */
  isQuiet(now: i64): bool {
    return this.begun && now - this.activeAt >= QUIET_MS;
  }
}
