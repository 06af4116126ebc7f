import type { WebhookRequest } from "../../providers/provider.ts";
import { headerValue } from "../../providers/schemes/header.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

/**
 * The URLs under which the sender may know the endpoint, where a proxy changed scheme, host, port or trailing slash.
 * Headers name candidates only: what they say is believed of nothing.
 */
export function otherUrls({ url, headers }: WebhookRequest): readonly string[] {
  const [, origin = "", target = ""] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)?(.*)$/is.exec(url) ?? [];
  const first = (name: string): string => (headerValue(headers, name) ?? "").split(",")[0]?.trim() ?? "";
  const hosts = new Set<string>();
  for (const host of [first("x-forwarded-host"), first("host"), origin.replace(/^.*\/\//s, "")]) {
    if (/^[\w.:[\]-]{1,255}$/.test(host)) hosts.add(host.replace(/:\d+$/, "")).add(host);
  }
  const slashed = target.replace(/^([^?#]*?)(\/?)(?=[?#]|$)/, (_, path, slash) => (slash ? path : `${path}/`));
  const urls = new Set<string>();
  for (const path of [target, slashed]) {
    for (const scheme of ["https", "http"]) {
      for (const host of hosts) {
        urls.add(`${scheme}://${host}${path}`);
        if (!/:\d+$/.test(host)) urls.add(`${scheme}://${host}${DEFAULT_PORTS[scheme]}${path}`);
      }
    }
    urls.add(path);
  }
  urls.delete(url);
  return [...urls];
}
