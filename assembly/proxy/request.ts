import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { Spares } from "../bytes/spares";
import { Timer } from "../host/timers";
import { ClusterChoice } from "../router/clusters";
import { Route } from "../router/route";
import { Cluster, Destination } from "../upstream/cluster";
import { Exchange } from "../upstream/exchange";
import { CallStats } from "../upstream/stats";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Codec } from "../xprotocol/codec";
import { Client } from "./client";
import { RpcStream } from "./rpc_stream";
import { ProtocolStats } from "./stats";

/** Requests kept for reuse, and the objects of garbage that each request beyond them makes. */
const KEEP: i32 = 4096;
const OBJECTS_PER_REQUEST: i32 = 3;

/** Where a request stands in MOSN's state machine; filters run after each stage but the last. */
export const enum Stage {
  BEFORE_ROUTE = 0,
  MATCH_ROUTE = 1,
  CHOOSE_HOST = 2,
  SEND = 3,
  ANSWERED = 4,
}

/**
 * A request of a client, or a one-way request that may still have to go elsewhere: what is known of it, and how it ends. The
 * rules that move it are in forward.ts and respond.ts; this class is below them, so they reach it by abstract methods.
 * Requests are reused: `begin` before each use.
 */
export abstract class Request extends Exchange {
  /** Id that the client gave it, and what its codec needs to answer it. */
  clientId: u64 = 0;
  aux: u64 = 0;
  /** `MethodStatsTable.unplaced` of its method. */
  unplaced: u64 = 0;

  stage: Stage = Stage.BEFORE_ROUTE;
  route: Route | null = null;
  /** The cluster and labels that the route chose, and what they lead to. */
  choice: ClusterChoice | null = null;
  destination: Destination | null = null;
  /** The limits that it counts against; null when it does not count. */
  cluster: Cluster | null = null;
  /** Value of the route's hash policy. */
  hash: u64 = 0;
  /** The server connection that was chosen and not used yet. */
  chosen: UpstreamConnection | null = null;
  /** Its filters; null when none are configured. */
  stream: RpcStream | null = null;

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
  readonly tryTimer: Timer = new TryTimer(this);

  /**
   * @param client whose request it is
   * @param codec of its frame
   * @param protocol the numbers of its protocol
   * @param call the numbers of its method
   */
  constructor(
    public client: Client,
    public codec: Codec,
    public protocol: ProtocolStats,
    public call: CallStats,
  ) {
    super();
  }

  /** The timeout of one try has passed. */
  abstract onTryTimeout(): void;

  /** A filter that held the request gives its status: the request goes on, or its response does. */
  abstract resume(): void;

  /** Answers it with MOSN's code and a readable reason; filters of responses see the answer. */
  abstract fail(code: i32, reason: Bytes): void;

  /** Mirrors it to the cluster of its route's policy, its frame at hand: so many times, or with 0 once to each host. */
  abstract mirror(copies: i32): void;

  dropCopy(): void {
    this.client.keptBytes -= this.copy.length;
    this.copy.free();
  }

  finish(): void {
    const client = this.client;
    const services = client.services;
    services.cancelTimer(this);
    services.cancelTimer(this.tryTimer);
    const upstream = this.upstream;
    if (upstream !== null) upstream.detach(this);
    if (this.id != 0) client.requests.exchanges.release(this.id);
    const cluster = this.cluster;
    if (cluster !== null) {
      cluster.active--;
      if (this.retried) cluster.retries--;
      cluster.countTries(-this.budgeted);
    }
    client.keptBytes -= this.copy.length;
    const stream = this.stream;
    if (stream !== null) stream.end();
    this.protocol.active.add(-1);
    services.shares.used--;
    this.clear();
    if (!spares.keep(this)) noteGarbage(OBJECTS_PER_REQUEST);
    client.finished();
  }

  private clear(): void {
    this.client = this.client.nobody;
    this.route = null;
    this.choice = null;
    this.destination = null;
    this.cluster = null;
    this.chosen = null;
    this.hash = 0;
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
    this.copy.free();
  }
}

/** The timer of one try, where the route sets one. */
class TryTimer extends Timer {
  constructor(private readonly request: Request) {
    super();
  }

  onTimer(now: i64): void {
    this.request.onTryTimeout();
  }
}

/** Requests of this VM that are not in use. */
export const spares = new Spares<Request>(KEEP);
