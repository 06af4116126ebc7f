import { sign, verify } from "@octokit/webhooks-methods";
import { github } from "../../src/providers/github.ts";
import { compare } from "./compare.ts";

const secret = "It's a Secret to Everybody, ó";

describe("a delivery of GitHub's, and the package @octokit/webhooks-methods", () => {
  compare({
    provider: github(),
    secret,
    headers: { "content-type": "application/json", "x-github-event": "push", "x-github-delivery": "1" },
    sign: async (body) => ({ "x-hub-signature-256": await sign(secret, body) }),
    accepts: (body, fields) => verify(secret, body, fields["x-hub-signature-256"] ?? ""),
  });
});
