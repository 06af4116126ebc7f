import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isBusy, openSqlite, type SqliteDatabase, sqliteDriver } from "../../../src/databases/sqlite-driver.ts";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import { sqliteInbox } from "../../../src/inbox/sqlite.ts";
import { rejectionOf } from "../../support/bus.ts";
import { aRecord } from "../scripted-bus.ts";

/** What SQLite throws at once, and not after the time that it was told to wait, while two change a new file. */
const BUSY = Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY", errcode: 5 });

/** A database on which another process is in the way of a WAL so often. */
function contended(database: SqliteDatabase, times: number): { readonly database: SqliteDatabase; tries: number } {
  const seen = { database, tries: 0 };
  seen.database = new Proxy(database, {
    get(target, property) {
      const value = Reflect.get(target, property) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (property === "prepare" && args[0] === "PRAGMA journal_mode = WAL" && seen.tries++ < times) {
          return {
            get: () => {
              throw BUSY;
            },
          };
        }
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return seen;
}

describe("a SQLite error", () => {
  it("says that somebody else writes by its name or its number, extended or not", () => {
    const busy = [
      { code: "SQLITE_BUSY" },
      { code: "SQLITE_BUSY_RECOVERY" },
      { errcode: 5 },
      { errcode: 261 },
      { errcode: 517 },
    ];
    for (const error of busy) expect(isBusy(error), JSON.stringify(error)).to.equal(true);
    const others = [
      { code: "SQLITE_LOCKED", errcode: 6 },
      { code: "ERR_SQLITE_ERROR", errcode: 262 },
      {},
      undefined,
      "busy",
    ];
    for (const error of others) expect(isBusy(error), JSON.stringify(error)).to.equal(false);
  });
});

describe("a SQLite file", () => {
  let folder: string;
  let database: SqliteDatabase;
  let inbox: Inbox | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hookbus-wal-"));
    database = openSqlite(await sqliteDriver(), join(folder, "inbox.db"));
  });

  afterEach(async () => {
    await inbox?.close({ graceMs: 0 });
    database.close?.();
    await rm(folder, { recursive: true });
  });

  describe("that another process changes for the first time, too", () => {
    it("is waited for", async () => {
      const other = contended(database, 3);
      inbox = sqliteInbox({ database: other.database });
      expect(await inbox.record([aRecord("shop")])).to.deep.equal([{ state: "recorded" }]);
      expect(other.tries).to.equal(4);
      expect(database.prepare("PRAGMA journal_mode").get()).to.include({ journal_mode: "wal" });
    });

    it("is not waited for without an end", async () => {
      const other = contended(database, Number.POSITIVE_INFINITY);
      inbox = sqliteInbox({ database: other.database });
      const error = await rejectionOf(inbox.record([aRecord("shop")]));
      expect(error).to.include({ code: "HOOKBUS_STORE_UNAVAILABLE" });
      expect((error as Error).cause).to.equal(BUSY);
      expect(other.tries).to.be.within(2, 100);
    });
  });

  describe("whose WAL grows", () => {
    const pages = (): unknown => database.prepare("PRAGMA wal_autocheckpoint").get();

    it("is copied into the database when it holds four thousand pages", async () => {
      expect(pages(), "SQLite's own").to.deep.include({ wal_autocheckpoint: 1_000 });
      inbox = sqliteInbox({ database });
      await inbox.ping();
      expect(pages()).to.deep.include({ wal_autocheckpoint: 4_000 });
    });

    for (const own of [0, 250, 20_000]) {
      it(`is left alone where somebody has set ${own} pages`, async () => {
        database.exec(`PRAGMA wal_autocheckpoint = ${own}`);
        inbox = sqliteInbox({ database });
        await inbox.ping();
        expect(pages()).to.deep.include({ wal_autocheckpoint: own });
      });
    }
  });
});
