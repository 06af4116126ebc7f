// Compiled, never run: what the generated types of Stripe's and Conekta's events know.
import type { Stripe } from "stripe";
import type { ConektaBaseEvent, ConektaEventMap } from "../../src/providers/conekta-events.ts";
import type { StripeBaseEvent, StripeEventMap } from "../../src/providers/stripe-events.ts";
import { assert, type Equals } from "./equals.ts";

// Stripe's snapshot events.
assert<Equals<StripeEventMap["charge.refunded"]["data"]["object"], Stripe.Charge>>();
assert<Equals<StripeEventMap["invoice.payment_failed"]["data"]["object"], Stripe.Invoice>>();
assert<Equals<StripeEventMap["charge.refunded"]["type"], "charge.refunded">>();
assert<"charge.dispute.created" extends keyof StripeEventMap ? true : false>();
assert<"payment_intent.failed" extends keyof StripeEventMap ? false : true>();

// Its thin events, and what they are about.
type Meter = StripeEventMap["v1.billing.meter.error_report_triggered"];
assert<Equals<Awaited<ReturnType<Meter["fetchRelated"]>>, Stripe.Billing.Meter>>();
assert<Equals<Meter["context"], string | undefined>>();
assert<Equals<Meter["created"], string>>();
assert<"fetchEvent" extends keyof Meter ? false : true>();
assert<"fetchRelatedObject" extends keyof Meter ? false : true>();
type Unrelated = StripeEventMap["v1.account.application.authorized"];
assert<Equals<Awaited<ReturnType<Unrelated["fetchRelated"]>>, null>>();
assert<"v2.core.account[requirements].updated" extends keyof StripeEventMap ? true : false>();

// Conekta's events.
type Paid = ConektaEventMap["charge.paid"];
assert<Equals<Paid["type"], "charge.paid">>();
assert<Equals<Paid["id"], string>>();
assert<"object" extends keyof Paid["data"] ? true : false>();
assert<"object" extends keyof ConektaEventMap["webhook_ping"]["data"] ? false : true>();
assert<Equals<ConektaBaseEvent["type"], string>>();
assert<Equals<keyof ConektaEventMap extends string ? true : false, true>>();

// Every known event can be read as an unknown one.
assert<ConektaEventMap[keyof ConektaEventMap] extends ConektaBaseEvent ? true : false>();
assert<StripeEventMap["charge.refunded"] extends StripeBaseEvent ? true : false>();
assert<StripeEventMap["v1.charge.refunded"] extends StripeBaseEvent ? true : false>();
