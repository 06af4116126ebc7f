import { createHash, timingSafeEqual } from "node:crypto";
import type { EndpointAuth } from "../bus/endpoint-auth.ts";

/** Whether an `Authorization` field presents what `auth` asks for, in a time that tells nothing of how close it is. */
export function presents(auth: EndpointAuth, authorization: string | undefined): boolean {
  const [, scheme = "", credentials = ""] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization ?? "") ?? [];
  if ("bearer" in auth) return scheme.toLowerCase() === "bearer" && equal(credentials, auth.bearer);
  if (scheme.toLowerCase() !== "basic") return false;
  const pair = Buffer.from(credentials, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon === -1) return false;
  // Both are compared, whatever the first gives.
  const username = auth.basic.username === undefined || equal(pair.slice(0, colon), auth.basic.username);
  const password = equal(pair.slice(colon + 1), auth.basic.password);
  return username && password;
}

/** The `WWW-Authenticate` field that a 401 owes its client (RFC 9110, section 11.6.1). */
export function challengeOf(auth: EndpointAuth): string {
  return "bearer" in auth ? "Bearer" : 'Basic realm="webhooks", charset="UTF-8"';
}

/** Digests have one length, so the comparison tells nothing of the expected text's. */
function equal(given: string, expected: string): boolean {
  return timingSafeEqual(createHash("sha256").update(given).digest(), createHash("sha256").update(expected).digest());
}
