import { Webhook } from "svix";
import { SECRET } from "../deliveries/delivery.ts";
import type { Rival } from "./rival.ts";

const webhook = new Webhook(SECRET);

export const svix: Rival = {
  name: "svix",
  async: false,
  refusesStale: true,
  take: ({ body, standard }) => webhook.verify(body, standard),
};
