import { Context } from "../abi/context";
import { Action, BufferType } from "../abi/types";
import { ByteBuffer, KEEP, KEEP_LARGE, memoryIsShort } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { appendBuffer, readBuffer, replaceBuffer } from "../host/buffers";
import { closeDownstream, continueDownstream, enterContext } from "../host/stream";
import { Tunnel } from "../tunnel/tunnel";
import { Owner } from "../upstream/owner";
import { Pools } from "../upstream/pools";
import { Client } from "./client";
import { Drain } from "./drain";
import { relieve } from "../bytes/holders";
import { ConnectionInfo } from "./connection_info";
import { LookTimer } from "./look_timer";
import { OwnAnswers } from "./own_answers";
import { ClientReader } from "./reader";
import { Services } from "./services";
import { Share } from "./share";

/** Unsent bytes for servers above which the client is no longer read, and below which it is again. */
const BACKLOG_HIGH: i32 = 2 << 20;
const BACKLOG_LOW: i32 = 512 << 10;
/** Bytes in memory of a client that is not read; above them no more are taken from Envoy than leave. */
const PARKED_MEMORY: i32 = 4 << 20;
/** How long requests in flight may still finish on a connection that lingers, ms. */
const LINGER_MS: i64 = 5000;
/** Time between two looks at a connection that drains or is held back, ms. */
const LOOK_MS: i64 = 500;

/**
 * What may be done for one client in a callback of its own, about 1,000 small calls (reader.ts), and in a tick for all
 * those that have sent more at once: about 250.
 */
const WORK: i32 = 2 << 20;
export const WORK_OF_TICK: i32 = 512 << 10;

const WINDOWS = Bytes.of(
  "memory is full: per_connection_buffer_limit_bytes is over half of initial_stream_window_size",
);
const NOT_READ = Bytes.of("32 MiB of the proxy's own answers, and none of a server");
const NO_HTTP2 = Bytes.of("the switchboard behind the filter violates HTTP/2");

const scratch = new View();

/**
 * One client connection of Envoy, with one client on it and the tunnel to the client's servers behind it. It has the bytes
 * that come cut into frames, and moves bytes between the host's buffers and the tunnel. Envoy's rules for that are in
 * docs/reference/envoy.md#pushing: bytes for the switchboard go out by `flush`, from on_downstream_data or from a tick;
 * bytes for the client only from on_upstream_data.
 */
export class DownstreamConnection extends Context {
  private readonly owner: ConnectionOwner = new ConnectionOwner(this);
  private readonly tunnel: Tunnel = this.owner.tunnel;
  private readonly pools: Pools = new Pools(this.owner);
  private readonly client: ConnectionClient = new ConnectionClient(this.owner, this.pools, this);
  private readonly reader: ClientReader = new ClientReader(this.services, this.client);
  private readonly share: Share = new Share(this.client);
  private readonly drain: Drain = new Drain(this.context, this.services.config.drainCheckMs as i64);
  private readonly ownAnswers: OwnAnswers = new OwnAnswers();
  private readonly timer: LookTimer = new LookTimer(this);
  /** Bytes of a frame, or of the first bytes, whose rest has not come. */
  private readonly input: ByteBuffer = new ByteBuffer();
  /** Bytes left in Envoy's read buffer because servers are too slow. */
  private readable: i32 = 0;
  private parked: bool = false;
  /** There are whole frames in memory that the next tick deals with. */
  private behind: bool = false;
  /** The time for lingering is over. */
  private overdue: bool = false;
  /** See `Detour.begin`. */
  private begun: i64 = 0;

  /**
   * @param context the host's id; the fields' initial values need it, and run before the base class has it
   * @param noClient see `Client`
   */
  constructor(
    readonly context: u32,
    readonly services: Services,
    readonly noClient: Client,
  ) {
    super(context);
    services.shares.peers++;
  }

  onNewConnection(): Action {
    this.begun = this.services.detour.begin(this.services, this.tunnel, this.client.info);
    return this.begun < 0 ? Action.STOP_ITERATION : Action.CONTINUE;
  }

  onDownstreamData(size: i32, endOfStream: bool): Action {
    if (this.owner.closed) return Action.STOP_ITERATION;
    this.beginCallback();
    this.services.work = WORK;
    this.readable = size;
    if (this.drain.onClient(this.services.now()) && !this.reader.carriesRaw) this.tunnel.sendProbe();
    if (!this.parked || this.mayUnpark) this.readClient();
    this.flush();
    this.share.settle();
    return Action.STOP_ITERATION;
  }

  private beginCallback(): void {
    this.services.enter();
    if (!memoryIsShort()) return;
    relieve();
    enterContext(this.id);
  }

  /** Takes what is in the read buffer and deals with it. */
  private readClient(): void {
    const size = this.readable;
    if (size == 0 || this.client.lingering) return;
    if (this.behind) this.parked = true;
    else this.park();
    if (this.parked) return;
    const input = this.input;
    if (input.length == 0) {
      if (!readBuffer(BufferType.DOWNSTREAM_DATA, size, scratch)) return;
      const ptr = scratch.ptr;
      const length = scratch.length;
      const used = this.reader.read(ptr, length);
      if (used < length && !this.client.lingering) input.append(ptr + (used as usize), length - used);
      this.share.patience.restart();
      this.goOnIfBehind();
      return;
    }
    const need = this.reader.need;
    if (!appendBuffer(BufferType.DOWNSTREAM_DATA, size, input, need) || input.length < need) return;
    this.readInput();
  }

  /** Stops reading while servers are too slow, or the client may be. */
  private park(): void {
    this.parked = this.ownAnswers.areMany || this.tunnel.backlog > BACKLOG_HIGH;
    if (this.parked && this.timer.slot < 0) this.look();
  }

  /** Has the connection looked at in a while. */
  private look(): void {
    this.services.setTimer(this.timer, this.services.now() + LOOK_MS, false);
  }

  /** Deals with what is in memory. */
  readInput(): void {
    const input = this.input;
    const used = this.reader.read(input.ptr, input.length);
    input.consume(used);
    if (used > 0) this.share.patience.restart();
    if (input.length == 0) input.reset(KEEP);
    this.goOnIfBehind();
  }

  /** One client has had its share of a callback: the rest comes with the next tick. */
  private goOnIfBehind(): void {
    this.behind = this.reader.behind && !this.client.lingering;
    if (this.behind) this.owner.schedule();
  }

  /** Deals with frames that were left for this tick. */
  private catchUp(): void {
    this.behind = false;
    if (!this.parked) this.park();
    if (this.mayUnpark) this.unpark();
    else if (!this.parked) this.readInput();
  }

  // What the client on it asks of the connection: see `Client`.

  get unread(): i32 {
    return this.input.length;
  }

  get partial(): i32 {
    return this.reader.knows && !this.client.lingering ? this.input.length : 0;
  }

  get heldUp(): bool {
    return this.parked || this.behind;
  }

  linger(): void {
    if (this.client.lingering) return;
    this.client.lingering = true;
    this.parked = this.behind = false;
    this.input.free();
    this.services.setTimer(this.timer, this.services.now() + LINGER_MS, true);
    this.owner.schedule();
  }

  closeSoon(): void {
    this.linger();
    this.overdue = true;
    this.owner.schedule();
  }

  /** Requests in flight have had their time; or there may be something to do that no event tells of. */
  onTimer(): void {
    if (this.client.lingering) this.overdue = true;
    else if (this.drain.begun || this.parked) this.look();
    this.ownAnswers.look();
    if (this.parked) this.pools.checkWrites(this.services.now());
    this.owner.schedule();
  }

  /** Hands the tunnel's bytes to the switchboard, with anything that waits for it. Never inside on_upstream_data. */
  private flush(): void {
    const tunnel = this.tunnel;
    if (this.parked && this.readable > 0 && !this.mayTakeParked()) return;
    tunnel.flush();
    if (this.client.output.bytes.length > 0) tunnel.ping();
    const out = tunnel.out;
    if (out.length > 0) {
      // Continuing hands over the whole read buffer, so what is parked there has to come into memory first.
      if (this.parked) appendBuffer(BufferType.DOWNSTREAM_DATA, this.readable, this.input);
      tunnel.key.tell();
      replaceBuffer(BufferType.DOWNSTREAM_DATA, this.readable, out.ptr, out.length);
      this.readable = 0;
      tunnel.pushed();
      continueDownstream();
    } else if (this.readable > 0 && !this.parked) {
      replaceBuffer(BufferType.DOWNSTREAM_DATA, this.readable, 0, 0);
      this.readable = 0;
    }
  }

  /**
   * Whether parked bytes may come into memory: while little is left there, and then only for as many that leave it. All
   * that is sure to leave at once is half a window, because Envoy announces no less: with a read buffer beyond that
   * memory grows. Answers of our own have no other way out, so they may make it grow, too.
   */
  private mayTakeParked(): bool {
    const tunnel = this.tunnel;
    const memory = this.input.length + tunnel.backlog;
    const sendable = tunnel.sendable();
    if (memory - sendable < PARKED_MEMORY || sendable >= this.readable) return true;
    const room = memory <= this.services.config.maxConnectionBytes - this.readable;
    if (sendable < tunnel.streamWindow >> 1) return room && this.client.output.bytes.length > 0;
    if (!room) this.client.refuse(WINDOWS);
    return true;
  }

  /** The tick has reached this connection: reads on if it may, and flushes. */
  onTick(): void {
    if (this.owner.closed) return;
    if (this.overdue || this.mayClose) {
      closeDownstream();
      return;
    }
    if (this.behind) this.catchUp();
    else if (this.mayUnpark) {
      // This client has not been read: it gets the work of a callback, not what the tick has for those that are behind.
      const left = this.services.work;
      this.services.work = WORK;
      this.unpark();
      this.services.work = left;
    }
    // Only one flush a callback: what is handed over is taken when the callback has returned.
    this.flush();
    if (this.mayUnpark || this.mayClose || this.behind) this.owner.schedule();
    this.share.settle();
  }

  /** Whether the connection has to close and nothing is in flight. */
  private get mayClose(): bool {
    const client = this.client;
    const quiet = !this.reader.carriesRaw && this.drain.isQuiet(this.services.now());
    if (!client.lingering && !quiet) return false;
    if (client.requests.exchanges.count > 0 || this.input.length > 0 || this.parked) return false;
    const tunnel = this.tunnel;
    return client.output.bytes.length == 0 && tunnel.backlog == 0 && !tunnel.pinging;
  }

  private get mayUnpark(): bool {
    return this.parked && !this.behind && this.tunnel.backlog <= BACKLOG_LOW && !this.ownAnswers.areMany;
  }

  private unpark(): void {
    this.parked = false;
    if (this.input.length > 0) this.readInput();
    this.readClient();
  }

  onUpstreamData(size: i32, endOfStream: bool): Action {
    if (this.owner.closed) return Action.CONTINUE;
    this.beginCallback();
    const client = this.client;
    const output = client.output;
    const tunnel = this.tunnel;
    output.taken = true;
    if (size > 0 && readBuffer(BufferType.UPSTREAM_DATA, size, scratch)) {
      if (!tunnel.read(scratch.ptr, scratch.length)) client.refuse(NO_HTTP2);
    }
    if (tunnel.goAway) this.onDrain();
    output.taken = false;
    this.countOwnAnswers();
    replaceBuffer(BufferType.UPSTREAM_DATA, size, output.bytes.ptr, output.bytes.length);
    output.bytes.reset(KEEP_LARGE);
    // Also when an upstream connection went and took the backlog with it.
    if (tunnel.urgent || this.mayUnpark || (client.lingering && this.mayClose)) this.owner.schedule();
    this.share.settle();
    return Action.CONTINUE;
  }

  /** Counts what goes to the client and no server sent. */
  private countOwnAnswers(): void {
    const own = this.ownAnswers;
    const tunnel = this.tunnel;
    own.count(this.client.output.bytes.length, tunnel.heard);
    tunnel.heard = false;
    if (own.areTooMany && !this.client.lingering) this.client.refuse(NOT_READ);
  }

  /** The switchboard drains: the client is told where it can be, and closed when it has become quiet. */
  private onDrain(): void {
    if (!this.drain.begin(this.services.now()) || this.client.lingering) return;
    if (this.services.config.goaway) this.reader.goAway();
    this.look();
  }

  onDownstreamConnectionClose(closeType: i32): void {
    const waits = this.begun > 0 && !this.client.lingering;
    if (waits) this.services.detour.ended(this.services, this.tunnel, closeType, this.begun, this.client.info);
    this.dispose();
  }

  onDelete(): void {
    this.dispose();
  }

  private dispose(): void {
    if (this.owner.closed) return;
    this.owner.closed = true;
    this.services.shares.peers--;
    this.services.enter();
    this.services.cancelTimer(this.timer);
    this.share.close();
    this.reader.dispose();
    this.client.dispose();
    this.pools.dispose();
    this.tunnel.free();
    this.input.free();
  }
}

/** The connection as the owner of its server connections. */
class ConnectionOwner extends Owner {
  constructor(private readonly connection: DownstreamConnection) {
    super(connection.context, connection.services);
  }

  onTick(): void {
    this.connection.onTick();
  }
}

/** The one client of the connection. */
class ConnectionClient extends Client {
  constructor(
    owner: Owner,
    pools: Pools,
    private readonly connection: DownstreamConnection,
  ) {
    super(connection.services, owner, pools, new ConnectionInfo(connection.context), connection.noClient);
  }

  get unread(): i32 {
    return this.connection.unread;
  }

  get partial(): i32 {
    return this.connection.partial;
  }

  get heldUp(): bool {
    return this.connection.heldUp;
  }

  linger(): void {
    this.connection.linger();
  }

  closeSoon(): void {
    this.connection.closeSoon();
  }

  reread(): void {
    this.connection.readInput();
    this.owner.schedule();
  }

  dispose(): void {
    this.end();
  }
}
