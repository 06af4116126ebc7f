import type { Bus } from "../bus/bus.ts";
import type { VerifiedBy } from "../bus/context.ts";
import type { EventParams } from "../bus/extension-points.ts";
import { ConfigurationError, HookbusError, PayloadError, RetrievalRefusedError, UnknownEventError } from "../errors.ts";
import type { Envelope, EventClient, WebhookRequest } from "../providers/provider.ts";
import { apiKeyOf } from "./api-key.ts";
import { FetchBack } from "./fetch-back.ts";
import type { RetrievalLimits } from "./fetch-guard.ts";
import { paramsOf } from "./params.ts";

/** A posted body on its way to becoming an event. */
export interface Posted {
  readonly params: Readonly<Record<string, unknown>>;
  readonly verifiedBy: VerifiedBy;
  /** Absent for a trusted call. */
  readonly request: WebhookRequest | undefined;
  /** Of a delivery whose signature was verified: the event that it carries, whose id is the one that is asked for. */
  readonly carried?: Carried;
}

interface Carried {
  readonly envelope: Envelope;
  /**
   * Makes a payload of an event, which the provider can read; absent where its events have another form than its
   * payloads, so that what is returned cannot be read again.
   */
  readonly asPayload?: (event: unknown) => unknown;
}

/** Of a delivery whose signature was verified, one of the events that `read` found in its payload. */
export function carriedBy(
  request: WebhookRequest,
  payload: unknown,
  read: Envelope | readonly Envelope[],
  envelope: Envelope,
): Posted {
  const { event } = envelope;
  const part = Array.isArray(payload) && payload.includes(event);
  const asPayload = part ? { asPayload: (one: unknown) => [one] } : { asPayload: (one: unknown) => one };
  return {
    // Of a delivery that carries many, what was posted of the one.
    params: paramsOf("id" in read ? payload : event),
    verifiedBy: "signature",
    request,
    carried: { envelope, ...(part || payload === event ? asPayload : {}) },
  };
}

/** Turns what was posted into the event that may be trusted. */
export class Retriever {
  readonly #bus: Bus;
  readonly #limits: Partial<RetrievalLimits>;
  #fetchBack: Promise<FetchBack> | undefined;
  readonly client: EventClient;

  constructor(bus: Bus, limits: Partial<RetrievalLimits> = {}) {
    this.#bus = bus;
    this.#limits = limits;
    this.client = { apiKey: () => apiKeyOf(bus) };
  }

  /** The retrieved event's envelope; null when the retriever ignores it. */
  async retrieve(posted: Posted): Promise<Envelope | null> {
    const { params, carried } = posted;
    let event: unknown;
    try {
      event = await this.#ask(posted);
    } catch (error) {
      if (this.#mayUsePayload(posted, error)) return carried?.envelope ?? this.#read(params);
      throw error;
    }
    if (event === null) return null;
    if (event === undefined) {
      throw new ConfigurationError("`eventRetriever` returned undefined: return the event, or null to ignore it");
    }
    // Without a signature, it owes nothing to the posted body.
    const envelope = carried ? this.#inPlaceOf(carried, event, posted) : this.#read(event);
    const asked: unknown = carried ? carried.envelope.id : params["id"];
    if (envelope.id !== asked && !carried?.envelope.unsigned?.includes("id")) {
      throw new UnknownEventError("the retrieved event is not the one that was posted");
    }
    return envelope;
  }

  /** What can be fetched back is one event, by its id. */
  #read(event: unknown, request?: WebhookRequest): Envelope {
    const read = this.#bus.provider.read(event, { request, client: this.client });
    const envelope = "id" in read ? read : read[0];
    if (!envelope) throw new PayloadError("the API answered with no event");
    return envelope;
  }

  /**
   * The envelope of what was returned for a signed event. What makes the event a duplicate stays with what was signed,
   * and so does its id where that stands in a header, say, and not in the event.
   */
  #inPlaceOf({ envelope, asPayload }: Carried, event: unknown, { params, request }: Posted): Envelope {
    // Handed back as it was: a retriever that only chooses which to ignore.
    if (event === envelope.event || event === params) return envelope;
    const { key, unsigned } = envelope;
    if (this.#bus.provider.retrieval) return { ...this.#read(event), key, unsigned };
    if (asPayload) return { ...this.#read(asPayload(event), request), key, unsigned };
    // Of another form than the payload: its type stays the delivery's, too.
    if (typeof event !== "object" || event === null)
      throw new PayloadError("what `eventRetriever` returned is no event");
    const { id } = event as { readonly id?: unknown };
    return { ...envelope, id: hasItsId(envelope) ? String(id) : envelope.id, data: event, event };
  }

  async #ask(posted: Posted): Promise<unknown> {
    const { params, request, verifiedBy, carried } = posted;
    const sender = request && (request.ip ?? "");
    const custom = this.#bus.eventRetriever;
    const asked = carried ? carried.envelope.id : params["id"];
    const fetchBack = await this.#opened();
    if (!custom) return fetchBack.retrieve(asked, params, sender);
    const id = carried ? carried.envelope.id : usableId(asked, this.#bus.provider.retrieval?.idPattern);
    const call = async (): Promise<unknown> => {
      try {
        return await custom(params as EventParams, {
          id,
          event: carried?.envelope.event,
          retrieve: (one, options) => fetchBack.retrieve(one, params, sender, options),
          request,
          verifiedBy,
        });
      } catch (error) {
        if (error instanceof HookbusError) throw error;
        // A retriever that calls the provider's SDK by itself rejects with the SDK's errors.
        throw this.#bus.provider.retrieval?.classify(error) ?? error;
      }
    };
    return fetchBack.guard.guarded("eventRetriever", call, true);
  }

  /** Cockatiel is loaded for the first retrieval: most buses have none, and it takes as long to load as all of hookbus. */
  #opened(): Promise<FetchBack> {
    this.#fetchBack ??= import("cockatiel").then(
      (cockatiel) => new FetchBack(this.#bus, cockatiel, this.#limits),
      (error: unknown) => {
        this.#fetchBack = undefined;
        throw error;
      },
    );
    return this.#fetchBack;
  }

  /** Some events end our access, so that they cannot be fetched: then a trusted payload has to do. */
  #mayUsePayload({ params, request, verifiedBy, carried }: Posted, error: unknown): boolean {
    if (!(error instanceof UnknownEventError || error instanceof RetrievalRefusedError)) return false;
    const type = carried ? carried.envelope.type : params["type"];
    const unfetchable = this.#bus.provider.retrieval?.unfetchable ?? [];
    return typeof type === "string" && unfetchable.includes(type) && (verifiedBy === "signature" || !request);
  }
}

/** Whether events of this kind have their id under its name. */
function hasItsId({ id, event }: Envelope): boolean {
  return (event as { readonly id?: unknown }).id === id;
}

/** A custom retriever puts the id into URLs too: where nobody vouches for it, it gets no other than the provider's. */
function usableId(id: unknown, pattern: RegExp | undefined): string {
  if (typeof id === "string" && (pattern?.test(id) ?? true)) return id;
  throw new PayloadError("the body has no usable `id`");
}
