// Fairness on HTTP: what is bounded for a whole worker is shared among downstream connections.
import { countLeaving, Holding } from "../bytes/holders";
import { Part } from "../bytes/shares";
import { CalloutShare } from "../host/callout";
import { Timer } from "../host/timers";

/** Streams of one connection that are compared when one of them has to go. */
const COMPARED: i32 = 256;

/**
 * A stream as its connection knows it: its timer, its turn when its time has come, and the memory that it holds. A stream
 * goes on in a tick, and few in each; so every connection has one turn after the other, and one with very many streams
 * delays none of the others.
 */
export abstract class ClientStream extends Timer {
  /** The connection that the stream belongs to; null: nobody has asked yet. */
  client: HttpClient | null = null;
  /** Bytes that it holds, as the connection has been told. */
  bytes: i32 = 0;
  /** It has been given up, and is about to end. */
  isLeaving: bool = false;
  /** Its place among the connection's streams; for `HttpClient`. */
  nextStream: ClientStream | null = null;
  previousStream: ClientStream | null = null;
  /** Its place among the turns; for `Turns`. */
  next: ClientStream | null = null;
  previous: ClientStream | null = null;
  isDue: bool = false;

  /** The stream goes on. */
  abstract onTurn(): void;

  /** Memory is short, and this stream holds most: it ends. The host's effective context is another one afterwards. */
  abstract giveUp(): void;
}

/** What the streams of a connection hold. */
class ClientHolding extends Holding {
  constructor(private readonly client: HttpClient) {
    super();
  }

  giveUp(): void {
    this.client.giveUp();
  }
}

/** A downstream connection: its streams share what it may have of the worker. */
export class HttpClient extends CalloutShare {
  /** Mirrored requests under way, and bytes of bodies that are copied for them. */
  readonly mirrors: Part = new Part();
  readonly mirrorBytes: Part = new Part();
  /** Its turns that have come, the oldest first; for `Turns`. */
  first: ClientStream | null = null;
  last: ClientStream | null = null;
  next: HttpClient | null = null;
  isDue: bool = false;
  /** Its streams, the newest first, without those that have been given up; and how many there are with them. */
  private streams: ClientStream | null = null;
  private streamCount: i32 = 0;
  private holding: ClientHolding | null = null;

  /** @param id Envoy's of the connection; 0: not known */
  constructor(
    readonly id: i64,
    private readonly clients: HttpClients,
  ) {
    super();
  }

  /** Adds a stream. */
  join(stream: ClientStream): void {
    stream.client = this;
    const first = this.streams;
    stream.nextStream = first;
    if (first !== null) first.previousStream = stream;
    this.streams = stream;
    this.streamCount++;
  }

  /** One of its streams is over. */
  leave(stream: ClientStream): void {
    if (stream.isLeaving) countLeaving(-stream.bytes);
    else this.unlink(stream);
    stream.isLeaving = false;
    stream.bytes = 0;
    stream.client = null;
    this.streamCount--;
    this.onIdle();
  }

  private unlink(stream: ClientStream): void {
    const next = stream.nextStream;
    const previous = stream.previousStream;
    if (next !== null) next.previousStream = previous;
    if (previous !== null) previous.nextStream = next;
    else this.streams = next;
    stream.nextStream = stream.previousStream = null;
    this.holdMore(-stream.bytes);
  }

  /** A stream holds so many bytes now. */
  hold(stream: ClientStream, bytes: i32): void {
    if (stream.isLeaving || bytes == stream.bytes) return;
    this.holdMore(bytes - stream.bytes);
    stream.bytes = bytes;
  }

  private holdMore(delta: i32): void {
    let holding = this.holding;
    if (holding === null) {
      holding = new ClientHolding(this);
      this.holding = holding;
    }
    holding.update(holding.bytes + delta);
  }

  /** Memory is short, and nobody holds more: the stream that holds most ends, of very many one of the newest. */
  giveUp(): void {
    let largest = this.streams;
    if (largest === null) return;
    let one = largest.nextStream;
    for (let left = COMPARED; one !== null && left > 0; left--) {
      if (one.bytes > largest.bytes) largest = one;
      one = one.nextStream;
    }
    this.unlink(largest);
    largest.isLeaving = true;
    countLeaving(largest.bytes);
    largest.giveUp();
  }

  onIdle(): void {
    if (this.streamCount == 0 && this.flights.own == 0) this.clients.forget(this);
  }
}

/** The connections that have streams which wait, or callouts under way. */
export class HttpClients {
  /** By Envoy's id, which counts connections: no peer chooses it. */
  private readonly byId: Map<i64, HttpClient> = new Map<i64, HttpClient>();

  /** The connection with this id. A stream whose connection has none is one for itself. */
  of(id: i64): HttpClient {
    const known = id != 0 && this.byId.has(id);
    const client = known ? this.byId.get(id) : new HttpClient(id, this);
    if (!known && id != 0) this.byId.set(id, client);
    return client;
  }

  /** Nobody needs it any more. */
  forget(client: HttpClient): void {
    if (client.id != 0) this.byId.delete(client.id);
  }
}

/** The turns that have come: one of each connection, then the next of each. */
export class Turns {
  /** Connections that have some, in the order in which they are asked. */
  private first: HttpClient | null = null;
  private last: HttpClient | null = null;

  /** Whether there may be none. */
  get empty(): bool {
    return this.first === null;
  }

  /** A turn has come. */
  add(turn: ClientStream): void {
    const client = turn.client;
    if (turn.isDue || client === null) return;
    turn.isDue = true;
    const last = client.last;
    turn.previous = last;
    if (last !== null) last.next = turn;
    else client.first = turn;
    client.last = turn;
    if (!client.isDue) this.append(client);
  }

  private append(client: HttpClient): void {
    client.isDue = true;
    const last = this.last;
    if (last !== null) last.next = client;
    else this.first = client;
    this.last = client;
  }

  /** Takes the next one out; null: there is none. */
  take(): ClientStream | null {
    for (let client = this.first; client !== null; client = this.first) {
      this.first = client.next;
      if (this.first === null) this.last = null;
      client.next = null;
      client.isDue = false;
      const turn = client.first;
      if (turn === null) continue;
      this.remove(turn);
      if (client.first !== null) this.append(client);
      return turn;
    }
    return null;
  }

  /** Takes a turn out; nothing happens when it has not come. */
  remove(turn: ClientStream): void {
    const client = turn.client;
    if (!turn.isDue || client === null) return;
    const next = turn.next;
    const previous = turn.previous;
    if (previous !== null) previous.next = next;
    else client.first = next;
    if (next !== null) next.previous = previous;
    else client.last = previous;
    turn.next = turn.previous = null;
    turn.isDue = false;
  }
}
