import { Webhook } from "standardwebhooks";
import { standardWebhooks } from "../../src/providers/standard-webhooks.ts";
import { compare, passes } from "./compare.ts";

const secret = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const webhook = new Webhook(secret);

describe("a delivery by Standard Webhooks, and the package standardwebhooks", () => {
  compare({
    provider: standardWebhooks(),
    secret,
    sign: (body, now) => ({
      "webhook-id": "msg_theirs",
      "webhook-timestamp": String(Math.floor(now / 1000)),
      "webhook-signature": webhook.sign("msg_theirs", new Date(now), body),
    }),
    accepts: (body, fields) => passes(() => webhook.verify(body, fields)),
  });
});
