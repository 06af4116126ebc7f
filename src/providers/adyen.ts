import { PayloadError } from "../errors.ts";
import type { AdyenBaseEvent, AdyenEventMap, AdyenPlatformEvent } from "./adyen-events.ts";
import { contentOf, type Item, items, itemsOf, objection, signBody, textOf } from "./adyen-items.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { hashOf } from "./read-event.ts";
import { isRecord } from "./schemes/json.ts";
import { HEX } from "./schemes/key-forms.ts";
import type { SignsBody } from "./signs-body.ts";

export interface AdyenOptions {
  /** Whether the webhooks are those of Adyen for Platforms (transfers, balances), not payments; default false. */
  readonly platform?: boolean | undefined;
}

const SUCCESS = { status: 200, headers: { "content-type": "text/plain" }, body: "[accepted]" } as const;

/**
 * Adyen: HMAC-SHA256 in base64 inside of each item of a payments webhook, answered with `[accepted]`.
 *
 * The event's id is `{pspReference}:{eventCode}:{success}` and its type the event code. Only those fields of an item that
 * `AdyenBaseEvent` marks as signed can be relied on; `livemode` and `created` come from others.
 *
 * With `{ platform: true }`, the webhooks of Adyen for Platforms: the header `HmacSignature` over the raw body, all of
 * which is signed. Those have no id of their own, so that the hash of the body is their id.
 */
export function adyen(options: { readonly platform: true }): Provider<Record<never, never>, AdyenPlatformEvent>;
export function adyen(options?: {
  readonly platform?: false | undefined;
}): Provider<AdyenEventMap, AdyenBaseEvent> & SignsBody;
export function adyen(options: AdyenOptions = {}): unknown {
  return options.platform ? platform() : { ...payments(), signBody };
}

function payments(): Provider<AdyenEventMap, AdyenBaseEvent> {
  return defineProvider({
    name: "adyen",
    signature: items,
    event: {
      events(payload) {
        const found = itemsOf(payload);
        if (!found) throw new PayloadError("the delivery has no `notificationItems`");
        const { live } = payload as Item;
        return found.map((item) => ({ ...item, live }));
      },
      id: (item) => [item["pspReference"], item["eventCode"], item["success"]].map(textOf).join(":"),
      type: (item) => textOf(item["eventCode"]) || undefined,
      // An item that was changed where nothing is signed is the same item.
      data: contentOf,
      account: "merchantAccountCode",
      created: "eventDate",
      livemode: ({ live }) => (live === "true" ? true : live === "false" ? false : undefined),
    },
    success: SUCCESS,
  });
}

function platform(): Provider<Record<never, never>, AdyenPlatformEvent> {
  return defineProvider({
    name: "adyen-platform",
    signature: {
      header: "hmacsignature",
      secrets: {
        signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "base64", key: HEX }], objection },
      },
    },
    event: {
      form(event) {
        if (isRecord(event["data"])) return event;
        throw new PayloadError("an event of Adyen for Platforms has `data`");
      },
      id: (_event, { request }) => hashOf(request),
      type: "type",
      data: "data",
      account: "data.balancePlatform",
      created: "timestamp",
      livemode: ({ environment }) => (environment === "live" ? true : environment === "test" ? false : undefined),
    },
    success: SUCCESS,
  });
}
