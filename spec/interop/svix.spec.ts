import { Webhook } from "svix";
import { svix } from "../../src/providers/svix.ts";
import { compare, passes } from "./compare.ts";

const secret = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const webhook = new Webhook(secret);

describe("a delivery of Svix's, and the package svix", () => {
  for (const family of ["svix", "webhook"]) {
    describe(`with the headers ${family}-*`, () => {
      compare({
        provider: svix(),
        secret,
        sign: (body, now) => ({
          [`${family}-id`]: "msg_theirs",
          [`${family}-timestamp`]: String(Math.floor(now / 1000)),
          [`${family}-signature`]: webhook.sign("msg_theirs", new Date(now), body),
        }),
        accepts: (body, fields) => passes(() => webhook.verify(body, fields)),
      });
    });
  }
});
