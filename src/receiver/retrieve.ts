import type { Bus } from "../bus/bus.ts";
import type { VerifiedBy } from "../bus/context.ts";
import type { EventParams } from "../bus/extension-points.ts";
import { ConfigurationError, HookbusError, PayloadError, RetrievalRefusedError, UnknownEventError } from "../errors.ts";
import type { Envelope, EventClient, WebhookRequest } from "../providers/provider.ts";
import { FetchBack } from "./fetch-back.ts";
import { DEFAULT_RETRIEVAL_LIMITS, FetchGuard, type RetrievalLimits } from "./fetch-guard.ts";

/** A posted body on its way to becoming an event. */
export interface Posted {
  readonly params: Readonly<Record<string, unknown>>;
  readonly verifiedBy: VerifiedBy;
  /** Absent for a trusted call. */
  readonly request: WebhookRequest | undefined;
}

/** Turns what was posted into the event that may be trusted. */
export class Retriever {
  readonly #bus: Bus;
  readonly #guard: FetchGuard;
  readonly #fetchBack: FetchBack;
  readonly client: EventClient;

  constructor(bus: Bus, limits: Partial<RetrievalLimits> = {}) {
    const all = { ...DEFAULT_RETRIEVAL_LIMITS, ...limits };
    this.#bus = bus;
    this.#guard = new FetchGuard(all);
    this.#fetchBack = new FetchBack(bus, this.#guard, all);
    this.client = { apiKey: () => this.#fetchBack.apiKey() };
  }

  /** The retrieved event's envelope, which owes nothing to the posted body; null when the retriever ignores it. */
  async retrieve(posted: Posted): Promise<Envelope | null> {
    let event: unknown;
    try {
      event = await this.#ask(posted);
    } catch (error) {
      if (this.#mayUsePayload(posted, error)) return this.#read(posted.params);
      throw error;
    }
    if (event === null) return null;
    if (event === undefined) {
      throw new ConfigurationError("`eventRetriever` returned undefined: return the event, or null to ignore it");
    }
    const envelope = this.#read(event);
    if (envelope.id !== posted.params["id"]) {
      throw new UnknownEventError("the retrieved event is not the one that was posted");
    }
    return envelope;
  }

  /** What can be fetched back is one event, by its id. */
  #read(event: unknown): Envelope {
    const read = this.#bus.provider.read(event, { client: this.client });
    const envelope = "id" in read ? read : read[0];
    if (!envelope) throw new PayloadError("the API answered with no event");
    return envelope;
  }

  async #ask(posted: Posted): Promise<unknown> {
    const { params, request, verifiedBy } = posted;
    const sender = request && (request.ip ?? "");
    const custom = this.#bus.eventRetriever;
    if (!custom) return this.#fetchBack.retrieve(params["id"], params, sender);
    assertId(params, this.#bus.provider.retrieval?.idPattern);
    const call = async (): Promise<unknown> => {
      try {
        return await custom(params, {
          retrieve: (id, options) => this.#fetchBack.retrieve(id, params, sender, options),
          request,
          verifiedBy,
        });
      } catch (error) {
        if (error instanceof HookbusError) throw error;
        // A retriever that calls the provider's SDK by itself rejects with the SDK's errors.
        throw this.#bus.provider.retrieval?.classify(error) ?? error;
      }
    };
    return this.#guard.guarded("eventRetriever", call, true);
  }

  /** Some events end our access, so that they cannot be fetched: then a trusted payload has to do. */
  #mayUsePayload({ params, request, verifiedBy }: Posted, error: unknown): boolean {
    if (!(error instanceof UnknownEventError || error instanceof RetrievalRefusedError)) return false;
    const type = params["type"];
    const unfetchable = this.#bus.provider.retrieval?.unfetchable ?? [];
    return typeof type === "string" && unfetchable.includes(type) && (verifiedBy === "signature" || !request);
  }
}

/** A custom retriever puts the id into URLs too: it gets no other than the provider's. */
function assertId(params: Posted["params"], pattern: RegExp | undefined): asserts params is EventParams {
  const id = params["id"];
  if (typeof id !== "string" || !(pattern?.test(id) ?? true)) throw new PayloadError("the body has no usable `id`");
}
