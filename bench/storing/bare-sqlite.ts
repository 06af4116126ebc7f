import type { NewRecord } from "../../dist/inbox/record.js";
import { sqliteInbox } from "../../dist/inbox/sqlite.js";
import { openSqlite, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import { RECORD_COLUMNS, valuesOf } from "../../src/inbox/sql/rows.ts";

const COLUMNS = Object.keys(RECORD_COLUMNS);

/** The inbox's own tables in a file, and what the bare driver takes to fill them: no look at duplicates. */
export interface BareSqlite {
  insert(group: readonly NewRecord[]): void;
  close(): void;
}

export async function bareSqlite(path: string): Promise<BareSqlite> {
  const inbox = sqliteInbox({ path });
  await inbox.ping();
  await inbox.close();
  const database = openSqlite(await sqliteDriver(), path);
  database.exec("PRAGMA synchronous = FULL");
  const places = COLUMNS.map(() => "?").join(", ");
  const record = database.prepare(`INSERT INTO hookbus_inbox (${COLUMNS.join(", ")}, due_at) VALUES (${places}, ?)`);
  const body = database.prepare("INSERT INTO hookbus_inbox_body (seq, body) VALUES (?, ?)");
  return {
    insert(group) {
      database.exec("BEGIN IMMEDIATE");
      for (const each of group) {
        const { lastInsertRowid } = record.run(...valuesOf(each), Date.now()) as unknown as { lastInsertRowid: number };
        body.run(lastInsertRowid, each.body);
      }
      database.exec("COMMIT");
    },
    close: () => void database.close?.(),
  };
}
