import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

interface Pair {
  /** Towards whoever connected to the proxy. */
  readonly client: Socket;
  /** Towards the server behind it. */
  readonly server: Socket;
}

/**
 * Stands between a client and a server on the loopback interface, and breaks their connections on purpose.
 *
 * Begins by passing everything on. No method waits for luck: what it says is so when it returns or resolves.
 */
export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #port = 0;
  #stalled = false;
  #losing: { left: number; readonly resolve: () => void } | undefined;

  /** @param url the server behind the proxy, as in `redis://127.0.0.1:6379`: host and port count. */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(url);
    await proxy.up();
    return proxy;
  }

  /** A proxy that is down, on a port where nobody listens until `up`. */
  static async down(url: string): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(url);
    await proxy.down();
    return proxy;
  }

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port: Number(port) };
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  /** `url` with the proxy in the server's place. */
  through(url: string): string {
    const through = new URL(url);
    through.hostname = "127.0.0.1";
    through.port = String(this.#port);
    return through.href;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection, and refuses new ones. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Cuts every connection; new ones are taken. */
  cut(): void {
    for (const pair of this.#pairs) this.#end(pair);
  }

  /** Keeps connections open and takes new ones, but passes nothing on in either direction. */
  stall(): void {
    this.#stalled = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Passes on again, what was held back included. */
  resume(): void {
    this.#stalled = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /**
   * Cuts a connection in place of one of the server's replies to come: the next one, or the `nth`. By then the server
   * has done what it was asked to. Resolves when that has happened.
   */
  loseReply(nth = 1): Promise<void> {
    return new Promise((resolve) => {
      this.#losing = { left: nth, resolve };
    });
  }

  /** Ends for good. */
  async close(): Promise<void> {
    await this.down();
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      const losing = this.#losing;
      if (!losing || --losing.left > 0) {
        client.write(bytes);
        return;
      }
      this.#losing = undefined;
      this.#end(pair);
      losing.resolve();
    });
    for (const socket of [client, server]) {
      // A reset is an end like any other here.
      socket.on("error", () => {});
      socket.on("close", () => this.#end(pair));
      if (this.#stalled) socket.pause();
    }
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}
