import type { Clock } from "../../clock.ts";
import { HookbusError } from "../../errors.ts";
import type { CloseOptions, Delivered, InboxBus, Worker } from "../inbox.ts";
import { backoffMs, type Policy } from "../policy.ts";
import type { LeasedRecord, Outcome } from "../record.ts";
import type { Batch } from "./batch.ts";
import { RecordRun } from "./record-run.ts";
import type { Change, RecordStore } from "./record-store.ts";

export interface PolledWorkerOptions {
  readonly bus: InboxBus;
  readonly store: RecordStore;
  readonly writes: Batch<Change, boolean>;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly pollMs: number;
}

/** The wait after trouble with the store, from the first time to the most, in milliseconds. */
const TROUBLE_MS = { first: 250, most: 10_000 };

/** How often the end of an attempt is written anew where the store does not take it. */
const END_TRIES = 8;

/** Asks a store for the records of one bus, and delivers them, several at once. */
export class PolledWorker implements Worker {
  readonly #options: PolledWorkerOptions;
  readonly #runs = new Set<RecordRun>();
  /** Those of them whose subscribers are being called; one that only waits for a late subscriber takes no place. */
  #busy = 0;
  #asking = false;
  #askAgain = false;
  #timer: unknown;
  #heartbeat: unknown;
  #troubles = 0;
  #asked: Promise<void> = Promise.resolve();
  #closing = false;
  #closed: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: PolledWorkerOptions) {
    this.#options = options;
    this.#beat();
    this.wake();
  }

  get bus(): string {
    return this.#options.bus.name;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#closing) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    this.#asked = this.#ask();
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#close(options.graceMs ?? 10_000);
    return this.#closed;
  }

  async #ask(): Promise<void> {
    const { store, concurrency, pollMs, clock } = this.#options;
    let waitMs = pollMs;
    try {
      do {
        this.#askAgain = false;
        const limit = concurrency - this.#busy;
        if (limit <= 0 || this.#closing) break;
        const records = await store.lease({ bus: this.bus, limit });
        for (const record of records) void this.#deliver(record);
        if (records.length === limit) this.#askAgain = true;
        this.#troubles = 0;
      } while (this.#askAgain);
    } catch (error) {
      waitMs = this.#troubled(error);
    } finally {
      this.#asking = false;
      clock.clearTimeout(this.#timer);
      if (!this.#closing) this.#timer = clock.setTimeout(() => this.wake(), waitMs);
    }
  }

  async #deliver(record: LeasedRecord): Promise<void> {
    const { bus, store, writes, clock } = this.#options;
    const run = new RecordRun(record, store, writes, () => clock.now());
    this.#runs.add(run);
    this.#busy += 1;
    let delivered: Delivered;
    // Leased while the worker began to close: it has not been started, and another worker may have it.
    if (this.#closing) run.stop(closing());
    if (run.halt) delivered = { outcome: NOT_STARTED };
    else delivered = await bus.deliver(record, run);
    this.#busy -= 1;
    this.wake();
    // The lease is held until every subscriber has really settled: no attempt may begin beside one that still works.
    const outcome = (await delivered.late) ?? delivered.outcome;
    await this.#end(run, outcome);
    this.#runs.delete(run);
    if (this.#runs.size === 0) this.#idle?.();
    this.wake();
  }

  async #end(run: RecordRun, outcome: Outcome): Promise<void> {
    const { policy, clock } = this.#options;
    const { attempt } = run.record;
    const waitMs = outcome.outcome === "failed" ? (outcome.afterMs ?? backoffMs(policy, attempt)) : 0;
    for (let tries = 1; tries <= END_TRIES; tries += 1) {
      try {
        // Halted before its subscribers had all had their turn: that was no attempt that failed.
        if (run.halt && outcome.outcome === "failed" && outcome.failures.length === 0) await run.giveBack();
        else await run.end(outcome, waitMs);
        if (waitMs > 0) this.#wakeIn(waitMs);
        return;
      } catch (error) {
        const pauseMs = this.#troubled(error);
        if (tries < END_TRIES) await new Promise<void>((resolve) => void clock.setTimeout(resolve, pauseMs));
      }
    }
    // The lease runs out, and the record is delivered again.
  }

  #wakeIn(waitMs: number): void {
    // Beyond the next look at the store, that look will do.
    if (waitMs < this.#options.pollMs) this.#options.clock.setTimeout(() => this.wake(), waitMs + 1);
  }

  #beat(): void {
    // Three heartbeats a lease: one may be late and one lost.
    this.#heartbeat = this.#options.clock.setTimeout(() => void this.#extend(), this.#options.policy.leaseMs / 3);
  }

  async #extend(): Promise<void> {
    const runs = [...this.#runs];
    try {
      if (runs.length > 0) {
        const lost = await this.#options.store.extend(runs.map(({ record }) => record.lease));
        for (const run of runs) if (lost.some(({ fence }) => fence === run.record.lease.fence)) run.lose();
      }
    } catch (error) {
      this.#troubled(error);
    }
    if (!this.#closing || this.#runs.size > 0) this.#beat();
  }

  /** Tells the operator, and says how long to leave the store alone. */
  #troubled(error: unknown): number {
    const { bus } = this.#options;
    bus.troubled(error);
    this.#troubles += 1;
    const waitMs = Math.min(TROUBLE_MS.most, TROUBLE_MS.first * 2 ** (this.#troubles - 1));
    return Math.max(waitMs, error instanceof HookbusError ? TROUBLE_MS.first : 0);
  }

  async #close(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    await this.#asked;
    clock.clearTimeout(this.#timer);
    if (this.#runs.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, graceMs);
        this.#idle = () => {
          clock.clearTimeout(timer);
          resolve();
        };
      });
    }
    clock.clearTimeout(this.#heartbeat);
    const left = [...this.#runs];
    for (const run of left) run.stop(closing());
    await Promise.all(left.map((run) => run.giveBack().catch((error: unknown) => this.#options.bus.troubled(error))));
  }
}

const NOT_STARTED: Outcome = { outcome: "failed", failures: [] };

function closing(): Error {
  return new Error("the worker is closing");
}
