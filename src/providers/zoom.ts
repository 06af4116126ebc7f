import { createHmac } from "node:crypto";
import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Handshakes, Provider } from "./provider.ts";
import { contentHash } from "./schemes/content-hash.ts";
import { isRecord } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";
import type { ZoomBaseEvent, ZoomEventMap } from "./zoom-events.ts";

/** @see https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events */
const signature: SignatureDescription = {
  header: "x-zm-signature",
  prefix: "v0=",
  timestamp: { header: "x-zm-request-timestamp", toleranceSeconds: 300 },
  content: "v0:{timestamp}:{body}",
  secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
};

/** No colon: the answer must never be the signature of a delivery, whose content begins with `v0:`. */
const PLAIN_TOKEN = /^[\w+/=-]{1,255}$/;

const handshakes: Handshakes = {
  afterVerification(payload, { key }) {
    if (!isRecord(payload) || payload["event"] !== "endpoint.url_validation") return undefined;
    const plainToken = isRecord(payload["payload"]) ? payload["payload"]["plainToken"] : undefined;
    if (typeof plainToken !== "string" || !PLAIN_TOKEN.test(plainToken)) {
      throw new PayloadError("endpoint.url_validation has no `plainToken` that can be answered");
    }
    const encryptedToken = createHmac("sha256", key.key).update(plainToken).digest("hex");
    const body = JSON.stringify({ plainToken, encryptedToken });
    return { status: 200, headers: { "content-type": "application/json" }, body };
  },
};

/**
 * Zoom: HMAC-SHA256 over `v0:{timestamp}:{body}` in `x-zm-signature` under the app's secret token, with five minutes of
 * tolerance either way. Answers `endpoint.url_validation`.
 *
 * Zoom's events have no id: the hash of the signed body stands for it, so that a retry is a duplicate.
 */
export function zoom(): Provider<ZoomEventMap, ZoomBaseEvent> {
  return defineProvider({
    name: "zoom",
    signature,
    handshakes,
    event: {
      id: contentHash,
      type: (event) => event["event"] ?? "",
      created: "event_ts",
      createdUnit: "ms",
      account: "payload.account_id",
      data: "payload",
    },
  });
}
