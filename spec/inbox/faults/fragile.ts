import { Pool } from "pg";
import { openSqlite, sqliteDriver } from "../../../src/databases/sqlite-driver.ts";
import type { Inbox, InboxOptions } from "../../../src/inbox/inbox.ts";
import { postgresInbox } from "../../../src/inbox/postgres.ts";
import { sqliteInbox } from "../../../src/inbox/sqlite.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import type { Storage } from "./storage.ts";

/** An inbox whose store can be taken away, and given back. */
export interface Fragile {
  readonly inbox: Inbox;
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** PostgreSQL goes away for the inbox and not for the storage; a SQLite file can no longer be written by the inbox. */
export async function fragile({ place }: Storage, options: InboxOptions): Promise<Fragile> {
  if (place.engine === "SQLite") {
    const database = openSqlite(await sqliteDriver(), place.path);
    const inbox = sqliteInbox({ ...options, database });
    return {
      inbox,
      down: async () => void database.exec("PRAGMA query_only = 1"),
      up: async () => void database.exec("PRAGMA query_only = 0"),
      close: async () => {
        await inbox.close({ graceMs: 0 });
        database.close?.();
      },
    };
  }
  const proxy = await TcpProxy.start(place.url);
  const pool = new Pool({ connectionString: proxy.through(place.url), max: 8 });
  const inbox = postgresInbox({ ...options, pool, schema: place.schema });
  return {
    inbox,
    down: () => proxy.down(),
    up: () => proxy.up(),
    close: async () => {
      await inbox.close({ graceMs: 0 });
      await pool.end();
      await proxy.close();
    },
  };
}
