import type { Clock } from "../clock.ts";
import type {
  LeasedRecord,
  NewRecord,
  Outcome,
  RecordDetails,
  Recorded,
  RecordState,
  RecordSummary,
} from "./record.ts";

/** Which records are meant: all that fit every field given. */
export interface RecordQuery {
  readonly bus?: string | undefined;
  readonly state?: RecordState | undefined;
  /** A type, exactly. */
  readonly type?: string | undefined;
  /** An event's id. */
  readonly id?: string | undefined;
  /** Received at this time or later: a date, or milliseconds since 1970. */
  readonly since?: Date | number | undefined;
  /** Received before this time. */
  readonly until?: Date | number | undefined;
  /** At most so many; default 100. */
  readonly limit?: number | undefined;
  /** The key of the last record of the page before. */
  readonly after?: string | undefined;
}

export type RecordCounts = Readonly<Record<RecordState, number>>;

export interface ReplayOptions {
  /** Run these subscribers alone, whether they are done or not, new ones too; default: all, those that are done too. */
  readonly subscribers?: readonly string[] | undefined;
  /** Only say what would be replayed. */
  readonly dryRun?: boolean | undefined;
}

export interface Replayed {
  /** The keys of the records that will be, or with `dryRun` would be, delivered again. */
  readonly replayed: readonly string[];
  /** Those that cannot be: a worker has them, or their bodies are purged. */
  readonly refused: readonly { readonly key: string; readonly reason: "running" | "purged" }[];
}

/** What an inbox hands a bus with each record: where the record is kept, and who is done with it. */
export interface Run {
  /** Why no further subscriber must start: the lease is lost, or the worker is to end. */
  readonly halt?: Error | undefined;
  /** Never rejects. `over`: with it the attempt is done, and its end may be written together with the mark. */
  markDone(mark: string, rejected: boolean, over?: boolean): void | Promise<void>;
  transaction?<Tx, T>(mark: string, fn: (tx: Tx) => T | Promise<T>): Promise<T>;
  markDoneWithin?<Executor>(mark: string, executor: Executor): Promise<void>;
}

export interface Delivered {
  readonly outcome: Outcome;
  /** Where a subscriber ran out of time: settles, never rejecting, with the outcome once it has really ended. */
  readonly late?: Promise<Outcome> | undefined;
}

/** What an inbox needs of a bus. `EventBus` is one. */
export interface InboxBus {
  readonly name: string;
  /** Throws `ConfigurationError` where the bus could deliver nothing. */
  assertReady(): void;
  /** Runs the subscribers that a record still needs. Never rejects. */
  deliver(record: LeasedRecord, run: Run): Promise<Delivered>;
  /** Tells the operator what keeps the inbox from working. */
  troubled(error: unknown): void;
}

export interface WorkOptions {
  /** How many events are delivered at once; default 10. */
  readonly concurrency?: number | undefined;
  /**
   * How often an idle worker looks for what other processes recorded, in milliseconds, where the engine does not tell it;
   * default 500.
   */
  readonly pollMs?: number | undefined;
}

export interface CloseOptions {
  /** How long deliveries that run may take to finish, in milliseconds, before they are given back; default 10 000. */
  readonly graceMs?: number | undefined;
}

/** Delivers the records of one bus. */
export interface Worker {
  /** Takes no further record, lets what runs finish within the grace time, and gives the rest back. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Makes events durable before they are acknowledged, and delivers them until every subscriber is done.
 *
 * Every method rejects with `StoreUnavailableError` where the engine does not answer, and with `ConfigurationError` where
 * it cannot be used as it is set up.
 */
export interface Inbox {
  /** Resolves once the records of one delivery would survive a crash: all of them, each under its own key, or none. */
  record(records: readonly NewRecord[]): Promise<readonly Recorded[]>;
  /** Delivers the records of `bus` from now on, in this process; several processes may work at once. */
  work(bus: InboxBus, options?: WorkOptions): Worker;
  /** The lane of an event, in the words of the inbox's `orderBy`; `undefined` where it has none. */
  laneOf?(event: unknown, facts: { readonly bus: string; readonly type: string }): string | undefined;
  /** The newest first. */
  find(query?: RecordQuery): Promise<readonly RecordSummary[]>;
  get(key: string): Promise<RecordDetails | undefined>;
  counts(): Promise<RecordCounts>;
  /** Delivers records again, whatever became of them: one by its key, or all that fit a query. Leaves an audit entry. */
  replay(target: string | RecordQuery, options?: ReplayOptions): Promise<Replayed>;
  /** Gives up pending and dead records: their keys stay. Says how many. Leaves an audit entry. */
  discard(target: string | RecordQuery): Promise<number>;
  /** Drops the bodies of records that ended longer ago than the retention time; workers do so by themselves. Says how many. */
  purge(): Promise<number>;
  /** Rejects where the engine cannot be reached; asked by health checks. */
  ping(): Promise<void>;
  /** Closes every worker, then what the inbox opened. */
  close(options?: CloseOptions): Promise<void>;
}

/** What all inboxes can be told. */
export interface InboxOptions {
  /** How many attempts an event gets before it is dead; default 15. */
  readonly attempts?: number | undefined;
  /** The time to the next attempt: a random part of `baseMs`, doubled with each attempt, `capMs` at most. */
  readonly backoff?: { readonly baseMs?: number | undefined; readonly capMs?: number | undefined } | undefined;
  /** How long a worker holds a record without a heartbeat, in milliseconds; default 30 000. */
  readonly leaseMs?: number | undefined;
  /** How long bodies of ended records are kept, in milliseconds; default 30 days, three days at least. Keys stay for ever. */
  readonly retentionMs?: number | undefined;
  /** An engine that would lose records with its process is refused without it. */
  readonly allowVolatile?: boolean | undefined;
  /** Time, for specs; default: the machine's, and on servers the server's own. */
  readonly clock?: Clock | undefined;
  /** Chance, for specs: a number from 0 up to 1; default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** What an inbox that can keep an order can be told besides. */
export interface OrderOptions {
  /** Events of one key, on one bus, are delivered one after the other, in the order in which they were recorded. */
  readonly orderBy?:
    | ((event: never, facts: { readonly bus: string; readonly type: string }) => string | undefined)
    | undefined;
}
