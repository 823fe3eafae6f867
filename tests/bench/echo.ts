// Child process: a server of the protocol given as argument that answers each request with a response of the same content size, one write per read.
// Requests with less content than any of those (HELD_SIZE) are never answered.
import { type AddressInfo, createServer, type Socket } from "node:net";
import { FrameWalker, repeated } from "./frames.ts";
import { CONTENT_SIZES } from "./matrix.ts";
import { type Protocol, WIRES } from "./wire.ts";

const BATCH = 64;
/** In place of a length: the answer to a heartbeat. */
const ACK = -1;

const wire = WIRES[process.argv[2] as Protocol];

/** Responses of one size, back to back; only ids change between writes. */
class Batch {
  count = 0;
  private bytes: Buffer;

  constructor(private readonly frame: Buffer) {
    this.bytes = repeated(frame, BATCH);
  }

  get full(): boolean {
    return this.count === BATCH;
  }

  add(id: number): void {
    this.bytes.writeUInt32BE(id, this.count * this.frame.length + wire.idAt);
    this.count += 1;
  }

  flush(socket: Socket): void {
    if (this.count === 0) return;
    socket.write(this.bytes.subarray(0, this.count * this.frame.length));
    // What the kernel has not taken yet still needs these bytes.
    if (socket.writableLength > 0) this.bytes = repeated(this.frame, BATCH);
    this.count = 0;
  }
}

/** Shared by all connections: a batch is empty again at the end of every read. */
const ackBatch = new Batch(wire.heartbeatAck);
/** By what a request has behind its fixed header at least, the largest first. */
const batches = CONTENT_SIZES.map((size): [least: number, batch: Batch] => [
  wire.requestFrame(size).length - wire.requestHeader,
  new Batch(wire.responseFrame(size)),
]).reverse();

/** Where the answer to a request goes that has so many bytes behind its fixed header; filters may have added headers. */
function batchOf(rest: number): Batch | undefined {
  if (rest === ACK) return ackBatch;
  return batches.find(([least]) => least <= rest)?.[1];
}

function serve(socket: Socket): void {
  let batch = ackBatch;
  let rest = ACK;
  let id = 0;
  const onHeader = (bytes: Buffer, at: number) => {
    rest = wire.isHeartbeat(bytes, at) ? ACK : wire.rest(bytes, at, wire.requestHeader);
    id = bytes.readUInt32BE(at + wire.idAt);
  };
  const onFrame = () => {
    const next = batchOf(rest);
    if (!next) return;
    if (next !== batch || batch.full) batch.flush(socket);
    batch = next;
    batch.add(id);
  };
  const walker = new FrameWalker(wire.requestHeader, wire.rest, onHeader, onFrame);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    walker.push(bytes, bytes.length);
    batch.flush(socket);
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", 1024, () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
