import type { Clock } from "../../clock.ts";
import { StaleTokenError } from "../../errors.ts";
import type { Run } from "../inbox.ts";
import type { Attempt, LeasedRecord, Outcome, RecordState } from "../record.ts";
import { type HeldJob, type RedisJobs, unlessRefused } from "./jobs.ts";
import { attemptText } from "./rows.ts";
import type { InboxServer } from "./server.ts";
import type { RedisWriter } from "./writer.ts";
import type { Written } from "./written.ts";

export interface RedisRunOptions extends Pick<HeldJob, "job" | "token"> {
  readonly server: InboxServer;
  readonly jobs: Pick<RedisJobs, "gathers" | "finish" | "unrecoverable">;
  readonly writer: RedisWriter;
  readonly clock: Clock;
  readonly record: LeasedRecord;
  /** Called when the last subscriber is done: whether another job is wanted in this one's place. */
  readonly wantsNext: () => boolean;
  /** The record's place in the order of recording. */
  readonly seq: string;
  /** The place of the record's last mark among its marks. */
  readonly marked: number;
  /** Which of all attempts this is, those before a replay included. */
  readonly total: number;
  readonly startedAt: number;
  /** Until when the lock lasts for sure, as `performance.now` counts. */
  readonly heldUntil: number;
}

/** One attempt of a record that this worker holds. What it writes is refused once another worker has the record. */
export class RedisRun implements Run {
  readonly record: LeasedRecord;
  readonly job: HeldJob["job"];
  readonly token: string;
  readonly #options: RedisRunOptions;
  /** The marks of this attempt, as fields of the record: its end writes once more those that are written. */
  readonly #marks = new Map<string, string>();
  #marked: number;
  #heldUntil: number;
  #halt: Error | undefined;
  #over = false;
  #next: HeldJob | undefined;

  constructor(options: RedisRunOptions) {
    this.#options = options;
    this.record = options.record;
    this.job = options.job;
    this.token = options.token;
    this.#heldUntil = options.heldUntil;
    this.#marked = options.marked;
  }

  get halt(): Error | undefined {
    // The server may have been away for longer than the lease: another worker may have begun.
    if (!this.#halt && performance.now() > this.#heldUntil) this.lose();
    return this.#halt;
  }

  /** Whether nothing more is to be written about this attempt. */
  get over(): boolean {
    return this.#over;
  }

  /** A job that came with the end of this attempt, if it has not been taken yet. */
  takeNext(): HeldJob | undefined {
    const next = this.#next;
    // Each of them would be kept from the garbage collector by the one before.
    this.#next = undefined;
    return next;
  }

  /** The heartbeat went through. */
  hold(until: number): void {
    this.#heldUntil = until;
  }

  /** Starts no further subscriber, for the reason `why`. */
  stop(why: Error): void {
    this.#halt ??= why;
  }

  /** Another worker has the record, or may have it. */
  lose(): void {
    this.stop(new StaleTokenError(`the lease of "${this.record.key}" is over: another worker has the event`));
  }

  /** The next subscriber waits until it is known that the worker has the record still. */
  async markDone(subscriber: string, rejected: boolean, over = false): Promise<void> {
    const at = this.#options.clock.now();
    const field = `h:m:${subscriber}`;
    this.#marked += 1;
    this.#marks.set(field, `${this.#marked} ${rejected ? "rejected" : "done"} ${at}`);
    try {
      if (over) {
        await this.end({ outcome: "done" }, 0, this.#options.wantsNext());
      } else if (!(await this.#options.writer.write(this.#written("")))) this.lose();
    } catch {
      // The end of the attempt writes it again.
    }
  }

  /** Writes how the attempt ended, and lets BullMQ know. Rejects where the server does not answer; then call it again. */
  async end(outcome: Outcome, dueInMs: number, fetchNext = false): Promise<void> {
    const { job, token, jobs } = this.#options;
    const failures = "failures" in outcome ? outcome.failures : [];
    const how = { outcome: outcome.outcome, failures };
    await this.#finish(how, dueInMs, fetchNext, async (fetchNext) => {
      if (outcome.outcome === "failed") await job.moveToDelayed(Date.now() + dueInMs, token);
      else if (outcome.outcome === "dead") {
        const blamed = failures.map(({ subscriber = "hookbus", error }) => `${subscriber}: ${error}`);
        await job.moveToFailed(jobs.unrecoverable(blamed.join(", ") || "dead"), token, false);
      } else await job.moveToCompleted(undefined, token, fetchNext);
    });
  }

  /** Lets another worker have the record at once. */
  async giveBack(): Promise<void> {
    const { job, token } = this.#options;
    await this.#finish({ outcome: "given back", failures: [] }, 0, false, () => job.moveToWait(token));
  }

  async #finish(
    how: Pick<Attempt, "outcome" | "failures">,
    dueInMs: number,
    fetchNext: boolean,
    tell: (fetchNext: boolean) => Promise<unknown>,
  ): Promise<void> {
    const { server, jobs, writer, clock, total, startedAt } = this.#options;
    const endedAt = clock.now();
    const again = how.outcome === "failed" || how.outcome === "given back" || how.outcome === "lost";
    const comes = again ? "" : (how.outcome as RecordState);
    const attempt = attemptText({ startedAt, endedAt, ...how });
    const due = ["h:run", String(total), "h:due", String(endedAt + dueInMs)];
    const rest = again ? due : ["h:end", `${comes} ${endedAt}`];
    const written = this.#written(comes, [`h:a:${total}`, attempt, ...rest]);
    let held: boolean;
    if (!again && jobs.gathers) {
      const finished = await jobs.finish(written, () => tell(fetchNext), fetchNext);
      held = finished.held;
      this.#next = finished.next;
    } else {
      held = await writer.write(written);
      if (held) await server.ask(() => unlessRefused(() => tell(false)));
    }
    if (!held) this.lose();
    this.#over = true;
  }

  #written(comes: Written["comes"], end: readonly string[] = []): Written {
    const { job, token, seq } = this.#options;
    return { id: job.id as string, token, comes, seq, fields: [...[...this.#marks].flat(), ...end] };
  }
}
