import { createSecretKey } from "node:crypto";
import { Bus, type BusOptions } from "../../src/bus/bus.ts";
import type { Logger } from "../../src/bus/logger.ts";
import { EventBus, type EventBusOptions } from "../../src/event-bus.ts";
import type { Provider, SecretForm } from "../../src/providers/provider.ts";

export interface PlainEvent {
  readonly id: string;
  readonly type: string;
  readonly data?: unknown;
}

type NoKnownTypes = Record<never, never>;

export type PlainProvider = Provider<NoKnownTypes, PlainEvent>;

export type PlainBus = Bus<NoKnownTypes, PlainEvent>;

const form = (scheme: string, several: boolean): SecretForm => ({
  scheme,
  several,
  parse: (text) => createSecretKey(Buffer.from(text)),
});

/** A provider of nothing in particular: every request that carries a secret's label is genuine. */
export function plainProvider(overrides: Partial<PlainProvider> = {}): PlainProvider {
  return {
    name: "plain",
    namespace: "plain_event",
    delimiter: ".",
    methods: ["POST"],
    secrets: { signingSecrets: form("v1", true), privateSignature: form("v0", false) },
    toleranceSeconds: 300,
    verify: ({ headers }, { keys }) => {
      const key = keys.find(({ label }) => label === headers["signed-by"]);
      return key ? { verified: true, matchedSecret: key.label } : { verified: false, reason: "bad_signature" };
    },
    read: (payload) => {
      const event = payload as PlainEvent;
      return { id: event.id, type: event.type, key: event.id, data: event.data, event };
    },
    sign: () => ({ "signed-by": "signingSecrets" }),
    ...overrides,
  };
}

/** A bus of the plain provider, which writes no logs. */
export function plainBus(options?: BusOptions, overrides?: Partial<PlainProvider>): PlainBus {
  const bus = new Bus(plainProvider(overrides), options);
  bus.logger = new Log();
  return bus;
}

/** The same with a receiver in front of it. */
export function plainEventBus(
  options?: EventBusOptions,
  overrides?: Partial<PlainProvider>,
): EventBus<NoKnownTypes, PlainEvent> {
  const bus = new EventBus(plainProvider(overrides), options);
  bus.logger = new Log();
  return bus;
}

let events = 0;

/** An event of `type` under an id of its own. */
export function eventOf(type: string, data?: unknown): PlainEvent {
  events += 1;
  return { id: `evt_${events}`, type, ...(data === undefined ? {} : { data }) };
}

/** A logger that remembers. */
export class Log implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object | undefined }[] = [];

  info(message: string, fields?: object): void {
    this.lines.push({ level: "info", message, fields });
  }

  warn(message: string, fields?: object): void {
    this.lines.push({ level: "warn", message, fields });
  }

  error(message: string, fields?: object): void {
    this.lines.push({ level: "error", message, fields });
  }
}

/** What `promise` rejects with; a promise that does not reject fails the spec. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === "rejected") return result.reason;
  throw new Error("the promise did not reject");
}
