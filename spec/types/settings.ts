// Compiled, never run: what a bus can be set to, and what it gives back.
import type { Stripe } from "stripe";
import { ConektaEvent } from "../../src/conekta.ts";
import type { EventParams, Receipt, SecretInput } from "../../src/index.ts";
import { type StripeBaseEvent, StripeEvent, type StripeEventMap } from "../../src/stripe.ts";
import { assert, type Equals } from "./equals.ts";

// A variable of the environment may be undefined: the setter takes it, and refuses it at run time.
const variable: string | undefined = process.env["STRIPE_SIGNING_SECRET"];
StripeEvent.configure((events) => {
  assert<Equals<typeof events, typeof StripeEvent>>();
  events.apiKey = variable;
  events.signingSecrets = variable;
  events.signingSecrets = [variable, { label: "next", secret: variable }];
  // @ts-expect-error a secret is text
  events.signingSecrets = 5;
  // @ts-expect-error a label alone is no secret
  events.signingSecrets = { label: "next" };
});
ConektaEvent.setup((events) => {
  events.privateSignature = variable;
  events.webhookKeys = [variable];
});

// What is read of secrets are labels, which cannot be set as secrets again by mistake.
const read = StripeEvent.signingSecrets;
read satisfies readonly { readonly label: string }[];
// @ts-expect-error labels are no secrets
StripeEvent.signingSecrets = read;
// @ts-expect-error not beside others either
StripeEvent.signingSecrets = [...read, variable];
declare const input: SecretInput;
StripeEvent.signingSecrets = input;

// Retrievers and filters know the events of their bus.
StripeEvent.eventRetriever = async (params, { retrieve, request, verifiedBy }) => {
  assert<Equals<typeof params, EventParams>>();
  assert<Equals<typeof verifiedBy, "signature" | "retrieval" | "nothing">>();
  void request?.headers;
  if (params["livemode"] !== true) return null;
  const event = await retrieve(params.id, { apiKey: "sk_1", account: "acct_1" });
  if (event.type === "charge.refunded") assert<Equals<typeof event, Stripe.ChargeRefundedEvent>>();
  return event;
};
StripeEvent.eventFilter = (event) => (event.type === "charge.refunded" && event.data.object.livemode ? event : null);
// @ts-expect-error a retriever gives an event or null
StripeEvent.eventRetriever = () => undefined;
// @ts-expect-error so does a filter
StripeEvent.eventFilter = (event) => event.livemode;

// Authentication of the endpoint is one of two.
StripeEvent.endpointAuth = { bearer: "token" };
StripeEvent.endpointAuth = { basic: { password: "password" } };
// @ts-expect-error a user alone is no secret
StripeEvent.endpointAuth = { basic: { username: "user" } };

// Trusted calls.
export async function trusted(event: Stripe.Event): Promise<void> {
  await StripeEvent.publish(event);
  const instrumented = await StripeEvent.instrument({ id: "evt_1" });
  assert<Equals<typeof instrumented, StripeEventMap[keyof StripeEventMap] | null>>();
  // @ts-expect-error no event
  await StripeEvent.publish({ id: "evt_1" });
  const base: StripeBaseEvent = { id: "evt_1", type: "charge.teleported" };
  await StripeEvent.publish(base);
  const receipt = await StripeEvent.receive({ method: "POST", url: "/", headers: {}, body: new Uint8Array() });
  assert<Equals<typeof receipt, Receipt>>();
}
