// A ZooKeeper session: requests, watches, heartbeats, and a new connection or session when one is lost.
//
// Not node-zookeeper-client: it has no deadline for answers, so that a server which stands still is never noticed, keeps half a
// frame of one connection for the next, sets all watches again in one frame (which a server refuses beyond 1 MiB), and no TLS.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Frames, JuteReader, JuteWriter } from "./jute.ts";

export interface ZkOptions {
  hosts: { host: string; port: number }[];
  /** Before all paths; "" or `/a/b`. */
  chroot: string;
  sessionMs: number;
  /** `USER:PASSWORD` of the scheme digest. */
  auth?: string;
  tls?: ConnectionOptions;
}

/** Who hears of the session. */
export interface ZkEvents {
  /** Connected; watches of before are gone, so everything is to be read anew. */
  open: () => void;
  lost: (why: string) => void;
  /** A watch has fired: it is gone now. */
  changed: (path: string) => void;
}

/** ZooKeeper says no; `code` is its own. */
export class ZkError extends Error {
  constructor(readonly code: number) {
    super(`ZooKeeper error ${code}${code in NAMES ? ` (${NAMES[code]})` : ""}`);
  }
}

const NAMES: Record<number, string> = {
  [-101]: "no node",
  [-102]: "no permission",
  [-110]: "node exists",
  [-112]: "session expired",
  [-115]: "authentication failed",
};
export const NO_NODE = -101;
export const NODE_EXISTS = -110;
const AUTH_FAILED = -115;

const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  ping: 11,
  getChildren2: 12,
  auth: 100,
  close: -11,
};
const XID = { watch: -1, ping: -2, auth: -4 };
/** Largest answer: a folder with some 300,000 providers. */
const MAX_FRAME = 128 * 1024 * 1024;
/** Requests on the way to the server; the others wait here. */
const MAX_PENDING = 256;
const MAX_QUEUED = 1_000_000;
const CONNECT_MS = 5000;
const BACKOFF_MS = [200, 15_000];
const CLOSE_MS = 1000;

interface Request {
  op: number;
  body: (writer: JuteWriter) => void;
  done: (answer: JuteReader) => void;
  failed: (error: Error) => void;
}

export class ZkClient {
  private socket?: Socket;
  private frames = new Frames(MAX_FRAME);
  private readonly queue: Request[] = [];
  private pending: { xid: number; request: Request }[] = [];
  private session = { id: 0n, password: Buffer.alloc(16), timeoutMs: 0 };
  private zxid = 0n;
  private xid = 1;
  private host = 0;
  private attempts = 0;
  private state: "closed" | "connecting" | "greeting" | "open" = "closed";
  private ending = false;
  private lastHeard = 0;
  private lastSent = 0;
  private timer?: NodeJS.Timeout;
  private retry?: NodeJS.Timeout;

  constructor(
    private readonly options: ZkOptions,
    private readonly events: ZkEvents,
  ) {
    this.host = Math.floor(Math.random() * options.hosts.length);
  }

  start(): void {
    this.connect();
  }

  /** The session's id, in the way that ZooKeeper's tools write it. */
  get sessionId(): string {
    return `0x${BigInt.asUintN(64, this.session.id).toString(16)}`;
  }

  /** Ends the session: what it has created is gone at once. */
  async close(): Promise<void> {
    this.ending = true;
    clearTimeout(this.retry);
    if (this.state === "open") {
      const socket = this.socket;
      socket?.write(new JuteWriter().int(this.xid++).int(OP.close).frame());
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        socket?.once("close", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.drop("closed");
  }

  /** The names below a node; undefined: there is no such node. Either way a watch stays that tells of a change. */
  async children(path: string): Promise<string[] | undefined> {
    const answer = await this.read(OP.getChildren2, path);
    return answer?.texts();
  }

  /** What a node holds, the same way. */
  async data(path: string): Promise<Buffer | undefined> {
    const answer = await this.read(OP.getData, path);
    // A copy: what came with it in one piece of memory would be kept.
    return answer && Buffer.from(answer.buffer());
  }

  /** Creates a node that ends with the session, or stays. Throws ZkError. */
  async create(path: string, data: Buffer, ephemeral: boolean): Promise<void> {
    await this.ask(OP.create, (writer) => {
      writer.text(this.full(path)).buffer(data);
      // One permission: all, for everybody, as Dubbo and SOFARPC create theirs.
      writer.int(1).int(31).text("world").text("anyone");
      writer.int(ephemeral ? 1 : 0);
    });
  }

  /** Throws ZkError. */
  async delete(path: string): Promise<void> {
    await this.ask(OP.delete, (writer) => writer.text(this.full(path)).int(-1));
  }

  private async read(op: number, path: string): Promise<JuteReader | undefined> {
    try {
      return await this.ask(op, (writer) => writer.text(this.full(path)).bool(true));
    } catch (error) {
      if (!(error instanceof ZkError && error.code === NO_NODE)) throw error;
    }
    try {
      await this.ask(OP.exists, (writer) => writer.text(this.full(path)).bool(true));
    } catch (error) {
      if (error instanceof ZkError && error.code === NO_NODE) return undefined;
      throw error;
    }
    // It came between the two questions.
    return this.read(op, path);
  }

  private full(path: string): string {
    return `${this.options.chroot}${path}`;
  }

  private ask(op: number, body: (writer: JuteWriter) => void): Promise<JuteReader> {
    return new Promise((done, failed) => {
      if (this.ending) return failed(new Error("closed"));
      if (this.state !== "open") return failed(new Error("not connected"));
      if (this.queue.length >= MAX_QUEUED) return failed(new Error("too many requests"));
      this.queue.push({ op, body, done, failed });
      this.pump();
    });
  }

  private pump(): void {
    while (this.state === "open" && this.pending.length < MAX_PENDING) {
      const request = this.queue.shift();
      if (!request) return;
      const xid = this.xid;
      this.xid = this.xid === 0x7fffffff ? 1 : this.xid + 1;
      const writer = new JuteWriter().int(xid).int(request.op);
      request.body(writer);
      this.pending.push({ xid, request });
      this.write(writer.frame());
    }
  }

  private write(frame: Buffer): void {
    this.lastSent = Date.now();
    this.socket?.write(frame);
  }

  private connect(): void {
    const { hosts, tls } = this.options;
    const { host, port } = hosts[this.host++ % hosts.length];
    this.state = "connecting";
    this.frames = new Frames(MAX_FRAME);
    this.lastHeard = Date.now();
    const socket = tls ? connectTls({ host, port, servername: host, ...tls }) : connectTcp({ host, port });
    this.socket = socket;
    socket.setNoDelay(true);
    const mine = () => this.socket === socket;
    socket.on(tls ? "secureConnect" : "connect", () => mine() && this.greet());
    socket.on("data", (chunk: Buffer) => mine() && this.receive(chunk));
    socket.on("error", (error) => mine() && this.lose(error.message));
    socket.on("close", () => mine() && this.lose("the server closed the connection"));
    clearInterval(this.timer);
    this.timer = setInterval(() => mine() && this.beat(), 100);
  }

  /** Heartbeats, and the end of patience: a third of the session without a word is a dead connection. */
  private beat(): void {
    const now = Date.now();
    const limit = this.state === "open" ? (this.session.timeoutMs * 2) / 3 : CONNECT_MS;
    if (now - this.lastHeard > limit) return this.lose(`no word for ${Math.round(limit / 1000)} s`);
    if (this.state === "open" && now - this.lastSent > this.session.timeoutMs / 3) {
      this.write(new JuteWriter().int(XID.ping).int(OP.ping).frame());
    }
  }

  private greet(): void {
    this.state = "greeting";
    const { id, password } = this.session;
    const writer = new JuteWriter().int(0).long(this.zxid).int(this.options.sessionMs).long(id).buffer(password);
    // Not from a server that may only be read: it has lost the others.
    this.write(writer.bool(false).frame());
  }

  private receive(chunk: Buffer): void {
    this.lastHeard = Date.now();
    const socket = this.socket;
    try {
      for (const frame of this.frames.add(chunk)) {
        if (this.socket !== socket) return;
        if (this.state === "greeting") this.welcome(new JuteReader(frame));
        else this.answer(new JuteReader(frame));
      }
    } catch (error) {
      this.lose((error as Error).message);
    }
    this.pump();
  }

  private welcome(reader: JuteReader): void {
    reader.int();
    const timeoutMs = reader.int();
    const id = reader.long();
    const password = Buffer.from(reader.buffer());
    if (timeoutMs <= 0) {
      this.session = { id: 0n, password: Buffer.alloc(16), timeoutMs: 0 };
      return this.lose("the session has expired");
    }
    this.session = { id, password, timeoutMs };
    this.attempts = 0;
    this.state = "open";
    if (this.options.auth !== undefined) {
      const body = new JuteWriter().int(XID.auth).int(OP.auth).int(0).text("digest").text(this.options.auth);
      this.write(body.frame());
    }
    this.events.open();
  }

  private answer(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (zxid > this.zxid) this.zxid = zxid;
    if (xid === XID.ping) return;
    if (xid === XID.auth) {
      if (code === AUTH_FAILED) this.lose("the user or the password is wrong");
      return;
    }
    if (xid === XID.watch) return this.fired(reader);
    // The last answer, to the end of the session.
    if (this.ending) return;
    const first = this.pending.shift();
    if (first?.xid !== xid) return this.lose("an answer to no request");
    if (code === 0) first.request.done(reader);
    else first.request.failed(new ZkError(code));
  }

  private fired(reader: JuteReader): void {
    const type = reader.int();
    reader.int();
    const path = reader.text();
    if (type === -1 || !path.startsWith(this.options.chroot)) return;
    this.events.changed(path.slice(this.options.chroot.length) || "/");
  }

  private lose(why: string): void {
    if (this.state === "closed") return;
    this.drop(why);
    if (this.ending) return;
    this.events.lost(why);
    const wait = Math.min(BACKOFF_MS[1], BACKOFF_MS[0] * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
    this.retry = setTimeout(() => this.connect(), wait);
  }

  private drop(why: string): void {
    this.state = "closed";
    clearInterval(this.timer);
    const socket = this.socket;
    this.socket = undefined;
    socket?.destroy();
    const waiting = [...this.pending.map(({ request }) => request), ...this.queue.splice(0)];
    this.pending = [];
    for (const { failed } of waiting) failed(new Error(why));
  }
}
