import { generateKeyPairSync } from "node:crypto";
import sendgridPackage from "@sendgrid/eventwebhook";
import { Ecdsa, PrivateKey } from "starkbank-ecdsa";
import { sendgrid } from "../../src/providers/sendgrid.ts";
import { compare } from "./compare.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secret = publicKey.export({ format: "der", type: "spki" }).toString("base64");
const webhook = new sendgridPackage.EventWebhook();
const theirs = webhook.convertPublicKeyToECDSA(secret);
const signing = PrivateKey.fromPem(privateKey.export({ format: "pem", type: "sec1" }).toString());

const SIGNATURE = "x-twilio-email-event-webhook-signature";
const TIMESTAMP = "x-twilio-email-event-webhook-timestamp";

// SendGrid's package has a verifier alone: what signs here is what it verifies with.
describe("a delivery of SendGrid's, and the package @sendgrid/eventwebhook", () => {
  compare({
    provider: sendgrid(),
    secret,
    signingSecret: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    headers: { "content-type": "application/json" },
    sign(body, now) {
      const timestamp = String(Math.floor(now / 1000));
      return { [TIMESTAMP]: timestamp, [SIGNATURE]: Ecdsa.sign(timestamp + body, signing).toBase64() };
    },
    accepts: (body, fields) => webhook.verifySignature(theirs, body, fields[SIGNATURE] ?? "", fields[TIMESTAMP] ?? ""),
  });
});
