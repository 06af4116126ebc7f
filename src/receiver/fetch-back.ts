import { LRUCache } from "lru-cache";
import type { Bus } from "../bus/bus.ts";
import type { RetrieveOptions } from "../bus/extension-points.ts";
import { ConfigurationError, PayloadError, UnknownEventError } from "../errors.ts";
import type { Retrieval } from "../providers/provider.ts";
import { apiKeyOf } from "./api-key.ts";
import { type Cockatiel, DEFAULT_RETRIEVAL_LIMITS, FetchGuard, type RetrievalLimits } from "./fetch-guard.ts";

/** Ids are the sender's: no more than this many unknown ones are remembered. */
const REMEMBERED_UNKNOWN_IDS = 10_000;

type Params = Readonly<Record<string, unknown>>;

/** Fetches events from the provider's API: one flight an id, unknown ids remembered for a moment, all under the guard. */
export class FetchBack {
  readonly guard: FetchGuard;
  readonly #bus: Bus;
  readonly #limits: RetrievalLimits;
  readonly #flights = new Map<string, Promise<unknown>>();
  readonly #unknown: LRUCache<string, number>;

  constructor(bus: Bus, cockatiel: Cockatiel, limits: Partial<RetrievalLimits>) {
    this.#bus = bus;
    this.#limits = { ...DEFAULT_RETRIEVAL_LIMITS, ...limits };
    this.guard = new FetchGuard(cockatiel, this.#limits);
    this.#unknown = new LRUCache({ max: REMEMBERED_UNKNOWN_IDS });
  }

  /**
   * The event as the provider has it.
   *
   * @param params the posted body, which may name the account.
   * @param sender the address that posted it; `undefined` for a trusted call.
   * @throws PayloadError for an id that is not of the provider's grammar: it never gets into a URL.
   * @throws UnknownEventError, RetrievalRefusedError, ProviderUnavailableError, ConfigurationError
   */
  async retrieve(
    id: unknown,
    params: Params,
    sender: string | undefined,
    options: RetrieveOptions = {},
  ): Promise<unknown> {
    const retrieval = this.#retrieval();
    if (typeof id !== "string") throw new PayloadError("the body has no `id` that is a string");
    if (!retrieval.idPattern.test(id)) throw new PayloadError("the `id` is not one of this provider's");
    const apiKey = options.apiKey ?? apiKeyOf(this.#bus);
    const account = options.account ?? retrieval.account?.(params);
    const flight = JSON.stringify([apiKey, account, kindOf(params), id]);
    if (this.#isUnknown(flight)) throw new UnknownEventError("the provider did not know this event a moment ago");
    const underway = this.#flights.get(flight);
    if (underway !== undefined) return underway;
    const fetched = this.guard
      .inLane(sender, () => this.#fetch(retrieval, id, params, apiKey, account))
      .catch((error: unknown) => {
        if (error instanceof UnknownEventError) {
          this.#unknown.set(flight, this.#bus.clock.now() + this.#limits.unknownForMs);
        }
        throw error;
      })
      .finally(() => this.#flights.delete(flight));
    this.#flights.set(flight, fetched);
    return fetched;
  }

  #fetch(
    retrieval: Retrieval,
    id: string,
    params: Params,
    apiKey: string,
    account: string | undefined,
  ): Promise<unknown> {
    return this.guard.guarded(apiKey, async (signal) => {
      try {
        return await retrieval.fetch(id, { apiKey, account, params, signal, timeoutMs: this.#limits.timeoutMs });
      } catch (error) {
        throw retrieval.classify(error, { account }) ?? error;
      }
    });
  }

  #isUnknown(flight: string): boolean {
    const until = this.#unknown.get(flight);
    return until !== undefined && this.#bus.clock.now() < until;
  }

  #retrieval(): Retrieval {
    const { retrieval, name } = this.#bus.provider;
    if (!retrieval) throw new ConfigurationError(`${name} has no API to retrieve events from`);
    return retrieval;
  }
}

/** What the posted body says it is, which may decide where the provider looks; short, since it is kept. */
function kindOf(params: Params): string | undefined {
  const kind = params["object"];
  return typeof kind === "string" ? kind.slice(0, 32) : undefined;
}
