import { Webhooks } from "@octokit/webhooks";
import { type MakeRival, sink } from "./rival.ts";

export const octokit: MakeRival = ([secret = "", ...additionalSecrets]) => {
  const webhooks = new Webhooks({ secret, ...(additionalSecrets.length > 0 ? { additionalSecrets } : {}) });
  webhooks.on("push", async ({ payload }) => {
    sink.last = payload;
  });
  return {
    name: "@octokit/webhooks",
    async: true,
    refusesStale: false,
    take: ({ id, body, github }) =>
      webhooks.verifyAndReceive({ id, name: "push", payload: body.toString(), signature: github }),
  };
};
