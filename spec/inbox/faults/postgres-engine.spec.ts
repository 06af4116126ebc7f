import { expect } from "chai";
import { Pool } from "pg";
import { StoreUnavailableError } from "../../../src/errors.ts";
import type { Inbox, InboxOptions } from "../../../src/inbox/inbox.ts";
import { postgresInbox } from "../../../src/inbox/postgres.ts";
import { anEvent, logOf, stripeBus } from "../../receiver/harness.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { aRecord, ScriptedBus, until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { aProcess, ProcessClock } from "./process.ts";
import { post, type Row } from "./storage.ts";

const POSTGRES = ENGINES[1] as (typeof ENGINES)[number];

describe("an inbox on PostgreSQL whose connections break", () => {
  let storage: Awaited<ReturnType<typeof POSTGRES.make>>;
  let proxy: TcpProxy;
  let pool: Pool;
  let inbox: Inbox;
  let clock: ProcessClock;

  before(function () {
    return POSTGRES.need(this);
  });

  beforeEach(async () => {
    storage = await POSTGRES.make();
    clock = new ProcessClock();
  });

  afterEach(async () => {
    proxy.resume();
    await inbox.close({ graceMs: 0 });
    await pool.end();
    await proxy.close();
    await storage.drop();
  });

  const open = async (options: InboxOptions, start: (url: string) => Promise<TcpProxy> = TcpProxy.start) => {
    const { place } = storage;
    if (place.engine !== "PostgreSQL") throw new Error("PostgreSQL is wanted");
    proxy = await start(place.url);
    pool = new Pool({ connectionString: proxy.through(place.url), max: 6, application_name: place.schema });
    inbox = postgresInbox({ ...options, pool, schema: place.schema });
  };
  /** The connections of the inbox that listen. */
  const lines = (): Promise<readonly Row[]> => {
    const { schema } = storage.place as { readonly schema: string };
    return storage.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = '${schema}' AND query LIKE 'LISTEN %'`,
    );
  };

  it("says which server it misses, with StoreUnavailableError, to every question", async () => {
    await open({}, TcpProxy.down);
    for (const ask of [
      () => inbox.record([aRecord("shop")]),
      () => inbox.find(),
      () => inbox.get("shop:evt_1"),
      () => inbox.counts(),
      () => inbox.replay("shop:evt_1"),
      () => inbox.discard("shop:evt_1"),
      () => inbox.purge(),
      () => inbox.ping(),
    ]) {
      const error = await ask().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(StoreUnavailableError);
      expect(String((error as Error).cause)).to.contain(String(proxy.port));
    }
  });

  it("hears of what others record by one connection, and makes it anew when it is cut", async () => {
    await open({});
    const bus = new ScriptedBus("shop");
    // Only a notification comes sooner than an hour.
    inbox.work(bus, { pollMs: 3_600_000 });
    await until(async () => (await lines()).length === 1);
    const other = storage.inbox();
    await other.record([aRecord("shop")]);
    await until(() => bus.deliveries.length === 1);

    const [{ pid } = { pid: 0 }] = await lines();
    proxy.cut();
    await until(async () => (await lines()).some((each) => each["pid"] !== pid));
    await other.record([aRecord("shop")]);
    await until(() => bus.deliveries.length === 2);
    expect(await lines()).to.have.length(1);
  });

  it("begins to hear once the server is there, where it was away at the start", async () => {
    await open({}, TcpProxy.down);
    const bus = new ScriptedBus("shop");
    inbox.work(bus, { pollMs: 3_600_000 });
    await until(() => bus.troubles.length > 0);
    await proxy.up();
    await until(async () => (await lines()).length === 1);
    await storage.inbox().record([aRecord("shop")]);
    await until(() => bus.deliveries.length === 1);
  });

  it("takes the provider's next try for a duplicate where the reply was lost after the insert", async () => {
    await open({ clock });
    const effects: string[] = [];
    const process = aProcess(clock, { ledger: ({ id }) => effects.push(id) });
    process.bus.inbox = inbox;
    // So that the connection is there, and knows the statement.
    const [first, event] = [anEvent(), anEvent()];
    await post(process.bus, first);
    const lost = proxy.loseReply();
    expect(await post(process.bus, event)).to.deep.include({ status: 503, outcome: "failed" });
    await lost;
    expect((await post(process.bus, event)).outcome).to.equal("duplicate");
    process.work(inbox);
    await until(async () => (await storage.inbox().counts()).done === 2);
    expect(effects).to.deep.equal([first.id, event.id]);
  });

  it("refuses a delivery when five seconds have passed without an answer, and goes on when there are answers", async () => {
    await open({ clock });
    const bus = stripeBus();
    bus.inbox = inbox;
    const [first, event] = [anEvent(), anEvent()];
    await post(bus, first);
    const timers = clock.pending;
    proxy.stall();
    const answer = post(bus, event);
    await until(() => clock.pending > timers);
    await clock.advance(4_999);
    expect(await Promise.race([answer, Promise.resolve("waits")])).to.equal("waits");
    await clock.advance(1);
    expect(await answer).to.deep.include({ status: 503, outcome: "failed" });
    expect(logOf(bus).at(-1)?.fields).to.deep.include({ reason: "HOOKBUS_STORE_UNAVAILABLE" });

    proxy.resume();
    // What had been sent is carried out after all: the provider's next try is a duplicate then.
    await until(async () => (await inbox.find()).length === 2);
    expect((await post(bus, event)).outcome).to.equal("duplicate");
  });

  it("closes within its grace time and the limit of one statement where the server has stalled", async function () {
    this.timeout(30_000);
    await open({});
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await until(async () => (await lines()).length === 1);
    proxy.stall();
    const started = performance.now();
    await inbox.close({ graceMs: 0 });
    expect(performance.now() - started).to.be.below(15_000);
  });
});

describe("an inbox on a PostgreSQL that could lose what it acknowledged", () => {
  let storage: Awaited<ReturnType<typeof POSTGRES.make>>;
  let pool: Pool;

  before(function () {
    return POSTGRES.need(this);
  });

  beforeEach(async () => {
    storage = await POSTGRES.make();
    const { url, schema } = storage.place as { readonly url: string; readonly schema: string };
    pool = new Pool({
      connectionString: url,
      max: 2,
      options: `-c synchronous_commit=off -c search_path=${schema}`,
    });
  });

  afterEach(async () => {
    await pool?.end();
    await storage?.drop();
  });

  it("refuses deliveries as misconfigured, and says what to do", async () => {
    const bus = stripeBus();
    bus.inbox = postgresInbox({ pool });
    expect(await post(bus, anEvent())).to.deep.include({ status: 500, outcome: "failed" });
    expect(JSON.stringify(logOf(bus)))
      .to.contain("synchronous_commit")
      .and.contain("allowVolatile");
    expect(await bus.isUp()).to.equal(false);
  });

  it("takes them where that is allowed", async () => {
    const bus = stripeBus();
    bus.inbox = postgresInbox({ pool, allowVolatile: true });
    expect((await post(bus, anEvent())).outcome).to.equal("queued");
    await bus.inbox.close();
  });
});
