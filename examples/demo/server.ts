import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface RunningServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on the loopback interface: at `port`, or at a free one where it is 0. */
export async function serve(listener: RequestListener, port: number): Promise<RunningServer> {
  const server = createServer(listener).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      // Clients keep idle connections open for the next request.
      server.closeIdleConnections();
      await closed;
    },
  };
}
