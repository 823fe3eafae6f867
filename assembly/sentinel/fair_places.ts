// A bound on what waits, shared fairly among clients.
import { noteGarbage } from "../abi/dispatch";
import { Spares } from "../bytes/spares";

/** Clients without places that are kept for reuse. */
const KEEP: i32 = 256;

/** A client, and the places that it has; linked with those that have as many. */
class Client {
  id: u64 = 0;
  count: i32 = 0;
  /** The place that it took last; null: it has none. */
  newest: Place | null = null;
  next: Client | null = null;
  previous: Client | null = null;
}

/** What takes a place. Reused. */
export abstract class Place {
  /** Null: it has none. */
  client: Client | null = null;
  /** Its neighbours among the client's places, in the order in which they were taken. */
  newer: Place | null = null;
  older: Place | null = null;

  /** Another client's request has taken its place: it has none any more. */
  abstract onTaken(): void;
}

/**
 * So many places, for whoever comes first. When none is free, a client gets the latest place of the client that has most, if
 * that has more than it will have itself: a client alone may have all, and its share shrinks as others come. Each call
 * costs the same however many places and clients there are.
 */
export class FairPlaces {
  /** Places that are taken. */
  taken: i32 = 0;
  private readonly clients: Map<u64, Client> = new Map<u64, Client>();
  private readonly spares: Spares<Client> = new Spares<Client>(KEEP);
  /** The clients that have as many places as the index says, and the highest index with any; 0: nobody has one. */
  private readonly byCount: (Client | null)[] = [null];
  private top: i32 = 0;

  /** @param most places, above 0 */
  constructor(private readonly most: i32) {}

  /**
   * Takes a place. False: none is free, and nobody has so many that one could go over.
   * @param id of the client
   */
  take(place: Place, id: u64): bool {
    const known = this.clients.has(id) ? this.clients.get(id) : null;
    const own = known !== null ? known.count : 0;
    if (this.taken >= this.most) {
      const richest = this.byCount[this.top];
      const given = richest !== null && richest.count >= own + 2 ? richest.newest : null;
      if (given === null) return false;
      this.free(given);
      given.onTaken();
    }
    const client = known !== null ? known : this.make(id);
    const before = client.newest;
    place.older = before;
    place.newer = null;
    if (before !== null) before.newer = place;
    client.newest = place;
    place.client = client;
    this.move(client, 1);
    this.taken++;
    return true;
  }

  /** Frees a place; nothing happens when it was taken by another client. */
  free(place: Place): void {
    const client = place.client;
    if (client === null) return;
    const newer = place.newer;
    const older = place.older;
    if (newer !== null) newer.older = older;
    else client.newest = older;
    if (older !== null) older.newer = newer;
    place.client = null;
    place.newer = place.older = null;
    this.taken--;
    this.move(client, -1);
    if (client.count > 0) return;
    this.clients.delete(client.id);
    if (!this.spares.keep(client)) noteGarbage(1);
  }

  private make(id: u64): Client {
    const spare = this.spares.take();
    const client = spare !== null ? spare : new Client();
    client.id = id;
    this.clients.set(id, client);
    return client;
  }

  /** A client has one place more or less. */
  private move(client: Client, by: i32): void {
    const next = client.next;
    const previous = client.previous;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else if (client.count > 0) this.byCount[client.count] = next;
    client.count += by;
    client.previous = client.next = null;
    if (client.count > 0) this.link(client);
    if (client.count > this.top) this.top = client.count;
    else if (this.byCount[this.top] === null) this.top = max(0, this.top - 1);
  }

  private link(client: Client): void {
    while (this.byCount.length <= client.count) this.byCount.push(null);
    const first = this.byCount[client.count];
    client.next = first;
    if (first !== null) first.previous = client;
    this.byCount[client.count] = client;
  }
}
