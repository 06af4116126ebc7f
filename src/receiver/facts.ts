import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts, VerifiedBy } from "../bus/context.ts";
import { PayloadError } from "../errors.ts";
import type { Envelope } from "../providers/provider.ts";

/** What is known of a delivery once its event may be trusted. Throws `PayloadError` for an event without a type. */
export function factsOf(
  bus: Bus,
  envelope: Envelope,
  verifiedBy: VerifiedBy,
  matchedSecret?: string,
  key: string = `${bus.name}:${envelope.key}`,
): DeliveryFacts {
  if (envelope.type === undefined) throw new PayloadError("the event has no `type`");
  return {
    bus: bus.name,
    provider: bus.provider.name,
    id: envelope.id,
    type: envelope.type,
    key,
    verifiedBy,
    matchedSecret,
    livemode: envelope.livemode,
    created: envelope.created,
    account: envelope.account,
  };
}
