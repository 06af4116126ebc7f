import "@shopify/shopify-api/adapters/web-api";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import { createSHA256HMAC, HashFormat } from "@shopify/shopify-api/runtime";
import { shopify } from "../../src/providers/shopify.ts";
import { compare } from "./compare.ts";

const secret = "shpss_interop_ñ";
const { webhooks } = shopifyApi({
  apiKey: "interop",
  apiSecretKey: secret,
  apiVersion: ApiVersion.October25,
  hostName: "example.com",
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});

const FACTS = {
  topic: "orders/create",
  "shop-domain": "shop1.myshopify.com",
  "api-version": "2025-10",
  "webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
  "event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
};

/** What the package wants beside the signature, of either family. */
const headers = Object.fromEntries(
  Object.entries(FACTS).flatMap(([name, value]) => [
    [`shopify-${name}`, value],
    [`x-shopify-${name}`, value],
  ]),
);

describe("a delivery of Shopify's, and the package @shopify/shopify-api", () => {
  for (const header of ["x-shopify-hmac-sha256", "shopify-hmac-sha256"]) {
    describe(`signed in ${header}`, () => {
      compare({
        provider: shopify(),
        secret,
        headers,
        sign: async (body) => ({ [header]: await createSHA256HMAC(secret, body, HashFormat.Base64) }),
        async accepts(rawBody, fields) {
          const sent = { method: "POST", headers: { ...headers, ...fields } };
          const rawRequest = new Request("https://example.com/hooks", sent);
          return (await webhooks.validate({ rawBody, rawRequest })).valid;
        },
      });
    });
  }
});
