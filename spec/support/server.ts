import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";

export interface TestServer {
  readonly port: number;
  /** `http://localhost:port` */
  readonly url: string;
  /** Bytes that the server took from all its sockets so far. */
  bytesRead(): number;
  /** The sockets that are still open. */
  openSockets(): number;
  /** Closes the server and cuts whatever is connected. */
  close(): Promise<void>;
}

/** Starts a plain HTTP/1.1 server on a free loopback port. An Express app fits as well. */
export function startServer(listener: RequestListener): Promise<TestServer> {
  return listen(createServer(listener));
}

/** Puts any server (HTTP/2, TLS) on a free loopback port. */
export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://localhost:${port}`,
    bytesRead: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0),
    openSockets: () => [...sockets].filter((socket) => !socket.destroyed).length,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
