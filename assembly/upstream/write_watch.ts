import { TunnelStream, StreamState } from "../tunnel/tunnel_stream";

/** How long bytes may wait for a server that takes none, ms: MOSN's write timeout of connections. */
const WRITE_TIMEOUT_MS: i64 = 15000;

/** Finds out whether a server has stopped taking bytes. To be asked again and again while its client is held back. */
export class WriteWatch {
  /** Place up to which bytes had gone at the last look, and when that was first seen; 0: nothing waited. */
  private gone: u64 = 0;
  private goneAt: i64 = 0;

  /** Whether bytes have waited for so long that MOSN's write would have timed out, while its own window has no room. */
  isStuck(server: TunnelStream, now: i64): bool {
    const gone = server.position - (server.unsent as u64);
    const stuck = server.state == StreamState.OPEN && server.unsent > 0 && server.window.available <= 0;
    if (stuck && gone == this.gone && this.goneAt != 0) return now - this.goneAt >= WRITE_TIMEOUT_MS;
    this.gone = gone;
    this.goneAt = stuck ? now : 0;
    return false;
  }
}
