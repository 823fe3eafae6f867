// Mirrored HTTP requests are callouts that nobody waits for.
import { noteGarbage } from "../abi/dispatch";
import { Shares } from "../bytes/shares";
import { Spares } from "../bytes/spares";
import { HttpCall } from "../host/call";
import { Callout, Callouts, Outcome } from "../host/callout";
import { MirrorStats } from "../stream/mirror_stats";
import { HttpClient } from "./clients";

/**
 * Mirrored requests of one plugin in one worker that may wait for their answers, a quarter of the callouts that it may
 * have; and more, for clients with less than their equal part of these.
 */
const MAX_COPIES: i32 = 1024;
const RESERVED_COPIES: i32 = 512;
/** Bytes of bodies that they may hold, in the module while they come and in Envoy until they are answered. */
const MAX_BYTES: i32 = 16 << 20;
const RESERVED_BYTES: i32 = 8 << 20;
/** Largest body that is mirrored, bytes. */
const MAX_BODY: i32 = 1 << 20;
/** Objects kept for reuse; and managed objects of one that is garbage. */
const KEEP: i32 = 256;
const OBJECTS: i32 = 8;

/** The mirrored requests of one plugin, shared among downstream connections. */
export class HttpMirrors {
  private readonly active: Shares = new Shares(MAX_COPIES, RESERVED_COPIES);
  private readonly bytes: Shares = new Shares(MAX_BYTES, RESERVED_BYTES);
  private readonly spares: Spares<MirrorFlight> = new Spares<MirrorFlight>(KEEP);

  constructor(
    private readonly callouts: Callouts,
    readonly stats: MirrorStats,
  ) {}

  /** Takes room for a body of `before` bytes to grow by `more`; false when this client may not. */
  reserve(client: HttpClient, before: i32, more: i32): bool {
    if (more > MAX_BODY - before || !this.bytes.allows(client.mirrorBytes.own, more)) return false;
    this.bytes.take(client.mirrorBytes, more);
    return true;
  }

  /** Gives room back. */
  release(client: HttpClient, bytes: i32): void {
    this.bytes.give(client.mirrorBytes, bytes);
  }

  /** Sends a request so many times, or as often as this client may. Returns how often. */
  send(call: HttpCall, times: i32, context: u32, client: HttpClient): i32 {
    for (let i = 0; i < times; i++) if (!this.sendOne(call, context, client)) return i;
    return times;
  }

  private sendOne(call: HttpCall, context: u32, client: HttpClient): bool {
    const size = call.body.length;
    if (!this.active.allows(client.mirrors.own) || !this.bytes.allows(client.mirrorBytes.own, size)) return false;
    let flight = this.spares.take();
    if (flight === null) flight = new MirrorFlight(this);
    flight.clear();
    if (!this.callouts.sendHttp(call, flight, context, client)) {
      this.keep(flight);
      return false;
    }
    flight.size = size;
    flight.client = client;
    this.bytes.take(client.mirrorBytes, size);
    this.active.take(client.mirrors, 1);
    this.stats.requests.add(1);
    this.stats.active.add(1);
    return true;
  }

  /** A mirrored request was answered, or will not be. */
  onEnd(flight: MirrorFlight): void {
    const stats = this.stats;
    if (flight.outcome == Outcome.ANSWERED) stats.responses.add(1);
    else if (flight.outcome == Outcome.TIMEOUT) stats.timeouts.add(1);
    else stats.lost.add(1);
    stats.active.add(-1);
    const client = flight.client;
    flight.client = null;
    if (client !== null) {
      this.active.give(client.mirrors, 1);
      this.bytes.give(client.mirrorBytes, flight.size);
    }
    this.keep(flight);
  }

  private keep(flight: MirrorFlight): void {
    if (this.spares.keep(flight)) return;
    flight.free();
    noteGarbage(OBJECTS);
  }
}

/** A mirrored request under way. */
class MirrorFlight extends Callout {
  /** Bytes of its body. */
  size: i32 = 0;
  client: HttpClient | null = null;

  constructor(private readonly mirrors: HttpMirrors) {
    super();
  }

  protected get wantsBody(): bool {
    return false;
  }

  onEnd(): void {
    this.mirrors.onEnd(this);
  }
}
