import type { Bus } from "../bus/bus.ts";
import { HookbusError } from "../errors.ts";
import type { Delivered, Run } from "../inbox/inbox.ts";
import type { LeasedRecord, Outcome } from "../inbox/record.ts";
import { deliverRecord } from "./deliver-record.ts";
import type { Retriever } from "./retrieve.ts";
import { tellListener } from "./tell-listener.ts";

/** A failure after which no attempt is left is final. */
function final(outcome: Outcome, { attemptsLeft }: LeasedRecord): Outcome {
  if (outcome.outcome !== "failed" || attemptsLeft > 0) return outcome;
  return { outcome: "dead", failures: outcome.failures };
}

/** Delivers one bus's records, and tells the operator what came of each. */
export class Deliverer {
  readonly #bus: Bus;
  readonly #retriever: Retriever;

  constructor(bus: Bus, retriever: Retriever) {
    this.#bus = bus;
    this.#retriever = retriever;
  }

  /** Never rejects. */
  async deliver(record: LeasedRecord, run: Run): Promise<Delivered> {
    const bus = this.#bus;
    const started = performance.now();
    const attempted = await deliverRecord(bus, record, run, this.#retriever);
    const { facts, error } = attempted;
    const outcome = final(attempted.outcome, record);
    const late = attempted.late?.then((each) => final(each, record));
    const { id, type = record.type } = facts ?? record;
    bus.step({
      name: "hookbus.attempt",
      durationMs: performance.now() - started,
      outcome: outcome.outcome,
      reason: "failures" in outcome ? outcome.failures[0]?.error : undefined,
      attempt: record.attempt,
      id,
      type,
      verifiedBy: record.verifiedBy,
      matchedSecret: record.matchedSecret,
      error,
    });
    if (error !== undefined) tellListener(bus, error, { id, ...(type !== undefined && { type }) });
    return { outcome, late };
  }

  troubled(error: unknown): void {
    const reason = error instanceof HookbusError ? error.code : "unexpected";
    this.#bus.step({ name: "hookbus.inbox", durationMs: 0, outcome: "failed", reason, error });
    tellListener(this.#bus, error);
  }
}
