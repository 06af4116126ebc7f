// Compiled, never run: every ready-made bus in one program, whose cost to the compiler spec/types-budget.spec.ts bounds.
// Each with one type, with a group of types where it has groups, and with all of them.
import { ConektaEvent } from "../../src/conekta.ts";
import { GitHubEvent } from "../../src/github.ts";
import { KopoKopoEvent } from "../../src/kopokopo.ts";
import { SendGridEvent } from "../../src/sendgrid.ts";
import { ShopifyEvent } from "../../src/shopify.ts";
import { SlackEvent } from "../../src/slack.ts";
import { StandardWebhookEvent } from "../../src/standard-webhooks.ts";
import { StripeEvent } from "../../src/stripe.ts";
import { TwilioEvent } from "../../src/twilio.ts";
import { ZenkipayEvent } from "../../src/zenkipay.ts";
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
