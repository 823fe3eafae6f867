// Listens with the shortest backlog; the parent freezes it before anybody connects (see fullBacklog).
import { type AddressInfo, createServer } from "node:net";

const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once("disconnect", () => process.exit());
