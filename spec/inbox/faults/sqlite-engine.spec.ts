import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openSqlite, type SqliteDatabase, sqliteDriver } from "../../../src/databases/sqlite-driver.ts";
import { ConfigurationError } from "../../../src/errors.ts";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import { sqliteInbox } from "../../../src/inbox/sqlite.ts";
import { anEvent, logOf } from "../../receiver/harness.ts";
import { rejectionOf } from "../../support/bus.ts";
import { until } from "../scripted-bus.ts";
import { aProcess, type Process, ProcessClock } from "./process.ts";
import { post } from "./storage.ts";

describe("an inbox on a SQLite file", () => {
  let folder: string;
  let path: string;
  let process: Process;
  let delivered: string[];
  let inbox: Inbox | undefined;
  let database: SqliteDatabase | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hookbus-engine-"));
    path = join(folder, "inbox.db");
    delivered = [];
    process = aProcess(new ProcessClock(), { ledger: ({ id }) => delivered.push(id) });
  });

  afterEach(async () => {
    await inbox?.close({ graceMs: 0 });
    database?.close?.();
    database = undefined;
    inbox = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const use = (made: Inbox): Inbox => {
    process.bus.inbox = made;
    inbox = made;
    return made;
  };
  const handedIn = async (): Promise<SqliteDatabase> => {
    database = openSqlite(await sqliteDriver(), path);
    use(sqliteInbox({ database }));
    return database;
  };
  const reason = (): unknown => logOf(process.bus).at(-1)?.fields;

  it("whose folder is missing: refuses deliveries, names the file, and works once the folder is there", async () => {
    path = join(folder, "later", "inbox.db");
    const made = use(sqliteInbox({ path }));
    process.work(made);
    await until(() => process.troubles.length > 0);
    expect(process.troubles[0]).to.be.instanceOf(ConfigurationError);
    const event = anEvent();
    expect((await post(process.bus, event)).status).to.equal(500);
    expect(String(await rejectionOf(made.ping()))).to.contain(`"${path}" cannot be opened`);
    mkdirSync(join(folder, "later"));
    expect((await post(process.bus, event)).outcome).to.equal("queued");
    await until(() => delivered.length === 1);
  });

  it("on a full disk: refuses what it cannot keep, delivers what it has, and goes on when there is room", async () => {
    const disk = await handedIn();
    const [kept, ...more] = Array.from({ length: 60 }, () => anEvent({ note: "x".repeat(4_000) }));
    expect((await post(process.bus, kept)).status).to.equal(200);
    const { page_count: pages } = disk.prepare("PRAGMA page_count").get() as { page_count: number };
    disk.exec(`PRAGMA max_page_count = ${pages + 8}`);
    const refused: unknown[] = [];
    for (const event of more) {
      const { status } = await post(process.bus, event);
      if (status === 503) refused.push(event);
      else expect(status).to.equal(200);
    }
    expect(refused).not.to.have.length(0);
    expect(reason()).to.deep.include({ reason: "HOOKBUS_STORE_UNAVAILABLE" });
    const count = async (): Promise<number> => Object.values(await (inbox as Inbox).counts()).reduce((a, b) => a + b);
    expect(await count()).to.equal(60 - refused.length);

    disk.exec("PRAGMA max_page_count = 100000");
    for (const event of refused) expect((await post(process.bus, event)).outcome).to.equal("queued");
    process.work(inbox as Inbox);
    await until(() => delivered.length === 60);
    expect(delivered.toSorted()).to.deep.equal([kept, ...more].map((event) => event?.id).toSorted());
  });

  it("that cannot be written: refuses deliveries, keeps trying, and goes on when it can", async () => {
    const disk = await handedIn();
    const [kept, event] = [anEvent(), anEvent()];
    await post(process.bus, kept);
    disk.exec("PRAGMA query_only = 1");
    process.work(inbox as Inbox);
    await until(() => process.troubles.length > 0);
    expect(await post(process.bus, event)).to.deep.include({ status: 503, outcome: "failed" });
    expect(delivered).to.deep.equal([]);
    disk.exec("PRAGMA query_only = 0");
    expect((await post(process.bus, event)).outcome).to.equal("queued");
    await until(() => delivered.length === 2);
  });

  it("that is no database: acknowledges nothing, and names the file", async () => {
    writeFileSync(path, "this is a text, and no database of SQLite: ".repeat(200));
    use(sqliteInbox({ path }));
    expect((await post(process.bus, anEvent())).status).to.equal(500);
    const error = await rejectionOf((inbox as Inbox).ping());
    expect(error).to.be.instanceOf(ConfigurationError);
    expect(String(error)).to.contain(`"${path}"`).and.contain("from a backup");
    expect(await process.bus.isUp()).to.equal(false);
  });

  it("that was damaged: acknowledges nothing, names the file, and the worker tells the operator", async () => {
    const before = sqliteInbox({ path });
    const old = aProcess(new ProcessClock(), {});
    old.bus.inbox = before;
    for (let index = 0; index < 20; index += 1) await post(old.bus, anEvent({ note: "x".repeat(4_000) }));
    await before.close();
    const checkpoint = openSqlite(await sqliteDriver(), path);
    checkpoint.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    checkpoint.close?.();
    // Everything but the page with the header and the schema, which is read first.
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(statSync(path).size - 4096, 0xaa), 0, undefined, 4096);
    closeSync(file);

    use(sqliteInbox({ path }));
    expect((await post(process.bus, anEvent())).status).to.equal(500);
    process.work(inbox as Inbox);
    await until(() => process.troubles.length > 0);
    for (const error of [process.troubles[0], await rejectionOf((inbox as Inbox).counts())]) {
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain(`"${path}"`).and.contain("damaged");
    }
  });

  it("that is kept in memory: refuses deliveries as misconfigured, unless that is allowed", async () => {
    use(sqliteInbox({ path: ":memory:" }));
    expect((await post(process.bus, anEvent())).status).to.equal(500);
    expect(JSON.stringify(logOf(process.bus))).to.contain("allowVolatile");
    use(sqliteInbox({ path: ":memory:", allowVolatile: true }));
    expect((await post(process.bus, anEvent())).outcome).to.equal("queued");
  });

  it("that another process has locked for too long: refuses deliveries, and goes on when it lets go", async () => {
    const disk = await handedIn();
    const event = anEvent();
    await post(process.bus, anEvent());
    disk.exec("PRAGMA busy_timeout = 0");
    const other = openSqlite(await sqliteDriver(), path);
    other.exec("BEGIN IMMEDIATE");
    expect((await post(process.bus, event)).status).to.equal(503);
    other.exec("ROLLBACK");
    other.close?.();
    expect((await post(process.bus, event)).outcome).to.equal("queued");
  });
});
