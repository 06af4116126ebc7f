import type { Stripe } from "stripe";
import { ConfigurationError } from "../errors.ts";
import { importPeer } from "../peer.ts";
import { isRecord } from "./schemes/json.ts";

/** More keys than one process ever uses; a bound all the same, since keys may be rotated at run time. */
const MAX_CLIENTS = 8;

export interface StripeClientOptions {
  /** Where the API is, for a stand-in such as stripe-mock: `"http://127.0.0.1:12111"`. Default: Stripe's own. */
  readonly apiBase?: string | undefined;
  /** A client of your own, with its own key and HTTP client. Its retries are not used: the sender's are enough. */
  readonly client?: Stripe | undefined;
}

/** Gives the SDK's client for an API key, which is asked for only where it is needed. */
export type StripeClients = (apiKey: () => string) => Promise<Stripe>;

/**
 * SDK clients, one for each API key, made on first use; that is also when the package `stripe` is imported.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an origin; the returned function rejects with
 * `MissingPeerError` where the package is not installed.
 */
export function stripeClients(options: StripeClientOptions): StripeClients {
  const base = options.apiBase === undefined ? {} : baseAddress(options.apiBase);
  const clients = new Map<string, Stripe>();
  return async (apiKey) => {
    if (options.client) return options.client;
    const key = apiKey();
    const { default: Stripe } = await importPeer("stripe", "Fetching Stripe events", () => import("stripe"));
    let client = clients.get(key);
    if (!client) {
      const httpClient = soberHttpClient(Stripe.createNodeHttpClient());
      client = new Stripe(key, { ...base, httpClient, maxNetworkRetries: 0, telemetry: false });
      const [oldest] = clients.keys();
      if (clients.size >= MAX_CLIENTS && oldest !== undefined) clients.delete(oldest);
      clients.set(key, client);
    }
    return client;
  };
}

function baseAddress(apiBase: string): { protocol: "http" | "https"; host: string; port: string } {
  const url = URL.canParse(apiBase) ? new URL(apiBase) : undefined;
  const protocol = url?.protocol === "https:" ? "https" : url?.protocol === "http:" ? "http" : undefined;
  if (!url || !protocol || url.pathname !== "/" || url.search || url.hash || url.username || url.password) {
    throw new ConfigurationError("`apiBase` must be an http or https origin, like http://127.0.0.1:12111");
  }
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (protocol === "http" ? "80" : "443"),
  };
}

/**
 * Lets through only answers that the SDK can take. Handed a JSON number, or an error status without an `error`, it
 * would reject outside of any promise we hold, or resolve as if all were well. A proxy's error page becomes an error
 * with its status and headers, so that a `Retry-After` survives.
 */
function soberHttpClient(client: Stripe.HttpClient): Stripe.HttpClient {
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    const response = await makeRequest(...request);
    const status = response.getStatusCode();
    const toJSON = response.toJSON.bind(response);
    response.toJSON = async () => {
      try {
        const value: unknown = await toJSON();
        if (isAnswer(value, status)) return value;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
      if (status === 429 || status >= 500) return { error: { message: `Stripe's API answered ${status}` } };
      throw new SyntaxError("not an answer of Stripe's API");
    };
    return response;
  };
  return client;
}

function isAnswer(value: unknown, status: number): boolean {
  if (!isRecord(value)) return false;
  const error = value["error"];
  return error === undefined ? status < 400 : isRecord(error) || typeof error === "string";
}
