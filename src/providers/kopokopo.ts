import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { KopoKopoBaseEvent, KopoKopoEventMap } from "./kopokopo-events.ts";
import { type KopoKopoOptions, kopokopoRetrieval } from "./kopokopo-retrieval.ts";
import type { Provider } from "./provider.ts";
import { isRecord } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

export type { KopoKopoOptions };

/**
 * The documentation speaks of the client secret as well; what signs, in all of Kopo Kopo's libraries, is the API key.
 * There is no timestamp: the id is what makes a delivery that comes again a duplicate.
 *
 * @see https://api-docs.kopokopo.com/#webhooks
 */
const signature: SignatureDescription = {
  header: "x-kopokopo-signature",
  secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
};

type Body = Readonly<Record<string, unknown>>;

/** What hookbus knows of one of the three forms of bodies. */
interface Facts {
  readonly id: unknown;
  readonly type: unknown;
  readonly key?: string;
  readonly created?: unknown;
  /** A link into the API of the environment that the event comes from. */
  readonly link?: unknown;
  readonly data: unknown;
}

/**
 * Kopo Kopo: HMAC-SHA256 over the raw body, in hex, in `X-KopoKopo-Signature`. The signing secret is the API key of the
 * application, as it stands.
 *
 * Takes webhooks (`topic`), results of requests (`data.type`) and transactions in Daraja's form (`daraja.` and the
 * `TransactionType`). Webhooks can be fetched back, with an `apiKey` of the form `clientId:clientSecret`.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an http or https origin.
 */
export function kopokopo(options: KopoKopoOptions = {}): Provider<KopoKopoEventMap, KopoKopoBaseEvent> {
  return defineProvider({
    name: "kopokopo",
    signature,
    event: {
      id: (event) => factsOf(event).id,
      type: (event) => factsOf(event).type,
      key: (event) => factsOf(event).key,
      created: (event) => factsOf(event).created,
      livemode: (event) => livemodeOf(factsOf(event).link),
      data: (event) => factsOf(event).data,
    },
    retrieval: kopokopoRetrieval(options),
  });
}

function factsOf(event: Body): Facts {
  if (event["topic"] !== undefined) {
    const { id, topic, created_at: created, event: data, _links: links } = event;
    return { id, type: topic, created, link: isRecord(links) ? links["self"] : undefined, data };
  }
  if (isRecord(event["data"])) return resultFacts(event["data"]);
  if (event["TransactionType"] !== undefined) {
    const { TransID: id, TransactionType: type } = event;
    return { id, type: `daraja.${slug(type)}`, created: timeInNairobi(event["TransTime"]), data: event };
  }
  // A body that holds nothing but an id, to be fetched back, need not say what it is.
  if (event["id"] !== undefined) return { id: event["id"], type: undefined, data: undefined };
  throw new PayloadError(
    "a Kopo Kopo event is a webhook with a `topic`, a result with `data`, or a Daraja transaction",
  );
}

/** One request may come to several results: pending, then done. Each is an event. */
function resultFacts({ id, type, attributes }: Body): Facts {
  const { status, created_at, initiation_time, _links: links } = isRecord(attributes) ? attributes : {};
  const link = isRecord(links) ? links["self"] : undefined;
  const key = typeof id === "string" && typeof status === "string" ? { key: `${id}:${status}` } : {};
  return { id, type, ...key, created: created_at ?? initiation_time, link, data: attributes };
}

/** `"Pay Bill"` becomes `"pay_bill"`. */
function slug(type: unknown): string {
  return typeof type === "string" ? type.toLowerCase().replace(/[^a-z0-9]+/g, "_") : "";
}

function timeInNairobi(text: unknown): string | undefined {
  if (typeof text !== "string" || !/^\d{14}$/.test(text)) return undefined;
  return text.replace(/(....)(..)(..)(..)(..)(..)/, "$1-$2-$3T$4:$5:$6+03:00");
}

/** Events do not say whether they are live, but their links lead into the one environment or the other. */
function livemodeOf(link: unknown): boolean | undefined {
  if (typeof link !== "string" || !URL.canParse(link)) return undefined;
  const { hostname } = new URL(link);
  if (hostname === "api.kopokopo.com") return true;
  return hostname === "sandbox.kopokopo.com" ? false : undefined;
}
