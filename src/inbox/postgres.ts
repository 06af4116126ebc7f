import { systemClock } from "../clock.ts";
import { assertMigrated, migrate, migrationSql } from "../databases/migrate.ts";
import {
  Postgres,
  type PostgresClient,
  type PostgresExecutor,
  type PostgresPool,
  postgresDialect,
} from "../databases/postgres.ts";
import type { Inbox, InboxOptions, OrderOptions } from "./inbox.ts";
import { policyOf } from "./policy.ts";
import { PolledInbox } from "./polled/polled-inbox.ts";
import { PostgresRecords } from "./sql/postgres-records.ts";
import { COMPONENT, schema } from "./sql/schema.ts";

/** With 64 waiting, 32 and 32 on two connections take two thirds of the time of 64 on one; more waiting gain nothing by more. */
const GROUP = { most: 32, flights: 2 };

export type { PostgresClient, PostgresExecutor, PostgresPool };

export interface PostgresInboxOptions extends InboxOptions, OrderOptions {
  /**
   * A `Pool` of `pg`. It is yours to end. Each process takes one of its connections for as long as it works, two for what
   * it records, and one for each `context.transaction` that is open: let `max` be the concurrency of its workers and four.
   */
  readonly pool: PostgresPool;
  /** The schema that holds the tables; default: the first of the connection's search path. */
  readonly schema?: string | undefined;
  /** `false`: the tables are there already, by the SQL of `postgresInboxSql()`; default `true`. */
  readonly migrate?: boolean | undefined;
}

/**
 * An inbox on a PostgreSQL server, for any number of processes on any number of machines.
 *
 * Nothing is asked before the first use. All times are the server's. Throws `ConfigurationError` for an option that cannot
 * be meant.
 */
export function postgresInbox(options: PostgresInboxOptions): Inbox {
  const policy = policyOf(options);
  const { clock } = options;
  const dialect = postgresDialect(options.schema);
  const bring = options.migrate === false ? assertMigrated : migrate;
  const database = new Postgres(options, clock && (() => clock.now()), () => bring(dialect, COMPONENT, schema));
  const store = new PostgresRecords(database, policy, options.orderBy !== undefined, clock ?? systemClock);
  return new PolledInbox({ store, policy, options, group: GROUP });
}

/** The SQL that makes the inbox's tables, for those who run their own migrations. */
export function postgresInboxSql(options: Pick<PostgresInboxOptions, "schema"> = {}): string {
  return migrationSql(postgresDialect(options.schema), COMPONENT, schema);
}
