// Child process: a Bolt server that answers each request with a response of the same content size, one write per read.
import { type AddressInfo, createServer, type Socket } from "node:net";
import { heartbeatAck } from "../host/kit/bolt.ts";
import { COMMAND_HEARTBEAT, FrameWalker, ID_AT, repeated, REQUEST_HEADER, responseFrame } from "./frames.ts";

const BATCH = 64;
const ACK_SIZE = -1;

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
    this.bytes.writeUInt32BE(id, this.count * this.frame.length + ID_AT);
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
const batches = new Map<number, Batch>();

function batchOf(size: number): Batch {
  let batch = batches.get(size);
  if (!batch) {
    batch = new Batch(size === ACK_SIZE ? heartbeatAck(0) : responseFrame(size));
    batches.set(size, batch);
  }
  return batch;
}

function serve(socket: Socket): void {
  let batch = batchOf(ACK_SIZE);
  let size = ACK_SIZE;
  let id = 0;
  const onHeader = (bytes: Buffer, at: number) => {
    const heartbeat = ((bytes[at + 2] << 8) | bytes[at + 3]) === COMMAND_HEARTBEAT;
    size = heartbeat ? ACK_SIZE : bytes.readUInt32BE(at + REQUEST_HEADER - 4);
    id = bytes.readUInt32BE(at + ID_AT);
  };
  const onFrame = () => {
    const next = batchOf(size);
    if (next !== batch || batch.full) batch.flush(socket);
    batch = next;
    batch.add(id);
  };
  const walker = new FrameWalker(REQUEST_HEADER, onHeader, onFrame);
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
