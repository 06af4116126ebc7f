import { createHmac } from "node:crypto";
import { freshBody, type Template } from "./events.ts";

/** One secret in the forms that the contenders want it in. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD_KEY = Buffer.from(SECRET.slice("whsec_".length), "base64");

type Headers = Readonly<Record<string, string>>;

/** A body, and all that its sender would sign it by. */
export interface Delivery {
  readonly id: string;
  readonly body: Buffer;
  /** As `node:http` hands it on. */
  readonly request: { readonly method: string; readonly url: string; readonly headers: Headers; readonly body: Buffer };
  readonly stripe: string;
  readonly github: string;
  readonly standard: Headers;
  readonly shopify: Headers;
}

const COMMON = {
  host: "hooks.example.com",
  "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
  accept: "*/*; q=0.5, application/xml",
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-cache",
};

/** How a delivery differs from a good one: in its secret, or in its age. */
export interface Flaw {
  readonly secret?: string;
  readonly ageSeconds?: number;
}

export function signed(template: Template, { secret = SECRET, ageSeconds = 0 }: Flaw = {}): Delivery {
  const { id, body } = freshBody(template);
  const seconds = Math.floor(Date.now() / 1000) - ageSeconds;
  const stripe = `t=${seconds},v1=${hmac(secret, `${seconds}.`, body).toString("hex")}`;
  const headers = { ...COMMON, "content-length": String(body.length), "stripe-signature": stripe };
  const key = secret === SECRET ? STANDARD_KEY : Buffer.from(secret);
  const standard = hmac(key, `${id}.${seconds}.`, body).toString("base64");
  return {
    id,
    body,
    request: { method: "POST", url: "/stripe", headers, body },
    stripe,
    github: `sha256=${hmac(secret, "", body).toString("hex")}`,
    standard: { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${standard}` },
    shopify: {
      ...COMMON,
      "x-shopify-topic": "orders/create",
      "x-shopify-api-version": "2025-10",
      "x-shopify-shop-domain": "shop.myshopify.com",
      "x-shopify-webhook-id": id,
      "x-shopify-hmac-sha256": hmac(secret, "", body).toString("base64"),
    },
  };
}

function hmac(key: string | Buffer, prefix: string, body: Buffer): Buffer {
  return createHmac("sha256", key).update(prefix).update(body).digest();
}
