import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { Pool, type PoolClient } from "pg";
import { openSqlite, type SqliteDatabase, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { postgresIdempotency } from "../../src/idempotency/postgres.ts";
import { redisIdempotency } from "../../src/idempotency/redis.ts";
import { sqliteIdempotency } from "../../src/idempotency/sqlite.ts";
import type { Awaitable, IdempotencyStore } from "../../src/idempotency/store.ts";
import { rejectionOf } from "../support/bus.ts";
import { needPostgres, needRedis, POSTGRES_URL, REDIS_URL, testPrefix, testSchema } from "../support/servers.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { anEvent, Closing, deferred, type SpecBus, serve, stripeBus, type Wire } from "./harness.ts";

/** Where a store keeps its data. */
interface Place {
  /** A store of its own on the data, as another process has one. */
  open(): IdempotencyStore;
  end(): Awaitable<unknown>;
}

/** A place that holds the user's data as well: a table of effects, which are texts. */
interface Database extends Place {
  /** Writes an effect on what hookbus gave as a transaction, or `owned` did. */
  write(tx: unknown, text: string): Awaitable<unknown>;
  /** How often the effect is there, committed. */
  count(text: string): Awaitable<number>;
  /** Runs `work` in a transaction of the user's own. */
  owned(work: (executor: unknown) => Promise<void>): Promise<void>;
}

const databases: Readonly<Record<string, (suite: Mocha.Context) => Promise<Database>>> = {
  sqliteIdempotency: async () => {
    const folder = mkdtempSync(join(tmpdir(), "hookbus-durable-"));
    const path = join(folder, "events.db");
    const own = openSqlite(await sqliteDriver(), path);
    own.exec("CREATE TABLE effect (text text NOT NULL)");
    const stores: IdempotencyStore[] = [];
    return {
      open: () => {
        const store = sqliteIdempotency({ path });
        stores.push(store);
        return store;
      },
      write: (tx, text) => {
        (tx as SqliteDatabase).prepare("INSERT INTO effect VALUES (?)").run(text as never);
      },
      count: (text) => own.prepare("SELECT text FROM effect WHERE text = ?").all(text as never).length,
      owned: (work) => transact((sql) => own.exec(sql), own, work),
      end: async () => {
        for (const store of stores) await store.close?.();
        own.close?.();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  postgresIdempotency: async (suite) => {
    await needPostgres(suite);
    const { pool, schema, drop } = await testSchema();
    await pool.query(`CREATE TABLE ${schema}.effect (text text NOT NULL)`);
    return {
      open: () => postgresIdempotency({ pool, schema }),
      write: (tx, text) => (tx as PoolClient).query(`INSERT INTO ${schema}.effect VALUES ($1)`, [text]),
      count: async (text) => (await pool.query(`SELECT FROM ${schema}.effect WHERE text = $1`, [text])).rowCount ?? 0,
      owned: async (work) => {
        const client = await pool.connect();
        await transact((sql) => client.query(sql), client, work).finally(() => client.release());
      },
      end: drop,
    };
  },
};

const redis = async (suite: Mocha.Context): Promise<Place> => {
  await needRedis(suite);
  const client = new Redis(REDIS_URL);
  const prefix = testPrefix();
  return {
    open: () => redisIdempotency({ client, prefix, allowVolatile: true }),
    end: async () => {
      const keys = await client.keys(`${prefix}*`);
      if (keys.length > 0) await client.del(keys);
      client.disconnect();
    },
  };
};

const places: Readonly<Record<string, (suite: Mocha.Context) => Promise<Place>>> = {
  ...databases,
  redisIdempotency: redis,
};

const closing = new Closing();

/** A process that serves the endpoint: a bus with a store of its own. */
async function start(
  store: IdempotencyStore,
  subscribe: (bus: SpecBus) => void,
): Promise<{ bus: SpecBus; wire: Wire }> {
  const bus = stripeBus();
  bus.idempotency = store;
  subscribe(bus);
  return { bus, wire: closing.add(await serve(bus)) };
}

for (const [name, make] of Object.entries(places)) {
  describe(`a bus with ${name}`, () => {
    let place: Place;

    before(async function () {
      place = await make(this);
    });

    afterEach(() => closing.close());

    after(() => place?.end());

    it("answers 200 to the duplicate of an event that was handled before a restart, and runs nobody", async () => {
      const ran: string[] = [];
      const subscribe = (bus: SpecBus): void => {
        bus.all({ name: "ledger", call: (event) => void ran.push(event.id) });
      };
      const event = anEvent();
      const before = await start(place.open(), subscribe);
      expect((await before.wire.deliver(event)).status).to.equal(200);
      await before.wire.close();
      const after = await start(place.open(), subscribe);
      expect((await after.wire.deliver(event)).status).to.equal(200);
      expect(ran).to.deep.equal([event.id]);
    });

    it("runs after a restart only the subscriber that failed before it", async () => {
      const ran: string[] = [];
      let down = true;
      const subscribe = (bus: SpecBus): void => {
        bus.all({ name: "ledger", call: () => void ran.push("ledger") });
        bus.all({
          name: "mailer",
          call: () => {
            ran.push("mailer");
            if (down) throw new Error("the mail server is down");
          },
        });
      };
      const event = anEvent();
      const before = await start(place.open(), subscribe);
      expect((await before.wire.deliver(event)).status).to.equal(500);
      down = false;
      const after = await start(place.open(), subscribe);
      expect((await after.wire.deliver(event)).status).to.equal(200);
      expect(ran).to.deep.equal(["ledger", "mailer", "mailer"]);
    });

    it("answers 409 in one process while another runs the event", async () => {
      const [begun, finish] = [deferred(), deferred()];
      let runs = 0;
      const subscribe = (bus: SpecBus): void => {
        bus.all({
          name: "ledger",
          call: async () => {
            runs += 1;
            begun.resolve();
            await finish.promise;
          },
        });
      };
      const event = anEvent();
      const [one, other] = [await start(place.open(), subscribe), await start(place.open(), subscribe)];
      const first = one.wire.deliver(event);
      await begun.promise;
      expect((await other.wire.deliver(event)).status).to.equal(409);
      finish.resolve();
      expect((await first).status).to.equal(200);
      expect((await other.wire.deliver(event)).status).to.equal(200);
      expect(runs).to.equal(1);
    });

    it("is not ready with a subscriber that has no name", async () => {
      const { bus, wire } = await start(place.open(), (unready) => unready.all(() => undefined));
      expect(() => bus.assertReady()).to.throw(ConfigurationError, /name/);
      expect((await wire.deliver(anEvent())).status).to.equal(500);
    });
  });
}

for (const [name, make] of Object.entries(databases)) {
  describe(`context.transaction with ${name}`, () => {
    let database: Database;

    before(async function () {
      database = await make(this);
    });

    afterEach(() => closing.close());

    after(() => database?.end());

    const write = (id: string) => (tx: unknown) => database.write(tx, id) as Promise<unknown>;

    it("keeps the effect and the mark together, once for any number of deliveries", async () => {
      const { wire } = await start(database.open(), (bus) => {
        bus.all({ name: "ledger", call: async (event, context) => void (await context.transaction(write(event.id))) });
      });
      const event = anEvent();
      const answers = await Promise.all(Array.from({ length: 5 }, () => wire.deliver(event)));
      expect(answers.map(({ status }) => status)).to.include(200);
      expect((await wire.deliver(event)).status).to.equal(200);
      expect(await database.count(event.id)).to.equal(1);
    });

    it("does not run a subscriber again that failed after its commit", async () => {
      let runs = 0;
      const { wire } = await start(database.open(), (bus) => {
        bus.all({
          name: "ledger",
          call: async (event, context) => {
            runs += 1;
            await context.transaction(write(event.id));
            throw new Error("after the commit");
          },
        });
      });
      const event = anEvent();
      expect((await wire.deliver(event)).status).to.equal(500);
      expect((await wire.deliver(event)).status).to.equal(200);
      expect(runs).to.equal(1);
      expect(await database.count(event.id)).to.equal(1);
    });

    it("rolls both back where fn fails, so that the provider's retry does the work", async () => {
      let down = true;
      const { wire } = await start(database.open(), (bus) => {
        bus.all({
          name: "ledger",
          call: async (event, context) => {
            await context.transaction((tx) => {
              const written = write(event.id)(tx);
              if (down) throw new Error("in the transaction");
              return written;
            });
          },
        });
      });
      const event = anEvent();
      expect((await wire.deliver(event)).status).to.equal(500);
      expect(await database.count(event.id)).to.equal(0);
      down = false;
      expect((await wire.deliver(event)).status).to.equal(200);
      expect(await database.count(event.id)).to.equal(1);
    });

    it("is taken once a run", async () => {
      let second: unknown;
      const { wire } = await start(database.open(), (bus) => {
        bus.all({
          name: "ledger",
          call: async (event, context) => {
            await context.transaction(write(event.id));
            second = await rejectionOf(context.transaction(write(event.id)));
          },
        });
      });
      const event = anEvent();
      expect((await wire.deliver(event)).status).to.equal(200);
      expect(second).to.be.instanceOf(TypeError);
      expect(await database.count(event.id)).to.equal(1);
    });

    it("leaves its place to context.markDone in a transaction that the user owns", async () => {
      let down = true;
      const { wire } = await start(database.open(), (bus) => {
        bus.all({
          name: "ledger",
          call: (event, context) =>
            database.owned(async (executor) => {
              await database.write(executor, event.id);
              await context.markDone(executor);
              if (down) throw new Error("before the commit");
            }),
        });
      });
      const event = anEvent();
      expect((await wire.deliver(event)).status).to.equal(500);
      expect(await database.count(event.id)).to.equal(0);
      down = false;
      expect((await wire.deliver(event)).status).to.equal(200);
      expect((await wire.deliver(event)).status).to.equal(200);
      expect(await database.count(event.id)).to.equal(1);
    });
  });
}

describe("context.transaction with redisIdempotency", () => {
  let place: Place | undefined;

  before(async function () {
    place = await redis(this);
  });

  afterEach(() => closing.close());

  after(() => place?.end());

  it("says that it needs a database", async () => {
    const errors: unknown[] = [];
    const { wire } = await start((place as Place).open(), (bus) => {
      bus.all({
        name: "ledger",
        call: async (_, context) => {
          errors.push(await rejectionOf(context.transaction(() => undefined)));
          errors.push(await rejectionOf(context.markDone({ query: () => undefined })));
        },
      });
    });
    expect((await wire.deliver(anEvent())).status).to.equal(200);
    expect(errors).to.have.lengthOf(2);
    for (const error of errors) {
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain("PostgreSQL or SQLite");
    }
  });
});

describe("a bus whose PostgreSQL server is away", () => {
  let proxy: TcpProxy | undefined;
  let pool: Pool | undefined;

  before(async function () {
    await needPostgres(this);
  });

  afterEach(async () => {
    await closing.close();
    await proxy?.close();
    await pool?.end();
  });

  it("answers 503 and runs nobody, and handles the provider's retry when the server is back", async () => {
    const { schema, drop } = await testSchema();
    proxy = await TcpProxy.down(POSTGRES_URL);
    pool = new Pool({ connectionString: proxy.through(POSTGRES_URL) });
    let runs = 0;
    const { wire } = await start(postgresIdempotency({ pool, schema }), (bus) => {
      bus.all({
        name: "ledger",
        call: () => {
          runs += 1;
        },
      });
    });
    const event = anEvent();
    expect((await wire.deliver(event)).status).to.equal(503);
    expect(runs).to.equal(0);
    await proxy.up();
    expect((await wire.deliver(event)).status).to.equal(200);
    expect(runs).to.equal(1);
    await pool.end();
    pool = undefined;
    await drop();
  });
});

/** A transaction of the user's own. */
async function transact(
  execute: (sql: string) => unknown,
  executor: unknown,
  work: (executor: unknown) => Promise<void>,
): Promise<void> {
  await execute("BEGIN");
  try {
    await work(executor);
    await execute("COMMIT");
  } catch (error) {
    await execute("ROLLBACK");
    throw error;
  }
}
