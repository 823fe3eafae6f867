import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer } from "../bytes/buffer";
import { Shares } from "../bytes/shares";
import { Spares } from "../bytes/spares";
import { Timer } from "../host/timers";
import { ClusterChoice } from "../router/clusters";
import { Route } from "../router/route";
import { Codec } from "../xprotocol/codec";
import { Cluster, Destination } from "../upstream/cluster";
import { Connection } from "./connection";
import { onRequestTimeout, onTryTimeout } from "./respond";
import { RpcStream } from "./rpc_stream";
import { Host } from "../upstream/host";
import { Server } from "./server";
import { CallStats } from "../upstream/stats";
import { ProtocolStats } from "./stats";

/** Where a request stands in MOSN's state machine; filters run after each stage but the last. */
export const enum Stage {
  BEFORE_ROUTE = 0,
  MATCH_ROUTE = 1,
  CHOOSE_HOST = 2,
  SEND = 3,
  ANSWERED = 4,
}

/** The timer of one try, where the route sets one. */
class TryTimer extends Timer {
  constructor(private readonly request: Request) {
    super();
  }

  onTimer(now: i64): void {
    onTryTimeout(this.request, now);
  }
}

/**
 * A request that waits for its answer, or a one-way request that may still have to go elsewhere. As a timer it is the
 * request's whole timeout. Requests are reused: `clear` before each use.
 */
export class Request extends Timer {
  connection: Connection | null = null;
  codec: Codec | null = null;
  protocol: ProtocolStats | null = null;
  call: CallStats | null = null;
  /** `CallStatsTable.unplaced` of its method. */
  unplaced: u64 = 0;
  route: Route | null = null;
  /** The cluster and labels that the route chose, and what they lead to. */
  choice: ClusterChoice | null = null;
  destination: Destination | null = null;
  /** The limits that it counts against; null when it does not count. */
  cluster: Cluster | null = null;

  stage: Stage = Stage.BEFORE_ROUTE;
  /** Its filters; null when none are configured. */
  stream: RpcStream | null = null;
  /** The server connection that was chosen and not used yet. */
  chosen: Server | null = null;

  /** Id that the client gave it, and what its codec needs to answer it. */
  clientId: u64 = 0;
  aux: u64 = 0;
  /** Id of the current try towards the server; 0: none. */
  id: u32 = 0;
  oneway: bool = false;
  /** A copy for a mirror cluster: its id is one of the connection's `mirrors`. */
  mirror: bool = false;
  /** Value of the route's hash policy. */
  hash: u64 = 0;

  /** The server connection of the current try, its neighbours there, and its place in the bytes for the server. */
  server: Server | null = null;
  previous: Request | null = null;
  next: Request | null = null;
  start: u64 = 0;
  length: i32 = 0;

  /** The request's bytes as sent, kept when the route may retry what was sent; owned. */
  readonly copy: ByteBuffer = new ByteBuffer();
  retriesLeft: i32 = 0;
  retried: bool = false;
  /** Tries after the first that count in the cluster's budget, and whether the current one does. */
  budgeted: i32 = 0;
  budgetedTry: bool = false;
  tryTimeout: i32 = 0;
  /** Whether the whole timeout, or that of a try, is the caller's choice, and too short to say anything of a server. */
  impatient: bool = false;
  impatientTry: bool = false;
  /** Whether the timeout of a try is the caller's choice. */
  ownTry: bool = false;
  /** The host of the last try: the next one goes elsewhere. */
  triedHost: Host | null = null;
  readonly tryTimer: TryTimer = new TryTimer(this);

  onTimer(now: i64): void {
    onRequestTimeout(this, now);
  }

  /** Makes it ready for reuse; its timers are cancelled. */
  clear(): void {
    this.connection = null;
    this.codec = null;
    this.protocol = null;
    this.call = null;
    this.route = null;
    this.choice = null;
    this.destination = null;
    this.cluster = null;
    this.server = null;
    this.chosen = null;
    this.hash = 0;
    this.previous = null;
    this.next = null;
    this.triedHost = null;
    this.id = 0;
    this.deadline = 0;
    this.retried = false;
    this.budgeted = 0;
    this.budgetedTry = false;
    this.tryTimeout = 0;
    this.retriesLeft = 0;
    this.impatient = false;
    this.impatientTry = false;
    this.ownTry = false;
    this.mirror = false;
    this.copy.free();
  }
}

/** Requests of one worker that may be under way, with copies of them: with its filters one takes some KiB. */
const MAX_REQUESTS: i32 = 131072;
/** More of them, shared out equally among the client connections: for those that come when others have used all. */
const RESERVED: i32 = 65536;
/** Requests kept for reuse, and the objects that one of the others leaves behind. */
const KEEP: i32 = 4096;
const OBJECTS_PER_REQUEST: i32 = 3;

/** Requests that are not in use, and how many are. */
export class RequestPool {
  private readonly spares: Spares<Request> = new Spares<Request>(KEEP);
  /** Requests that are under way, with copies; its peers are the client connections. */
  readonly shares: Shares = new Shares(MAX_REQUESTS, RESERVED);

  take(): Request {
    this.shares.used++;
    const request = this.spares.take();
    return request === null ? new Request() : request;
  }

  give(request: Request): void {
    this.shares.used--;
    request.clear();
    if (!this.spares.keep(request)) noteGarbage(OBJECTS_PER_REQUEST);
  }
}
