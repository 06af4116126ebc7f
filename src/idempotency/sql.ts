import { randomUUID } from "node:crypto";
import { assertMigrated, migrate, migrationSql } from "../databases/migrate.ts";
import type { Database, Dialect, Plan, Value } from "../databases/statement.ts";
import { assertCount } from "../databases/time-limit.ts";
import { StaleTokenError } from "../errors.ts";
import { refusalOf, type SqlStatements, sqlStatements, tables } from "./sql-statements.ts";
import type { Claim, ClaimOptions, ClaimToken, IdempotencyStore } from "./store.ts";

export interface SqlIdempotencyOptions {
  /**
   * The clock, in milliseconds since 1970.
   * @default SQLite: Date.now; PostgreSQL: the server's clock, which all processes share
   */
  readonly now?: (() => number) | undefined;
  /**
   * How long a key is kept at least after it was handled or given back, in milliseconds: longer than the provider
   * retries.
   * @default 7_776_000_000, ninety days
   */
  readonly ttlMs?: number | undefined;
  /**
   * Whether the tables are made on first use. With `false` they must be there already, or every call rejects with
   * `ConfigurationError`.
   * @default true
   */
  readonly migrate?: boolean | undefined;
}

const COMPONENT = "hookbus_idempotency";

/** Old keys are deleted on one claim of so many, the first of a process included, and never more at once. */
const PURGE_EVERY = 250;
const PURGE_AT_MOST = 500;

/** Makes the tables, or sees that they are there. */
export function prepareTables(dialect: Dialect, make = true): Plan<void> {
  return make ? migrate(dialect, COMPONENT, tables) : assertMigrated(dialect, COMPONENT, tables);
}

/** The SQL that makes the tables, for those who run it themselves; it may be run again. */
export function idempotencySql(dialect: Dialect): string {
  return migrationSql(dialect, COMPONENT, tables);
}

/** Remembers events in tables of SQL: the one state machine of SQLite and PostgreSQL. */
export class SqlIdempotency implements IdempotencyStore {
  readonly volatile = false;
  readonly #database: Database;
  readonly #sql: SqlStatements;
  readonly #ttlMs: number;
  #claims = 0;

  constructor(database: Database, ttlMs: number = 90 * 24 * 60 * 60 * 1000) {
    assertCount("ttlMs", ttlMs);
    this.#database = database;
    this.#sql = sqlStatements(database.dialect);
    this.#ttlMs = ttlMs;
  }

  async claim(key: string, options: ClaimOptions): Promise<Claim> {
    const claim = await this.#database.one(() => this.#claim(key, options));
    if (this.#claims++ % PURGE_EVERY === 0) await this.#purge();
    return claim;
  }

  async extend(token: ClaimToken, leaseMs: number): Promise<void> {
    const lease = Math.ceil(leaseMs);
    await this.#database.one(() => this.#update(this.#sql.extend, [lease, this.#database.now(), lease], token));
  }

  async markDone(token: ClaimToken, subscriber: string): Promise<void> {
    await this.#database.one(() => this.#mark(this.#sql.markAgain, token, subscriber));
  }

  async complete(token: ClaimToken): Promise<void> {
    await this.#database.run(() => this.#complete(token));
  }

  async release(token: ClaimToken): Promise<void> {
    await this.#database.one(() => this.#update(this.#sql.release, [this.#database.now()], token));
  }

  async transaction<Tx, T>(token: ClaimToken, subscriber: string, fn: (tx: Tx) => T | Promise<T>): Promise<T> {
    return this.#database.transaction(fn, () => this.#mark(this.#sql.mark, token, subscriber));
  }

  async markDoneWithin<Executor>(token: ClaimToken, subscriber: string, executor: Executor): Promise<void> {
    await this.#database.within(executor, () => this.#mark(this.#sql.mark, token, subscriber));
  }

  async ping(): Promise<void> {
    await this.#database.ping();
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  *#claim(key: string, { leaseMs, fingerprint }: ClaimOptions): Plan<Claim> {
    const fence = randomUUID();
    const lease = Math.ceil(leaseMs);
    for (;;) {
      const now = this.#database.now();
      const values = [key, fence, lease, now, lease, fingerprint, now, now];
      const [claimed] = (yield { text: this.#sql.claim, values }).rows;
      // Whoever held the key before has lost it by now, so that no mark can come after these are read.
      if (claimed) return { state: "claimed", token: { key, fence }, done: yield* this.#marks(key, claimed["claims"]) };
      const [known] = (yield { text: this.#sql.known, values: [key] }).rows;
      if (known) {
        return Number(known["done"]) === 1
          ? { state: "done", fingerprint: String(known["fingerprint"]) }
          : { state: "busy" };
      }
      // The key was deleted between the two, for its age.
    }
  }

  *#marks(key: string, claims: unknown): Plan<readonly string[]> {
    if (Number(claims) === 1) return [];
    const { rows } = yield { text: this.#sql.marks, values: [key] };
    return rows.map((row) => String(row["subscriber"]));
  }

  *#update(text: string, values: readonly Value[], { key, fence }: ClaimToken): Plan<void> {
    const { changes } = yield { text, values: [...values, key, fence] };
    if (changes === 0) throw stale(key);
  }

  *#complete(token: ClaimToken): Plan<void> {
    yield* this.#update(this.#sql.complete, [this.#database.now()], token);
    // Nobody asks for the marks of a handled event.
    yield { text: this.#sql.forgetMarks, values: [token.key] };
  }

  *#mark(text: string, { key, fence }: ClaimToken, subscriber: string): Plan<void> {
    try {
      yield { text, values: [key, subscriber, key, fence] };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === "stale") throw stale(key, error);
      if (refusal === "marked") {
        const message = `"${subscriber}" is done with "${key}" already: its transaction must not be committed`;
        throw new StaleTokenError(message, { cause: error });
      }
      throw error;
    }
  }

  async #purge(): Promise<void> {
    try {
      await this.#database.run(() => this.#forget());
    } catch {
      // The claim stands; old keys can wait for the next time.
    }
  }

  *#forget(): Plan<void> {
    const { rows } = yield { text: this.#sql.purge, values: [this.#database.now(), this.#ttlMs, PURGE_AT_MOST] };
    for (const { key, done } of rows) {
      if (Number(done) === 0) yield { text: this.#sql.forgetMarks, values: [String(key)] };
    }
  }
}

function stale(key: string, cause?: unknown): StaleTokenError {
  return new StaleTokenError(`the claim of "${key}" is over, or another run holds the key`, { cause });
}
