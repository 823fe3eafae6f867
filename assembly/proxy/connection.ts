import { Context } from "../abi/context";
import { Action, BufferType } from "../abi/types";
import { ByteBuffer, memoryIsShort } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { relieve } from "../bytes/holders";
import { SlotTable } from "../bytes/slots";
import { View } from "../bytes/view";
import { appendBuffer, readBuffer, replaceBuffer } from "../host/buffers";
import { CalloutShare } from "../host/callout";
import { hostOf } from "../host/log";
import { readProperty } from "../host/properties";
import { closeDownstream, continueDownstream, enterContext } from "../host/stream";
import { Timer } from "../host/timers";
import { Admission } from "../stream/filter";
import { ClientIdentity } from "../stream/identity";
import { Tunnel } from "../tunnel/tunnel";
import { Drain } from "./drain";
import { NOT_READ, WINDOWS } from "./memory";
import { OwnAnswers } from "./own_answers";
import { Pools } from "./pools";
import { dropPushes, Push } from "./push";
import { ClientReader } from "./reader";
import { Request } from "./request";
import { ProxyRoot } from "./root";
import { Share } from "./share";

/** Unsent bytes for servers above which the client is no longer read, and below which it is again. */
const BACKLOG_HIGH: i32 = 2 << 20;
const BACKLOG_LOW: i32 = 512 << 10;
/** Bytes in memory of a client that is not read, above which none more are taken from Envoy than leave. */
const PARKED_MEMORY: i32 = 4 << 20;
/** How long requests in flight may still finish on a connection whose client has sent what is no frame, ms. */
const LINGER_MS: i64 = 5000;
/** Time between two looks at a connection that drains or is held back, ms. */
const LOOK_MS: i64 = 500;
/** Memory that empty buffers keep, bytes. */
const KEEP: i32 = 4096;

const DENIED = Bytes.of("denied by a filter");

const scratch = new View();

/** The end of lingering, or the time for another look at the connection. */
class LookTimer extends Timer {
  constructor(private readonly connection: Connection) {
    super();
  }

  onTimer(now: i64): void {
    this.connection.onTimer(now);
  }
}

/**
 * One client connection: cuts what the client sends into frames, has them dealt with, and moves bytes between the host's
 * buffers and the tunnel. Envoy's rules for that are in docs/reference/envoy.md#pushing: bytes for the switchboard go out by `push`, from
 * on_downstream_data or from a tick; bytes for the client only from on_upstream_data.
 */
export class Connection extends Context {
  readonly tunnel: Tunnel = new Tunnel();
  /** Bytes for the client. */
  readonly toClient: ByteBuffer = new ByteBuffer();
  readonly requests: SlotTable<Request> = new SlotTable<Request>();
  /** Copies for mirror clusters. */
  readonly mirrors: SlotTable<Request> = new SlotTable<Request>();
  readonly pushes: SlotTable<Push> = new SlotTable<Push>();
  readonly pools: Pools = new Pools(this);

  private readonly reader: ClientReader = new ClientReader(this);
  private readonly timer: LookTimer = new LookTimer(this);
  /** Bytes of a frame, or of the first bytes, whose rest has not come. */
  private readonly input: ByteBuffer = new ByteBuffer();
  /** Bytes left in Envoy's read buffer because servers are too slow. */
  private readable: i32 = 0;
  private parked: bool = false;
  /** There are whole frames in memory that the next tick deals with. */
  private behind: bool = false;
  /** No more bytes are read; the connection closes when nothing is in flight, or when that is overdue. */
  lingering: bool = false;
  private overdue: bool = false;
  /** The client has gone. */
  closed: bool = false;
  private inUpstreamData: bool = false;
  private readonly drain: Drain;
  private readonly own: OwnAnswers = new OwnAnswers();
  /** Whether a server ever sent a request to this client. */
  wasPushed: bool = false;
  /** Whether the client may use it for what is no request; UNDECIDED: nobody has asked. */
  private admission: Admission = Admission.UNDECIDED;
  private source: Bytes = Bytes.EMPTY;
  private local: Bytes = Bytes.EMPTY;
  private knownIdentity: ClientIdentity | null = null;
  /** Bytes of requests that are kept for retries, and of messages that filters hold. */
  keptBytes: i32 = 0;
  readonly share: Share = new Share(this);
  readonly callouts: CalloutShare = new CalloutShare();
  /** Whether it is in the root's queue of connections to push. */
  scheduled: bool = false;

  constructor(
    id: u32,
    readonly root: ProxyRoot,
  ) {
    super(id);
    this.drain = new Drain(id, root.drainCheckMs);
  }

  onDownstreamData(size: i32, endOfStream: bool): Action {
    if (this.closed) return Action.STOP_ITERATION;
    this.beginCallback();
    this.root.beginWork();
    this.readable = size;
    if (this.drain.onClient(this.root.now()) && !this.reader.carriesRaw) this.tunnel.sendProbe();
    if (!this.parked || this.mayUnpark) this.readClient();
    this.push();
    this.share.settle();
    return Action.STOP_ITERATION;
  }

  private beginCallback(): void {
    this.root.enter();
    if (!memoryIsShort()) return;
    relieve();
    enterContext(this.id);
  }

  /** Takes what is in the read buffer and deals with it. */
  private readClient(): void {
    const size = this.readable;
    if (size == 0 || this.lingering) return;
    if (this.behind) this.parked = true;
    else this.park();
    if (this.parked) return;
    const input = this.input;
    if (input.length == 0) {
      if (!readBuffer(BufferType.DOWNSTREAM_DATA, size, scratch)) return;
      const ptr = scratch.ptr;
      const length = scratch.length;
      const used = this.reader.read(ptr, length);
      if (used < length && !this.lingering) input.append(ptr + (used as usize), length - used);
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
    this.parked = this.own.areMany || this.tunnel.backlog > BACKLOG_HIGH;
    if (this.parked && this.timer.slot < 0) this.root.setTimer(this.timer, this.root.now() + LOOK_MS, false);
  }

  /** Deals with what is in memory. */
  private readInput(): void {
    const input = this.input;
    const used = this.reader.read(input.ptr, input.length);
    input.consume(used);
    if (used > 0) this.share.patience.restart();
    if (input.length == 0) input.reset(KEEP);
    this.goOnIfBehind();
  }

  /** One client has had its share of a callback: the rest comes with the next tick. */
  private goOnIfBehind(): void {
    this.behind = this.reader.behind && !this.lingering;
    if (this.behind) this.schedule();
  }

  /** Deals with frames that were left for this tick. */
  private catchUp(): void {
    this.behind = false;
    if (!this.parked) this.park();
    if (this.mayUnpark) this.unpark();
    else if (!this.parked) this.readInput();
  }

  /** It is known now what to do with the bytes that were kept. */
  reread(): void {
    this.readInput();
    this.schedule();
  }

  /** Bytes of a frame of the client whose rest has not come; 0: there is none, or nothing is known of it. */
  get waiting(): i32 {
    return this.reader.knows && !this.lingering ? this.input.length : 0;
  }

  /** Whether it is not the client who is to blame that the rest of its frame has not come. */
  get isHeldUp(): bool {
    return this.parked || this.behind;
  }

  /** Bytes in memory that wait to be read. */
  get unread(): i32 {
    return this.input.length;
  }

  /** Reads no more from the client, and closes once the requests in flight are answered or five seconds have passed. */
  linger(): void {
    if (this.lingering) return;
    this.lingering = true;
    this.parked = this.behind = false;
    this.input.free();
    this.root.setTimer(this.timer, this.root.now() + LINGER_MS, true);
    this.schedule();
  }

  /** Counts and logs why the client is refused, and lingers. */
  refuse(why: Bytes): void {
    this.root.refused(this, why);
    this.linger();
  }

  /** Closes with the next tick, whatever is in flight. */
  closeSoon(): void {
    this.linger();
    this.overdue = true;
    this.schedule();
  }

  /** Requests in flight have had their time; or there may be something to do that no event tells of. */
  onTimer(now: i64): void {
    if (this.lingering) this.overdue = true;
    else if (this.drain.begun || this.parked) this.root.setTimer(this.timer, now + LOOK_MS, false);
    this.own.look();
    if (this.parked) this.pools.checkWrites(now);
    this.schedule();
  }

  /** Hands the tunnel's bytes to the switchboard, with anything that waits for it. Never inside on_upstream_data. */
  private push(): void {
    const tunnel = this.tunnel;
    if (this.parked && this.readable > 0 && !this.mayTakeParked()) return;
    tunnel.flush();
    if (this.toClient.length > 0) tunnel.ping();
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
    const room = memory <= this.root.maxConnectionBytes - this.readable;
    if (sendable < tunnel.streamWindow >> 1) return room && this.toClient.length > 0;
    if (!room) this.refuse(WINDOWS);
    return true;
  }

  /** The root's tick reached this connection: reads on if it may, and pushes. */
  onScheduled(): void {
    if (this.closed) return;
    if (this.overdue || this.mayClose) {
      closeDownstream();
      return;
    }
    if (this.behind) this.catchUp();
    else if (this.mayUnpark) {
      // Not what a tick has for those that are behind: it has been read as little as others.
      const left = this.root.work;
      this.root.beginWork();
      this.unpark();
      this.root.work = left;
    }
    // One push a callback: what is handed over is taken only after it.
    this.push();
    if (this.mayUnpark || this.mayClose || this.behind) this.schedule();
    this.share.settle();
  }

  /** Whether the connection has to close and nothing is in flight. */
  private get mayClose(): bool {
    const quiet = !this.reader.carriesRaw && this.drain.isQuiet(this.root.now());
    if (!this.lingering && !quiet) return false;
    if (this.requests.count > 0 || this.input.length > 0 || this.parked) return false;
    const tunnel = this.tunnel;
    return this.toClient.length == 0 && tunnel.backlog == 0 && !tunnel.pinging;
  }

  private get mayUnpark(): bool {
    return this.parked && !this.behind && this.tunnel.backlog <= BACKLOG_LOW && !this.own.areMany;
  }

  private unpark(): void {
    this.parked = false;
    if (this.input.length > 0) this.readInput();
    this.readClient();
  }

  /** Has the next tick push this connection. */
  // @ts-ignore: decorator
  @inline
  schedule(): void {
    if (!this.scheduled && !this.closed) this.root.schedule(this);
  }

  onUpstreamData(size: i32, endOfStream: bool): Action {
    if (this.closed) return Action.CONTINUE;
    this.beginCallback();
    this.inUpstreamData = true;
    if (size > 0 && readBuffer(BufferType.UPSTREAM_DATA, size, scratch)) {
      if (!this.tunnel.read(scratch.ptr, scratch.length)) this.root.tunnelBroken(this);
    }
    if (this.tunnel.goAway) this.onDrain();
    this.inUpstreamData = false;
    this.countOwn();
    replaceBuffer(BufferType.UPSTREAM_DATA, size, this.toClient.ptr, this.toClient.length);
    this.toClient.reset(KEEP * 16);
    // Also when an upstream connection went and took the backlog with it.
    if (this.tunnel.urgent || this.mayUnpark || (this.lingering && this.mayClose)) this.schedule();
    this.share.settle();
    return Action.CONTINUE;
  }

  /** Counts what goes to the client and no server sent. */
  private countOwn(): void {
    const own = this.own;
    const tunnel = this.tunnel;
    own.count(this.toClient.length, tunnel.heard);
    tunnel.heard = false;
    if (own.areTooMany && !this.lingering) this.refuse(NOT_READ);
  }

  /** The switchboard drains: the client is told where it can be, and closed when it has become quiet. */
  private onDrain(): void {
    const root = this.root;
    const now = root.now();
    if (!this.drain.begin(now) || this.lingering) return;
    if (root.sendsGoAway) this.reader.goAway();
    root.setTimer(this.timer, now + LOOK_MS, false);
  }

  /** Whether there is room for so many bytes of a request beside those that are kept already. */
  mayKeep(length: i32): bool {
    return this.share.allows(this.keptBytes, length, this.root.maxConnectionBytes);
  }

  /**
   * Whether the client may use the connection for what comes to no filter: heartbeats, bytes of no known protocol. If not,
   * it is refused here.
   * @param raw whether it is the latter
   */
  admits(raw: bool): bool {
    if (this.admission == Admission.UNDECIDED) {
      const root = this.root;
      // The first bytes may have waited for a timer.
      enterContext(this.id);
      const address = this.sourceAddress;
      scratch.set(address.ptr, address.length);
      this.admission = root.chains.admits(scratch, raw, root.filterMetrics) ? Admission.GRANTED : Admission.DENIED;
    }
    if (this.admission == Admission.DENIED) this.refuse(DENIED);
    return this.admission == Admission.GRANTED;
  }

  /** Who the client is by its certificate. */
  get identity(): ClientIdentity {
    const known = this.knownIdentity;
    if (known !== null) return known;
    const made = new ClientIdentity();
    this.knownIdentity = made;
    return made;
  }

  /** The client's address, "IP:PORT". */
  get sourceAddress(): Bytes {
    if (this.source.length == 0) this.source = Bytes.of(readProperty("source", "address"));
    return this.source;
  }

  /** The client's host, without its port, as a number that tells hosts apart. */
  get sourceHost(): u64 {
    return hostOf(this.sourceAddress.ptr, this.sourceAddress.length);
  }

  /** The address that the client connected to, "IP:PORT". */
  get localAddress(): Bytes {
    if (this.local.length == 0) this.local = Bytes.of(readProperty("destination", "address"));
    return this.local;
  }

  /** Bytes were added for the client: outside on_upstream_data a tick has to fetch them. */
  // @ts-ignore: decorator
  @inline
  wroteClient(): void {
    if (!this.inUpstreamData) this.schedule();
  }

  /** A request is over: nothing of it is kept. Its timers, its place on a server connection and its id go. */
  finish(request: Request): void {
    const root = this.root;
    root.cancelTimer(request);
    root.cancelTimer(request.tryTimer);
    const server = request.server;
    if (server !== null) server.detach(request);
    if (request.mirror) {
      this.mirrors.release(request.id);
      root.mirrorStats.active.add(-1);
    } else if (request.id != 0) this.requests.release(request.id);
    const cluster = request.cluster;
    if (cluster !== null) {
      cluster.active--;
      if (request.retried) cluster.retries--;
      cluster.countTries(-request.budgeted);
    }
    this.keptBytes -= request.copy.length;
    const stream = request.stream;
    // That of a copy is another request's, left from before.
    if (stream !== null && !request.mirror) stream.end();
    const protocol = request.protocol;
    if (protocol !== null) protocol.active.add(-1);
    root.requestPool.give(request);
    if (this.lingering && this.requests.count == 0) this.schedule();
  }

  onDownstreamConnectionClose(closeType: i32): void {
    this.dispose();
  }

  onDelete(): void {
    this.dispose();
  }

  private dispose(): void {
    if (this.closed) return;
    this.closed = true;
    this.root.requestPool.shares.peers--;
    this.root.enter();
    this.root.cancelTimer(this.timer);
    this.share.end();
    this.reader.dispose();
    for (let i = 0; i < this.requests.capacity; i++) {
      const request = this.requests.at(i);
      if (request !== null) this.finish(request);
    }
    for (let i = 0; i < this.mirrors.capacity; i++) {
      const copy = this.mirrors.at(i);
      if (copy !== null) this.finish(copy);
    }
    dropPushes(this, null);
    this.pools.dispose();
    this.tunnel.free();
    this.input.free();
    this.toClient.free();
  }
}
