import { type Clock, systemClock } from "../clock.ts";
import { ConfigurationError } from "../errors.ts";
import { assertReplay, assertTarget, assertWork } from "./arguments.ts";
import type {
  CloseOptions,
  Inbox,
  InboxBus,
  InboxOptions,
  RecordCounts,
  RecordQuery,
  Replayed,
  ReplayOptions,
  Worker,
  WorkOptions,
} from "./inbox.ts";
import { type Policy, policyOf } from "./policy.ts";
import type { NewRecord, RecordDetails, Recorded, RecordSummary } from "./record.ts";
import { RedisManagement } from "./redis/management.ts";
import { assertConnection, type RedisConnection } from "./redis/peers.ts";
import { RedisRecords } from "./redis/records.ts";
import { InboxServer } from "./redis/server.ts";
import { RedisWorker } from "./redis/worker.ts";

export type { RedisConnection };

export interface RedisInboxOptions extends InboxOptions {
  /**
   * A URL, options of ioredis, or a client of it. A client is yours to close: hookbus opens connections of its own to the
   * same server, one for everything and one more for each bus that works.
   */
  readonly connection: RedisConnection;
  /**
   * What the names of all keys begin with; default `hookbus-inbox`. Each bus has a queue of BullMQ's with this prefix and
   * the bus's name.
   */
  readonly prefix?: string | undefined;
}

/** How often a process that works drops the bodies that are past their time. */
const PURGE_EVERY_MS = 60 * 60 * 1000;

/**
 * An inbox in queues of BullMQ, on a Redis server that any number of processes share.
 *
 * Nothing is opened before the first use. A server that could lose what was acknowledged is refused on first use, and
 * after each reconnection: it needs `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`, or else
 * `allowVolatile: true`. A server that does not answer for five seconds counts as down.
 *
 * BullMQ goes by the clock of the machine: that is how long a retry waits, and by it what is done is purged. What is left of a
 * purged record stays in Redis for ever: less than a kilobyte. Let BullMQ's own tools look at the queues,
 * and change records by `replay` and `discard` alone. The last 50 attempts and audit entries of each are kept.
 *
 * Throws `ConfigurationError` for an option that cannot be meant. Calls reject with `MissingPeerError` where bullmq or
 * ioredis is not installed.
 */
export function redisInbox(options: RedisInboxOptions): Inbox {
  return new RedisInbox(options);
}

class RedisInbox implements Inbox {
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #server: InboxServer;
  readonly #records: RedisRecords;
  readonly #management: RedisManagement;
  readonly #workers = new Set<RedisWorker>();
  #purging: unknown;
  #closed = false;

  constructor(options: RedisInboxOptions) {
    const { connection, prefix = "hookbus-inbox", allowVolatile = false, clock = systemClock } = options;
    this.#policy = policyOf(options);
    assertConnection(connection);
    if ((options as { readonly orderBy?: unknown }).orderBy !== undefined) {
      throw new ConfigurationError("`orderBy` needs an inbox on PostgreSQL or SQLite: BullMQ keeps no order");
    }
    if (typeof prefix !== "string" || prefix === "") throw new ConfigurationError("`prefix` must be some text");
    this.#clock = clock;
    this.#prefix = prefix;
    this.#server = new InboxServer({ connection, allowVolatile });
    this.#records = new RedisRecords(this.#server, prefix, clock);
    this.#management = new RedisManagement(this.#server, prefix, this.#policy, clock);
  }

  async record(records: readonly NewRecord[]): Promise<readonly Recorded[]> {
    return this.#records.record(records);
  }

  work(bus: InboxBus, options: WorkOptions = {}): Worker {
    assertWork(bus, options);
    const { concurrency = 10 } = options;
    if (this.#closed) throw new ConfigurationError("the inbox has been closed");
    const worker = new RedisWorker({
      bus,
      server: this.#server,
      prefix: this.#prefix,
      policy: this.#policy,
      clock: this.#clock,
      concurrency,
    });
    this.#workers.add(worker);
    this.#purgeLater();
    return {
      close: async (closing) => {
        await worker.close(closing);
        this.#workers.delete(worker);
      },
    };
  }

  async find(query: RecordQuery = {}): Promise<readonly RecordSummary[]> {
    return this.#management.find(query);
  }

  async get(key: string): Promise<RecordDetails | undefined> {
    return this.#management.get(key);
  }

  async counts(): Promise<RecordCounts> {
    return this.#management.counts();
  }

  async replay(target: string | RecordQuery, options: ReplayOptions = {}): Promise<Replayed> {
    assertReplay(target, options);
    return this.#management.replay(target, options);
  }

  async discard(target: string | RecordQuery): Promise<number> {
    assertTarget(target);
    return this.#management.discard(target);
  }

  async purge(): Promise<number> {
    return this.#management.purge();
  }

  async ping(): Promise<void> {
    await this.#server.ask(({ client }) => client.ping());
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#closed = true;
    this.#clock.clearTimeout(this.#purging);
    await Promise.all([...this.#workers].map((worker) => worker.close(options)));
    this.#workers.clear();
    this.#server.close();
    await this.#records.close();
  }

  #purgeLater(): void {
    this.#clock.clearTimeout(this.#purging);
    this.#purging = this.#clock.setTimeout(() => {
      void this.purge().catch(() => 0);
      this.#purgeLater();
    }, PURGE_EVERY_MS);
  }
}
