import type { RecordCounts, RecordQuery, Replayed, ReplayOptions } from "../inbox.ts";
import type { Lease, LeasedRecord, NewRecord, Outcome, RecordDetails, Recorded, RecordSummary } from "../record.ts";

export interface LeaseRequest {
  readonly bus: string;
  readonly limit: number;
}

/** A subscriber that is done with a record, while others still run. */
export interface Mark {
  readonly subscriber: string;
  readonly rejected: boolean;
  /** When, in milliseconds since 1970, by the worker's clock. */
  readonly at: number;
}

/** What a worker writes about a record that it holds. */
export type Change =
  | { readonly kind: "mark"; readonly lease: Lease; readonly mark: Mark }
  | {
      readonly kind: "end";
      readonly lease: Lease;
      readonly outcome: Outcome;
      /** Those that got done with it in this attempt. */
      readonly marks: readonly Mark[];
      /** Whether this is the first attempt ever, so that nothing of earlier ones has to be kept. */
      readonly first: boolean;
      /** Of one that failed: how long until the next attempt. */
      readonly dueInMs: number;
    }
  /** The worker ends before the record does. */
  | { readonly kind: "give back"; readonly lease: Lease; readonly marks: readonly Mark[]; readonly first: boolean };

/**
 * A store of records that workers ask for work. It is the state machine of a record: leases with fences, marks, attempts,
 * due times. All times are by one clock, which for a server is the server's.
 *
 * Methods may return promises; those that write nothing late resolve to what they say.
 */
export interface RecordStore {
  /** Records deliveries together, the records of each all or none; says of each what came of it. */
  insert(deliveries: readonly (readonly NewRecord[])[]): Maybe<readonly (readonly Recorded[] | Error)[]>;
  /** Leases records that are due, whoever held them before; the longest due first. */
  lease(request: LeaseRequest): Maybe<readonly LeasedRecord[]>;
  /** The heartbeat. Resolves to the leases that are lost. */
  extend(leases: readonly Lease[]): Maybe<readonly Lease[]>;
  /** Sees to what a clock that was put back has left: nothing may wait for a time that was never to be that far away. */
  free?(bus: string): Maybe<void>;
  /** Writes changes in one commit, in their order; says of each whether its lease still held. */
  write(changes: readonly Change[]): Maybe<readonly boolean[]>;
  /** See `IdempotencyStore.transaction`. */
  transaction?<Tx, T>(lease: Lease, subscriber: string, fn: (tx: Tx) => T | Promise<T>): Promise<T>;
  /** See `IdempotencyStore.markDoneWithin`. */
  markDoneWithin?<Executor>(lease: Lease, subscriber: string, executor: Executor): Promise<void>;
  /** Calls `wake` when another process may have recorded something; returns what ends that. */
  listen?(wake: () => void): Maybe<() => void | Promise<void>>;
  find(query: RecordQuery): Maybe<readonly RecordSummary[]>;
  get(key: string): Maybe<RecordDetails | undefined>;
  counts(): Maybe<RecordCounts>;
  replay(target: string | RecordQuery, options: ReplayOptions): Maybe<Replayed>;
  discard(target: string | RecordQuery): Maybe<number>;
  /** Drops bodies of records that ended long enough ago, a bounded number of them; says how many. */
  purge(): Maybe<number>;
  ping(): Maybe<void>;
  close(): Maybe<void>;
}

type Maybe<T> = T | Promise<T>;

/** What a worker asks of it beside the writes. */
export type WorkedStore = Pick<RecordStore, "lease" | "extend" | "free" | "transaction" | "markDoneWithin">;
