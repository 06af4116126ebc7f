import { conekta } from "hookbus/conekta";
import { stripe } from "hookbus/stripe";
import { fixture, idOf } from "./fixtures.ts";
import { STRIPE_SIGNING_SECRET } from "./keys.ts";

/** What must come of a delivery. */
export interface Expectation {
  readonly status: number;
  readonly outcome: string;
  /** The type that the subscribers get. */
  readonly type?: string;
  /** The subscribers that run, in order; a name with `!` fails, one with `†` dies with its process. */
  readonly ran: readonly string[];
  /** Where none run: why, as the operator is told. */
  readonly reason?: string;
}

/** One HTTP request of a provider, or of somebody who would like to be taken for it. */
export interface Delivery {
  readonly title: string;
  /** The bus it goes to. */
  readonly to: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the provider's API fails meanwhile. */
  readonly outage?: boolean;
  /** Whether the worker is killed in the middle of it. */
  readonly crash?: boolean;
  readonly expect: Expectation;
}

export interface ConektaKeys {
  /** The private half of the webhook key, which only Conekta has. */
  readonly webhookPrivateKey: string;
  /** The key of the legacy digest. */
  readonly privateSignature: string;
}

const TEN_MINUTES_MS = 10 * 60 * 1000;

/** The deliveries in the order in which they are sent: some depend on what came before them. */
export function deliveries(keys: ConektaKeys): Delivery[] {
  return [...stripeDeliveries(), ...conektaDeliveries(keys)];
}

function stripeDeliveries(): Delivery[] {
  const provider = stripe();
  const signed = (name: string, options: { secret?: string; now?: number } = {}) => {
    const body = fixture(`stripe/${name}`);
    return { to: "stripe", body, headers: provider.sign(body, { secret: STRIPE_SIGNING_SECRET, ...options }) };
  };
  const charge = signed("charge.succeeded");
  const invoice = "invoice.payment_failed";
  const checkout = "checkout.session.completed";
  const payout = "payout.paid";
  const renewal = "customer.subscription.updated";
  return [
    {
      title: "Stripe: a signed charge",
      ...charge,
      expect: queued("charge.succeeded", "receipts", "charges", "ledger", "log", "audit"),
    },
    {
      title: "Stripe: one for a prefix, charge.",
      ...signed("charge.refunded"),
      expect: queued("charge.refunded", "charges", "ledger", "log", "audit"),
    },
    {
      title: "Stripe: one that nobody names",
      ...signed("plan.created"),
      expect: queued("plan.created", "ledger", "log", "audit"),
    },
    { title: "Stripe: the first one, replayed", ...charge, expect: unheard(200, "duplicate") },
    {
      title: "Stripe: a forged signature",
      ...signed("refund.created", { secret: "whsec_somebody_elses" }),
      expect: unheard(401, "rejected", "bad_signature"),
    },
    {
      title: "Stripe: a signature ten minutes old",
      ...signed("refund.created", { now: Date.now() - TEN_MINUTES_MS }),
      expect: unheard(401, "rejected", "timestamp_too_old"),
    },
    {
      title: "Stripe: one subscriber fails, once",
      ...signed(invoice),
      expect: queued(invoice, "mailer!", "ledger", "log", "audit", "mailer"),
    },
    { title: "Stripe: that one, delivered again", ...signed(invoice), expect: unheard(200, "duplicate") },
    {
      title: "Stripe: a subscriber asks for later",
      ...signed(checkout),
      expect: queued(checkout, "stock!", "ledger", "log", "audit", "stock"),
    },
    {
      title: "Stripe: the worker dies in mid-work",
      ...signed(payout),
      crash: true,
      expect: queued(payout, "ledger", "bank†", "bank", "log", "audit"),
    },
    {
      title: "Stripe: it dies in a transaction",
      ...signed(renewal),
      crash: true,
      expect: queued(renewal, "ledger†", "ledger", "log", "audit"),
    },
    {
      title: "Stripe: unsigned, fetched back",
      to: "stripe-fetched",
      ...unsigned("stripe/customer.created"),
      expect: queued("customer.created", "ledger", "log", "audit"),
    },
    {
      title: "Stripe: unsigned, of an unknown id",
      to: "stripe-fetched",
      ...unsigned("stripe/refund.created"),
      expect: unheard(401, "rejected", "HOOKBUS_UNKNOWN_EVENT"),
    },
  ];
}

function conektaDeliveries({ webhookPrivateKey, privateSignature }: ConektaKeys): Delivery[] {
  const provider = conekta();
  const order = fixture("conekta/order.paid");
  const digest = provider.sign(order, { secret: webhookPrivateKey });
  const created = fixture("conekta/charge.created");
  const legacyDigest = provider.sign(created, { secret: privateSignature, setting: "privateSignature" });
  return [
    {
      title: "Conekta: a charge, fetched back",
      to: "conekta",
      ...unsigned("conekta/charge.paid"),
      expect: queued("charge.paid", "receipts", "ledger", "log", "audit"),
    },
    {
      title: "Conekta: ignored, as it is test mode",
      to: "conekta",
      ...unsigned("evt_charge_paid"),
      expect: unheard(200, "ignored", "retriever"),
    },
    {
      title: "Conekta: an unknown id",
      to: "conekta",
      body: Buffer.from('{"id":"evt_made_up"}'),
      headers: {},
      expect: unheard(401, "rejected", "HOOKBUS_UNKNOWN_EVENT"),
    },
    {
      title: "Conekta: its API is down",
      to: "conekta",
      ...unsigned("conekta/order.paid"),
      outage: true,
      expect: unheard(503, "failed", "HOOKBUS_PROVIDER_UNAVAILABLE"),
    },
    {
      title: "Conekta: and up again",
      to: "conekta",
      ...unsigned("conekta/order.paid"),
      expect: queued("order.paid", "orders", "ledger", "log", "audit"),
    },
    {
      title: "Conekta: a digest, webhook key",
      to: "conekta-digest",
      body: order,
      headers: digest,
      expect: queued("order.paid", "orders", "ledger", "log", "audit"),
    },
    {
      title: "Conekta: that digest, another body",
      to: "conekta-digest",
      body: created,
      headers: digest,
      expect: unheard(401, "rejected", "bad_signature"),
    },
    {
      title: "Conekta: a legacy digest",
      to: "conekta-legacy",
      body: created,
      headers: legacyDigest,
      expect: queued("charge.created", "ledger", "log", "audit"),
    },
    {
      title: "Conekta: no digest at all",
      to: "conekta-legacy",
      body: created,
      headers: {},
      expect: unheard(401, "rejected", "missing_header"),
    },
  ];
}

/** A body that holds nothing but an id: enough for an event that is fetched back. */
function unsigned(name: string): Pick<Delivery, "body" | "headers"> {
  return { body: Buffer.from(JSON.stringify({ id: idOf(name) })), headers: {} };
}

function queued(type: string, ...ran: string[]): Expectation {
  return { status: 200, outcome: "queued", type, ran };
}

function unheard(status: number, outcome: string, reason?: string): Expectation {
  return { status, outcome, ran: [], ...(reason !== undefined && { reason }) };
}
