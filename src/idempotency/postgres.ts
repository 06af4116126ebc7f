import { Postgres, type PostgresOptions, postgresDialect } from "../databases/postgres.ts";
import { idempotencySql, prepareTables, SqlIdempotency, type SqlIdempotencyOptions } from "./sql.ts";

export interface PostgresIdempotencyOptions extends PostgresOptions, SqlIdempotencyOptions {}

export type { SqlIdempotency };

/**
 * Remembers events in PostgreSQL, for any number of processes and machines. The pool is yours, and stays open.
 *
 * `context.transaction` gets a client of the pool, in a transaction that hookbus begins and ends; `context.markDone`
 * takes a client, or a function `(text, values) => result`, in a transaction of yours.
 *
 * Throws `ConfigurationError` for a `pool` that is none. Calls reject with `ConfigurationError` where the server may
 * lose what it committed, without `allowVolatile`, or where the tables are newer than this version of hookbus; and with
 * `StoreUnavailableError` where the server does not answer within `timeoutMs`.
 */
export function postgresIdempotency(options: PostgresIdempotencyOptions): SqlIdempotency {
  const { schema, now, ttlMs, migrate } = options;
  const dialect = postgresDialect(schema);
  return new SqlIdempotency(new Postgres(options, now, () => prepareTables(dialect, migrate)), ttlMs);
}

export interface PostgresIdempotencySqlOptions {
  /** The schema that holds the tables; default: the first of the search path. */
  readonly schema?: string | undefined;
}

/** The SQL of the tables, for `migrate: false`. Throws `ConfigurationError` for a `schema` that is no plain name. */
export function postgresIdempotencySql({ schema }: PostgresIdempotencySqlOptions = {}): string {
  return idempotencySql(postgresDialect(schema));
}
