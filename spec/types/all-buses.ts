// Compiled, never run: every ready-made bus, and a bus of every other provider, in one program, whose cost to the compiler
// spec/types-budget.spec.ts bounds. Each with one type, with a group of types where it has groups, and with all of them.

import { adyen } from "../../src/adyen.ts";
import { braintree } from "../../src/braintree.ts";
import { clerk } from "../../src/clerk.ts";
import { coinbaseCommerce } from "../../src/coinbase-commerce.ts";
import { ConektaEvent } from "../../src/conekta.ts";
import { discord } from "../../src/discord.ts";
import { GitHubEvent } from "../../src/github.ts";
import { hmac } from "../../src/hmac.ts";
import { hubspot } from "../../src/hubspot.ts";
import { EventBus } from "../../src/index.ts";
import { KopoKopoEvent } from "../../src/kopokopo.ts";
import { lemonsqueezy } from "../../src/lemonsqueezy.ts";
import { linear } from "../../src/linear.ts";
import { mercadopago } from "../../src/mercadopago.ts";
import { openai } from "../../src/openai.ts";
import { paddle } from "../../src/paddle.ts";
import { paypal } from "../../src/paypal.ts";
import { polar } from "../../src/polar.ts";
import { razorpay } from "../../src/razorpay.ts";
import { resend } from "../../src/resend.ts";
import { SendGridEvent } from "../../src/sendgrid.ts";
import { ShopifyEvent } from "../../src/shopify.ts";
import { SlackEvent } from "../../src/slack.ts";
import { square } from "../../src/square.ts";
import { StandardWebhookEvent } from "../../src/standard-webhooks.ts";
import { StripeEvent } from "../../src/stripe.ts";
import { svix } from "../../src/svix.ts";
import { TwilioEvent } from "../../src/twilio.ts";
import { ZenkipayEvent } from "../../src/zenkipay.ts";
import { zoom } from "../../src/zoom.ts";
import { assert, type Equals } from "./equals.ts";

ConektaEvent.subscribe("order.paid", (event) => assert<Equals<typeof event.type, "order.paid">>());
ConektaEvent.subscribe("charge.", (event) => event.data);
ConektaEvent.all(({ type }) => type);

GitHubEvent.subscribe("issues.opened", (event) => assert<Equals<typeof event.type, "issues.opened">>());
GitHubEvent.subscribe("pull_request.", (event) => event.payload);
GitHubEvent.all(({ type }) => type);

KopoKopoEvent.subscribe("customer_created", (event) => event);
KopoKopoEvent.all((event) => event);

SendGridEvent.subscribe("delivered", (event) => assert<Equals<typeof event.event, "delivered">>());
SendGridEvent.all(({ event }) => event);

ShopifyEvent.subscribe("orders/create", (event) => assert<Equals<typeof event.type, "orders/create">>());
ShopifyEvent.subscribe("products/", (event) => event.payload);
ShopifyEvent.all(({ type }) => type);

SlackEvent.subscribe("app_mention", (event) => event);
SlackEvent.subscribe("message.", (event) => event);
SlackEvent.all((event) => event);

StandardWebhookEvent.subscribe("contact.created", (event) => event);
StandardWebhookEvent.subscribe("contact.", (event) => event);
StandardWebhookEvent.all((event) => event);

StripeEvent.subscribe("charge.refunded", (event) => assert<Equals<typeof event.type, "charge.refunded">>());
StripeEvent.subscribe("customer.", (event) => event.data);
StripeEvent.all(({ type }) => type);

TwilioEvent.subscribe("message.delivered", (event) => event);
TwilioEvent.subscribe("call.", (event) => event);
TwilioEvent.all((event) => event);

ZenkipayEvent.subscribe("order.paid", (event) => event);
ZenkipayEvent.subscribe("order.", (event) => event);
ZenkipayEvent.all((event) => event);

const adyenEvents = new EventBus(adyen());
adyenEvents.subscribe("AUTHORISATION", (event) => event);
adyenEvents.all((event) => event);

const braintreeEvents = new EventBus(braintree());
braintreeEvents.subscribe("subscription_went_past_due", (event) => event);
braintreeEvents.all((event) => event);

const clerkEvents = new EventBus(clerk());
clerkEvents.subscribe("user.created", (event) => event);
clerkEvents.subscribe("user.", (event) => event);
clerkEvents.all((event) => event);

const coinbaseCommerceEvents = new EventBus(coinbaseCommerce());
coinbaseCommerceEvents.subscribe("charge:confirmed", (event) => event);
coinbaseCommerceEvents.subscribe("charge:", (event) => event);
coinbaseCommerceEvents.all((event) => event);

const discordEvents = new EventBus(discord());
discordEvents.subscribe("interaction.application_command", (event) => event);
discordEvents.subscribe("interaction.", (event) => event);
discordEvents.all((event) => event);

const hmacEvents = new EventBus(hmac({ name: "acme", header: "x-acme-signature" }));
hmacEvents.subscribe("a.b", (event) => event);
hmacEvents.subscribe("a.", (event) => event);
hmacEvents.all((event) => event);

const hubspotEvents = new EventBus(hubspot());
hubspotEvents.subscribe("contact.creation", (event) => event);
hubspotEvents.subscribe("contact.", (event) => event);
hubspotEvents.all((event) => event);

const lemonsqueezyEvents = new EventBus(lemonsqueezy());
lemonsqueezyEvents.subscribe("order_created", (event) => event);
lemonsqueezyEvents.all((event) => event);

const linearEvents = new EventBus(linear());
linearEvents.subscribe("Issue.create", (event) => event);
linearEvents.subscribe("Issue.", (event) => event);
linearEvents.all((event) => event);

const mercadopagoEvents = new EventBus(mercadopago());
mercadopagoEvents.subscribe("payment.updated", (event) => event);
mercadopagoEvents.subscribe("payment.", (event) => event);
mercadopagoEvents.all((event) => event);

const openaiEvents = new EventBus(openai());
openaiEvents.subscribe("response.completed", (event) => event);
openaiEvents.subscribe("response.", (event) => event);
openaiEvents.all((event) => event);

const paddleEvents = new EventBus(paddle());
paddleEvents.subscribe("transaction.completed", (event) => event);
paddleEvents.subscribe("transaction.", (event) => event);
paddleEvents.all((event) => event);

const paypalEvents = new EventBus(paypal());
paypalEvents.subscribe("PAYMENT.CAPTURE.COMPLETED", (event) => event);
paypalEvents.subscribe("PAYMENT.", (event) => event);
paypalEvents.all((event) => event);

const polarEvents = new EventBus(polar());
polarEvents.subscribe("order.paid", (event) => event);
polarEvents.subscribe("order.", (event) => event);
polarEvents.all((event) => event);

const razorpayEvents = new EventBus(razorpay());
razorpayEvents.subscribe("payment.captured", (event) => event);
razorpayEvents.subscribe("payment.", (event) => event);
razorpayEvents.all((event) => event);

const resendEvents = new EventBus(resend());
resendEvents.subscribe("email.sent", (event) => event);
resendEvents.subscribe("email.", (event) => event);
resendEvents.all((event) => event);

const squareEvents = new EventBus(square());
squareEvents.subscribe("payment.updated", (event) => event);
squareEvents.subscribe("payment.", (event) => event);
squareEvents.all((event) => event);

const svixEvents = new EventBus(svix());
svixEvents.subscribe("a.b", (event) => event);
svixEvents.subscribe("a.", (event) => event);
svixEvents.all((event) => event);

const zoomEvents = new EventBus(zoom());
zoomEvents.subscribe("meeting.started", (event) => event);
zoomEvents.subscribe("meeting.", (event) => event);
zoomEvents.all((event) => event);
