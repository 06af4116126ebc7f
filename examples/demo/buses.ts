import { EventBus, type Inbox, type Logger, Notifications } from "hookbus";
import { type ConektaBus, conekta } from "hookbus/conekta";
import { sqliteInbox } from "hookbus/inbox/sqlite";
import { type StripeBus, stripe } from "hookbus/stripe";
import { CONEKTA_API_KEY, STRIPE_API_KEY, STRIPE_SIGNING_SECRET } from "./keys.ts";
import { type Demo, subscribeAcross, subscribeToConekta, subscribeToStripe } from "./subscribers.ts";

/** What every process of the demo must know alike. */
export interface Setup {
  /** Where the providers' APIs are. */
  readonly apiBase: string;
  /** The public half of Conekta's webhook key. */
  readonly webhookKey: string;
  /** The private key for Conekta's legacy digest. */
  readonly privateSignature: string;
  /** The SQLite file of the inbox. */
  readonly path: string;
}

export interface Buses {
  readonly all: readonly (StripeBus | ConektaBus)[];
  readonly inbox: Inbox;
  readonly notifications: Notifications;
}

/** Five buses, one for each way in which a delivery can be found genuine, over one inbox. */
export function makeBuses({ apiBase, webhookKey, privateSignature, path }: Setup, logger: Logger, demo: Demo): Buses {
  const notifications = new Notifications();
  // A short lease and short waits: what takes minutes elsewhere, a demo shows in a second.
  const inbox = sqliteInbox({ path, leaseMs: 600, backoff: { baseMs: 50, capMs: 200 } });

  const signed = new EventBus(stripe(), { name: "stripe", notifications });
  const fetched = new EventBus(stripe({ apiBase }), { name: "stripe-fetched", notifications });
  const live = new EventBus(conekta({ apiBase }), { name: "conekta", notifications });
  const digest = new EventBus(conekta(), { name: "conekta-digest", notifications });
  const legacy = new EventBus(conekta({ apiBase }), { name: "conekta-legacy", notifications });

  signed.configure((events) => {
    events.signingSecrets = STRIPE_SIGNING_SECRET;
    subscribeToStripe(events, demo);
  });
  fetched.configure((events) => {
    events.apiKey = STRIPE_API_KEY;
    subscribeToStripe(events, demo);
  });
  live.configure((events) => {
    events.apiKey = CONEKTA_API_KEY;
    events.eventRetriever = async (params, { retrieve }) => {
      const event = await retrieve(params.id);
      return event.livemode ? event : null;
    };
    subscribeToConekta(events, demo);
  });
  digest.configure((events) => {
    events.webhookKeys = webhookKey;
    subscribeToConekta(events, demo);
  });
  legacy.configure((events) => {
    events.privateSignature = privateSignature;
    events.apiKey = CONEKTA_API_KEY;
    subscribeToConekta(events, demo);
  });
  subscribeAcross(notifications, demo);

  const all = [signed, fetched, live, digest, legacy];
  for (const bus of all) {
    bus.logger = logger;
    bus.inbox = inbox;
  }
  return { all, inbox, notifications };
}
