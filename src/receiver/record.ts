import type { Bus } from "../bus/bus.ts";
import { matches } from "../bus/patterns.ts";
import { HookbusError, PayloadError, StoreUnavailableError } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { NewRecord, Recorded, RecordedRequest } from "../inbox/record.ts";
import type { Envelope } from "../providers/provider.ts";
import { factsOf } from "./facts.ts";
import { worstResult } from "./failure.ts";
import { fingerprintOf, type Source } from "./fingerprint.ts";
import { acknowledged } from "./receipt.ts";
import type { Mount } from "./request.ts";
import type { Result } from "./timed.ts";

/** A delivery that was found genuine, on its way into the inbox. */
export interface Genuine {
  readonly envelopes: readonly Envelope[];
  /** When it arrived, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Of a verified signature: the secret's label, and what is kept of the request. */
  readonly signed: { readonly matchedSecret: string; readonly request: RecordedRequest } | undefined;
  /** The raw bytes; of an event that was fetched back, they are not kept. */
  readonly body: Uint8Array;
  readonly source: Source | undefined;
}

/** Records the events of a delivery, all or none, and says how to answer it. Rejects where they are not durable. */
export async function record(bus: Bus, inbox: Inbox, delivery: Genuine, { types }: Mount): Promise<Result> {
  const { signed, envelopes, source } = delivery;
  const events = envelopes.map((envelope) => {
    if (envelope.type === undefined && !signed) throw new PayloadError("the event has no `type`");
    const pinned = types && !types.some((pattern) => matches(pattern, envelope.type ?? "", bus.provider.delimiter));
    return { envelope, pinned: pinned ?? false };
  });
  // What is ignored is used up where no signature covers its type, or it could come again as one of another type.
  const kept = events.filter(({ envelope, pinned }) => !pinned || envelope.unsigned?.includes("type"));
  const recorded =
    kept.length > 0 ? await recordedBy(inbox, () => kept.map((each) => recordOf(bus, inbox, delivery, each))) : [];
  const results = events.map(({ envelope, pinned }): Result => {
    const facts =
      envelope.type === undefined
        ? undefined
        : factsOf(bus, envelope, signed ? "signature" : "retrieval", signed?.matchedSecret);
    const answer = recorded[kept.findIndex((each) => each.envelope === envelope)];
    if (answer?.state === "duplicate") {
      const conflict = answer.fingerprint !== fingerprintOf(envelope.data, source);
      return { facts, receipt: acknowledged("duplicate", bus.provider.success), conflict };
    }
    if (pinned) return { facts, receipt: acknowledged("ignored", bus.provider.success), reason: "types" };
    return { facts, receipt: acknowledged("queued", bus.provider.success) };
  });
  return worstResult(results);
}

function recordOf(
  bus: Bus,
  inbox: Inbox,
  { signed, receivedAt, body, source }: Genuine,
  { envelope, pinned }: { readonly envelope: Envelope; readonly pinned: boolean },
): NewRecord {
  const { id, type } = envelope;
  return {
    key: `${bus.name}:${envelope.key}`,
    bus: bus.name,
    provider: bus.provider.name,
    id,
    type,
    verifiedBy: signed ? "signature" : "retrieval",
    matchedSecret: signed?.matchedSecret,
    fingerprint: fingerprintOf(envelope.data, source),
    lane: type === undefined ? undefined : inbox.laneOf?.(envelope.event, { bus: bus.name, type }),
    receivedAt,
    request: signed?.request,
    body: signed ? body : Buffer.from(JSON.stringify(envelope.event)),
    ignored: pinned,
  };
}

/** Whatever an inbox fails with, or answers beside what became of each record, nothing is acknowledged. */
async function recordedBy(inbox: Inbox, records: () => readonly NewRecord[]): Promise<readonly Recorded[]> {
  try {
    const given = records();
    const answers: unknown = await inbox.record(given);
    if (Array.isArray(answers) && answers.length === given.length && answers.every(isRecorded)) return answers;
    throw new TypeError('`record` must answer each record by { state: "recorded" } or "duplicate"');
  } catch (cause) {
    if (cause instanceof HookbusError) throw cause;
    throw new StoreUnavailableError("the inbox did not answer: nothing is acknowledged", { cause });
  }
}

function isRecorded(answer: unknown): answer is Recorded {
  if (typeof answer !== "object" || answer === null || !("state" in answer)) return false;
  return answer.state === "recorded" || answer.state === "duplicate";
}
