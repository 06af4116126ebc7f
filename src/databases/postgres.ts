import { ConfigurationError } from "../errors.ts";
import { followAsync } from "./follow.ts";
import { type PostgresClient, PostgresClients, type PostgresPool, type PostgresResult } from "./postgres-pool.ts";
import type { Answer, Database, Dialect, Plan, Row, Statement, Value } from "./statement.ts";

export type { PostgresClient, PostgresPool };

export interface PostgresOptions {
  /** A `Pool` of `pg`. It is yours: hookbus never ends it. */
  readonly pool: PostgresPool;
  /** The schema that holds hookbus's tables; default: the first of the connection's search path. */
  readonly schema?: string | undefined;
  /** A server that may lose what it has committed, with `fsync` or `synchronous_commit` off, is refused without it. */
  readonly allowVolatile?: boolean | undefined;
  /**
   * How long a client of the pool, and then each statement of hookbus's, is waited for, in milliseconds.
   * @default 10_000
   */
  readonly timeoutMs?: number | undefined;
}

/** Runs a statement in a transaction of the user's: a client, or what an ORM has for raw SQL. */
export type PostgresExecutor =
  | { query(text: string, values: unknown[]): unknown }
  | ((text: string, values: unknown[]) => unknown);

/** Plans look at what others have committed meanwhile, whatever the pool's default is. */
const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED";

/** Preparing waits for other processes that prepare, and may build an index, in milliseconds. */
const PREPARING_MS = 60_000;

/** A PostgreSQL server, by way of the user's pool. */
export class Postgres implements Database {
  readonly dialect: Dialect;
  readonly #clients: PostgresClients;
  readonly #allowVolatile: boolean;
  readonly #now: (() => number) | undefined;
  readonly #prepare: () => Plan<void>;
  readonly #texts = new Map<string, { readonly text: string; readonly name: string }>();
  #ready: Promise<void> | undefined;

  /**
   * @param now an injected clock, in milliseconds since 1970; `undefined`: the server's own clock.
   * @param prepare runs once, in one transaction, before anything else.
   */
  constructor(options: PostgresOptions, now: (() => number) | undefined, prepare: () => Plan<void>) {
    this.#clients = new PostgresClients(options.pool, options.timeoutMs);
    this.#allowVolatile = options.allowVolatile ?? false;
    this.#now = now;
    this.#prepare = prepare;
    this.dialect = postgresDialect(options.schema);
  }

  now(): number | null {
    return this.#now?.() ?? null;
  }

  async run<T>(plan: () => Plan<T>): Promise<T> {
    await this.#open();
    return this.#clients.transact(BEGIN, (client) => this.on(client, plan));
  }

  async one<T>(plan: () => Plan<T>): Promise<T> {
    await this.#open();
    return this.#clients.lend((client) => this.on(client, plan));
  }

  async transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>, then: () => Plan<void>): Promise<T> {
    await this.#open();
    return this.#clients.transact("BEGIN", async (client) => {
      // Released after `fn`: where `fn` has ended the transaction by itself, there is nothing to release.
      await this.#clients.send(client, "SAVEPOINT hookbus_transaction");
      const result = await fn(client as Tx);
      try {
        await this.#clients.send(client, "RELEASE SAVEPOINT hookbus_transaction");
      } catch (cause) {
        if (!isRefusal(cause)) throw cause;
        const message =
          "`fn` ended the transaction itself, or a statement of it failed unnoticed: let errors out of `fn`";
        throw new ConfigurationError(`${message}, and leave COMMIT and ROLLBACK to hookbus`, { cause });
      }
      await this.on(client, then);
      return result;
    });
  }

  async within<Executor>(executor: Executor, plan: () => Plan<void>): Promise<void> {
    const given = executor as PostgresExecutor;
    const run = typeof given === "function" ? given : given?.query?.bind(given);
    if (typeof run !== "function") {
      throw new TypeError("`executor` must be a client with `query(text, values)`, or a function that takes these");
    }
    await this.#open();
    await followAsync(plan, async ({ text, values = [] }) =>
      answerOf(await run(this.#numbered(text).text, [...values])),
    );
  }

  /** A client of its own, for as long as the caller keeps it. */
  async connect(): Promise<PostgresClient> {
    await this.#open();
    return this.#clients.checkOut();
  }

  /** Asks on a client of the caller's. */
  on<T>(client: PostgresClient, plan: () => Plan<T>): Promise<T> {
    return followAsync(plan, (statement) => this.#ask(client, statement));
  }

  async ping(): Promise<void> {
    await this.one(function* () {
      yield { text: "SELECT 1 AS up" };
    });
  }

  close(): void {
    // The pool is the user's.
  }

  #open(): Promise<void> {
    this.#ready ??= this.#prepared().catch((error: unknown) => {
      // The next call tries again: the server may be up by then.
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #prepared(): Promise<void> {
    await this.#clients.transact(BEGIN, async (client) => {
      if (!this.#allowVolatile) assertDurable((await this.#ask(client, DURABILITY)).rows[0]);
      await followAsync(this.#prepare, (statement) => this.#ask(client, statement, PREPARING_MS));
    });
  }

  async #ask(client: PostgresClient, { text, values = [] }: Statement, limitMs?: number): Promise<Answer> {
    const answer = client.query({ ...this.#numbered(text), values: values as Value[] });
    const { rows, changes } = answerOf(await this.#clients.inTime(client, answer, limitMs));
    // pg keeps a result where only a major garbage collection finds it: what is in it, bodies too, need not wait for that.
    return { rows: rows.splice(0), changes };
  }

  /** `$1`, `$2`, … for every `?`, and a name under which the server keeps the statement's plan. */
  #numbered(text: string): { readonly text: string; readonly name: string } {
    let known = this.#texts.get(text);
    if (!known) {
      let place = 0;
      known = { text: text.replace(/\?/g, () => `$${++place}`), name: `hookbus_${this.#id}_${this.#texts.size}` };
      this.#texts.set(text, known);
    }
    return known;
  }

  /** Names are those of a connection, which several inboxes and stores may share. */
  readonly #id = (++made).toString(36);
}

let made = 0;

/** What PostgreSQL says its own way. Throws `ConfigurationError` for a schema whose name would have to be escaped. */
export function postgresDialect(schema: string | undefined): Dialect {
  if (schema !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/i.test(schema)) {
    throw new ConfigurationError("`schema` must be letters, digits and `_`, 63 at most");
  }
  return {
    name: "postgres",
    now: "coalesce(?::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)",
    skipLocked: "FOR UPDATE SKIP LOCKED",
    share: "FOR SHARE",
    bytes: "bytea",
    table: (name) => (schema === undefined ? name : `"${schema}".${name}`),
  };
}

function answerOf(result: unknown): { rows: Row[]; changes: number } {
  const { rows, rowCount } = (result ?? {}) as Partial<PostgresResult>;
  return { rows: Array.isArray(rows) ? rows : [], changes: rowCount ?? 0 };
}

/** Whether the server itself said no, so that the connection is good. */
function isRefusal(error: unknown): boolean {
  return typeof (error as { severity?: unknown } | undefined)?.severity === "string";
}

const DURABILITY: Statement = {
  text: "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit",
};

function assertDurable(settings: Row | undefined): void {
  for (const setting of ["fsync", "synchronous_commit"] as const) {
    if (settings?.[setting] !== "off") continue;
    throw new ConfigurationError(
      `this PostgreSQL server has \`${setting}\` off and could lose what was acknowledged: switch it on, or set \`allowVolatile: true\``,
    );
  }
}
