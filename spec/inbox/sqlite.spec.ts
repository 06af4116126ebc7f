import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { inboxContract } from "./contract.ts";

let folder: string | undefined;

async function path(): Promise<string> {
  folder ??= await mkdtemp(join(tmpdir(), "hookbus-inbox-"));
  return join(folder, "inbox.db");
}

inboxContract({
  name: "sqliteInbox",
  ordered: true,
  open: async (options) => sqliteInbox({ ...options, path: await path() }),
  reset: async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
    folder = undefined;
  },
  takeAway: async (key) => {
    const database = openSqlite(await sqliteDriver(), await path());
    const run = database.prepare("UPDATE hookbus_inbox SET fence = fence + 1, due_at = due_at + 3600000 WHERE key = ?");
    run.run(key);
    database.close?.();
  },
});
