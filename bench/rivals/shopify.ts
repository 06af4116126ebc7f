import "@shopify/shopify-api/adapters/node";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import { SECRET } from "../deliveries/delivery.ts";
import type { Rival } from "./rival.ts";

const { webhooks } = shopifyApi({
  apiKey: "bench",
  apiSecretKey: SECRET,
  hostName: "hooks.example.com",
  apiVersion: ApiVersion.October25,
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error },
});

const rawRequest = new IncomingMessage(new Socket());
const rawResponse = new ServerResponse(rawRequest);

export const shopifyApiPackage: Rival = {
  name: "@shopify/shopify-api",
  async: true,
  refusesStale: false,
  async take({ body, shopify }) {
    rawRequest.headers = shopify;
    const rawBody = body.toString();
    const result = await webhooks.validate({ rawBody, rawRequest, rawResponse });
    if (!result.valid) throw new Error(result.reason);
    return JSON.parse(rawBody);
  },
};
