// Nodes that are followed: read once, and again whenever their watch fires or the connection was lost.
import { ZkClient, ZkError, type ZkOptions } from "./client.ts";

/** What a node has now; undefined: there is no such node. */
type OnChildren = (names: string[] | undefined) => void;
type OnData = (data: Buffer | undefined) => void;

interface Followed {
  kind: "children" | "data";
  path: string;
  tell: (value: never) => void;
  reading: boolean;
  /** The watch fired while it was read. */
  again: boolean;
}

export interface TreeEvents {
  open: () => void;
  lost: (why: string) => void;
  /** Everything that is followed has been read since the connection opened. */
  complete: () => void;
  /** A node cannot be read. */
  refused: (path: string, why: string) => void;
}

export class Tree {
  private readonly client: ZkClient;
  /** By kind and path. */
  private readonly followed = new Map<string, Followed>();
  private outstanding = 0;
  private up = false;
  private complete = false;

  constructor(
    options: ZkOptions,
    private readonly events: TreeEvents,
  ) {
    this.client = new ZkClient(options, {
      open: () => this.open(),
      lost: (why) => {
        this.up = false;
        this.events.lost(why);
      },
      changed: (path) => {
        this.reread(`children ${path}`);
        this.reread(`data ${path}`);
      },
    });
  }

  start(): void {
    this.client.start();
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** The session, for nodes of one's own. */
  get session(): ZkClient {
    return this.client;
  }

  get isUp(): boolean {
    return this.up;
  }

  children(path: string, tell: OnChildren): void {
    this.follow({ kind: "children", path, tell, reading: false, again: false });
  }

  data(path: string, tell: OnData): void {
    this.follow({ kind: "data", path, tell, reading: false, again: false });
  }

  /** Forgets a node and all below it. Its watch may still fire: that tells nobody. */
  forget(path: string): void {
    for (const [key, one] of this.followed) {
      if (one.path === path || one.path.startsWith(`${path}/`)) this.followed.delete(key);
    }
  }

  private follow(one: Followed): void {
    const key = `${one.kind} ${one.path}`;
    if (this.followed.has(key)) return;
    this.followed.set(key, one);
    if (this.up) void this.read(key, one);
  }

  private open(): void {
    this.up = true;
    this.complete = false;
    this.events.open();
    for (const [key, one] of this.followed) {
      one.reading = false;
      void this.read(key, one);
    }
    this.check();
  }

  private reread(key: string): void {
    const one = this.followed.get(key);
    if (!one || !this.up) return;
    if (one.reading) one.again = true;
    else void this.read(key, one);
  }

  private async read(key: string, one: Followed): Promise<void> {
    one.reading = true;
    one.again = false;
    this.outstanding++;
    try {
      const value = one.kind === "children" ? await this.client.children(one.path) : await this.client.data(one.path);
      if (this.followed.get(key) === one) one.tell(value as never);
    } catch (error) {
      // A lost connection is told by itself, and everything is read again.
      if (error instanceof ZkError) this.events.refused(one.path, error.message);
    } finally {
      one.reading = false;
      this.outstanding--;
      if (one.again && this.up) void this.read(key, one);
      this.check();
    }
  }

  private check(): void {
    if (this.complete || !this.up || this.outstanding > 0) return;
    this.complete = true;
    this.events.complete();
  }
}
