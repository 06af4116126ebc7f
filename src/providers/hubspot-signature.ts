import { ConfigurationError } from "../errors.ts";
import type { Content } from "./schemes/content.ts";
import { headerValue } from "./schemes/header.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { type Scheme, type SignatureDescription, type SignatureKind, signed } from "./schemes/signature.ts";

/** How HubSpot signs, from the oldest to the newest. */
export type HubSpotVersion = "v1" | "v2" | "v3";

const VERSIONS: readonly HubSpotVersion[] = ["v1", "v2", "v3"];

/** One client secret is the key of all versions. */
const SCHEME = "client-secret";

/** What HubSpot writes plain in the URLs that it signs with v3, however they were sent. */
const PLAIN = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

const v3Content: Content = ({ request, url, timestamp }) => [
  request.method,
  url.replaceAll(PLAIN, decodeURIComponent),
  request.body,
  timestamp,
];

/**
 * The newest version that a delivery carries is the one that it must pass.
 *
 * Throws `ConfigurationError` for `versions` that are none.
 *
 * @see https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
 */
export function hubspotSignature(
  versions: readonly HubSpotVersion[] = VERSIONS,
  publicUrl: string | undefined,
): Scheme {
  if (!Array.isArray(versions) || versions.length === 0 || !versions.every((each) => VERSIONS.includes(each))) {
    throw new ConfigurationError('`versions` must be a list of "v1", "v2" and "v3"');
  }
  const make = (kind: SignatureKind, rest: Omit<SignatureDescription, "secrets">): Scheme =>
    signed({ ...rest, publicUrl, secrets: { signingSecrets: { kinds: [kind] } } });
  const digest: SignatureKind = { scheme: SCHEME, algorithm: "prefixed-sha256", encoding: "hex", key: UTF8 };
  const schemes: Readonly<Record<HubSpotVersion, Scheme>> = {
    v1: make(digest, { header: "x-hubspot-signature" }),
    v2: make(digest, { header: "x-hubspot-signature", content: "{method}{url}{body}" }),
    v3: make(
      { scheme: SCHEME, algorithm: "hmac-sha256", encoding: "base64", key: UTF8 },
      {
        header: "x-hubspot-signature-v3",
        timestamp: { header: "x-hubspot-request-timestamp", unit: "ms", toleranceSeconds: 300 },
        content: v3Content,
      },
    ),
  };
  const newest = schemes[VERSIONS.findLast((each) => versions.includes(each)) as HubSpotVersion];
  const accepted = VERSIONS.filter((each) => versions.includes(each)).map((each) => schemes[each]);
  return {
    ...newest,
    summary: {
      headers: [...new Set(accepted.flatMap((each) => each.summary.headers))],
      algorithms: [...new Set(accepted.flatMap((each) => each.summary.algorithms))],
      content: newest === schemes.v3 ? "{method}{url}{body}{timestamp}" : newest.summary.content,
      secrets: newest.summary.secrets,
    },
    verify(request, options) {
      const { headers } = request;
      // Any trace of v3 counts, an empty field too: a delivery does not get to choose the weaker check.
      if (versions.includes("v3") && headerValue(headers, "x-hubspot-signature-v3") !== undefined) {
        return schemes.v3.verify(request, options);
      }
      if (!headerValue(headers, "x-hubspot-signature")) return { verified: false, reason: "missing_header" };
      const version = headerValue(headers, "x-hubspot-signature-version")?.trim();
      if ((version === "v1" || version === "v2") && versions.includes(version)) {
        return schemes[version].verify(request, options);
      }
      return {
        verified: false,
        reason: versions.length === 1 && versions[0] === "v3" ? "missing_header" : "no_expected_scheme",
      };
    },
    sign(body, options) {
      const headers = newest.sign(body, options);
      if (newest === schemes.v3) return headers;
      return { ...headers, "x-hubspot-signature-version": newest === schemes.v2 ? "v2" : "v1" };
    },
  };
}
