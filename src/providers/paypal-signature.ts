import { createSecretKey } from "node:crypto";
import { crc32 } from "node:zlib";
import { ConfigurationError } from "../errors.ts";
import { type Certificates, isCertificateUrl } from "./paypal-certificates.ts";
import type { RejectionReason, RequestHeaders, SecretForm, SigningKey, Verification } from "./provider.ts";
import { decode } from "./schemes/encoding.ts";
import { headerValue } from "./schemes/header.ts";
import { signRsaSha256, verifyRsaSha256 } from "./schemes/rsa.ts";
import { objectionToNothing, readSecret, rsaKey } from "./schemes/secret.ts";
import type { Scheme } from "./schemes/signature.ts";
import { staleness } from "./schemes/timestamp.ts";

const ID = "paypal-transmission-id";
const TIME = "paypal-transmission-time";
const SIGNATURE = "paypal-transmission-sig";
const CERTIFICATE = "paypal-cert-url";
const ALGORITHM = "paypal-auth-algo";

/** RFC 3339. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** The signature of an RSA key of 16384 bits, the longest that OpenSSL verifies with. */
const MAX_SIGNATURE_LENGTH = 2732;

const WEBHOOK_ID_LENGTH = 17;

/** Not secret: it is what PayPal signs to say which endpoint a delivery is for. */
const webhookId: SecretForm = {
  scheme: "paypal",
  several: true,
  parse(text) {
    if (/^[A-Za-z0-9]{1,50}$/.test(text)) return createSecretKey(text, "utf8");
    throw new ConfigurationError(
      "must be the webhook's id, letters and digits: it stands beside its URL in the dashboard",
    );
  },
  objection(text) {
    if (text.length === WEBHOOK_ID_LENGTH) return undefined;
    const what = text.length > 30 ? "holds a client id or secret" : "is no webhook id";
    const needed = `what is needed is the webhook's id, of ${WEBHOOK_ID_LENGTH} characters`;
    return objectionToNothing(text, "the webhook id") ?? `${what}: ${needed}`;
  },
};

/** The id of the transmission, as it was verified: whatever blanks a captured delivery is given around it, it is the same. */
export function transmissionOf(headers: RequestHeaders): string | undefined {
  return headerValue(headers, ID)?.trim();
}

/** @see https://developer.paypal.com/api/rest/webhooks/rest/#link-messagesignature */
export function paypalSignature(store: Certificates): Scheme {
  return {
    summary: {
      headers: [SIGNATURE],
      algorithms: ["RSA with SHA-256 (PKCS #1 v1.5), base64"],
      content: "{id}|{timestamp}|{webhook id}|{CRC-32 of the body}",
      secrets: ["webhook id"],
    },
    secrets: { signingSecrets: webhookId },
    toleranceSeconds: Number.POSITIVE_INFINITY,
    async verify({ headers, body }, { keys, now, toleranceSeconds }): Promise<Verification> {
      const [id, time, signature, url, algorithm] = [ID, TIME, SIGNATURE, CERTIFICATE, ALGORITHM].map((name) =>
        headerValue(headers, name)?.trim(),
      );
      if (!id || !time || !signature || !url || !algorithm) return rejected("missing_header");
      if (algorithm !== "SHA256withRSA") return rejected("no_expected_scheme");
      const sentAt = DATE.test(time) ? Date.parse(time) : Number.NaN;
      if (Number.isNaN(sentAt) || !/^[\w-]{1,128}$/.test(id)) return rejected("malformed_header");
      const bytes = signature.length > MAX_SIGNATURE_LENGTH ? undefined : decode(signature, "base64");
      if (!bytes || !isCertificateUrl(url)) return rejected("malformed_header");

      const certificate = await store.keyOf(url, now);
      let matched: SigningKey | undefined;
      if (certificate) {
        for (const key of keys) {
          const content = Buffer.from(contentOf(id, time, key.key.export().toString("utf8"), body));
          if (verifyRsaSha256(certificate, content, bytes)) matched ??= key;
        }
      }
      if (!matched) return rejected("bad_signature");
      const reason = staleness(Math.floor(sentAt / 1000), now, toleranceSeconds);
      return reason ? rejected(reason) : { verified: true, matchedSecret: matched.label };
    },
    sign(body, { secret, now = Date.now(), id = "00000000-0000-4000-8000-000000000001", headers = {} }) {
      const url = headerValue(headers, CERTIFICATE) ?? "https://api.paypal.com/v1/notifications/certs/CERT-1";
      const webhook = readSecret(webhookId.parse, secret.split(":")[0] as string);
      const key = readSecret((text) => rsaKey(text, { kind: "private" }), secret.slice(secret.indexOf(":") + 1));
      const time = new Date(now).toISOString();
      const content = contentOf(id, time, webhook.export().toString("utf8"), Buffer.from(body));
      return {
        [ID]: id,
        [TIME]: time,
        [SIGNATURE]: signRsaSha256(key, Buffer.from(content)).toString("base64"),
        [CERTIFICATE]: url,
        [ALGORITHM]: "SHA256withRSA",
      };
    },
  };
}

function contentOf(id: string, time: string, webhook: string, body: Uint8Array): string {
  return `${id}|${time}|${webhook}|${crc32(body)}`;
}

function rejected(reason: RejectionReason): Verification {
  return { verified: false, reason };
}
