import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { EventMap, Provider, SecretForm } from "./provider.ts";
import type { EventDescription, ProviderDescription } from "./provider-description.ts";
import { firstHeader } from "./schemes/header-list.ts";
import { type KeyForm, WHPK, WHSEC } from "./schemes/key-forms.ts";
import type { SecretKinds, SignatureDescription, SignatureKind } from "./schemes/signature.ts";

/** How the header fields are named: `webhook-id` in the standard, `svix-id` by the service that it grew out of. */
type HeaderFamily = "webhook" | "svix";

/** A provider that signs as Standard Webhooks 1.0.0 says, and what it does its own way. */
export interface StandardDescription extends Omit<ProviderDescription, "signature" | "event"> {
  /** The families of header fields that it sends: of two, the first that came. */
  readonly families: readonly [HeaderFamily, ...HeaderFamily[]];
  /** The form of its HMAC secrets; default: `whsec_` and base64, the prefix being optional. */
  readonly secret?: KeyForm;
  /** Whether it signs with ed25519 as well, for receivers that set a `whpk_` key. */
  readonly publicKeys?: boolean;
  readonly objection?: SecretForm["objection"];
  /** Where its payloads differ from the standard's `type`, `timestamp` and the rest. */
  readonly event?: Partial<Omit<EventDescription, "events">>;
}

/**
 * Makes a provider that follows Standard Webhooks: `v1` (HMAC-SHA256) or `v1a` (ed25519) over `{id}.{timestamp}.{body}`.
 *
 * The id is part of what is signed, and stays the same when a delivery is tried again; the timestamp is the attempt's.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function defineStandardProvider<Events extends EventMap, Base>(
  description: StandardDescription,
): Provider<Events, Base> {
  const { families, secret, publicKeys, objection, event, ...rest } = description;
  const id = named(families, "id");
  return defineProvider<Events, Base>({
    ...rest,
    signature: signature(description),
    event: {
      form(own) {
        if (own["type"] === undefined) throw new PayloadError("the event has no `type`");
        return own;
      },
      // A retrieved event has no delivery: then its own id has to do.
      id: (own, { request }) => (request ? firstHeader(request.headers, id) : own["id"]),
      type: "type",
      created: (own) => inSeconds(own["timestamp"]),
      ...event,
    },
  });
}

function signature({ families, secret = WHSEC, publicKeys, objection }: StandardDescription): SignatureDescription {
  const v1: SignatureKind = { tag: "v1", algorithm: "hmac-sha256", encoding: "base64", key: secret };
  // `whsk_` is the private half, with which `sign` signs; as a signing secret it is refused.
  const secretPrefix = ["whpk_", "whsk_"];
  const v1a: SignatureKind = { tag: "v1a", algorithm: "ed25519", encoding: "base64", key: WHPK, secretPrefix };
  const kinds: SecretKinds["kinds"] = publicKeys ? [v1, v1a] : [v1];
  return {
    header: named(families, "signature"),
    list: { separator: " ", assign: "," },
    id: named(families, "id"),
    timestamp: { header: named(families, "timestamp"), toleranceSeconds: 300, first: true },
    content: "{id}.{timestamp}.{body}",
    secrets: { signingSecrets: { kinds, ...(objection && { objection }) } },
  };
}

function named(families: readonly HeaderFamily[], field: string): readonly string[] {
  return families.map((family) => `${family}-${field}`);
}

/** The year 1973 in milliseconds, the year 5138 in seconds. */
const MILLISECONDS = 1e11;

/** ISO 8601 text as it is; of numbers, which the standard does not foresee, senders write seconds or milliseconds. */
function inSeconds(timestamp: unknown): unknown {
  return typeof timestamp === "number" && timestamp >= MILLISECONDS ? timestamp / 1000 : timestamp;
}
