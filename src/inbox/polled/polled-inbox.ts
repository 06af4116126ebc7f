import { type Clock, systemClock } from "../../clock.ts";
import { ConfigurationError, HookbusError, StoreUnavailableError } from "../../errors.ts";
import { assertReplay, assertTarget, assertWork } from "../arguments.ts";
import type {
  CloseOptions,
  Inbox,
  InboxBus,
  InboxOptions,
  OrderOptions,
  RecordCounts,
  RecordQuery,
  Replayed,
  ReplayOptions,
  Worker,
  WorkOptions,
} from "../inbox.ts";
import type { Policy } from "../policy.ts";
import type { NewRecord, RecordDetails, Recorded, RecordSummary } from "../record.ts";
import { Batch } from "./batch.ts";
import { PolledWorker } from "./polled-worker.ts";
import type { Change, RecordStore } from "./record-store.ts";

export interface PolledInboxSetup {
  readonly store: RecordStore;
  readonly policy: Policy;
  readonly options: InboxOptions & OrderOptions;
  /** How many deliveries share a commit at the most, and how many commits may be under way at once. */
  readonly group: { readonly most: number; readonly flights: number };
}

/** A provider gives up on an answer after ten seconds or so (Stripe, GitHub): half of that leaves time to say 503. */
const TIMEOUT_MS = 5_000;

/** Whoever sends many deliveries is seldom done in one turn, and a commit costs much more than to look again. */
const GATHERING_TURNS = 5;

/** How often a process that works drops the bodies that are past their time. */
const PURGE_EVERY_MS = 60 * 60 * 1000;

/** An inbox over a store that workers ask for work. */
export class PolledInbox implements Inbox {
  readonly laneOf?: NonNullable<Inbox["laneOf"]>;
  readonly #store: RecordStore;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #records: Batch<readonly NewRecord[], readonly Recorded[]>;
  readonly #writes: Batch<Change, boolean>;
  readonly #workers = new Set<PolledWorker>();
  #listening: Promise<(() => void | Promise<void>) | undefined> | undefined;
  #purging: unknown;
  #closed = false;

  constructor({ store, policy, options, group }: PolledInboxSetup) {
    const { orderBy } = options;
    if (orderBy !== undefined) {
      if (typeof orderBy !== "function") throw new ConfigurationError("`orderBy` must be a function");
      this.laneOf = (event, facts) => laneText(orderBy(event as never, facts));
    }
    this.#store = store;
    this.#policy = policy;
    this.#clock = options.clock ?? systemClock;
    const common = { clock: this.#clock, timeoutMs: TIMEOUT_MS };
    this.#records = new Batch({
      ...common,
      ...group,
      turns: GATHERING_TURNS,
      flush: (deliveries) => store.insert(deliveries),
      weigh: ([record]) => record?.body.byteLength ?? 0,
    });
    this.#writes = new Batch({ ...common, most: 64, flights: 1, flush: (changes) => store.write(changes) });
  }

  async record(records: readonly NewRecord[]): Promise<readonly Recorded[]> {
    const recorded = await this.#answered(() => this.#records.add(records));
    for (const worker of this.#workers) {
      if (records.some(({ bus }) => bus === worker.bus)) worker.wake();
    }
    return recorded;
  }

  work(bus: InboxBus, options: WorkOptions = {}): Worker {
    assertWork(bus, options);
    const { concurrency = 10, pollMs = 500 } = options;
    if (this.#closed) throw new ConfigurationError("the inbox has been closed");
    const worker = new PolledWorker({
      bus,
      store: this.#store,
      writes: this.#writes,
      policy: this.#policy,
      clock: this.#clock,
      concurrency,
      pollMs,
    });
    this.#workers.add(worker);
    this.#listen(bus);
    this.#purgeLater();
    return {
      close: async (close) => {
        await worker.close(close);
        this.#workers.delete(worker);
      },
    };
  }

  async find(query: RecordQuery = {}): Promise<readonly RecordSummary[]> {
    return this.#answered(() => this.#store.find(query));
  }

  async get(key: string): Promise<RecordDetails | undefined> {
    return this.#answered(() => this.#store.get(key));
  }

  async counts(): Promise<RecordCounts> {
    return this.#answered(() => this.#store.counts());
  }

  async replay(target: string | RecordQuery, options: ReplayOptions = {}): Promise<Replayed> {
    assertReplay(target, options);
    const replayed = await this.#answered(() => this.#store.replay(target, options));
    for (const worker of this.#workers) worker.wake();
    return replayed;
  }

  async discard(target: string | RecordQuery): Promise<number> {
    assertTarget(target);
    return this.#answered(() => this.#store.discard(target));
  }

  async purge(): Promise<number> {
    let purged = 0;
    for (;;) {
      const more = await this.#answered(() => this.#store.purge());
      if (more === 0) return purged;
      purged += more;
    }
  }

  async ping(): Promise<void> {
    await this.#answered(() => this.#store.ping());
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#closed = true;
    this.#clock.clearTimeout(this.#purging);
    await Promise.all([...this.#workers].map((worker) => worker.close(options)));
    this.#workers.clear();
    const end = await this.#listening?.catch(() => undefined);
    await end?.();
    await this.#store.close();
  }

  #listen(bus: InboxBus): void {
    if (!this.#store.listen || this.#listening !== undefined) return;
    const wake = (): void => {
      for (const worker of this.#workers) worker.wake();
    };
    this.#listening = Promise.resolve()
      .then(() => this.#store.listen?.(wake))
      .catch((error: unknown) => {
        // Workers look for themselves meanwhile, at every poll.
        bus.troubled(error);
        this.#listening = undefined;
        return undefined;
      });
  }

  #purgeLater(): void {
    this.#clock.clearTimeout(this.#purging);
    this.#purging = this.#clock.setTimeout(() => {
      void this.purge().catch(() => 0);
      this.#purgeLater();
    }, PURGE_EVERY_MS);
  }

  /** Whatever the store fails with, it has not answered; what is hookbus's own is told as it is. */
  async #answered<T>(call: () => T | Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      if (cause instanceof HookbusError) throw cause;
      throw new StoreUnavailableError("the inbox did not answer: nothing is acknowledged", { cause });
    }
  }
}

function laneText(lane: unknown): string | undefined {
  if (lane === undefined || lane === null) return undefined;
  if (typeof lane === "string") return lane;
  throw new ConfigurationError("`orderBy` must return text, or undefined for an event that needs no order");
}
