import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../clock.ts";
import { HookbusError } from "../../errors.ts";
import type { CloseOptions, Delivered, InboxBus, Worker } from "../inbox.ts";
import { backoffMs } from "../policy.ts";
import type { Outcome } from "../record.ts";
import { type BeginOptions, begin } from "./begin.ts";
import { unanswered } from "./errors.ts";
import { Intake } from "./intake.ts";
import { BEATS, type HeldJob, RedisJobs, unlessRefused } from "./jobs.ts";
import { queueOf } from "./keys.ts";
import type { RedisRun } from "./run.ts";
import type { InboxServer } from "./server.ts";
import { waitAfter, within } from "./waits.ts";
import { RedisWriter } from "./writer.ts";

export interface RedisWorkerOptions extends BeginOptions {
  readonly bus: InboxBus;
  readonly prefix: string;
  readonly concurrency: number;
}

/** How often an operator is told of the same trouble. */
const TELL_EVERY_MS = 10_000;

/** With the end of a larger one no other is asked for: many large ones would come together. */
const SMALL_BYTES = 16 * 1024;

/** How long a call of BullMQ's may take to notice that it is to end. */
const END_MS = 5_000;

/** Delivers the records of one queue, several at once. */
export class RedisWorker implements Worker {
  readonly #options: RedisWorkerOptions;
  readonly #jobs: RedisJobs;
  readonly #intake: Intake;
  readonly #writer: RedisWriter;
  readonly #runs = new Set<RedisRun>();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #told = new Map<string, number>();
  readonly #working: Promise<void>;
  #heartbeat: unknown;
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor(options: RedisWorkerOptions) {
    const { server, prefix, bus, policy, clock } = options;
    this.#options = options;
    const queue = queueOf(bus.name);
    this.#writer = new RedisWriter({ server, prefix, queue, leaseMs: policy.leaseMs });
    this.#jobs = new RedisJobs({
      server,
      prefix,
      queue,
      leaseMs: policy.leaseMs,
      places: options.concurrency,
      clock,
      onError: (error) => this.#tell(unanswered(error)),
    });
    this.#intake = new Intake(this.#jobs, options.concurrency, this.#stopping.signal);
    this.#working = this.#work();
    this.#beat(0);
  }

  close({ graceMs = 10_000 }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #work(): Promise<void> {
    let troubles = 0;
    while (this.#intake.open) {
      try {
        for (const job of await this.#intake.take()) void this.#start(job);
        troubles = 0;
      } catch (error) {
        this.#tell(error);
        troubles += 1;
        await this.#pause(waitAfter(troubles));
      }
    }
  }

  #start(held: HeldJob): Promise<void> {
    const delivery = this.#deliver(held).catch((error: unknown) => this.#tell(unanswered(error)));
    this.#deliveries.add(delivery);
    void delivery.finally(() => this.#deliveries.delete(delivery));
    return delivery;
  }

  async #deliver(held: HeldJob): Promise<void> {
    const { bus, server } = this.#options;
    const stopping = this.#stopping.signal;
    const wantsNext = (): boolean => !stopping.aborted && (run?.record.body.byteLength ?? 0) <= SMALL_BYTES;
    let run: RedisRun | undefined;
    try {
      let delivered: Delivered;
      try {
        if (stopping.aborted) {
          // Taken while the worker began to close.
          await giveBack(held, server, this.#writer);
          return;
        }
        run = await begin(held, { jobs: this.#jobs, writer: this.#writer, wantsNext, ...this.#options });
        if (!run) return;
        this.#runs.add(run);
        delivered = await bus.deliver(run.record, run);
      } finally {
        // One that only waits for a late subscriber takes no place. The next one, if any, takes over this one's.
        const next = run?.takeNext();
        if (next) {
          const delivery = this.#start(next);
          if (stopping.aborted) await delivery;
        } else this.#intake.left();
      }
      // The lock is held until every subscriber has really settled: no attempt may begin beside one that still works.
      await this.#end(run, (await delivered.late) ?? delivered.outcome);
    } finally {
      if (run) this.#runs.delete(run);
    }
  }

  async #end(run: RedisRun, outcome: Outcome): Promise<void> {
    const { policy } = this.#options;
    const again = outcome.outcome === "failed";
    const waitMs = again ? Math.ceil(outcome.afterMs ?? backoffMs(policy, run.record.attempt)) : 0;
    for (let troubles = 1; !run.over; troubles += 1) {
      // Halted before its subscribers had all had their turn: that was no attempt that failed.
      const halted = again && run.halt !== undefined && outcome.failures.length === 0;
      try {
        await (halted ? run.giveBack() : run.end(outcome, waitMs));
        return;
      } catch (error) {
        this.#tell(error);
        // Once the lock is gone the record is delivered again, whatever is written.
        if (run.halt) return;
        await pause(waitAfter(troubles), undefined, { ref: false });
      }
    }
  }

  #beat(afterMs: number): void {
    this.#heartbeat = systemClock.setTimeout(() => {
      void Promise.allSettled([this.#extend(), this.#jobs.search()]).then((beats) => {
        for (const beat of beats) if (beat.status === "rejected") this.#tell(beat.reason);
        if (!this.#ended) this.#beat(this.#options.policy.leaseMs / BEATS);
      });
    }, afterMs);
  }

  async #extend(): Promise<void> {
    const runs = [...this.#runs].filter(({ over }) => !over);
    if (runs.length === 0) return;
    const askedAt = performance.now();
    const lost = await this.#jobs.extend(runs);
    for (const run of runs) {
      if (lost.includes(run.job.id as string)) run.lose();
      else run.hold(askedAt + this.#options.policy.leaseMs);
    }
  }

  /** Tells the operator what keeps the inbox from working. */
  #tell(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const kind = error instanceof HookbusError ? error.code : "unexpected";
    const now = performance.now();
    if (now - (this.#told.get(kind) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    this.#told.set(kind, now);
    this.#options.bus.troubled(error);
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);
  }

  async #close(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#jobs.close();
    await within(END_MS, this.#working);
    await within(graceMs, Promise.allSettled(this.#deliveries));
    const left = [...this.#runs].filter(({ over }) => !over);
    for (const run of left) run.stop(new Error("the worker is closing"));
    await Promise.allSettled(left.map((run) => run.giveBack()));
    this.#ended = true;
    systemClock.clearTimeout(this.#heartbeat);
  }
}

/** Gives back what has not been delivered, as if it had never been taken. */
async function giveBack({ job, token, begun }: HeldJob, server: InboxServer, writer: RedisWriter): Promise<void> {
  if (begun?.came === "begun") {
    const fields = ["h:run", String(begun.total - 1)];
    await writer.write({ id: job.id as string, token, comes: "", seq: "", fields });
  }
  await server.ask(() => unlessRefused(() => job.moveToWait(token)));
}
