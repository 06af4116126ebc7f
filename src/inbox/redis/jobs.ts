import type { Worker as BullWorker, Job, UnrecoverableError } from "bullmq";
import type { Clock } from "../../clock.ts";
import { isRefusal, unanswered } from "./errors.ts";
import { type Begun, Gathering, type Given } from "./gathering.ts";
import { AT_ONCE } from "./lua.ts";
import type { JobData } from "./rows.ts";
import type { InboxServer, Lent } from "./server.ts";
import type { Written } from "./written.ts";

export interface RedisJobsOptions {
  readonly server: InboxServer;
  readonly prefix: string;
  readonly queue: string;
  readonly leaseMs: number;
  /** How many jobs the worker may hold. */
  readonly places: number;
  readonly clock: Clock;
  /** Told of every error of the connection on which BullMQ waits. */
  readonly onError: (error: unknown) => void;
}

/** A job that BullMQ has given to a worker. */
export interface HeldJob {
  readonly job: RecordJob;
  /** What holds its lock. */
  readonly token: string;
  /** Its key, and what scripts are told of where it is. */
  readonly where: readonly [key: string, prefix: string, queue: string, id: string];
  /** What came of beginning an attempt at it; nothing, where that is still to be done. */
  readonly begun: Begun | undefined;
}

type RecordWorker = BullWorker<JobData, void>;
type RecordJob = Job<JobData, void>;
type JobClass = typeof Job<JobData, void>;
type UnrecoverableClass = typeof UnrecoverableError;

/** Three heartbeats a lease: one may be late and one lost. */
export const BEATS = 3;

/** The jobs of one queue, taken from BullMQ by hand: its own loop waits for every job that runs before it ends. */
export class RedisJobs {
  readonly #options: RedisJobsOptions;
  #lent: Lent<RecordWorker> | undefined;
  #gathering: Gathering | undefined;
  #Job: JobClass | undefined;
  #Unrecoverable: UnrecoverableClass | undefined;
  #tokens = 0;
  #closed = false;

  constructor(options: RedisJobsOptions) {
    this.#options = options;
  }

  /** The next job, once there is one; nothing where none came for some seconds, or where the jobs were closed. */
  async next(): Promise<HeldJob | undefined> {
    const worker = await this.#open();
    if (!worker) return undefined;
    const token = this.#token(worker);
    try {
      const job: RecordJob | undefined = await worker.getNextJob(token);
      return job && this.#held(job, token);
    } catch (error) {
      throw unanswered(error);
    }
  }

  /** Several jobs, as far as there are any now; attempts at them are begun. */
  async more(most: number): Promise<readonly HeldJob[]> {
    const worker = await this.#open();
    if (!worker) return [];
    const token = this.#token(worker);
    try {
      let job: RecordJob | undefined;
      const given = await (this.#gathering as Gathering).several(most, async () => {
        job = await worker.getNextJob(token, { block: false });
      });
      if (given.length === 0) return job ? [this.#held(job, token)] : [];
      return given.map((each) => this.#given(worker, each, token));
    } catch (error) {
      throw unanswered(error);
    }
  }

  /** Whether what an attempt came to can be written while BullMQ finishes its job. */
  get gathers(): boolean {
    return this.#gathering?.gathers ?? false;
  }

  /**
   * Writes what an attempt came to in the same step in which BullMQ finishes its job, as it is asked to by `ask`. Says
   * whether the worker still had the record, and gives the next job where BullMQ is asked for one too.
   */
  async finish(
    written: Written,
    ask: () => Promise<unknown>,
    fetchNext: boolean,
  ): Promise<{ readonly held: boolean; readonly next: HeldJob | undefined }> {
    const { made } = this.#lent as Lent<RecordWorker>;
    const token = fetchNext ? this.#token(made) : undefined;
    try {
      const { held, next } = await (this.#gathering as Gathering).ending(written, () => unlessRefused(ask), token);
      return { held, next: next && this.#given(made, next.given, next.token) };
    } catch (error) {
      throw unanswered(error);
    }
  }

  /** An error that BullMQ fails a job with for good. */
  unrecoverable(message: string): Error {
    const error = new (this.#Unrecoverable as UnrecoverableClass)(message);
    // BullMQ would keep it with the job.
    error.stack = "";
    return error;
  }

  /** The heartbeat. Resolves to the ids of the jobs whose locks are lost. */
  async extend(jobs: readonly Pick<HeldJob, "job" | "token">[]): Promise<readonly string[]> {
    const { server, leaseMs } = this.#options;
    const ids = jobs.map(({ job }) => job.id as string);
    const tokens = jobs.map(({ token }) => token);
    return server.ask(async () => (await this.#lent?.made.extendJobLocks(ids, tokens, leaseMs)) ?? []);
  }

  /** Puts jobs whose workers vanished back into the queue. */
  async search(): Promise<void> {
    if (!this.#lent || this.#closed) return;
    const { made } = this.#lent;
    await this.#options.server.ask(() => made.getBackend().moveStalledJobsToWait());
  }

  /** Takes no further job, and ends what waits for one. Jobs that are held can still be moved. */
  async close(): Promise<void> {
    this.#closed = true;
    const lent = this.#lent;
    if (!lent) return;
    await lent.made.close(true);
    lent.end();
  }

  async #open(): Promise<RecordWorker | undefined> {
    if (this.#lent) return this.#closed ? undefined : this.#lent.made;
    const { server, prefix, queue, leaseMs, places, clock, onError } = this.#options;
    // BullMQ asks but once whether the server is there, and asks nothing about what it is worth.
    await server.ask(async () => undefined);
    const lent = await server.lend(({ redis, bullmq, scripts }): RecordWorker => {
      this.#Job = bullmq.Job;
      this.#Unrecoverable = bullmq.UnrecoverableError;
      // The server is asked about one half of the jobs while the worker delivers the other half.
      const most = Math.min(Math.ceil(places / 2), AT_ONCE);
      this.#gathering = new Gathering({ server, redis, scripts, prefix, queue, leaseMs, most, clock });
      return new bullmq.Worker<JobData, void>(queue, null, {
        connection: this.#gathering.client,
        prefix,
        lockDuration: leaseMs,
        // A little less than the time between two searches: nobody's search comes too early.
        stalledInterval: Math.ceil((leaseMs / BEATS) * 0.8),
        // How often an event may end its worker is counted with its attempts.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
      });
    });
    lent.made.on("error", onError);
    try {
      await server.ask(() => lent.made.waitUntilReady());
    } catch (error) {
      await lent.made.close(true);
      lent.end();
      throw error;
    }
    this.#lent = lent;
    if (this.#closed) await this.close();
    return this.#closed ? undefined : lent.made;
  }

  /** What holds the locks of what is taken together. */
  #token(worker: RecordWorker): string {
    this.#tokens += 1;
    return `${worker.id}:${this.#tokens}`;
  }

  #given(worker: RecordWorker, { id, begun }: Given, token: string): HeldJob {
    // All that BullMQ needs to know of a job to move it.
    const bare = new (this.#Job as JobClass)(worker, "", {}, {}, id);
    return this.#held(bare, token, begun);
  }

  #held(job: RecordJob, token: string, begun?: Begun): HeldJob {
    const { prefix, queue } = this.#options;
    const id = job.id as string;
    return { job, token, where: [`${prefix}:${queue}:${id}`, prefix, queue, id], begun };
  }
}

/** Where BullMQ refuses, somebody else has the job by now: an operator who replayed it, or another worker. */
export async function unlessRefused(move: () => Promise<unknown>): Promise<void> {
  try {
    await move();
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
