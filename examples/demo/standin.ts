import type { IncomingMessage, ServerResponse } from "node:http";
import { fixture, idOf } from "./fixtures.ts";
import { CONEKTA_API_KEY, STRIPE_API_KEY } from "./keys.ts";
import { type RunningServer, serve } from "./server.ts";

/** A local stand-in for the APIs of Stripe and Conekta, as far as fetching an event by its id goes. */
export interface Standin extends RunningServer {
  /** Answers the next request with 503. */
  failOnce(): void;
}

const STRIPE_EVENTS = byId("stripe/customer.created", "stripe/payout.paid");
const CONEKTA_EVENTS = byId("conekta/charge.paid", "conekta/order.paid", "conekta/charge.created", "evt_charge_paid");

export async function startStandin(): Promise<Standin> {
  let failing = false;
  const { url, close } = await serve((req, res) => {
    const failed = failing;
    failing = false;
    if (failed) reply(res, 503, '{"object":"error"}');
    else answer(req, res);
  }, 0);
  return {
    url,
    close,
    failOnce() {
      failing = true;
    },
  };
}

function answer(req: IncomingMessage, res: ServerResponse): void {
  const [, stripePrefix, id = ""] = /^(\/v1)?\/events\/([\w-]+)/.exec(req.url ?? "") ?? [];
  const [events, key] = stripePrefix ? [STRIPE_EVENTS, STRIPE_API_KEY] : [CONEKTA_EVENTS, CONEKTA_API_KEY];
  if (req.headers.authorization !== `Bearer ${key}`) reply(res, 401, '{"error":{"type":"authentication_error"}}');
  else if (events.has(id)) reply(res, 200, events.get(id));
  else if (stripePrefix) reply(res, 404, '{"error":{"type":"invalid_request_error","code":"resource_missing"}}');
  else reply(res, 404, fixture("evt_invalid_id"));
}

function reply(res: ServerResponse, status: number, body: Buffer | string | undefined): void {
  res.writeHead(status, { "content-type": "application/json" }).end(body);
}

function byId(...names: string[]): ReadonlyMap<string, Buffer> {
  return new Map(names.map((name) => [idOf(name), fixture(name)]));
}
