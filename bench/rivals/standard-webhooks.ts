import { Webhook } from "standardwebhooks";
import { SECRET } from "../deliveries/delivery.ts";
import type { Rival } from "./rival.ts";

const webhook = new Webhook(SECRET);

export const standardWebhooks: Rival = {
  name: "standardwebhooks",
  async: false,
  refusesStale: true,
  take: ({ body, standard }) => webhook.verify(body, standard),
};
