import type { Clock } from "../../clock.ts";
import type { Postgres, PostgresClient } from "../../databases/postgres.ts";
import type { Plan } from "../../databases/statement.ts";
import type { Policy } from "../policy.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { insertDelivery, insertTogether } from "./insert.ts";
import { SqlRecords } from "./sql-records.ts";
import { workerName } from "./worker-name.ts";

/** What `LISTEN` and `NOTIFY` are about. */
const CHANNEL = "hookbus_inbox";

/** At most one notification in this time: each takes a lock that all committing transactions share. */
const NOTIFY_EVERY_MS = 20;

/** An arbitrary number that all workers of ordered events share; see `claim`. */
const ORDER_LOCK = 0x686f6f6c;

/** The pause before a lost connection for notifications is made anew, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;

/** Records on a PostgreSQL server. */
export class PostgresRecords extends SqlRecords {
  readonly #postgres: Postgres;
  readonly #ordered: boolean;
  readonly #clock: Clock;
  /** Of this process alone: for notifications and heartbeats, which must not wait for a place in the pool. */
  #line: PostgresClient | undefined;
  #notifying = false;
  #listening = false;

  constructor(postgres: Postgres, policy: Policy, ordered: boolean, clock: Clock) {
    super(postgres, policy, workerName(), ordered, () => clock.now());
    this.#postgres = postgres;
    this.#ordered = ordered;
    this.#clock = clock;
  }

  override async insert(
    deliveries: readonly (readonly NewRecord[])[],
  ): Promise<readonly (readonly Recorded[] | Error)[]> {
    const { dialect } = this.#postgres;
    const now = this.#postgres.now();
    const singles = deliveries.flatMap((records) => (records.length === 1 ? records : []));
    const together = singles.length > 0 ? await this.#together(singles) : [];
    const answers: (readonly Recorded[] | Error)[] = [];
    let next = 0;
    for (const records of deliveries) {
      if (records.length === 1) {
        const single = together[next++] as Recorded | Error;
        answers.push(single instanceof Error ? single : [single]);
      } else answers.push(await this.#alone(() => this.#postgres.run(() => insertDelivery(dialect, now, records))));
    }
    this.#notify();
    return answers;
  }

  /** Hears from other processes that they recorded something, until what it returns is called. */
  async listen(wake: () => void): Promise<() => void> {
    this.#listening = true;
    await this.#connect(wake);
    return () => {
      this.#listening = false;
      this.#hangUp();
    };
  }

  protected override claim<T>(plan: () => Plan<T>): Promise<T> {
    if (!this.#ordered) return this.#postgres.one(plan);
    // Two claims at once could each find the other's lane free. One after the other they see what the other has taken.
    return this.#postgres.run(function* () {
      yield { text: `SELECT pg_advisory_xact_lock(${ORDER_LOCK})` };
      return yield* plan();
    });
  }

  protected override beat<T>(plan: () => Plan<T>): Promise<T> {
    return this.#line ? this.#postgres.on(this.#line, plan) : this.#postgres.one(plan);
  }

  async #together(records: readonly NewRecord[]): Promise<readonly (Recorded | Error)[]> {
    const { dialect } = this.#postgres;
    const now = this.#postgres.now();
    try {
      return await this.#postgres.one(() => insertTogether(dialect, now, records));
    } catch (error) {
      if (records.length === 1 || !isAboutData(error)) throw error;
    }
    // One of them cannot be stored: the others must not share its fate.
    const single = async (record: NewRecord): Promise<Recorded | Error> => {
      const answer = await this.#alone(() => this.#postgres.one(() => insertTogether(dialect, now, [record])));
      return answer instanceof Error ? answer : (answer[0] as Recorded);
    };
    return Promise.all(records.map(single));
  }

  async #alone<T>(insert: () => Promise<T>): Promise<T | Error> {
    try {
      return await insert();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #notify(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    this.#clock.setTimeout(() => {
      this.#notifying = false;
      // Where it is lost, workers find the records by themselves, somewhat later.
      this.#postgres
        .one(function* () {
          yield { text: "SELECT pg_notify(?, '')", values: [CHANNEL] };
        })
        .catch(() => undefined);
    }, NOTIFY_EVERY_MS);
  }

  async #connect(wake: () => void): Promise<void> {
    const client = await this.#postgres.connect();
    const lost = (): void => {
      if (this.#line === client) this.#hangUp();
      if (this.#listening) this.#connectLater(wake);
    };
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", wake);
    await client.query(`LISTEN ${CHANNEL}`);
    if (this.#listening) this.#line = client;
    else client.release(true);
  }

  #connectLater(wake: () => void): void {
    this.#clock.setTimeout(() => {
      if (!this.#listening || this.#line) return;
      this.#connect(wake).then(wake, () => this.#connectLater(wake));
    }, LISTEN_AGAIN_MS);
  }

  #hangUp(): void {
    // Not back into the pool: it still listens.
    this.#line?.release(true);
    this.#line = undefined;
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation), appendix A of PostgreSQL's manual. */
function isAboutData(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^2[23]/.test(code);
}
