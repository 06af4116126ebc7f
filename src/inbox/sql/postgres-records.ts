import type { Clock } from "../../clock.ts";
import type { Postgres, PostgresClient } from "../../databases/postgres.ts";
import type { Plan } from "../../databases/statement.ts";
import type { Policy } from "../policy.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { insertDelivery } from "./insert-delivery.ts";
import { insertTogether } from "./insert-on-server.ts";
import { SqlRecords } from "./sql-records.ts";
import { workerName } from "./worker-name.ts";

/** What `LISTEN` and `NOTIFY` are about. */
const CHANNEL = "hookbus_inbox";

/** At most one notification in this time: each takes a lock that all committing transactions share. */
const NOTIFY_EVERY_MS = 20;

/** An arbitrary number that all workers of ordered events share; see `claim`. */
const ORDER_LOCK = 0x686f6f6c;

/** The pause before a connection for notifications is made anew, in milliseconds. */
const DIAL_AGAIN_MS = 1_000;

/** Records on a PostgreSQL server. */
export class PostgresRecords extends SqlRecords {
  readonly #postgres: Postgres;
  readonly #ordered: boolean;
  readonly #clock: Clock;
  /** Of this process alone: for notifications and heartbeats, which must not wait for a place in the pool. */
  #line: Line | undefined;
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
    await this.#dial(wake);
    return () => {
      this.#listening = false;
      this.#line?.hangUp();
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

  protected override async beat<T>(plan: () => Plan<T>): Promise<T> {
    const line = this.#line;
    if (line) {
      try {
        return await this.#postgres.on(line.client, plan);
      } catch {
        // A connection may be dead for long before either end hears of it, and leases cannot wait for that.
        line.hangUp();
      }
    }
    return this.#postgres.one(plan);
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

  /** Never rejects: until it succeeds, workers look for themselves, and tell the operator of whatever is wrong. */
  async #dial(wake: () => void): Promise<void> {
    try {
      const line = new Line(await this.#postgres.connect(), () => {
        if (this.#line === line) this.#line = undefined;
        this.#dialLater(wake);
      });
      try {
        line.client.on("notification", wake);
        await this.#postgres.on(line.client, listen);
      } catch {
        line.hangUp();
      }
      if (line.over) return;
      if (!this.#listening) return line.hangUp();
      this.#line = line;
      // Of what was recorded before that, it was not told.
      wake();
    } catch {
      this.#dialLater(wake);
    }
  }

  #dialLater(wake: () => void): void {
    if (!this.#listening) return;
    this.#clock.setTimeout(() => {
      if (this.#listening) void this.#dial(wake);
    }, DIAL_AGAIN_MS);
  }
}

function* listen(): Plan<void> {
  yield { text: `LISTEN ${CHANNEL}` };
}

/** A connection that was taken out of the pool. An error and an end are one loss, told once. */
class Line {
  readonly client: PostgresClient;
  readonly #lost: () => void;
  over = false;

  constructor(client: PostgresClient, lost: () => void) {
    this.client = client;
    this.#lost = lost;
    client.on("error", () => this.hangUp());
    client.on("end", () => this.hangUp());
  }

  hangUp(): void {
    if (this.over) return;
    this.over = true;
    // Not back into the pool: it still listens.
    this.client.release(true);
    this.#lost();
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation), appendix A of PostgreSQL's manual. */
function isAboutData(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^2[23]/.test(code);
}
