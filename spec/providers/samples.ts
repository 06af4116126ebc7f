import { generateKeyPairSync } from "node:crypto";
import { adyen } from "../../src/providers/adyen.ts";
import { braintree } from "../../src/providers/braintree.ts";
import { clerk } from "../../src/providers/clerk.ts";
import { coinbaseCommerce } from "../../src/providers/coinbase-commerce.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { discord } from "../../src/providers/discord.ts";
import { github } from "../../src/providers/github.ts";
import { hmac } from "../../src/providers/hmac.ts";
import { hubspot } from "../../src/providers/hubspot.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import { lemonsqueezy } from "../../src/providers/lemonsqueezy.ts";
import { linear } from "../../src/providers/linear.ts";
import { mercadopago } from "../../src/providers/mercadopago.ts";
import { openai } from "../../src/providers/openai.ts";
import { paddle } from "../../src/providers/paddle.ts";
import { paypal } from "../../src/providers/paypal.ts";
import { polar } from "../../src/providers/polar.ts";
import type { Provider, WebhookRequest } from "../../src/providers/provider.ts";
import { razorpay } from "../../src/providers/razorpay.ts";
import { resend } from "../../src/providers/resend.ts";
import { sendgrid } from "../../src/providers/sendgrid.ts";
import { shopify } from "../../src/providers/shopify.ts";
import { slack } from "../../src/providers/slack.ts";
import { square } from "../../src/providers/square.ts";
import { standardWebhooks } from "../../src/providers/standard-webhooks.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { svix } from "../../src/providers/svix.ts";
import { twilio } from "../../src/providers/twilio.ts";
import { zenkipay } from "../../src/providers/zenkipay.ts";
import { zoom } from "../../src/providers/zoom.ts";
import type { ProviderSample } from "./contract.ts";
import { fixture } from "./fixture.ts";
import { OTHER, PRIVATE_PEM, PUBLIC_PEM } from "./keys.ts";
import { INTERMEDIATE, LEAF, LEAF_KEY, ROOT } from "./paypal-chain.ts";

const json = (path: string): string => JSON.stringify(fixture(path));

/** Secrets that are used as they stand. */
export const TEXT: Pick<ProviderSample, "secret" | "otherSecret"> = {
  secret: "spec_secret_one",
  otherSecret: "spec_secret_two",
};
const WHSEC = {
  secret: `whsec_${Buffer.alloc(24, 1).toString("base64")}`,
  otherSecret: `whsec_${Buffer.alloc(24, 2).toString("base64")}`,
};
const CONEKTA = { secret: PRIVATE_PEM, body: json("conekta/charge.paid.json") };

const ed25519 = (): { seed: Buffer; point: Buffer } => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  return { seed, point: publicKey.export({ type: "spki", format: "der" }).subarray(-32) };
};
const [ED_ONE, ED_TWO] = [ed25519(), ed25519()];

const ec = (): { pem: string; spki: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { pem, spki: publicKey.export({ type: "spki", format: "der" }).toString("base64") };
};
const [EC_ONE, EC_TWO] = [ec(), ec()];

/** Of schemes that sign the URL, and the method where it counts. */
function* changedUrls(request: WebhookRequest): Iterable<WebhookRequest> {
  const { url } = request;
  for (const other of [`${url}x`, `${url}&x=1`, url.split("?")[0] as string, url.replace("example", "other"), "/"]) {
    if (other !== url) yield { ...request, url: other };
  }
}

function* changedMethodsAndUrls(request: WebhookRequest): Iterable<WebhookRequest> {
  for (const method of ["GET", "post", ""]) yield { ...request, method };
  yield* changedUrls(request);
}

/** Mercado Pago signs one parameter of the query. */
function* changedDataIds(request: WebhookRequest): Iterable<WebhookRequest> {
  for (const change of ["data.id=123457", "data.id=", "x=1", "data.id=123456&data.id=123456"]) {
    yield { ...request, url: request.url.replace("data.id=123456", change) };
  }
}

/** Adyen signs eight fields of an item. */
function* changedItems(request: WebhookRequest): Iterable<WebhookRequest> {
  const amounts = [{ value: 1, currency: "EUR" }, { value: 2599, currency: "USD" }, null].map((amount) => ({ amount }));
  const names = ["pspReference", "originalReference", "merchantAccountCode", "merchantReference", "eventCode"];
  const fields = [...names.map((name) => ({ [name]: "X" })), { success: "false" }, { pspReference: undefined }];
  for (const change of [...fields, ...amounts]) {
    const body = JSON.parse(Buffer.from(request.body).toString());
    Object.assign(body.notificationItems[0].NotificationRequestItem, change);
    yield { ...request, body: Buffer.from(JSON.stringify(body)) };
  }
}

/** Braintree signs the text of a field. */
function* changedPayloads(request: WebhookRequest): Iterable<WebhookRequest> {
  const form = new URLSearchParams(Buffer.from(request.body).toString());
  const payload = form.get("bt_payload") ?? "";
  const bytes = Buffer.from(payload, "base64");
  for (const [at, byte] of bytes.entries()) {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(byte ^ 1, at);
    form.set("bt_payload", copy.toString("base64"));
    yield { ...request, body: Buffer.from(form.toString()) };
  }
  // A line break at the end may be lost on the way, and no other.
  for (const other of ["", "\n", payload.slice(4), `${payload}\n`, payload.replace("\n", "\n\n"), `\n${payload}`]) {
    form.set("bt_payload", other);
    yield { ...request, body: Buffer.from(form.toString()) };
  }
}

const ADYEN = { secret: "ab".repeat(32), otherSecret: "cd".repeat(32) };

/** A payment of Adyen's with a reference of the merchant's own. */
function adyenPayment(reference: string): string {
  const { notificationItems, ...rest } = fixture("adyen/AUTHORISATION.json");
  const [first] = notificationItems as { NotificationRequestItem: object }[];
  const item = { ...first?.NotificationRequestItem, merchantReference: reference };
  return JSON.stringify({ ...rest, notificationItems: [{ NotificationRequestItem: item }] });
}

/** A row for each provider: how it is made, and its samples. */
export const SAMPLES: readonly (readonly [make: () => unknown, ...samples: ProviderSample[]])[] = [
  [
    stripe,
    { name: "a snapshot event", ...TEXT, body: json("stripe/charge.succeeded.json") },
    { name: "a thin event", ...TEXT, body: json("stripe/v1.billing.meter.error_report_triggered.json") },
  ],
  [
    conekta,
    { ...CONEKTA, name: "webhook keys", verifyingSecret: PUBLIC_PEM, otherSecret: OTHER.publicPem },
    { ...CONEKTA, name: "a private signature", setting: "privateSignature", otherSecret: OTHER.privatePem },
  ],
  [standardWebhooks, { name: "a secret", ...WHSEC, id: "msg_2", body: json("standard-webhooks/contact.created.json") }],
  [
    svix,
    { name: "a secret", ...WHSEC, body: '{"type":"a.b"}' },
    {
      name: "a public key",
      secret: `whsk_${ED_ONE.seed.toString("base64")}`,
      verifyingSecret: `whpk_${ED_ONE.point.toString("base64")}`,
      otherSecret: `whpk_${ED_TWO.point.toString("base64")}`,
      body: '{"type":"a.b"}',
    },
  ],
  [clerk, { name: "a user", ...WHSEC, body: json("clerk/user.created.json") }],
  [openai, { name: "a response", ...WHSEC, body: json("openai/response.completed.json") }],
  [polar, { name: "an order", ...TEXT, body: json("polar/order.paid.json") }],
  [resend, { name: "an email", ...WHSEC, body: json("resend/email.sent.json") }],
  [zenkipay, { name: "a plain payload", ...WHSEC, body: json("zenkipay/order.pay.json") }],
  [
    github,
    {
      name: "an issue",
      ...TEXT,
      body: json("github/issues.opened.json"),
      headers: { "x-github-event": "issues", "x-github-delivery": "d1", "content-type": "application/json" },
      freshHeaders: { "x-github-delivery": "d2" },
    },
  ],
  [
    shopify,
    {
      name: "a product",
      ...TEXT,
      body: json("shopify/products.update.json"),
      headers: { "shopify-topic": "products/update", "shopify-webhook-id": "w1" },
      freshHeaders: { "shopify-webhook-id": "w2" },
    },
    {
      name: "an order, under the older headers",
      ...TEXT,
      body: json("shopify/orders.create.json"),
      headers: { "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "w1" },
      freshHeaders: { "x-shopify-webhook-id": "w2" },
    },
  ],
  [kopokopo, { name: "a webhook", ...TEXT, body: json("kopokopo/buygoods_transaction_received.json") }],
  [
    () => hmac({ name: "acme", header: "x-acme-signature" }),
    { name: "a body", ...TEXT, body: '{"id":"e1","type":"a.b"}' },
  ],
  [
    () =>
      hmac({
        name: "acme-lists",
        header: "x-acme-signature",
        algorithm: "sha512",
        encoding: "base64url",
        content: "{id}:{timestamp}:{method}:{url}:{body}",
        timestamp: { item: "t", unit: "ms" },
        id: "x-acme-id",
        list: { separator: ";", assign: "=", tag: "s1" },
        event: { id: { header: "x-acme-id", signed: true }, type: "type" },
      }),
    {
      name: "a list",
      ...TEXT,
      url: "https://example.com/acme",
      method: "POST",
      body: '{"type":"a.b"}',
      changes: changedMethodsAndUrls,
    },
  ],
  [
    razorpay,
    {
      name: "a payment",
      ...TEXT,
      body: json("razorpay/payment.captured.json"),
      headers: { "x-razorpay-event-id": "e1" },
      freshHeaders: { "x-razorpay-event-id": "e2" },
    },
  ],
  [coinbaseCommerce, { name: "a charge", ...TEXT, body: json("coinbase-commerce/charge.confirmed.json") }],
  [lemonsqueezy, { name: "an order", ...TEXT, body: json("lemonsqueezy/order_created.json") }],
  [paddle, { name: "a transaction", ...TEXT, body: json("paddle/transaction.completed.json") }],
  [
    slack,
    {
      name: "an event",
      ...TEXT,
      body: '{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"app_mention","text":"hi"}}',
    },
    {
      name: "a slash command",
      ...TEXT,
      body: "token=x&command=%2Fweather&text=94070&trigger_id=13345224609.738474920.8088930838",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      freshHeaders: { "content-type": "application/json" },
    },
    { name: "a handshake", ...TEXT, body: '{"type":"url_verification","challenge":"c"}', events: 0 },
  ],
  [
    twilio,
    {
      name: "a message",
      ...TEXT,
      url: "https://example.com/sms?x=1",
      body: "MessageSid=SM1&MessageStatus=delivered&From=%2B525555555555",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      freshHeaders: { "i-twilio-idempotency-token": "2", "content-type": "application/json" },
      notSigned: "spelling",
      changes: changedUrls,
      carry: (text) => `MessageSid=SM1&MessageStatus=received&Body=${encodeURIComponent(text)}`,
    },
  ],
  [
    sendgrid,
    {
      name: "a batch",
      secret: EC_ONE.pem,
      verifyingSecret: EC_ONE.spki,
      otherSecret: EC_TWO.spki,
      body: '[{"event":"delivered","sg_event_id":"a1","email":"a@b.example"},{"event":"open","sg_event_id":"a2"}]\r\n',
      events: 2,
    },
  ],
  [
    discord,
    {
      name: "an interaction",
      secret: ED_ONE.seed.toString("hex"),
      verifyingSecret: ED_ONE.point.toString("hex"),
      otherSecret: ED_TWO.point.toString("hex"),
      body: '{"id":"846462639134605312","type":2,"token":"t","data":{"name":"cards"}}',
    },
  ],
  [zoom, { name: "a meeting", ...TEXT, body: '{"event":"meeting.started","payload":{"account_id":"a"},"event_ts":1}' }],
  [
    linear,
    {
      name: "an issue",
      ...TEXT,
      body: '{"action":"create","type":"Issue","data":{"id":"1"},"webhookTimestamp":1700000000000,"webhookId":"w1"}',
      headers: { "linear-delivery": "d1", "linear-event": "Issue" },
      freshHeaders: { "linear-delivery": "d2" },
      carry: (data, webhookTimestamp) => JSON.stringify({ action: "create", type: "Issue", data, webhookTimestamp }),
    },
  ],
  [
    hubspot,
    {
      name: "a batch",
      ...TEXT,
      url: "https://example.com/hubspot",
      body: JSON.stringify(
        [1, 2].map((eventId) => ({
          eventId,
          portalId: 5,
          subscriptionId: 6,
          objectId: 7,
          occurredAt: 1_564_113_600_000,
          subscriptionType: "contact.creation",
          attemptNumber: 0,
        })),
      ),
      events: 2,
      changes: changedMethodsAndUrls,
    },
  ],
  [
    square,
    {
      name: "a payment",
      ...TEXT,
      url: "https://example.com/square",
      changes: changedUrls,
      body: '{"merchant_id":"M1","type":"payment.updated","event_id":"e1","data":{"id":"p1"}}',
    },
  ],
  [
    adyen,
    {
      name: "a payment",
      ...ADYEN,
      body: json("adyen/AUTHORISATION.json"),
      notSigned: "body",
      signatureInBody: /"hmacSignature":"([^"]+)"/,
      changes: changedItems,
      carry: adyenPayment,
    },
  ],
  [
    () => adyen({ platform: true }),
    {
      name: "a transfer",
      ...ADYEN,
      body: json("adyen/balancePlatform.transfer.created.json"),
    },
  ],
  [
    mercadopago,
    {
      name: "a payment",
      ...TEXT,
      id: "req-1",
      url: "https://example.com/mp?data.id=123456&type=payment",
      body: '{"action":"payment.updated","type":"payment","data":{"id":"123456"}}',
      notSigned: "body",
      changes: changedDataIds,
    },
  ],
  [
    braintree,
    {
      name: "a notification",
      secret: "public:private",
      otherSecret: "public:other",
      body: "<notification><kind>check</kind><timestamp>2026-11-22T09:13:00Z</timestamp></notification>",
      notSigned: "body",
      signatureInBody: /bt_signature=public%7C([0-9a-f]{40})/,
      changes: changedPayloads,
      carry: (text) => `<notification><kind>check</kind><text>${text}</text></notification>`,
    },
  ],
  [
    () => paypal({ fetch: async () => new Response(`${LEAF}\n${INTERMEDIATE}\n`), trustedCertificates: [ROOT] }),
    {
      name: "a capture",
      secret: `1JE4291016473214C:${LEAF_KEY}`,
      verifyingSecret: "1JE4291016473214C",
      otherSecret: "1JE4291016473214D",
      // The chain begins in November 2026.
      now: Date.parse("2027-01-01T12:00:00Z"),
      id: "t-1",
      body: json("paypal/PAYMENT.CAPTURE.COMPLETED.json"),
      unsignedHeaders: ["paypal-cert-url"],
    },
  ],
];

/** The entry points that export the providers of the samples. */
export function sampledProviders(): string[] {
  const names = SAMPLES.map(([make]) => (make() as Provider).name);
  // The providers made by `hmac` are named here, and Adyen has two.
  return [...new Set(names.map((name) => name.replace(/^acme.*$/, "hmac").replace(/-platform$/, "")))].sort();
}
