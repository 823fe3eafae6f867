// A RawBoltServer in a process of its own (see ServerProcess); it ends with its parent.
import { RawBoltServer } from "./server.ts";
import type { ServerProcessOptions } from "./server_process.ts";

const { name, port, mute, backlog } = JSON.parse(process.argv[2]) as ServerProcessOptions;
const server = await RawBoltServer.start({ name, port, backlog, handler: mute ? () => undefined : undefined });
process.on("message", () => {
  const arrivals = server.arrivals.map(({ connection, frame, at }) => ({
    connection,
    at,
    id: frame.id,
    kind: frame.kind,
    content: frame.content.toString("latin1"),
  }));
  process.send?.({ arrivals });
});
process.once("disconnect", () => process.exit());
process.send?.({ port: server.port });
