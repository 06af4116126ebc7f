import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { openSqlite, type SqliteDatabase, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import { ConfigurationError } from "../../src/errors.ts";
import type { SqlIdempotency } from "../../src/idempotency/sql.ts";
import { sqliteIdempotency, sqliteIdempotencySql } from "../../src/idempotency/sqlite.ts";
import type { ClaimToken } from "../../src/idempotency/store.ts";
import { rejectionOf } from "../support/bus.ts";
import { childEnv } from "../support/child-env.ts";
import { idempotencyContract } from "./contract.ts";
import { durableContract } from "./durable-contract.ts";
import { sqlContract } from "./sql-contract.ts";
import type { TransactionBench } from "./transaction-contract.ts";

describe("sqliteIdempotency", () => {
  let folder: string;
  let connect: (path: string) => SqliteDatabase;
  let connections: SqliteDatabase[];
  let files = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hookbus-sqlite-"));
    const open = await sqliteDriver();
    connect = (path) => {
      const database = openSqlite(open, path);
      connections.push(database);
      return database;
    };
  });

  beforeEach(() => {
    connections = [];
  });

  afterEach(() => {
    for (const database of connections) database.close?.();
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const newFile = (): string => join(folder, `${++files}.db`);

  /** The user's own connections to the file of the store that was made last. */
  const bench = (path: string): TransactionBench => {
    const database = connect(path);
    database.exec("CREATE TABLE effect (text text NOT NULL)");
    return {
      async: false,
      write: (tx, text) =>
        void (tx as SqliteDatabase).prepare("INSERT INTO effect (text) VALUES (?)").run(text as never),
      execute: (tx, sql) => void (tx as SqliteDatabase).exec(sql),
      rows: () =>
        (connect(path).prepare("SELECT text FROM effect ORDER BY text").all() as { text: string }[]).map(
          ({ text }) => text,
        ),
      owned: async (work) => {
        database.exec("BEGIN IMMEDIATE");
        try {
          await work(database);
          database.exec("COMMIT");
        } catch (error) {
          database.exec("ROLLBACK");
          throw error;
        }
      },
    };
  };

  let path: string;

  idempotencyContract(
    "sqliteIdempotency on a path",
    ({ now }) => {
      path = newFile();
      return sqliteIdempotency({ path, now });
    },
    { transactions: () => bench(path) },
  );

  idempotencyContract(
    "sqliteIdempotency on a handed-in database",
    ({ now }) => {
      path = newFile();
      return sqliteIdempotency({ database: connect(path), now });
    },
    { transactions: () => bench(path) },
  );

  idempotencyContract("sqliteIdempotency in memory", ({ now }) =>
    sqliteIdempotency({ path: ":memory:", allowVolatile: true, now }),
  );

  durableContract("sqliteIdempotency", () => {
    const shared = newFile();
    return ({ now }) => sqliteIdempotency({ path: shared, now });
  });

  sqlContract("sqliteIdempotency", async () => {
    const shared = newFile();
    const database = connect(shared);
    return {
      open: (options) => sqliteIdempotency({ path: shared, ...options }),
      query: async (sql) => {
        const statement = database.prepare(sql.replaceAll("{}", ""));
        if (!sql.startsWith("SELECT")) return [statement.run()].slice(1);
        return (statement.all() as Record<string, unknown>[]).map((row) => ({ ...row }));
      },
      script: async (sql) => database.exec(sql),
      printed: sqliteIdempotencySql(),
    };
  });

  const take = async (store: SqlIdempotency, key = "bus:evt_1"): Promise<ClaimToken> => {
    const result = await store.claim(key, { leaseMs: 60_000, fingerprint: "f" });
    if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
    return result.token;
  };

  describe("transaction", () => {
    it("does not commit what an async fn writes after it was refused", async () => {
      const file = newFile();
      const store = sqliteIdempotency({ path: file });
      const { rows } = bench(file);
      const token = await take(store);
      let goesOn: Promise<unknown> = Promise.resolve();
      const refused = store.transaction(token, "mailer", (tx: SqliteDatabase) => {
        const insert = tx.prepare("INSERT INTO effect (text) VALUES ('late')");
        goesOn = Promise.resolve().then(() => insert.run());
        return goesOn;
      });
      expect(await rejectionOf(refused)).to.be.instanceOf(TypeError);
      await Promise.allSettled([goesOn]);
      expect(await rows()).to.deep.equal([]);
      await store.transaction(token, "mailer", (tx: SqliteDatabase) => {
        tx.prepare("INSERT INTO effect (text) VALUES ('in time')").run();
      });
      expect(await rows()).to.deep.equal(["in time"]);
      await store.close();
    });

    it("keeps out of fn's transaction what else the store does", async () => {
      const file = newFile();
      const store = sqliteIdempotency({ path: file });
      const token = await take(store);
      let other: Promise<ClaimToken> | undefined;
      const failing = store.transaction(token, "mailer", () => {
        other = Promise.resolve().then(() => take(store, "bus:evt_2"));
        throw new Error("bang");
      });
      expect(String(await rejectionOf(failing))).to.equal("Error: bang");
      await store.complete((await other) as ClaimToken);
      await store.close();
    });

    it("refuses to mark within a database that has no transaction open", async () => {
      const file = newFile();
      const store = sqliteIdempotency({ path: file });
      const token = await take(store);
      const error = await rejectionOf(store.markDoneWithin(token, "mailer", connect(file)));
      expect(error).to.be.instanceOf(TypeError);
      expect(String(error)).to.contain("begin yours first");
      await store.close();
    });
  });

  describe("faults", () => {
    it("needs a folder, names the file where there is none, and works once it is there", async () => {
      const missing = join(folder, "not-yet");
      const store = sqliteIdempotency({ path: join(missing, "events.db") });
      const error = await rejectionOf(take(store));
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain(`"${join(missing, "events.db")}" cannot be opened`);
      mkdirSync(missing);
      await store.complete(await take(store));
      await store.close();
    });

    it("names a file that is no database", async () => {
      const file = newFile();
      writeFileSync(file, "this is a text, and long enough to have been a header of SQLite: ".repeat(100));
      const error = await rejectionOf(take(sqliteIdempotency({ path: file })));
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain(`"${file}"`).and.contain("from a backup");
    });

    it("names a file that was damaged meanwhile", async () => {
      const file = newFile();
      const before = sqliteIdempotency({ path: file });
      for (let index = 0; index < 100; index += 1) await before.complete(await take(before, `bus:evt_${index}`));
      await before.close();
      connect(file).exec("PRAGMA wal_checkpoint(TRUNCATE)");
      // Everything but the page with the header and the schema, which is read first.
      const descriptor = openSync(file, "r+");
      writeSync(descriptor, Buffer.alloc(statSync(file).size - 4096, 0xaa), 0, undefined, 4096);
      closeSync(descriptor);

      const after = sqliteIdempotency({ path: file });
      const error = await rejectionOf(take(after));
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain(`"${file}" is damaged`);
      await after.close();
    });

    it("rejects while the disk is full, loses nothing, and goes on when there is room", async () => {
      const database = connect(newFile());
      const store = sqliteIdempotency({ database });
      const kept = await take(store, "bus:kept");
      await store.markDone(kept, "mailer");
      database.exec("PRAGMA max_page_count = 1");
      const fill = async (): Promise<void> => {
        for (let index = 0; index < 1_000; index += 1) await take(store, `bus:evt_${index}`);
      };
      expect(String(await rejectionOf(fill()))).to.match(/full/);
      const failing = store.transaction(kept, "ledger", (tx: SqliteDatabase) => {
        tx.exec("CREATE TABLE big (text text)");
      });
      expect(String(await rejectionOf(failing))).to.match(/full/);
      database.exec("PRAGMA max_page_count = 1000000");
      await take(store, "bus:after");
      await store.release(kept);
      expect(await store.claim("bus:kept", { leaseMs: 1, fingerprint: "f" })).to.deep.include({ done: ["mailer"] });
    });

    it("rejects while the file cannot be written, and goes on when it can", async () => {
      const database = connect(newFile());
      const store = sqliteIdempotency({ database });
      const token = await take(store);
      database.exec("PRAGMA query_only = 1");
      for (const call of [
        () => take(store, "bus:evt_2"),
        () => store.markDone(token, "mailer"),
        () => store.extend(token, 1),
        () => store.complete(token),
        () => store.release(token),
        () => store.transaction(token, "mailer", () => undefined),
      ]) {
        expect(String(await rejectionOf(call()))).to.match(/readonly/);
      }
      database.exec("PRAGMA query_only = 0");
      await store.complete(token);
    });

    it("rejects while another process keeps the file locked for too long, and goes on when it lets go", async () => {
      const file = newFile();
      const database = connect(file);
      const store = sqliteIdempotency({ database });
      const token = await take(store);
      database.exec("PRAGMA busy_timeout = 0");
      const other = connect(file);
      other.exec("BEGIN IMMEDIATE");
      expect(String(await rejectionOf(store.markDone(token, "mailer")))).to.match(/locked/);
      expect(String(await rejectionOf(store.complete(token)))).to.match(/locked/);
      other.exec("ROLLBACK");
      await store.complete(token);
    });

    it("rejects once it is closed", async () => {
      const store = sqliteIdempotency({ path: newFile() });
      const token = await take(store);
      await store.close();
      for (const call of [() => take(store), () => store.complete(token), () => store.ping()]) {
        expect(String(await rejectionOf(call()))).to.contain("closed");
      }
    });

    it("may be closed before it has opened, and leaves nothing open then", async () => {
      const file = newFile();
      const store = sqliteIdempotency({ path: file });
      const opening = store.ping();
      await store.close();
      expect(String(await rejectionOf(opening))).to.contain("closed");
    });

    it("leaves a handed-in database open", async () => {
      const database = connect(newFile());
      const store = sqliteIdempotency({ database });
      await store.ping();
      await store.close();
      database.exec("SELECT 1");
    });
  });

  it("gives each key to one of two processes on one file", async function () {
    this.timeout(60_000);
    const file = newFile();
    const claimers = await Promise.all(Array.from({ length: 2 }, () => startClaimer(file, 100)));
    const won = await Promise.all(claimers.map((claimer) => claimer()));
    const keys = won.flat();
    expect(keys).to.have.lengthOf(100);
    expect(new Set(keys).size).to.equal(100);
  });

  describe("settings", () => {
    it("refuse a database in memory, unless it may be lost", async () => {
      for (const options of [{ path: ":memory:" }, { database: connect(":memory:") }]) {
        const error = await rejectionOf(take(sqliteIdempotency(options)));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect(String(error)).to.contain("`allowVolatile: true`");
        await take(sqliteIdempotency({ ...options, allowVolatile: true }));
      }
    });

    it("name one file", () => {
      const both = { path: "events.db", database: connect(newFile()) };
      for (const options of [{}, both, { path: " " }, { database: {} as SqliteDatabase }]) {
        expect(() => sqliteIdempotency(options)).to.throw(ConfigurationError, /`path`|`database`/);
      }
    });
  });
});

/** Starts a process that claims the keys 0 to `count - 1`, as soon as it is told to; that gives those it got. */
async function startClaimer(file: string, count: number): Promise<() => Promise<string[]>> {
  const script = fileURLToPath(new URL("./claimer.ts", import.meta.url));
  const child: ChildProcess = fork(script, [file, String(count)], { execArgv: ["--import", "tsx"], env: childEnv() });
  await once(child, "message");
  return async () => {
    const ended = once(child, "exit");
    child.send("go");
    const [claimed] = await once(child, "message");
    await ended;
    return claimed as string[];
  };
}
