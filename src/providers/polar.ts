import type { PolarBaseEvent, PolarEventMap } from "./polar-events.ts";
import type { Provider } from "./provider.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { defineStandardProvider } from "./standard.ts";

/**
 * Polar: Standard Webhooks, except that the signing secret is used as it stands. Its SDK encodes the text in base64
 * before it hands it to the standard's library, which decodes it again: the key is the UTF-8 of the whole text, a
 * `whsec_` or `polar_whs_` at its start included.
 *
 * @see https://polar.sh/docs/integrate/webhooks/delivery
 */
export function polar(): Provider<PolarEventMap, PolarBaseEvent> {
  return defineStandardProvider({
    name: "polar",
    families: ["webhook"],
    secret: UTF8,
    objection: (secret) =>
      /^polar_[op]at_/.test(secret)
        ? "holds an access token (polar_oat_…, polar_pat_…): the secret is the one set on the webhook endpoint's page"
        : undefined,
    event: { data: "data" },
  });
}
