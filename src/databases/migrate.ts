import { ConfigurationError } from "../errors.ts";
import type { Dialect, Plan, Statement } from "./statement.ts";

/** The steps of one schema, in order: step n brings version n - 1 to version n. None is ever changed, only added. */
export type Migrations = (dialect: Dialect) => readonly (readonly string[])[];

/**
 * Brings the schema of `component` up to date, in one transaction. Processes that start at once wait for each other.
 *
 * Throws `ConfigurationError` where the schema is newer than this version of hookbus knows.
 */
export function* migrate(dialect: Dialect, component: string, migrations: Migrations): Plan<void> {
  const steps = migrations(dialect);
  yield* lock(dialect);
  yield { text: versionTable(dialect) };
  const version = yield* versionOf(dialect, component);
  if (version > steps.length) throw tooNew(component, version, steps.length);
  for (const [index, statements] of steps.entries()) {
    if (index < version) continue;
    for (const text of statements) yield { text };
    yield recordVersion(dialect, component, index + 1);
  }
}

/** Throws `ConfigurationError` unless the schema of `component` is up to date: for those who run the SQL themselves. */
export function* assertMigrated(dialect: Dialect, component: string, migrations: Migrations): Plan<void> {
  const wanted = migrations(dialect).length;
  const version = yield* versionOrNone(dialect, component);
  if (version > wanted) throw tooNew(component, version, wanted);
  if (version < wanted) {
    throw new ConfigurationError(
      `the tables of ${component} are at version ${version} and must be at ${wanted}: run its SQL, or leave out \`migrate: false\``,
    );
  }
}

/** The whole schema as a script, which may be run again. */
export function migrationSql(dialect: Dialect, component: string, migrations: Migrations): string {
  const lines = [versionTable(dialect)];
  for (const [index, statements] of migrations(dialect).entries()) {
    const { table } = dialect;
    lines.push(`-- ${component}, version ${index + 1}`, ...statements);
    lines.push(
      `INSERT INTO ${table("hookbus_migration")} (component, version) VALUES ('${component}', ${index + 1}) ON CONFLICT DO NOTHING`,
    );
  }
  return `${lines.map((line) => (line.startsWith("--") ? line : `${line};`)).join("\n")}\n`;
}

/** An arbitrary number that all versions of hookbus share: `hookbus` in ASCII, as far as it fits. */
const LOCK = 0x686f6f6b;

function* lock({ name }: Dialect): Plan<void> {
  // SQLite's transaction is a lock by itself.
  if (name === "postgres") yield { text: `SELECT pg_advisory_xact_lock(${LOCK})` };
}

function versionTable({ table }: Dialect): string {
  return `CREATE TABLE IF NOT EXISTS ${table("hookbus_migration")} (component text NOT NULL, version integer NOT NULL, PRIMARY KEY (component, version))`;
}

function* versionOf({ table }: Dialect, component: string): Plan<number> {
  const text = `SELECT max(version) AS version FROM ${table("hookbus_migration")} WHERE component = ?`;
  const { rows } = yield { text, values: [component] };
  return Number(rows[0]?.["version"] ?? 0);
}

/** 0 where even the table of versions is missing. */
function* versionOrNone(dialect: Dialect, component: string): Plan<number> {
  try {
    return yield* versionOf(dialect, component);
  } catch (error) {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    // PostgreSQL: undefined_table, invalid_schema_name.
    if (code === "42P01" || code === "3F000" || /no such table/.test(String(message))) return 0;
    throw error;
  }
}

function recordVersion({ table }: Dialect, component: string, version: number): Statement {
  return {
    text: `INSERT INTO ${table("hookbus_migration")} (component, version) VALUES (?, ?)`,
    values: [component, version],
  };
}

function tooNew(component: string, version: number, known: number): ConfigurationError {
  return new ConfigurationError(
    `the tables of ${component} are at version ${version}, made by a newer hookbus than this one, which knows ${known}: update hookbus here`,
  );
}
