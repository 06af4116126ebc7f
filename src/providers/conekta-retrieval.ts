import type { Agent } from "node:https";
import type { EventsApi } from "conekta";
import { ConfigurationError, ProviderUnavailableError, RetrievalRefusedError, UnknownEventError } from "../errors.ts";
import { importPeer } from "../peer.ts";
import { isOurFault } from "./http-status.ts";
import type { FetchOptions, Retrieval } from "./provider.ts";
import { retryAfter } from "./retry-after.ts";
import { isRecord } from "./schemes/json.ts";
import { objectionToNothing } from "./schemes/secret.ts";

export interface ConektaOptions {
  /** Where the API is, for a stand-in: `"http://127.0.0.1:8080"`. Default: Conekta's own. */
  readonly apiBase?: string | undefined;
}

/** An event is a few kilobytes; what is a thousand times larger is not one. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Fetches events by id: `GET /events/{id}`, the child company in `X-Child-Company-Id`.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an http or https URL.
 */
export function conektaRetrieval(options: ConektaOptions): Retrieval {
  const basePath = options.apiBase === undefined ? {} : { basePath: baseUrl(options.apiBase) };
  let agent: Agent | undefined;
  return {
    when: "api-key",
    objection: objectionToKey,
    // 24 hex digits from Conekta; `evt_customer_created` and the like in the fixtures of the Ruby gem.
    idPattern: /^[A-Za-z0-9_-]{1,64}$/,
    unfetchable: ["account.application.deauthorized"],
    classify: classifyConektaError,
    async fetch(id: string, { apiKey, account, timeoutMs, signal }: FetchOptions): Promise<unknown> {
      const { Configuration, EventsApi } = await importPeer(
        "conekta",
        "Fetching Conekta events",
        () => import("conekta"),
      );
      const https = await import("node:https");
      agent ??= new https.Agent({ keepAlive: true });
      const api: EventsApi = new EventsApi(new Configuration({ accessToken: apiKey, ...basePath }));
      const { data } = await api.getEvent(id, undefined, account, {
        timeout: timeoutMs,
        signal,
        // Without an agent of ours the SDK makes one that accepts any certificate: anybody on the way could read the
        // API key and make up events.
        httpsAgent: agent,
        // A redirect would be followed with the API key in hand.
        maxRedirects: 0,
        maxContentLength: MAX_ANSWER_BYTES,
      });
      // axios hands over what is no JSON as text.
      if (!isRecord(data)) throw new ProviderUnavailableError("Conekta's API answered nonsense");
      return data;
    },
  };
}

function objectionToKey(key: string): string | undefined {
  const shape = "the private API key (key_…)";
  if (!key.includes("-----BEGIN")) return objectionToNothing(key, shape);
  return `holds a PEM key, which belongs in \`webhookKeys\` or \`privateSignature\`: it takes ${shape}`;
}

function baseUrl(apiBase: string): string {
  const url = URL.canParse(apiBase) ? new URL(apiBase) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new ConfigurationError("`apiBase` must be an http or https URL, like http://127.0.0.1:8080");
  }
  return url.href.replace(/\/+$/, "");
}

/** The parts of an axios error that are looked at; `instanceof` would know only one copy of the package. */
interface AxiosErrorShape {
  readonly isAxiosError: true;
  readonly code?: string;
  readonly response?: { readonly status: number; readonly headers?: unknown };
}

function isAxiosError(error: unknown): error is Error & AxiosErrorShape {
  return error instanceof Error && "isAxiosError" in error && error.isAxiosError === true;
}

/** @see Retrieval.classify */
export function classifyConektaError(error: unknown): Error | undefined {
  if (error instanceof ProviderUnavailableError) return error;
  if (!isAxiosError(error)) return undefined;
  const status = error.response?.status;
  const cause = { cause: withoutRequest(error) };
  if (status === 404) return new UnknownEventError("Conekta knows no event of this id", cause);
  if (isOurFault(status)) {
    return new RetrievalRefusedError(`Conekta refused to let us fetch the event (status ${status})`, cause);
  }
  const what = status === undefined ? "could not be reached" : `answered ${status}`;
  return new ProviderUnavailableError(`Conekta's API ${what}`, {
    ...cause,
    ...retryAfter(error.response?.headers),
    rateLimited: status === 429,
  });
}

/** An axios error drags its whole request along, API key included: nothing that may reach a log. */
function withoutRequest(error: Error & AxiosErrorShape): Error {
  return Object.assign(new Error(error.message), { code: error.code, status: error.response?.status });
}
