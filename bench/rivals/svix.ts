import { Webhook } from "svix";
import { type MakeRival, trying } from "./rival.ts";

export const svix: MakeRival = (secrets) => {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return {
    name: "svix",
    async: false,
    refusesStale: true,
    take: ({ body, standard }) => trying(webhooks, (webhook) => webhook.verify(body, standard)),
  };
};
