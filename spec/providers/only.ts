import type { Envelope, Verification } from "../../src/providers/provider.ts";

/** The verdict of a provider that gives it at once. */
export function atOnce(verification: Verification | Promise<Verification>): Verification {
  if (verification instanceof Promise) throw new Error("the verdict came as a promise");
  return verification;
}

/** The envelope of a provider whose deliveries carry one event. */
export function onlyOne(read: Envelope | readonly Envelope[]): Envelope {
  if ("id" in read) return read;
  throw new Error("the delivery was read as a list of events");
}
