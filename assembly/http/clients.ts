import { CalloutShare } from "../host/callout";
import { Timer } from "../host/timers";

/**
 * The turn of a stream that waits: its timer, and its place among those whose time has come. A stream goes on in a tick,
 * and few in each; so every connection has one turn after the other, and one with very many streams delays none of the
 * others.
 */
export abstract class Turn extends Timer {
  /** The connection that the stream belongs to; null: the stream has not waited yet. */
  client: HttpClient | null = null;
  /** Its place; for `Turns`. */
  next: Turn | null = null;
  previous: Turn | null = null;
  isDue: bool = false;

  /** The stream goes on. */
  abstract onTurn(): void;
}

/** A downstream connection: its streams share what it may have of the worker. */
export class HttpClient extends CalloutShare {
  /** Streams that belong to it. */
  streams: i32 = 0;
  /** Its turns that have come, the oldest first; for `Turns`. */
  first: Turn | null = null;
  last: Turn | null = null;
  next: HttpClient | null = null;
  isDue: bool = false;

  /** @param id Envoy's of the connection; 0: not known */
  constructor(
    readonly id: i64,
    private readonly clients: HttpClients,
  ) {
    super();
  }

  /** One of its streams is over. */
  leave(): void {
    this.streams--;
    this.onIdle();
  }

  onIdle(): void {
    if (this.streams == 0 && this.count == 0) this.clients.forget(this);
  }
}

/** The connections that have streams which wait, or callouts under way. */
export class HttpClients {
  /** By Envoy's id, which counts connections: no peer chooses it. */
  private readonly byId: Map<i64, HttpClient> = new Map<i64, HttpClient>();

  /** The connection with this id, for one more of its streams. A stream whose connection has none is one for itself. */
  join(id: i64): HttpClient {
    const known = id != 0 && this.byId.has(id);
    const client = known ? this.byId.get(id) : new HttpClient(id, this);
    if (!known && id != 0) this.byId.set(id, client);
    client.streams++;
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
  add(turn: Turn): void {
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
  take(): Turn | null {
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
  remove(turn: Turn): void {
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
