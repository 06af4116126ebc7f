import { memoryIdempotency } from "../../dist/idempotency/memory.js";
import { Notifications } from "../../dist/index.js";
import { SECRET, signed } from "../deliveries/delivery.ts";
import { TEMPLATES } from "../deliveries/events.ts";
import { Pool } from "../deliveries/pool.ts";
import { CountingBus, receiving } from "../deliveries/receiving.ts";
import { Crowd, ONE_TYPE } from "../dispatching/hookbus.ts";
import type { Timed } from "../method/pairs.ts";
import { timed } from "../method/slice.ts";
import { called } from "./series.ts";

let made = 0;
const nextName = (): string => `growth-${++made}`;

/** Five match, whatever the others are. */
export function subscribers(size: number): Promise<Timed> {
  return timed(new Crowd(size).publishing(called(size), ONE_TYPE));
}

/** Buses, each with its provider, its secret and a subscriber, which share their notifications as the ready-made do. */
export function providers(size: number): Promise<Timed> {
  const notifications = new Notifications();
  const all = Array.from({ length: size }, () => new CountingBus(nextName(), [SECRET], notifications));
  return receivingOn(all[Math.floor(size / 2)] as CountingBus, size);
}

/** The one that signs stands last: every HMAC before it is in vain. */
export function secrets(size: number): Promise<Timed> {
  const others = Array.from({ length: size - 1 }, (_, place) => `whsec_an_older_secret_of_the_endpoint_${place}`);
  return receivingOn(new CountingBus(nextName(), [...others, SECRET]), size);
}

/** A store that has no room left. */
export async function rememberedKeys(size: number): Promise<Timed> {
  const counting = new CountingBus(nextName());
  const store = memoryIdempotency({ maxKeys: size });
  counting.bus.idempotency = store;
  for (let key = 0; key < size; key += 1) {
    const claim = store.claim(`growth:evt_of_before_${key}`, { leaseMs: 30_000, fingerprint: key.toString(36) });
    if (claim.state !== "claimed") throw new Error(`a new key is ${claim.state}`);
    store.complete(claim.token);
  }
  return receivingOn(counting, size);
}

async function receivingOn(counting: CountingBus, size: number): Promise<Timed> {
  const pool = new Pool(() => signed(TEMPLATES["0.5 KB"]));
  return timed({ ...receiving(counting, pool), name: called(size) });
}
