import { expect } from "chai";
import type { Stripe } from "stripe";
import type { ConektaBaseEvent, ConektaEventMap } from "../../src/providers/conekta-events.ts";
import type { StripeBaseEvent, StripeEventMap } from "../../src/providers/stripe-events.ts";

type Equals<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

/** Checked by the compiler; there is nothing to run. */
function holds<_Claim extends true>(): void {}

describe("event types", () => {
  it("know Stripe's snapshot events", () => {
    holds<Equals<StripeEventMap["charge.refunded"]["data"]["object"], Stripe.Charge>>();
    holds<Equals<StripeEventMap["invoice.payment_failed"]["data"]["object"], Stripe.Invoice>>();
    holds<Equals<StripeEventMap["charge.refunded"]["type"], "charge.refunded">>();
    holds<"charge.dispute.created" extends keyof StripeEventMap ? true : false>();
    holds<"payment_intent.failed" extends keyof StripeEventMap ? false : true>();
  });

  it("know Stripe's thin events, and what they are about", () => {
    type Meter = StripeEventMap["v1.billing.meter.error_report_triggered"];
    holds<Equals<Awaited<ReturnType<Meter["fetchRelated"]>>, Stripe.Billing.Meter>>();
    holds<Equals<Meter["context"], string | undefined>>();
    holds<Equals<Meter["created"], string>>();
    holds<"fetchEvent" extends keyof Meter ? false : true>();
    holds<"fetchRelatedObject" extends keyof Meter ? false : true>();
    type Unrelated = StripeEventMap["v1.account.application.authorized"];
    holds<Equals<Awaited<ReturnType<Unrelated["fetchRelated"]>>, null>>();
    holds<"v2.core.account[requirements].updated" extends keyof StripeEventMap ? true : false>();
  });

  it("know Conekta's events", () => {
    type Paid = ConektaEventMap["charge.paid"];
    holds<Equals<Paid["type"], "charge.paid">>();
    holds<Equals<Paid["id"], string>>();
    holds<"object" extends keyof Paid["data"] ? true : false>();
    holds<"object" extends keyof ConektaEventMap["webhook_ping"]["data"] ? false : true>();
    holds<Equals<ConektaBaseEvent["type"], string>>();
    holds<Equals<keyof ConektaEventMap extends string ? true : false, true>>();
  });

  it("let every known event be read as an unknown one", () => {
    holds<ConektaEventMap[keyof ConektaEventMap] extends ConektaBaseEvent ? true : false>();
    holds<StripeEventMap["charge.refunded"] extends StripeBaseEvent ? true : false>();
    holds<StripeEventMap["v1.charge.refunded"] extends StripeBaseEvent ? true : false>();
    expect(true).to.equal(true);
  });
});
