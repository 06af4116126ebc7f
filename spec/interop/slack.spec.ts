import { isValidSlackRequest } from "@slack/bolt";
import { slack } from "../../src/providers/slack.ts";
import { compare } from "./compare.ts";

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5";

// Bolt has a verifier and no signer.
describe("a delivery of Slack's, and the package @slack/bolt", () => {
  compare({
    provider: slack(),
    secret: signingSecret,
    headers: { "content-type": "application/json" },
    accepts: (body, fields, nowMilliseconds) =>
      isValidSlackRequest({
        signingSecret,
        body,
        headers: {
          "x-slack-signature": fields["x-slack-signature"] ?? "",
          "x-slack-request-timestamp": Number(fields["x-slack-request-timestamp"]),
        },
        nowMilliseconds,
      }),
  });
});
