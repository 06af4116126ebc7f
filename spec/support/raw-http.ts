import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * An HTTP client that says whatever it is told to, byte for byte: half a request, several at once, a body that never
 * ends. It understands answers with a content-length, and those without a body.
 */
export class RawHttp {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>;
  #received: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => {};

  static async connect(port: number): Promise<RawHttp> {
    const socket = connect({ port, host: "localhost" });
    const client = new RawHttp(socket);
    await once(socket, "connect");
    return client;
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    // A reset is an end like any other here; `read` tells whether something was missing.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Writes and waits until the bytes have left for the kernel. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** The head of a POST; add `content-length` or `transfer-encoding` yourself. */
  sendHead(headers: Record<string, string | number>, path = "/", method = "POST"): Promise<void> {
    const lines = Object.entries({ host: "127.0.0.1", ...headers }).map(([name, value]) => `${name}: ${value}`);
    return this.send(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  }

  /** Sends zeros at whatever pace the server takes them. Resolves to the bytes handed to the kernel. */
  async flood(total: number): Promise<number> {
    const piece = Buffer.alloc(64 * 1024, "0");
    let sent = 0;
    while (sent < total && !this.#isClosed && this.socket.writable) {
      const flushed = this.socket.write(piece);
      sent += piece.byteLength;
      if (!flushed) await Promise.race([once(this.socket, "drain").catch(() => {}), this.closed]);
    }
    return sent;
  }

  /** The next answer. Rejects when the connection ends before it is complete. */
  async read({ withoutBody = false } = {}): Promise<RawResponse> {
    for (;;) {
      const response = this.#take(withoutBody);
      if (response) return response;
      if (this.#isClosed) throw new Error(`the connection ended after ${JSON.stringify(this.#received.toString())}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What came in and belongs to no answer that was read. */
  leftover(): string {
    return this.#received.toString();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(withoutBody: boolean): RawResponse | undefined {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd === -1) return undefined;
    const [statusLine = "", ...lines] = this.#received.toString("latin1", 0, headEnd).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const bodyStart = headEnd + 4;
    const bodyEnd = bodyStart + (withoutBody ? 0 : Number(headers["content-length"] ?? 0));
    if (this.#received.byteLength < bodyEnd) return undefined;
    const body = this.#received.toString("utf8", bodyStart, bodyEnd);
    this.#received = this.#received.subarray(bodyEnd);
    return { status: Number(statusLine.split(" ")[1]), headers, body };
  }
}
