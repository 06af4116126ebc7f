import type { Database, Plan } from "../../databases/statement.ts";
import type { RecordCounts, RecordQuery, Replayed, ReplayOptions } from "../inbox.ts";
import type { Policy } from "../policy.ts";
import { asked } from "../polled/query.ts";
import type { Change, LeaseRequest, RecordStore } from "../polled/record-store.ts";
import type { Lease, LeasedRecord, NewRecord, RecordDetails, Recorded, RecordSummary } from "../record.ts";
import { extend, freeFromTheFuture, lease } from "./lease.ts";
import { counts, find, get } from "./manage.ts";
import { AT_ONCE, discard, type Page, purge, replay } from "./replay.ts";
import { markOrFail, markWithin, overOf, write } from "./write.ts";

type Maybe<T> = T | Promise<T>;

/** Records in a SQL database: the state machine of a record, over either dialect. */
export abstract class SqlRecords implements RecordStore {
  protected readonly database: Database;
  readonly #policy: Policy;
  readonly #worker: string;
  readonly #ordered: boolean;
  readonly #clock: () => number;

  /**
   * @param worker what this process is called, for whoever looks at the table.
   * @param ordered whether events may have lanes.
   * @param clock this process's clock, for the times of marks.
   */
  constructor(database: Database, policy: Policy, worker: string, ordered: boolean, clock: () => number) {
    this.database = database;
    this.#policy = policy;
    this.#worker = worker;
    this.#ordered = ordered;
    this.#clock = clock;
  }

  abstract insert(deliveries: readonly (readonly NewRecord[])[]): Maybe<readonly (readonly Recorded[] | Error)[]>;

  lease(request: LeaseRequest): Maybe<readonly LeasedRecord[]> {
    const terms = { ...request, worker: this.#worker, policy: this.#policy, ordered: this.#ordered };
    return this.claim(() => lease(this.database.dialect, { ...terms, now: this.database.now() }));
  }

  extend(leases: readonly Lease[]): Maybe<readonly Lease[]> {
    const { dialect } = this.database;
    return this.beat(() => extend(dialect, this.database.now(), this.#policy.leaseMs, leases));
  }

  free(bus: string): Maybe<void> {
    return this.beat(() => freeFromTheFuture(this.database.dialect, this.database.now(), bus));
  }

  write(changes: readonly Change[]): Maybe<readonly boolean[]> {
    return this.database.run(() => write(this.database.dialect, this.database.now(), changes));
  }

  transaction<Tx, T>(held: Lease, subscriber: string, fn: (tx: Tx) => T | Promise<T>): Promise<T> {
    return this.database.transaction(fn, () => markOrFail(this.database.dialect, held, subscriber, this.#clock()));
  }

  async markDoneWithin<Executor>(held: Lease, subscriber: string, executor: Executor): Promise<void> {
    try {
      await this.database.within(executor, () => markWithin(this.database.dialect, held, subscriber, this.#clock()));
    } catch (error) {
      throw overOf(error, held.key);
    }
  }

  async find(query: RecordQuery): Promise<readonly RecordSummary[]> {
    const found = await this.database.one(() => find(this.database.dialect, this.database.now(), query));
    return found.map(({ seq: _, ...summary }) => summary);
  }

  get(key: string): Maybe<RecordDetails | undefined> {
    return this.database.run(() => get(this.database.dialect, this.database.now(), key));
  }

  counts(): Maybe<RecordCounts> {
    return this.database.one(() => counts(this.database.dialect, this.database.now()));
  }

  async replay(target: string | RecordQuery, options: ReplayOptions): Promise<Replayed> {
    const replayed: string[] = [];
    const refused: Replayed["refused"][number][] = [];
    await this.#pages(
      target,
      (page) => replay(this.database.dialect, this.database.now(), page, options),
      (done) => {
        replayed.push(...done.replayed);
        refused.push(...done.refused);
      },
    );
    return { replayed, refused };
  }

  async discard(target: string | RecordQuery): Promise<number> {
    let discarded = 0;
    await this.#pages(
      target,
      (page) => discard(this.database.dialect, this.database.now(), page),
      (done) => {
        discarded += done;
      },
    );
    return discarded;
  }

  purge(): Maybe<number> {
    return this.database.run(() => purge(this.database.dialect, this.database.now(), this.#policy.retentionMs));
  }

  ping(): Maybe<void> {
    return this.database.ping();
  }

  close(): Maybe<void> {
    return this.database.close();
  }

  /** How a lease is taken, and a heartbeat sent: drivers have their own ways. */
  protected claim<T>(plan: () => Plan<T>): Maybe<T> {
    return this.database.one(plan);
  }

  protected beat<T>(plan: () => Plan<T>): Maybe<T> {
    return this.database.one(plan);
  }

  /** Goes through all that a query means, a page in a transaction. */
  async #pages<T>(
    target: string | RecordQuery,
    plan: (page: string | RecordQuery) => Plan<Page<T>>,
    take: (done: T) => void,
  ): Promise<void> {
    if (typeof target === "string") {
      take((await this.database.run(() => plan(target))).done);
      return;
    }
    let left = asked(target).limit ?? Number.POSITIVE_INFINITY;
    let { after } = target;
    while (left > 0) {
      const limit = Math.min(left, AT_ONCE);
      const page = await this.database.run(() => plan({ ...target, limit, after }));
      take(page.done);
      if (page.looked < limit) return;
      left -= page.looked;
      after = page.last;
    }
  }
}
