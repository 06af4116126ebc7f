/** How often each event was booked, read from the SQLite file by a connection that is not hookbus's. */
export async function bookings(path: string): Promise<ReadonlyMap<string, number>> {
  const database = await open(path);
  const rows = database.prepare("SELECT event, count(*) AS times FROM ledger GROUP BY event").all();
  database.close();
  return new Map((rows as { event: string; times: number }[]).map(({ event, times }) => [event, times]));
}

interface Reader {
  prepare(text: string): { all(): unknown[] };
  close(): void;
}

async function open(path: string): Promise<Reader> {
  const builtin = process.getBuiltinModule("node:sqlite") as { DatabaseSync: new (path: string) => Reader } | undefined;
  if (builtin) return new builtin.DatabaseSync(path);
  const { default: Libsql } = await import("libsql");
  return new Libsql(path);
}
