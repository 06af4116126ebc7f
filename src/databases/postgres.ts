import { ConfigurationError } from "../errors.ts";
import type { Answer, Database, Dialect, Plan, Row, Statement, Value } from "./statement.ts";

/** What hookbus uses of a client of `pg`. */
export interface PostgresClient {
  query(query: { readonly text: string; readonly values: unknown[]; readonly name?: string }): Promise<PostgresResult>;
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  on(event: "notification", listener: (message: { readonly channel: string }) => void): unknown;
  on(event: "error" | "end", listener: (error?: Error) => void): unknown;
  release(error?: boolean | Error): void;
}

/** What hookbus uses of a `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  query(query: { readonly text: string; readonly values: unknown[]; readonly name?: string }): Promise<PostgresResult>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

interface PostgresResult {
  readonly rows: Row[];
  readonly rowCount: number | null;
}

export interface PostgresOptions {
  /** A `Pool` of `pg`. It is yours: hookbus never ends it. */
  readonly pool: PostgresPool;
  /** The schema that holds hookbus's tables; default: the first of the connection's search path. */
  readonly schema?: string | undefined;
  /** A server that may lose what it has committed, with `fsync` or `synchronous_commit` off, is refused without it. */
  readonly allowVolatile?: boolean | undefined;
}

/** Runs a statement in a transaction of the user's: a client, or what an ORM has for raw SQL. */
export type PostgresExecutor =
  | { query(text: string, values: unknown[]): unknown }
  | ((text: string, values: unknown[]) => unknown);

/** A PostgreSQL server, by way of the user's pool. */
export class Postgres implements Database {
  readonly dialect: Dialect;
  readonly #pool: PostgresPool;
  readonly #options: PostgresOptions;
  readonly #now: (() => number) | undefined;
  readonly #prepare: () => Plan<void>;
  readonly #texts = new Map<string, { readonly text: string; readonly name: string }>();
  #ready: Promise<void> | undefined;

  /**
   * @param now an injected clock, in milliseconds since 1970; `undefined`: the server's own clock.
   * @param prepare runs once, in one transaction, before anything else.
   */
  constructor(options: PostgresOptions, now: (() => number) | undefined, prepare: () => Plan<void>) {
    const { pool, schema } = options;
    if (typeof pool?.connect !== "function" || typeof pool.query !== "function") {
      throw new ConfigurationError("`pool` must be a Pool of the package pg: new Pool({ connectionString })");
    }
    if (schema !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/i.test(schema)) {
      throw new ConfigurationError("`schema` must be letters, digits and `_`, 63 at most");
    }
    this.#pool = pool;
    this.#options = options;
    this.#now = now;
    this.#prepare = prepare;
    this.dialect = postgresDialect(schema);
    // An idle client that loses its connection must not end the process; the next query gets another client.
    pool.on("error", () => undefined);
  }

  now(): number | null {
    return this.#now?.() ?? null;
  }

  async run<T>(plan: () => Plan<T>): Promise<T> {
    await this.#open();
    return this.#transact((client) => this.#follow(plan, (statement) => this.#ask(client, statement)));
  }

  async one<T>(plan: () => Plan<T>): Promise<T> {
    await this.#open();
    return this.#follow(plan, (statement) => this.#ask(this.#pool, statement));
  }

  async transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>, then: () => Plan<void>): Promise<T> {
    await this.#open();
    return this.#transact(async (client) => {
      // Released after `fn`: where `fn` has ended the transaction by itself, there is nothing to release.
      await client.query("SAVEPOINT hookbus_transaction");
      const result = await fn(client as Tx);
      try {
        await client.query("RELEASE SAVEPOINT hookbus_transaction");
      } catch (cause) {
        const message =
          "`fn` ended the transaction itself, or a statement of it failed unnoticed: let errors out of `fn`";
        throw new ConfigurationError(`${message}, and leave COMMIT and ROLLBACK to hookbus`, { cause });
      }
      await this.#follow(then, (statement) => this.#ask(client, statement));
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
    await this.#follow(plan, async ({ text, values = [] }) =>
      answerOf(await run(this.#numbered(text).text, [...values])),
    );
  }

  /** A client of its own, for as long as the caller keeps it. */
  async connect(): Promise<PostgresClient> {
    await this.#open();
    return this.#pool.connect();
  }

  /** Asks on a client of the caller's. */
  on<T>(client: PostgresClient, plan: () => Plan<T>): Promise<T> {
    return this.#follow(plan, (statement) => this.#ask(client, statement));
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
    await this.#transact(async (client) => {
      if (!this.#options.allowVolatile) await assertDurable(client);
      await this.#follow(this.#prepare, (statement) => this.#ask(client, statement));
    });
  }

  async #transact<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    const onError = (error?: Error): void => {
      broken = error ?? new Error("the connection ended");
    };
    client.on("error", onError);
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      (client as { off?: (event: string, listener: unknown) => unknown }).off?.("error", onError);
      // A connection in an unknown state must not go back into the pool.
      client.release(broken);
    }
  }

  async #ask(client: PostgresClient | PostgresPool, statement: Statement): Promise<Answer> {
    const { text, name } = this.#numbered(statement.text);
    return answerOf(await client.query({ text, name, values: (statement.values ?? []) as Value[] }));
  }

  async #follow<T>(plan: () => Plan<T>, ask: (statement: Statement) => Promise<Answer>): Promise<T> {
    const steps = plan();
    let step = steps.next();
    while (!step.done) step = steps.next(await ask(step.value));
    return step.value;
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

/** What PostgreSQL says its own way. */
export function postgresDialect(schema: string | undefined): Dialect {
  return {
    name: "postgres",
    now: "coalesce(?::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)",
    skipLocked: "FOR UPDATE SKIP LOCKED",
    share: "FOR SHARE",
    bytes: "bytea",
    table: (name) => (schema === undefined ? name : `"${schema}".${name}`),
  };
}

function answerOf(result: unknown): Answer {
  const { rows, rowCount } = (result ?? {}) as Partial<PostgresResult>;
  return { rows: Array.isArray(rows) ? rows : [], changes: rowCount ?? 0 };
}

async function assertDurable(client: PostgresClient): Promise<void> {
  const { rows } = await client.query(
    "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit",
  );
  for (const setting of ["fsync", "synchronous_commit"] as const) {
    if (rows[0]?.[setting] !== "off") continue;
    throw new ConfigurationError(
      `this PostgreSQL server has \`${setting}\` off and could lose what was acknowledged: switch it on, or set \`allowVolatile: true\``,
    );
  }
}
