import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { nodeHandler } from "../../src/adapters/node.ts";
import { serveUntilStopped, startChild } from "./child.ts";

/* A process that takes deliveries and records them. It delivers nothing. */

const child = await startChild();
const server = createServer(nodeHandler(child.bus));
server.listen(0, "127.0.0.1");
await once(server, "listening");

serveUntilStopped(child, { up: true, port: (server.address() as AddressInfo).port }, async () => {
  server.close();
  server.closeAllConnections();
});
