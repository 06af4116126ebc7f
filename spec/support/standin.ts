import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** One call that reached the stand-in. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** How a call is answered. Whoever never ends `response` keeps the caller waiting. */
export type Answering = (response: ServerResponse, call: Call) => unknown;

/** Answers with `status` and JSON; text goes out as it is. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answering {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** Takes the call and never answers. */
export const silence: Answering = () => {};

/** Cuts the connection in the middle of the call. */
export const hangUp: Answering = (response) => response.destroy();

/** What both APIs say of an event that they do not have; the Stripe SDK wants an `error` object. */
export const unknown: Answering = json(404, {
  error: { type: "invalid_request_error", message: "No such event" },
});

/** A real HTTP server on the loopback interface that stands in for api.stripe.com or api.conekta.io. */
export class StandIn {
  /** Every call so far, in order. */
  readonly calls: Call[] = [];
  /** The answer to calls that `events` does not know. */
  answer: Answering = unknown;
  /** Events that the API has, by id. */
  readonly events = new Map<string, unknown>();
  /** How many calls were open at once, at most. */
  most = 0;
  #open = 0;
  readonly #server = createServer((request, response) => {
    const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers };
    this.calls.push(call);
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    response.on("close", () => {
      this.#open -= 1;
    });
    const event = this.events.get(call.path.split("/").at(-1) ?? "");
    (event === undefined ? this.answer : json(200, event))(response, call);
  });
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<StandIn> {
    const standIn = new StandIn();
    const server = standIn.#server;
    server.on("connection", (socket) => standIn.#sockets.add(socket));
    server.listen(0, "localhost");
    await once(server, "listening");
    return standIn;
  }

  /** For `stripe({ apiBase })` and `conekta({ apiBase })`. */
  get apiBase(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when `count` calls have come in. */
  async called(count: number): Promise<void> {
    while (this.calls.length < count) await once(this.#server, "request");
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
