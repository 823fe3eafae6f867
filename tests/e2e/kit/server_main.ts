// A RawBoltServer in a process of its own (see ServerProcess); it ends with its parent.
import { RawBoltServer } from "./server.ts";

const [name] = process.argv.slice(2);
const server = await RawBoltServer.start({ name });
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
