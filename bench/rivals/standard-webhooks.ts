import { Webhook } from "standardwebhooks";
import { type MakeRival, trying } from "./rival.ts";

export const standardWebhooks: MakeRival = (secrets) => {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return {
    name: "standardwebhooks",
    async: false,
    refusesStale: true,
    take: ({ body, standard }) => trying(webhooks, (webhook) => webhook.verify(body, standard)),
  };
};
