// Child process: an HTTP/1.1 server that answers each request with a body of the same size, one write per read.
import { type AddressInfo, createServer, type Socket } from "node:net";
import { repeated } from "./frames.ts";
import { HttpReader, httpResponse } from "./http.ts";
import { CONTENT_SIZES } from "./matrix.ts";

const BATCH = 64;
/** So many responses, by the size of the body: they are all the same. */
const batches = new Map(CONTENT_SIZES.map((size) => [size, repeated(httpResponse(size), BATCH)]));

function serve(socket: Socket): void {
  let size = 0;
  let answered = 0;
  const flush = () => {
    const batch = batches.get(size);
    if (!batch) throw new Error(`no response to a request with ${size} bytes`);
    for (; answered > 0; answered -= Math.min(answered, BATCH)) {
      socket.write(batch.subarray(0, (batch.length / BATCH) * Math.min(answered, BATCH)));
    }
  };
  const onHead = (_bytes: Buffer, _at: number, next: number) => {
    if (next !== size && answered > 0) flush();
    size = next;
  };
  const reader = new HttpReader(onHead, () => (answered += 1));
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    reader.push(bytes, bytes.length);
    if (answered > 0) flush();
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", 1024, () => process.send?.((server.address() as AddressInfo).port));
