import { PayloadError } from "../errors.ts";
import type { Handshakes, ProviderResponse } from "./provider.ts";
import { isRecord } from "./schemes/json.ts";

/** The check of an endpoint's certificate, unsigned, and that of the endpoint itself, signed. */
export const handshakes: Handshakes = {
  // Whoever sends it learns that the endpoint is there: it dispatches nothing.
  beforeVerification({ body }) {
    if (body.byteLength > 4096 || startsObject(body)) return undefined;
    return isSslCheck(body) ? { status: 200, headers: {}, body: "" } : undefined;
  },
  afterVerification(payload) {
    if (!isRecord(payload) || payload["type"] !== "url_verification") return undefined;
    const { challenge } = payload;
    if (typeof challenge !== "string") throw new PayloadError("the `challenge` of url_verification is text");
    return json({ challenge });
  },
};

/** Whether a body is JSON, told by its first byte. */
export function startsObject(body: Uint8Array): boolean {
  return body[0] === 0x7b;
}

function isSslCheck(body: Uint8Array): boolean {
  return new URLSearchParams(Buffer.from(body).toString("latin1")).get("ssl_check") === "1";
}

function json(body: unknown): ProviderResponse {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
