import type { Verification, WebhookRequest } from "./provider.ts";
import { sha256 } from "./schemes/content-hash.ts";
import { type FormFields, hasMoreFields, parseForm } from "./schemes/form.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { signedUrl } from "./schemes/public-url.ts";
import { type Scheme, type SignatureDescription, signed } from "./schemes/signature.ts";
import { bodyHash, hasBodyHash, otherPort } from "./twilio-url.ts";

/** Twilio's webhooks have dozens. */
const MAX_FIELDS = 999;

/** A delivery whose fields are read once, however many URLs are tried, and not at all where nothing is compared. */
interface TriedRequest extends WebhookRequest {
  signedFields(): string | undefined;
}

/**
 * HMAC-SHA1 over the URL and the form's fields, sorted by name, each as name and value. A JSON body is not signed
 * itself: the URL holds its hash.
 *
 * A body without a hash counts as a form whatever its content type says, because that is not signed.
 *
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function twilioSignature(publicUrl: string | undefined): Scheme {
  const description: SignatureDescription = {
    header: "x-twilio-signature",
    content: ({ request, url }) => {
      const fields =
        "signedFields" in request ? (request as TriedRequest).signedFields() : signedFields(request.body, url);
      return fields === undefined ? undefined : [url, fields];
    },
    secrets: {
      signingSecrets: {
        kinds: [{ algorithm: "hmac-sha1", encoding: "base64", key: UTF8 }],
        objection(secret) {
          if (!/^(?:AC|SK)[0-9a-f]{32}$/i.test(secret)) return undefined;
          return `holds a SID (${secret.slice(0, 2)}…): deliveries are signed with the auth token of the account`;
        },
      },
    },
  };
  const base = signed({ ...description, publicUrl });
  const asSeen = signed(description);
  return {
    ...base,
    summary: { ...base.summary, content: "{url}{sorted form fields}" },
    verify(request, options) {
      // URL and fields are signed as one text: the end of a query could be moved into a body, and be left out of the event.
      if (request.method === "GET" && request.body.byteLength > 0)
        return { verified: false, reason: "malformed_header" };
      const url = signedUrl(request, publicUrl);
      const fields = once(() => signedFields(request.body, url));
      const tried = (each: string): Verification => {
        const seen: TriedRequest = { ...request, url: each, signedFields: fields };
        return asSeen.verify(seen, options) as Verification;
      };
      // Twilio leaves out a port that the endpoint has, or adds one that it has not.
      const first = tried(url);
      const other = first.verified ? first : tried(otherPort(url));
      const result = other.verified ? other : first;
      if (!result.verified) return result;
      const hash = bodyHash(url);
      const intact = hash === undefined || hash === sha256(request.body);
      return intact ? result : { verified: false, reason: "bad_body_hash" };
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * What the signature covers but for the origin, which comes with and without a port: equal for deliveries that one
 * signature fits, however the fields are cut (`a=bc` and `ab=c` are signed alike).
 */
export function signedContent(request: WebhookRequest, publicUrl: string | undefined): string {
  const url = signedUrl(request, publicUrl);
  const afterOrigin = url.replace(/^[^/]*\/\/[^/?#]*/, "");
  return hasBodyHash(url) ? afterOrigin : afterOrigin + (signedFields(request.body, url) ?? "");
}

function signedFields(body: Uint8Array, url: string): string | undefined {
  if (hasBodyHash(url)) return "";
  if (hasMoreFields(body, MAX_FIELDS)) return undefined;
  let fields: FormFields;
  try {
    fields = parseForm(body);
  } catch {
    return undefined;
  }
  let text = "";
  for (const name of Object.keys(fields).sort()) {
    for (const value of [...new Set([fields[name] ?? []].flat())].sort()) text += name + value;
  }
  return text;
}
