import { ProviderUnavailableError, RetrievalRefusedError, UnknownEventError } from "../errors.ts";
import { isOurFault } from "./http-status.ts";
import type { FetchOptions, Retrieval } from "./provider.ts";
import { retryAfter } from "./retry-after.ts";
import { objectionToNothing } from "./schemes/secret.ts";
import type { StripeClients } from "./stripe-client.ts";

/** The `object` of a thin event, in a notification as well as in the API. */
export const THIN_OBJECT = "v2.core.event";

const ACCOUNT = /^acct_[A-Za-z0-9]{1,64}$/;

/** An account, or a path of accounts within an organization. */
const CONTEXT = /^[a-z]+_[A-Za-z0-9]{1,64}(?:\/[a-z]+_[A-Za-z0-9]{1,64}){0,3}$/;

/**
 * The account that a body names, if it has the form of one: the connected account of a snapshot event (`acct_…`), the
 * context of a thin one (`acct_…`, `org_…/acct_…`).
 */
export function stripeAccount(payload: Readonly<Record<string, unknown>>): string | undefined {
  const thin = payload["object"] === THIN_OBJECT;
  const value = payload[thin ? "context" : "account"];
  return typeof value === "string" && (thin ? CONTEXT : ACCOUNT).test(value) ? value : undefined;
}

/**
 * Fetches events by id: `GET /v1/events/{id}` for snapshot events, `GET /v2/core/events/{id}` for thin ones. Stripe
 * keeps them for 30 days.
 *
 * @param apiVersion the `Stripe-Version` to render the event in; default: the SDK's.
 */
export function stripeRetrieval(clients: StripeClients, apiVersion: string | undefined): Retrieval {
  return {
    when: "no-secret",
    objection: objectionToKey,
    idPattern: /^evt_[A-Za-z0-9_-]{1,251}$/,
    account: stripeAccount,
    // Both are told after the account has withdrawn the access with which it would be fetched.
    unfetchable: ["account.application.deauthorized", "v1.account.application.deauthorized"],
    classify: classifyStripeError,
    async fetch(id: string, options: FetchOptions): Promise<unknown> {
      const stripe = await clients(() => options.apiKey);
      // The SDK takes no signal: what it cannot cancel should at least not begin.
      options.signal.throwIfAborted();
      const request = {
        maxNetworkRetries: 0,
        timeout: Math.max(1, Math.ceil(options.timeoutMs)),
        ...(apiVersion === undefined ? {} : { apiVersion }),
      };
      const { account } = options;
      if (options.params["object"] !== THIN_OBJECT) {
        const onBehalf = account === undefined ? {} : { stripeAccount: account };
        return stripe.events.retrieve(id, undefined, { ...request, ...onBehalf });
      }
      const onBehalf = account === undefined ? {} : { stripeContext: account };
      return withoutMethods(await stripe.v2.core.events.retrieve(id, undefined, { ...request, ...onBehalf }));
    },
  };
}

/** What is pasted as an API key, and is none, by how it begins. */
const NO_API_KEYS: readonly (readonly [prefix: string, what: string])[] = [
  ["whsec_", "a signing secret"],
  ["pk_", "a publishable key"],
  ["we_", "the id of an endpoint"],
];

function objectionToKey(key: string): string | undefined {
  const [prefix, what] = NO_API_KEYS.find(([each]) => key.startsWith(each)) ?? [];
  if (prefix === undefined) return objectionToNothing(key, "sk_… or rk_…");
  return `holds ${what} (${prefix}…): the API key begins with sk_ or rk_ and stands under Developers, API keys`;
}

/** The SDK hangs a function on thin events, which could be neither stored nor cloned. `fetchRelated` takes its place. */
function withoutMethods(event: object): object {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => typeof value !== "function"));
}

/** What every error of the SDK has, whichever copy of the package it comes from: `instanceof` knows only one copy. */
interface StripeErrorShape {
  readonly code?: unknown;
  readonly statusCode?: number | undefined;
  readonly headers?: unknown;
}

function isStripeError(error: unknown): error is Error & StripeErrorShape {
  return error instanceof Error && "rawType" in error && "requestId" in error && "statusCode" in error;
}

/** @see Retrieval.classify */
export function classifyStripeError(
  error: unknown,
  asked?: { readonly account?: string | undefined },
): Error | undefined {
  if (!isStripeError(error)) return undefined;
  const { statusCode: status } = error;
  const cause = { cause: error };
  if (status === 404) return new UnknownEventError("Stripe knows no event of this id", cause);
  if (status === 403 && asked?.account !== undefined) {
    // The account came from the posted body: a stranger's, or made up.
    return new UnknownEventError("Stripe does not let us see the account that the body names", cause);
  }
  const rateLimited = status === 429 || error.code === "rate_limit";
  if (isOurFault(status) && !rateLimited) {
    return new RetrievalRefusedError(`Stripe refused to let us fetch the event (status ${status})`, cause);
  }
  const what = status === undefined ? "could not be reached, or answered nonsense" : `answered ${status}`;
  return new ProviderUnavailableError(`Stripe's API ${what}`, { ...cause, ...retryAfter(error.headers), rateLimited });
}
