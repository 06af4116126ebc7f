import { EventBus } from "../../src/event-bus.ts";
import type { Envelope, EventMap, Provider, WebhookRequest } from "../../src/providers/provider.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { onlyOne } from "./only.ts";

/** A bus that writes no logs and remembers the types that its subscriber was called with, in order. */
export class Deliveries {
  readonly types: string[] = [];
  readonly events: unknown[] = [];
  readonly bus: EventBus;
  readonly #provider: Provider;
  readonly #secret: string;

  constructor(provider: Provider<EventMap, never> | Provider, secret: string) {
    this.#provider = provider as Provider;
    this.#secret = secret;
    this.bus = new EventBus(this.#provider);
    this.bus.logger = { info() {}, warn() {}, error() {} };
    this.bus.signingSecrets = secret;
    this.bus.all((event, context) => {
      this.types.push(context.type);
      this.events.push(event);
    });
  }

  /** Delivers a body as the provider would, signed. */
  async post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Receipt> {
    const signed = this.#provider.sign(body, { secret: this.#secret });
    return this.bus.receive(requestOf(body, { ...headers, ...signed }));
  }
}

export function requestOf(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): WebhookRequest {
  return { method: "POST", url: "/", headers, body: Buffer.from(body) };
}

/** Reads the one event of a delivery, parsed as the provider parses it. */
export function readOf(
  provider: Pick<Provider, "parse" | "read">,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Envelope {
  const request = requestOf(body, headers);
  const payload = provider.parse ? provider.parse(request) : JSON.parse(Buffer.from(body).toString());
  return onlyOne(provider.read(payload, { request }));
}
