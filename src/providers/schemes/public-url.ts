import { ConfigurationError } from "../../errors.ts";
import type { WebhookRequest } from "../provider.ts";
import { headerValue } from "./header.ts";

/** Origin, path and query, each as it was written: a URL that is signed must not be made regular. */
const ABSOLUTE = /^(https?:\/\/[^/?#]+)([^?#]*)(\?[^#]*)?/i;

/**
 * The URL that the sender used, for schemes that sign it.
 *
 * `publicUrl` is what to believe behind a proxy: its origin replaces the request's, and so does its path unless it is
 * `/`; the request's query stays, unless `publicUrl` has one itself. Without it, a request that holds only a path is
 * taken to be `https` on the host that it names. That header is anybody's, which gives nothing away: a URL that was not
 * signed does not verify. `X-Forwarded-*` are not read.
 */
export function signedUrl(
  { url, headers }: Pick<WebhookRequest, "url" | "headers">,
  publicUrl: string | undefined,
): string {
  const own = ABSOLUTE.exec(publicUrl ?? "");
  const asked = ABSOLUTE.exec(url);
  const afterOrigin = asked ? `${asked[2]}${asked[3] ?? ""}` : (url.split("#")[0] as string);
  if (!own) return asked ? asked[0] : `https://${hostOf(headers)}${afterOrigin}`;
  const [, origin, path, query] = own;
  if (query !== undefined) return own[0];
  if (path === "" || path === "/") return `${origin}${afterOrigin}`;
  const at = afterOrigin.indexOf("?");
  return `${origin}${path}${at < 0 ? "" : afterOrigin.slice(at)}`;
}

/** A host and nothing more: what has a slash or a query in it would take the place of a part of the URL. */
function hostOf(headers: WebhookRequest["headers"]): string {
  const host = headerValue(headers, "host") ?? "";
  return /^[\w.:[\]-]{1,255}$/.test(host) ? host : "";
}

/** Checks a `publicUrl` when it is set. Throws `ConfigurationError`, which names `option`. */
export function publicUrlOf(option: string, url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (typeof url === "string" && URL.canParse(url) && ABSOLUTE.exec(url)?.[0] === url) return url;
  throw new ConfigurationError(
    `\`${option}\` must be the endpoint's http or https URL, like https://example.com/webhooks, without a fragment`,
  );
}
