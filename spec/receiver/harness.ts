import { setDefaultResultOrder } from "node:dns";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { nodeHandler } from "../../src/adapters/node.ts";
import type { Step } from "../../src/bus/steps.ts";
import type { EventBusOptions } from "../../src/event-bus.ts";
import { EventBus } from "../../src/event-bus.ts";
import { conekta } from "../../src/providers/conekta.ts";
import type { EventMap } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { Endpoint } from "../../src/receiver/endpoint.ts";
import { Log } from "../support/bus.ts";

/** The bodies of every acknowledgement and of every refusal. */
export const RECEIVED = '{"received":true}';
export const REFUSED = '{"received":false}';

export const SECRET = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";

/** A bus of either provider, whose events the specs make up. */
export type SpecBus = EventBus<Record<never, never>, TestEvent>;
export type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface TestEvent {
  readonly id: string;
  readonly object: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

// Loopback has many addresses in IPv4, and one in IPv6: `PostOptions.from` needs a second.
setDefaultResultOrder("ipv4first");

let made = 0;

/** An event that both providers' readers take, under an id of its own. */
export function anEvent(fields: Record<string, unknown> = {}): TestEvent {
  made += 1;
  return {
    id: `evt_spec${made}`,
    object: "event",
    type: "charge.succeeded",
    livemode: true,
    created: 1_700_000_000,
    data: { object: { id: "ch_1", amount: 100 } },
    ...fields,
  };
}

export interface BusSetup extends EventBusOptions {
  readonly apiBase?: string;
}

/** A Stripe bus with a signing secret, whose log is a `Log`. */
export function stripeBus({ apiBase, ...options }: BusSetup = {}): SpecBus {
  const bus = quiet(new EventBus(stripe({ apiBase }), options));
  bus.signingSecrets = SECRET;
  return bus;
}

/** A Stripe bus that can authenticate deliveries by fetching them back only. */
export function fetchingStripeBus({ apiBase, ...options }: BusSetup = {}): SpecBus {
  const bus = quiet(new EventBus(stripe({ apiBase }), options));
  bus.apiKey = "sk_test_spec";
  return bus;
}

/** A Conekta bus without credentials. */
export function bareConektaBus({ apiBase, ...options }: BusSetup = {}): SpecBus {
  return quiet(new EventBus(conekta({ apiBase }), options));
}

/** A Conekta bus that can authenticate deliveries by fetching them back only. */
export function fetchingConektaBus(setup?: BusSetup): SpecBus {
  const bus = bareConektaBus(setup);
  bus.apiKey = "key_spec";
  return bus;
}

function quiet<Events extends EventMap, Base>(bus: EventBus<Events, Base>): SpecBus {
  bus.logger = new Log();
  return bus as unknown as SpecBus;
}

export function logOf(bus: { readonly logger: unknown }): Log["lines"] {
  return (bus.logger as Log).lines;
}

/** Remembers the steps of a bus from now on. */
export function stepsOf<Events extends EventMap, Base>(bus: EventBus<Events, Base>, name?: Step["name"]): Step[] {
  const steps: Step[] = [];
  bus.notifications.subscribe("hookbus.", (step) => {
    if (name === undefined || step.name === name) steps.push(step);
  });
  return steps;
}

/** Remembers the ids that reach the subscribers of a bus. */
export function idsOf<Events extends EventMap, Base>(bus: EventBus<Events, Base>): string[] {
  const ids: string[] = [];
  bus.all((_event: unknown, context) => {
    ids.push(context.id);
  });
  return ids;
}

export function bytes(event: unknown): Buffer {
  return Buffer.from(typeof event === "string" ? event : JSON.stringify(event));
}

/** Stripe's headers for a body. */
export function signed(body: unknown, now: number = Date.now(), secret: string = SECRET): Record<string, string> {
  const raw = body instanceof Uint8Array ? body : bytes(body);
  return stripe().sign(raw, { secret, now });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface PostOptions {
  readonly headers?: Headers | undefined;
  readonly method?: string;
  readonly path?: string;
  /** The loopback address that the delivery comes from. */
  readonly from?: string;
}

export interface Wire {
  readonly port: number;
  post(body: unknown, options?: PostOptions): Promise<Answer>;
  /** Posts an event with Stripe's signature. */
  deliver(event: unknown, now?: number): Promise<Answer>;
  close(): Promise<void>;
}

/** Puts an endpoint on a real socket. Header fields may be as long as a megabyte: their limits are hookbus's affair. */
export async function serve(endpoint: Endpoint): Promise<Wire> {
  const handler = nodeHandler(endpoint);
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (req, res) => void handler(req, res));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const post: Wire["post"] = async (body, { headers = {}, method = "POST", path = "/", from } = {}) => {
    const raw = body instanceof Uint8Array ? body : bytes(body);
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      method,
      path,
      agent: false,
      headers: { ...(headers as Record<string, string>), "content-length": raw.byteLength },
      ...(from === undefined ? {} : { localAddress: from }),
    });
    request.end(raw);
    const [response] = await once(request, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const { date: _, ...rest } = response.headers;
    return { status: response.statusCode, headers: rest, body: Buffer.concat(chunks).toString() };
  };
  return {
    port,
    post,
    deliver: (event, now) => {
      const raw = event instanceof Uint8Array ? event : bytes(event);
      return post(raw, { headers: signed(raw, now) });
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Wires and stand-ins of a spec, closed together. */
export class Closing {
  readonly #all: { close(): Promise<void> }[] = [];

  add<T extends { close(): Promise<void> }>(thing: T): T {
    this.#all.push(thing);
    return thing;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.splice(0).map((thing) => thing.close()));
  }
}

/** Lets a spec wait for deliveries whose bodies have arrived in full, and so are on their way through the pipeline. */
export function arrivals(endpoint: Endpoint): { endpoint: Endpoint; count(deliveries: number): Promise<void> } {
  let arrived = 0;
  let wake: () => void = () => {};
  return {
    endpoint: {
      logger: endpoint.logger,
      assertReady: () => endpoint.assertReady(),
      respond: (head, readBody) =>
        endpoint.respond(head, async (maxBytes) => {
          const body = await readBody(maxBytes);
          arrived += 1;
          wake();
          return body;
        }),
    },
    count: async (deliveries) => {
      while (arrived < deliveries) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
