// What a hostile client does to a proxy: each trick is one round of it, run again and again.
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as bolt from "../host/kit/bolt.ts";
import * as dubbo from "../host/kit/dubbo.ts";
import { callOf } from "../e2e/kit/stage.ts";

const MIB = 1 << 20;
const FRAME = 16 * MIB;
/** How long what is held or left unread stays so. */
const HOLD_MS = 3000;

/** One round of a trick against the proxy's port; it may be cut off at any time. */
export type Trick = (port: number) => Promise<void>;

/** Opens a connection; what it says is read and forgotten, unless it is `deaf`. */
function open(port: number, deaf = false): Promise<Socket> {
  return new Promise((done) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {}).on("close", () => done(socket));
    socket.once("connect", () => done(socket));
    if (deaf) socket.pause();
    else socket.resume();
  });
}

/** Writes, and returns when the kernel has taken the bytes, the connection is gone, or some time has passed. */
function write(socket: Socket, bytes: Buffer): Promise<unknown> {
  if (socket.destroyed) return Promise.resolve();
  const taken = new Promise<void>((done) => socket.write(bytes, () => done()));
  return Promise.race([taken, sleep(HOLD_MS)]);
}

/** Opens so many connections, gives each the bytes, holds them open, and closes them. */
async function hold(port: number, count: number, bytes: (i: number) => Buffer, deaf = false): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, () => open(port, deaf)));
  await Promise.all(sockets.map((socket, i) => write(socket, bytes(i))));
  await sleep(HOLD_MS);
  for (const socket of sockets) socket.destroy();
}

const many = (count: number, make: (i: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));

/** A Dubbo request whose attachments are millions of empty pairs. */
function emptyPairs(bytes: number): Buffer {
  const head = dubbo.encode("2.0.2", "test.evil", "1.0", "hi", "");
  const map = Buffer.concat([Buffer.from("H"), Buffer.alloc(bytes - head.length - 2), Buffer.from("Z")]);
  return dubbo.frame(0xc2, 0, 1n, Buffer.concat([head, map]));
}

/** The first half of a Bolt request with so large a body. */
function half(bytes: number): Buffer {
  const whole = bolt.request(1, { ...callOf("evil"), content: Buffer.alloc(bytes) });
  return whole.subarray(0, whole.length / 2);
}

/** A Bolt header block as full as its length field allows. */
function fullHeaders(id: number): Buffer {
  const headers = Array.from({ length: 5000 }, (_, i) => [`k${i % 7}`, ""] as [string, string]);
  return bolt.request(id, { ...callOf("evil", undefined, ...headers) });
}

const LONG = "a".repeat(30_000);

/** The tricks, by what they are. */
export const CLIENT_TRICKS: Record<string, Trick> = {
  "millions of empty attachment pairs": (port) => hold(port, 2, () => emptyPairs(FRAME - 64)),
  "half frames, and then silence": (port) => hold(port, 24, () => half(FRAME - 4096)),
  "half frames byte by byte": async (port) => {
    const socket = await open(port);
    for (const byte of half(2048)) {
      await write(socket, Buffer.from([byte]));
      if (socket.destroyed) break;
      await sleep(1);
    }
    socket.destroy();
  },
  "requests that wait for ever": (port) =>
    hold(port, 3, () => many(20_000, (i) => bolt.request(i + 1, { ...callOf("deaf"), timeout: 0x7fffffff }))),
  "timeouts of a millisecond, on a good server": (port) =>
    hold(port, 2, () =>
      many(2000, (i) => bolt.request(i + 1, { ...callOf("fast", undefined, ["x-mosn-try-timeout", "1"]), timeout: 1 })),
    ),
  "made-up services and methods": (port) =>
    hold(port, 1, () =>
      many(5000, () =>
        bolt.request(1, {
          headers: [
            ["service", randomBytes(8).toString("hex")],
            ["sofa_head_method_name", randomBytes(8).toString("hex")],
          ],
        }),
      ),
    ),
  "long names for expressions": (port) =>
    hold(port, 2, () => many(50, (i) => bolt.request(i + 1, callOf("evil", LONG + "!")))),
  "full header blocks": (port) => hold(port, 2, () => many(40, (i) => fullHeaders(i + 1))),
  "keys that repeat": (port) =>
    hold(port, 1, () =>
      many(500, (i) =>
        bolt.request(i + 1, {
          headers: [
            ["service", "test.fast:1.0"],
            ["service", "test.evil:1.0"],
          ],
        }),
      ),
    ),
  "4 MiB of tiny calls in one write": (port) =>
    hold(port, 1, () => many((4 * MIB) / 70, (i) => bolt.request(i + 1, callOf("evil")))),
  "heartbeats without reading the answers": (port) =>
    hold(port, 4, () => many(100_000, (i) => bolt.heartbeat(i + 1)), true),
  "calls without reading the answers": (port) =>
    hold(
      port,
      4,
      () => many(500, (i) => bolt.request(i + 1, { ...callOf("evil"), content: Buffer.alloc(8192) })),
      true,
    ),
  "one-way calls": (port) =>
    hold(port, 1, () => many(5000, (i) => bolt.request(i + 1, { ...callOf("evil"), type: 2 }))),
  "bytes of no protocol": (port) => hold(port, 8, () => randomBytes(65_536)),
  "connections that come and go": async (port) => {
    for (let i = 0; i < 200; i++) {
      const socket = await open(port);
      await write(socket, bolt.request(1, callOf(i % 2 ? "evil" : "deaf")));
      socket.resetAndDestroy();
    }
  },
};
