import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookRequest } from "hookbus";
import { conekta } from "hookbus/conekta";
import { stripe } from "hookbus/stripe";

/** What snippets share: deliveries, and a way to post them. It is compiled with them, in a copy of the package. */

interface EventFields {
  readonly id?: string;
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** A delivery of Stripe's, signed with STRIPE_SIGNING_SECRET unless told otherwise. */
export function stripeDelivery(
  event: EventFields = {},
  secret = process.env["STRIPE_SIGNING_SECRET"] ?? "",
): WebhookRequest {
  const charge = JSON.parse(readFileSync("fixtures/stripe/charge.succeeded.json", "utf8"));
  const body = Buffer.from(JSON.stringify({ ...charge, ...event }));
  return { method: "POST", url: "/webhooks/stripe", headers: stripe().sign(body, { secret }), body };
}

/** A delivery of Conekta's with the legacy digest, made with CONEKTA_PRIVATE_SIGNATURE. */
export function conektaDelivery(event: EventFields = {}): WebhookRequest {
  const body = Buffer.from(JSON.stringify({ ...conektaEvent(), ...event }));
  const secret = process.env["CONEKTA_PRIVATE_SIGNATURE"] ?? "";
  const headers = conekta().sign(body, { secret, setting: "privateSignature" });
  return { method: "POST", url: "/webhooks/conekta", headers, body };
}

/** The `charge.paid` of the Ruby gem's specs. */
export function conektaEvent(): EventFields & { readonly id: string } {
  return JSON.parse(readFileSync("fixtures/evt_charge_paid.json", "utf8"));
}

/** Serves `listener` on the loopback interface for as long as `run` takes. */
export async function serve<T>(listener: RequestListener, run: (origin: string) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, "localhost");
  await once(server, "listening");
  try {
    return await run(`http://localhost:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Serves `listener` for one request on the loopback interface, and tells the status of the answer. */
export function post(listener: RequestListener, path: string, delivery: WebhookRequest): Promise<number> {
  return serve(listener, async (origin) => {
    const headers = { "content-type": "application/json", ...(delivery.headers as Record<string, string>) };
    const body = new Uint8Array(delivery.body);
    const response = await fetch(`${origin}${path}`, { method: "POST", headers, body });
    await response.arrayBuffer();
    return response.status;
  });
}
