import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { stripe } from "../../src/providers/stripe.ts";
import { type PlannedEvent, receiverFor } from "./plan.ts";
import { SIGNING_SECRET } from "./task.ts";

export interface Sending {
  readonly deliveries: readonly PlannedEvent[];
  readonly seed: number;
  /** Where a receiver listens; undefined while it does not. */
  readonly portOf: (index: number) => number | undefined;
  /** Resolves when more may be sent. */
  readonly mayGoOn: () => Promise<void>;
  /** Told of every answer with 2xx, and of the receiver that gave it. */
  readonly onAck: (event: PlannedEvent, receiver: number) => void;
  readonly signal: AbortSignal;
}

/** How many deliveries are under way at once. */
const AT_ONCE = 16;

/** A provider gives up on an answer after some time. Shorter than a freeze, so that such answers are lost. */
const TIMEOUT_MS = 2_500;

const PAUSE_MS = { first: 50, most: 800 };

/** Sends every delivery, as a provider does: again and again until it is acknowledged. */
export async function send(sending: Sending): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const next = sending.deliveries.entries();
  const sender = async (): Promise<void> => {
    for (const [index, event] of next) {
      await sending.mayGoOn();
      await deliver(sending, agent, index, event);
      if (sending.signal.aborted) return;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
  } finally {
    agent.destroy();
  }
}

async function deliver(sending: Sending, agent: Agent, index: number, event: PlannedEvent): Promise<void> {
  const { seed, portOf, onAck, signal } = sending;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const receiver = receiverFor(seed, index, attempt);
    const port = portOf(receiver);
    const status = port === undefined ? undefined : await post(agent, port, event.body).catch(() => undefined);
    if (status !== undefined && status >= 200 && status < 300) {
      onAck(event, receiver);
      return;
    }
    await sleep(Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** attempt));
  }
}

const provider = stripe();

/** Resolves to the status; rejects where there is no answer. */
function post(agent: Agent, port: number, body: string): Promise<number | undefined> {
  // Signed anew each time, as Stripe does.
  const headers = provider.sign(Buffer.from(body), { secret: SIGNING_SECRET, now: Date.now() });
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method: "POST", agent, headers }, (response) => {
      // The status is the answer. A body that breaks off afterwards changes nothing about it.
      response.on("error", () => undefined).resume();
      resolve(response.statusCode);
    });
    const timer = setTimeout(() => sent.destroy(new Error("no answer in time")), TIMEOUT_MS);
    sent.on("error", reject).on("close", () => clearTimeout(timer));
    sent.end(body);
  });
}
