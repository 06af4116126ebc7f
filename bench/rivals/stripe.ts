import { Stripe } from "stripe";
import { SECRET } from "../deliveries/delivery.ts";
import type { Rival } from "./rival.ts";

const { webhooks } = new Stripe("sk_test_bench");

export const stripeSdk: Rival = {
  name: "stripe",
  async: false,
  refusesStale: true,
  take: ({ body, stripe }) => webhooks.constructEvent(body, stripe, SECRET),
};
