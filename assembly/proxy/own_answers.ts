/**
 * Bytes of our own for the client since a server last sent it something, above which it is not read: it may not read
 * either, which nothing tells a filter but that Envoy stops reading its servers. And how many it is trusted to take
 * between two looks.
 */
const HIGH: i32 = 4 << 20;
const TAKEN: i32 = 512 << 10;
/** The same, above which the client is refused: Envoy keeps what it does not read. */
const MOST: i32 = 32 << 20;

/** The proxy's own answers to one client: how much of them it may not have taken. */
export class OwnAnswers {
  /** Since a server last sent it something; without what it is trusted to have taken, and with that. */
  private waiting: i32 = 0;
  private unheard: i32 = 0;

  /** Whether the client should not be read. */
  get areMany(): bool {
    return this.waiting > HIGH;
  }

  /** Whether the client should be refused. */
  get areTooMany(): bool {
    return this.unheard > MOST;
  }

  /** Counts bytes for the client; `heard`: some of a server are among them. */
  count(length: i32, heard: bool): void {
    this.waiting = heard ? 0 : this.waiting + length;
    this.unheard = heard ? 0 : this.unheard + length;
  }

  /** Time has passed. */
  look(): void {
    if (this.areMany) this.waiting -= TAKEN;
  }
}
