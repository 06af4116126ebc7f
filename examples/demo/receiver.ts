import { createHub, EventBus, type Hub, type Logger, Notifications } from "hookbus";
import { conekta } from "hookbus/conekta";
import { nodeHandler } from "hookbus/node";
import { stripe } from "hookbus/stripe";
import { CONEKTA_API_KEY, STRIPE_API_KEY, STRIPE_SIGNING_SECRET } from "./keys.ts";
import { type RunningServer, serve } from "./server.ts";
import { type See, subscribeAcross, subscribeToConekta, subscribeToStripe } from "./subscribers.ts";

export interface ReceiverOptions {
  /** Where the providers' APIs are. */
  readonly apiBase: string;
  /** The public half of Conekta's webhook key. */
  readonly webhookKey: string;
  /** The private key for Conekta's legacy digest. */
  readonly privateSignature: string;
  readonly port: number;
  readonly logger: Logger;
  /** Told of every call of a subscriber. */
  readonly see: See;
}

export interface Receiver extends RunningServer {
  readonly hub: Hub;
  readonly notifications: Notifications;
}

/** Five endpoints, one for each way in which a delivery can be found genuine, behind one `node:http` server. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { apiBase, logger, see } = options;
  const notifications = new Notifications();

  const signed = new EventBus(stripe(), { name: "stripe", notifications });
  const fetched = new EventBus(stripe({ apiBase }), { name: "stripe-fetched", notifications });
  const live = new EventBus(conekta({ apiBase }), { name: "conekta", notifications });
  const digest = new EventBus(conekta(), { name: "conekta-digest", notifications });
  const legacy = new EventBus(conekta({ apiBase }), { name: "conekta-legacy", notifications });

  signed.configure((events) => {
    events.signingSecrets = STRIPE_SIGNING_SECRET;
    subscribeToStripe(events, see);
  });
  fetched.configure((events) => {
    events.apiKey = STRIPE_API_KEY;
    subscribeToStripe(events, see);
  });
  live.configure((events) => {
    events.apiKey = CONEKTA_API_KEY;
    events.eventRetriever = async (params, { retrieve }) => {
      const event = await retrieve(params.id);
      return event.livemode ? event : null;
    };
    subscribeToConekta(events, see);
  });
  digest.configure((events) => {
    events.webhookKeys = options.webhookKey;
    subscribeToConekta(events, see);
  });
  legacy.configure((events) => {
    events.privateSignature = options.privateSignature;
    events.apiKey = CONEKTA_API_KEY;
    subscribeToConekta(events, see);
  });
  subscribeAcross(notifications, see);

  const buses = [signed, fetched, live, digest, legacy];
  for (const bus of buses) bus.logger = logger;
  const hub = createHub(buses);
  const { url, close } = await serve(nodeHandler(hub), options.port);
  return { url, close, hub, notifications };
}
