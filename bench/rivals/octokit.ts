import { Webhooks } from "@octokit/webhooks";
import { SECRET } from "../deliveries/delivery.ts";
import { type Rival, sink } from "./rival.ts";

const webhooks = new Webhooks({ secret: SECRET });
webhooks.on("push", async ({ payload }) => {
  sink.last = payload;
});

export const octokit: Rival = {
  name: "@octokit/webhooks",
  async: true,
  refusesStale: false,
  take: ({ id, body, github }) =>
    webhooks.verifyAndReceive({ id, name: "push", payload: body.toString(), signature: github }),
};
