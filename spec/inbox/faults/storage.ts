import type { Pool } from "pg";
import { type Clock, systemClock } from "../../../src/clock.ts";
import { openSqlite, type SqliteDatabase, sqliteDriver } from "../../../src/databases/sqlite-driver.ts";
import type { Inbox, InboxOptions, OrderOptions } from "../../../src/inbox/inbox.ts";
import { postgresInbox } from "../../../src/inbox/postgres.ts";
import { sqliteInbox } from "../../../src/inbox/sqlite.ts";
import type { Receipt } from "../../../src/receiver/receipt.ts";
import { bytes, type SpecBus, signed } from "../../receiver/harness.ts";

/** Where an inbox is kept, in words that another process understands. */
export type Place =
  | { readonly engine: "SQLite"; readonly path: string }
  | { readonly engine: "PostgreSQL"; readonly url: string; readonly schema: string };

const INSERT_EFFECT = "INSERT INTO effect (text) VALUES";

export type Row = Readonly<Record<string, unknown>>;

type OpenOptions = InboxOptions & OrderOptions & { readonly migrate?: boolean };

/** A database that holds an inbox beside a table of the user's, `effect`, whose rows are texts. */
export interface Storage {
  readonly place: Place;
  /** Opens the inbox, each time as another process would. It is closed with the storage, at the latest. */
  inbox(options?: OpenOptions): Inbox;
  query(sql: string): Promise<readonly Row[]>;
  /** Writes an effect in the user's transaction `tx`, or else by itself. SQLite has done so when this returns. */
  write(text: string, tx?: unknown): void | Promise<void>;
  /** Runs `work` in a transaction of the user's own: committed, or rolled back where `work` rejects. */
  owned(work: (executor: never) => Promise<void>): Promise<void>;
  /** The effects that are committed, in order. */
  effects(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function openStorage(place: Place): Promise<Storage> {
  return place.engine === "SQLite" ? openFile(place) : openSchema(place);
}

async function openFile(place: Extract<Place, { engine: "SQLite" }>): Promise<Storage> {
  const open = await sqliteDriver();
  const database = openSqlite(open, place.path);
  // The user's own transactions are on a connection of their own, as `context.transaction`'s are.
  const own = openSqlite(open, place.path);
  const inboxes: Inbox[] = [];
  const query = async (sql: string): Promise<readonly Row[]> => {
    if (/^SELECT\b/.test(sql)) return (database.prepare(sql).all() as Row[]).map((row) => ({ ...row }));
    database.exec(sql);
    return [];
  };
  return {
    place,
    inbox: (options) => kept(inboxes, sqliteInbox({ ...options, path: place.path })),
    query,
    write: (text, tx = own) => {
      (tx as SqliteDatabase).prepare(`${INSERT_EFFECT} (?)`).run(text as never);
    },
    owned: async (work) => {
      own.exec("BEGIN IMMEDIATE");
      try {
        await work(own as never);
        own.exec("COMMIT");
      } catch (error) {
        own.exec("ROLLBACK");
        throw error;
      }
    },
    effects: async () => textsOf(await query("SELECT text FROM effect ORDER BY text")),
    close: async () => {
      await closeAll(inboxes);
      database.close?.();
      own.close?.();
    },
  };
}

async function openSchema(place: Extract<Place, { engine: "PostgreSQL" }>): Promise<Storage> {
  const { url, schema } = place;
  // Processes that are started to be killed load the one driver that they need.
  const { Pool } = await import("pg");
  const pool = new Pool({ connectionString: url, max: 12, options: `-c search_path=${schema}` });
  const inboxes: Inbox[] = [];
  return {
    place,
    inbox: (options) => kept(inboxes, postgresInbox({ ...options, pool, schema })),
    query: async (sql) => (await pool.query(sql)).rows,
    write: async (text, tx = pool) => {
      await (tx as Pool).query(`${INSERT_EFFECT} ($1)`, [text]);
    },
    owned: async (work) => {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        await work(client as never);
        await client.query("COMMIT");
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
    effects: async () => textsOf((await pool.query("SELECT text FROM effect ORDER BY text")).rows),
    close: async () => {
      await closeAll(inboxes);
      await pool.end();
    },
  };
}

function kept(inboxes: Inbox[], inbox: Inbox): Inbox {
  inboxes.push(inbox);
  return inbox;
}

async function closeAll(inboxes: readonly Inbox[]): Promise<void> {
  await Promise.all(inboxes.map((inbox) => inbox.close({ graceMs: 0 })));
}

function textsOf(rows: readonly Row[]): string[] {
  return rows.map(({ text }) => String(text));
}

/** The machine's clock, put forward, or back, by so much. */
export function shifted(byMs: number): Clock {
  return { ...systemClock, now: () => Date.now() + byMs };
}

/** Delivers an event to a Stripe bus as Stripe would. */
export function post(bus: SpecBus, event: unknown, at: number = Date.now()): Promise<Receipt> {
  const body = bytes(event);
  return bus.receive({ method: "POST", url: "/stripe", headers: signed(body, at), body });
}

/** `next` after `before`: at once where that is no promise, as SQLite's transactions need it. */
export function following<T>(before: void | Promise<void>, next: () => T): T | Promise<T> {
  return before instanceof Promise ? before.then(next) : next();
}
