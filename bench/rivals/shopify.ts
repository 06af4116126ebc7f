import "@shopify/shopify-api/adapters/node";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import { type MakeRival, tryingOneByOne } from "./rival.ts";

const rawRequest = new IncomingMessage(new Socket());
const rawResponse = new ServerResponse(rawRequest);

export const shopifyApiPackage: MakeRival = (secrets) => {
  const apis = secrets.map((apiSecretKey) =>
    shopifyApi({
      apiKey: "bench",
      apiSecretKey,
      hostName: "hooks.example.com",
      apiVersion: ApiVersion.October25,
      isEmbeddedApp: false,
      logger: { level: LogSeverity.Error },
    }),
  );
  return {
    name: "@shopify/shopify-api",
    async: true,
    refusesStale: false,
    async take({ body, shopify }) {
      rawRequest.headers = shopify;
      const rawBody = body.toString();
      await tryingOneByOne(apis, async ({ webhooks }) => {
        const result = await webhooks.validate({ rawBody, rawRequest, rawResponse });
        if (!result.valid) throw new Error(result.reason);
      });
      return JSON.parse(rawBody);
    },
  };
};
