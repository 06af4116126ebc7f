import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import { classOf, codeOf, fieldOf } from "../bus/logger.ts";
import type { Marks } from "../bus/marks.ts";
import { markOf } from "../bus/subscription.ts";
import { DispatchError, PayloadError, ProviderUnavailableError, RetryLater } from "../errors.ts";
import type { Delivered, Run } from "../inbox/inbox.ts";
import type { Failure, LeasedRecord, Outcome } from "../inbox/record.ts";
import type { Envelope, WebhookRequest } from "../providers/provider.ts";
import { parsePayload } from "../providers/schemes/json.ts";
import { factsOf } from "./facts.ts";
import { filtered, type Passed } from "./filter.ts";
import { carriedBy, type Retriever } from "./retrieve.ts";
import { timed } from "./timed.ts";
import { verify } from "./verify.ts";

/** What came of an attempt, and what the operator may know of it. */
export interface Attempted extends Delivered {
  readonly facts: DeliveryFacts | undefined;
  readonly error?: unknown;
}

/** The second half of a recorded delivery's way: from the record to the subscribers. Never rejects. */
export async function deliverRecord(
  bus: Bus,
  record: LeasedRecord,
  run: Run,
  retriever: Retriever,
): Promise<Attempted> {
  let facts: DeliveryFacts | undefined;
  try {
    if (record.attemptsLeft < 0) return { facts, outcome: { outcome: "dead", failures: [VANISHED] } };
    bus.assertReady();
    const refusal = await refusedNow(bus, record);
    if (refusal) return { facts, outcome: { outcome: "dead", failures: [refusal] } };
    const envelope = await envelopeOf(bus, record, retriever);
    if (!envelope) return { facts, outcome: { outcome: "ignored" } };
    facts = factsOf(bus, envelope, record.verifiedBy, record.matchedSecret, record.key);
    const passed = await filtered(bus, envelope.event, facts);
    if (!passed) return { facts, outcome: { outcome: "ignored" } };
    return await dispatched(bus, record, run, passed);
  } catch (error) {
    const afterMs = error instanceof ProviderUnavailableError ? error.retryAfterSeconds * 1000 : undefined;
    return { facts, error, outcome: { outcome: "failed", failures: [failureOf(error)], afterMs } };
  }
}

/** A poison event ends the process that delivers it, again and again: its attempts are counted before they begin. */
const VANISHED: Failure = {
  error: "lost",
  message: "every attempt ended with its worker: the event may be what ends it",
};

async function dispatched(bus: Bus, record: LeasedRecord, run: Run, { event, facts }: Passed): Promise<Attempted> {
  let rejected = record.rejected;
  const marked = new Set(record.done);
  /** A replay for some subscribers that leaves others unfinished does not bring a dead event back to life. */
  const leavesSome = (): boolean => bus.subscriptionsFor(facts.type).some((each) => !marked.has(markOf(each)));
  const marks: Marks = {
    done: record.done,
    only: record.only,
    get halt() {
      return run.halt;
    },
    markDone(mark, now, last) {
      rejected ||= now;
      marked.add(mark);
      return run.markDone(mark, now, last && finished([]).outcome === "done");
    },
    ...(run.transaction && { transaction: run.transaction.bind(run) }),
    ...(run.markDoneWithin && { markDoneWithin: run.markDoneWithin.bind(run) }),
  };
  const finished = (failures: readonly Failure[]): Outcome =>
    rejected || (record.only && !record.wasDone && leavesSome()) ? { outcome: "dead", failures } : { outcome: "done" };
  const { failures: thrown, unfinished, late } = await bus.dispatch(event, facts, marks);
  const failures = thrown.map(({ subscriber, error }) => failureOf(error, subscriber));
  const error = thrown.length > 0 ? new DispatchError(facts.type, thrown) : undefined;
  const later = thrown.flatMap((each) => (each.error instanceof RetryLater ? each.error.afterSeconds * 1000 : []));
  const afterMs = later.length > 0 ? Math.max(...later) : undefined;
  const outcomeOf = (all: boolean): Outcome => {
    return all ? finished(failures) : { outcome: "failed", failures, afterMs };
  };
  return { facts, error, outcome: outcomeOf(!unfinished && !late), ...(late && { late: late.then(outcomeOf) }) };
}

/** Of a replay: what the stored signature is refused for, by the clock of its arrival and the secrets of today. */
async function refusedNow(bus: Bus, record: LeasedRecord): Promise<Failure | undefined> {
  if (!record.replayed || record.verifiedBy !== "signature") return undefined;
  const checked = await verify(bus, requestOf(record), record.receivedAt);
  if (checked?.verified) return undefined;
  const reason = checked ? checked.reason : "no_secret";
  const message = "the stored delivery does not verify with the secrets that the bus has now";
  return { error: reason, message };
}

/** The event of the record; null where the retriever ignores it. */
async function envelopeOf(bus: Bus, record: LeasedRecord, retriever: Retriever): Promise<Envelope | null> {
  const { client } = retriever;
  if (record.verifiedBy === "retrieval") {
    const read = bus.provider.read(parsePayload(record.body), { client });
    return one("id" in read ? [read] : read, bus, record);
  }
  const request = requestOf(record);
  const payload = bus.provider.parse ? bus.provider.parse(request) : parsePayload(record.body);
  const read = bus.provider.read(payload, { request, client });
  const envelope = one("id" in read ? [read] : read, bus, record);
  if (!bus.retrieves) return envelope;
  return timed(bus, "hookbus.retrieve", () => retriever.retrieve(carriedBy(request, payload, read, envelope)));
}

function one(envelopes: readonly Envelope[], bus: Bus, { key }: LeasedRecord): Envelope {
  const found = envelopes.find((envelope) => `${bus.name}:${envelope.key}` === key);
  if (!found) throw new PayloadError("the stored delivery no longer holds this event: was the provider changed?");
  return found;
}

function requestOf({ request, body }: LeasedRecord): WebhookRequest {
  if (!request) throw new PayloadError("the record holds no request");
  const { method, url, headers } = request;
  return { method, url, headers, body };
}

/** Enough of a message to find the fault by. */
const MESSAGE_LENGTH = 1_000;

function failureOf(error: unknown, subscriber?: string): Failure {
  return {
    ...(subscriber !== undefined && { subscriber }),
    // The step says it too, and so does the log.
    error: codeOf(error) ?? classOf(error),
    message: messageOf(error).slice(0, MESSAGE_LENGTH),
  };
}

function messageOf(error: unknown): string {
  const message = fieldOf(error, "message");
  try {
    return String(message ?? "");
  } catch {
    // It is no text, and has none.
    return "";
  }
}
