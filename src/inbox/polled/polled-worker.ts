import type { Clock } from "../../clock.ts";
import { HookbusError } from "../../errors.ts";
import type { CloseOptions, Delivered, InboxBus, Worker } from "../inbox.ts";
import { backoffMs, type Policy } from "../policy.ts";
import type { LeasedRecord, Outcome } from "../record.ts";
import type { Batch } from "./batch.ts";
import { RecordRun } from "./record-run.ts";
import type { Change, WorkedStore } from "./record-store.ts";

export interface PolledWorkerOptions {
  readonly bus: InboxBus;
  readonly store: WorkedStore;
  readonly writes: Batch<Change, boolean>;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly pollMs: number;
}

/** The wait after trouble with the store, from the first time to the most, in milliseconds. */
const TROUBLE_MS = { first: 250, most: 10_000 };

/** Asks a store for the records of one bus, and delivers them, several at once. */
export class PolledWorker implements Worker {
  readonly #options: PolledWorkerOptions;
  readonly #runs = new Set<RecordRun>();
  /** Those of them whose subscribers are being called; one that only waits for a late subscriber takes no place. */
  #busy = 0;
  /** Those that were still going on when the time to close was over. */
  readonly #left = new Set<RecordRun>();
  #asking = false;
  #askAgain = false;
  #timer: unknown;
  #heartbeat: unknown;
  #troubles = 0;
  #asked: Promise<void> = Promise.resolve();
  #closing = false;
  /** Whether the time to close is over, too: what heartbeats then still come to is nobody's concern. */
  #over = false;
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
    clock.clearTimeout(this.#timer);
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
      if (!this.#closing) this.#timer = clock.setTimeout(() => this.wake(), waitMs);
    }
  }

  async #deliver(record: LeasedRecord): Promise<void> {
    const { bus, store, writes, clock } = this.#options;
    // The lease ran out in a process that stood still, by a clock that jumped, or while the store was away.
    const going = [...this.#runs].find((each) => each.record.key === record.key);
    if (going) {
      going.renew(record);
      return;
    }
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
    const ended = await this.#end(run, outcome);
    this.#runs.delete(run);
    // Due again at once, and leased before the answer to the end came in.
    if (ended !== run.record) void this.#deliver(run.record);
    if (this.#runs.size === 0) this.#idle?.();
    this.wake();
  }

  /** Writes how an attempt ended, for as long as the store does not take it; gives the lease that it was written under. */
  async #end(run: RecordRun, outcome: Outcome): Promise<LeasedRecord> {
    const { policy, clock } = this.#options;
    const waitMs = outcome.outcome === "failed" ? (outcome.afterMs ?? backoffMs(policy, run.record.attempt)) : 0;
    for (;;) {
      const { record } = run;
      if (this.#left.has(run)) return record;
      try {
        // Halted before its subscribers had all had their turn: that was no attempt that failed.
        const unfinished = run.halt && outcome.outcome === "failed" && outcome.failures.length === 0;
        const held = unfinished || run.idle ? await run.giveBack() : await run.end(outcome, waitMs);
        if (held && waitMs > 0) this.#wakeIn(waitMs);
        if (held) return record;
        // It may be this very worker that has the lease by now, and has not been told yet.
        await this.#asked;
        if (record === run.record) return record;
      } catch (error) {
        const pauseMs = this.#troubled(error);
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, pauseMs));
      }
    }
  }

  #wakeIn(waitMs: number): void {
    // Beyond the next look at the store, that look will do.
    if (waitMs < this.#options.pollMs) this.#options.clock.setTimeout(() => this.wake(), waitMs + 1);
  }

  /** Three heartbeats a lease, by the clock alone: one may be late and one lost, whether it fails or is never answered. */
  #beat(): void {
    this.#heartbeat = this.#options.clock.setTimeout(() => {
      this.#beat();
      void this.#extend();
    }, this.#options.policy.leaseMs / 3);
  }

  async #extend(): Promise<void> {
    const { store } = this.#options;
    const runs = [...this.#runs];
    try {
      if (runs.length > 0) {
        const lost = await store.extend(runs.map(({ record }) => record.lease));
        // A late answer may be about a lease that its run has exchanged for another since.
        const isLost = ({ record: { key, lease } }: RecordRun): boolean =>
          lost.some((each) => each.key === key && each.fence === lease.fence);
        for (const run of runs) if (isLost(run)) run.lose();
      }
      await store.free?.(this.bus);
    } catch (error) {
      if (!this.#over) this.#troubled(error);
    }
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
    if (this.#runs.size > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, graceMs);
        this.#idle = () => {
          clock.clearTimeout(timer);
          resolve();
        };
      });
    }
    clock.clearTimeout(this.#heartbeat);
    this.#over = true;
    for (const run of this.#runs) this.#left.add(run);
    for (const run of this.#left) run.stop(closing());
    const giveBack = (run: RecordRun) => run.giveBack().catch((error: unknown) => this.#options.bus.troubled(error));
    await Promise.all([...this.#left].map(giveBack));
  }
}

const NOT_STARTED: Outcome = { outcome: "failed", failures: [] };

function closing(): Error {
  return new Error("the worker is closing");
}
