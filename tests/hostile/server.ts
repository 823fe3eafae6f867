// What a hostile server does to a proxy: by turns, a connection each.
import { randomBytes } from "node:crypto";
import * as bolt from "../host/kit/bolt.ts";
import { type Handler, RawBoltServer, type ServerConnection } from "../e2e/kit/server.ts";

const MIB = 1 << 20;

type Turn = (id: number, connection: ServerConnection) => Buffer | undefined;

const halfOf = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
const pairs = Array.from({ length: 5000 }, (_, i) => [`k${i % 5}`, ""] as [string, string]);

/** What becomes of a request, by the connection that it came on. */
const TURNS: Turn[] = [
  (id) => bolt.response(id, { content: "good" }),
  (id) => halfOf(bolt.response(id, { content: Buffer.alloc(8 * MIB) })),
  () => undefined,
  (id) => bolt.response(id, { headers: pairs }),
  () => randomBytes(4096),
  (id) => Buffer.concat(Array.from({ length: 200 }, (_, i) => bolt.response(id + 1000 + i, {}))),
  (id) =>
    Buffer.concat(Array.from({ length: 500 }, (_, i) => bolt.request(i + 1, { headers: [["service", `s${id}`]] }))),
  () => Buffer.concat(Array.from({ length: 5000 }, (_, i) => bolt.heartbeat(i + 1))),
  (_, connection) => void connection.reset(),
  (_, connection) => void connection.pause(),
];

/** Starts a server whose connections misbehave, each in another way. */
export function startHostileServer(): Promise<RawBoltServer> {
  const handler: Handler = (frame, connection) =>
    frame.kind === "oneway" ? undefined : TURNS[connection.id % TURNS.length](frame.id, connection);
  return RawBoltServer.start({ handler, record: false, backlog: 4096 });
}
