import {
  ConfigurationError,
  HookbusError,
  PayloadError,
  ProviderUnavailableError,
  RetrievalRefusedError,
  UnknownEventError,
} from "../errors.ts";
import { isOurFault } from "./http-status.ts";
import type { FetchOptions, Retrieval } from "./provider.ts";
import { retryAfter } from "./retry-after.ts";
import { isRecord } from "./schemes/json.ts";
import { objectionToNothing } from "./schemes/secret.ts";

export interface KopoKopoOptions {
  /**
   * The one environment that events are fetched from: `"https://sandbox.kopokopo.com"`, or a stand-in. Default: Kopo
   * Kopo's own two, whichever the event names.
   */
  readonly apiBase?: string | undefined;
  /** Sends the requests; default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock that access tokens grow old by, in milliseconds since 1970; default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

const ORIGINS = ["https://api.kopokopo.com", "https://sandbox.kopokopo.com"] as const;

/** An event is a few kilobytes; what is a thousand times larger is not one. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** A token is not used for the last minute of its life: it has to survive the request. */
const MARGIN_MS = 60_000;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The client's id and its secret, which may have colons of its own. */
const CLIENT = /^([^:]+):(.+)$/s;

const NO_CLIENT = "must be clientId:clientSecret for Kopo Kopo";

interface Token {
  readonly text: string;
  readonly usableUntil: number;
}

/**
 * Fetches webhooks by the link to themselves, with an access token of the client-credentials grant.
 *
 * The link comes in a body that may be anybody's. So it must be `/webhook_events/{id}` of Kopo Kopo's own hosts, id and
 * all, and redirects are not followed: nothing else ever gets to see a token.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an http or https origin.
 *
 * @see https://api-docs.kopokopo.com/#application-authorization
 */
export function kopokopoRetrieval(options: KopoKopoOptions): Retrieval {
  const origins: readonly string[] = options.apiBase === undefined ? ORIGINS : [origin(options.apiBase)];
  const now = options.now ?? Date.now;
  const tokens = new Map<string, Token>();

  async function ask(url: string, init: RequestInit, what: string): Promise<Record<string, unknown>> {
    let status: number;
    let headers: Headers;
    let text: string;
    try {
      const response = await (options.fetch ?? globalThis.fetch)(url, { ...init, redirect: "manual" });
      ({ status, headers } = response);
      text = await textOf(response);
    } catch (cause) {
      if (cause instanceof HookbusError) throw cause;
      throw new ProviderUnavailableError("Kopo Kopo's API could not be reached", { cause });
    }
    if (status !== 200) throw refusalOf(status, headers, what);
    const answer = parse(text);
    if (!isRecord(answer)) throw new ProviderUnavailableError("Kopo Kopo's API answered nonsense");
    return answer;
  }

  async function tokenFor(base: string, apiKey: string, signal: AbortSignal): Promise<string> {
    const place = `${base} ${apiKey}`;
    const known = tokens.get(place);
    if (known && now() < known.usableUntil) return known.text;
    const [, id = "", secret = ""] = CLIENT.exec(apiKey) ?? [];
    if (!id) throw new ConfigurationError(`\`apiKey\` ${NO_CLIENT}`);
    const body = new URLSearchParams({ client_id: id, client_secret: secret, grant_type: "client_credentials" });
    const asked = now();
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const init = { method: "POST", headers, body: body.toString(), signal };
    const { access_token: text, expires_in: seconds } = await ask(`${base}/oauth/token`, init, "token");
    if (typeof text !== "string" || text === "") {
      throw new ProviderUnavailableError("Kopo Kopo's API answered without an access token");
    }
    const lifeMs = typeof seconds === "number" ? seconds * 1000 : 0;
    tokens.set(place, { text, usableUntil: asked + lifeMs - MARGIN_MS });
    return text;
  }

  return {
    when: "no-secret",
    objection: (key) => objectionToNothing(key, "clientId:clientSecret") ?? (CLIENT.test(key) ? undefined : NO_CLIENT),
    idPattern: ID,
    unfetchable: [],
    // What is thrown here is classified already.
    classify: (error) => (error instanceof HookbusError ? error : undefined),
    async fetch(id: string, { apiKey, timeoutMs, signal, params }: FetchOptions): Promise<unknown> {
      const base = baseOf(id, params["_links"], origins);
      const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const get = async (): Promise<unknown> => {
        const headers = { accept: "application/json", authorization: `Bearer ${await tokenFor(base, apiKey, until)}` };
        return ask(`${base}/webhook_events/${id}`, { headers, signal: until }, "event");
      };
      const hadToken = tokens.has(`${base} ${apiKey}`);
      try {
        return await get();
      } catch (error) {
        if (!(hadToken && error instanceof RetrievalRefusedError)) throw error;
        // The token may have been revoked before its time.
        tokens.delete(`${base} ${apiKey}`);
        return get();
      }
    },
  };
}

function origin(apiBase: string): string {
  const url = URL.canParse(apiBase) ? new URL(apiBase) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.href !== `${url.origin}/`) {
    throw new ConfigurationError("`apiBase` must be an http or https origin, like https://sandbox.kopokopo.com");
  }
  return url.origin;
}

/** Where the event's link leads, if it is a link of that very event; without a link, the first of `origins`. */
function baseOf(id: string, links: unknown, origins: readonly string[]): string {
  const self = isRecord(links) ? links["self"] : undefined;
  const found = self === undefined ? origins[0] : origins.find((each) => self === `${each}/webhook_events/${id}`);
  if (found === undefined) throw new PayloadError("the event's `_links.self` is not its place at Kopo Kopo");
  return found;
}

/** The whole answer, unless it is too large for an event. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk?.value) break;
    bytes += chunk.value.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new ProviderUnavailableError("Kopo Kopo's API answered more than an event can be");
    }
    chunks.push(chunk.value);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalOf(status: number, headers: Headers, what: string): HookbusError {
  if (status === 404 && what === "event") return new UnknownEventError("Kopo Kopo knows no event of this id");
  if (isOurFault(status)) {
    return new RetrievalRefusedError(`Kopo Kopo refused to let us fetch the ${what} (status ${status})`);
  }
  return new ProviderUnavailableError(`Kopo Kopo's API answered ${status}`, {
    ...retryAfter(Object.fromEntries(headers)),
    rateLimited: status === 429,
  });
}
