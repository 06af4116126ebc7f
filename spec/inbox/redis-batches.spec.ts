import { Worker as BullWorker, Queue } from "bullmq";
import { expect } from "chai";
import { Redis } from "ioredis";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { jobIdOf } from "../../src/inbox/redis/keys.ts";
import { type RedisInboxOptions, redisInbox } from "../../src/inbox/redis.ts";
import { hideScripts } from "../support/bullmq-scripts.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { aRecord, DONE, ScriptedBus, until } from "./scripted-bus.ts";

const { getNextJob } = BullWorker.prototype;

describe("redisInbox when it takes and ends several events at once", function () {
  this.timeout(30_000);
  const opened: Inbox[] = [];
  const closing: (() => unknown)[] = [];
  let server: RedisServerProcess;
  let redis: Redis;

  before(function () {
    needRedisServer(this);
  });

  beforeEach(async () => {
    server = await RedisServerProcess.start();
    redis = new Redis(server.url);
    redis.on("error", () => undefined);
  });

  afterEach(async () => {
    BullWorker.prototype.getNextJob = getNextJob;
    await Promise.all(opened.splice(0).map((inbox) => inbox.close({ graceMs: 0 })));
    for (const close of closing.splice(0)) await close();
    redis.disconnect();
    await server.remove();
  });

  const open = (options: Partial<RedisInboxOptions> = {}): Inbox => {
    const inbox = redisInbox({ connection: server.url, leaseMs: 20_000, ...options });
    opened.push(inbox);
    return inbox;
  };
  const recorded = async (inbox: Inbox, count: number): Promise<string[]> => {
    const records = Array.from({ length: count }, () => aRecord("shop"));
    await inbox.record(records);
    return records.map(({ key }) => key);
  };
  const outcomes = async (inbox: Inbox, key: string): Promise<string[] | undefined> =>
    (await inbox.get(key))?.history.map(({ outcome }) => outcome);
  const isDone = (inbox: Inbox, count: number): Promise<void> =>
    until(async () => (await inbox.counts()).done === count);
  /** A bus whose deliveries wait for each other, and then end at the same time. */
  const together = (count: number, script: ScriptedBus["script"] = () => DONE): ScriptedBus => {
    let open = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      open = resolve;
    });
    const bus: ScriptedBus = new ScriptedBus("shop", async (record, run) => {
      if (bus.running === count) open();
      await all;
      return script(record, run);
    });
    return bus;
  };
  /** Runs `then` whenever BullMQ has been asked for several jobs. */
  const afterSeveral = (then: () => void): void => {
    BullWorker.prototype.getNextJob = async function (token, options) {
      const job = await getNextJob.call(this, token, options);
      if (job && options?.block === false) then();
      return job;
    };
  };

  it("records deliveries that come at the same time by few commands, and each once", async () => {
    const inbox = open();
    await recorded(inbox, 1);
    await redis.config("RESETSTAT");
    const records = Array.from({ length: 100 }, () => aRecord("shop"));
    const came = await Promise.all([...records, ...records].map((one) => inbox.record([one])));
    expect(came.slice(0, 100).flat()).to.deep.equal(records.map(() => ({ state: "recorded" })));
    expect(came.slice(100).flat()).to.deep.equal(
      records.map(({ fingerprint }) => ({ state: "duplicate", fingerprint })),
    );
    const asked = /cmdstat_eval(?:sha)?:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1];
    expect(Number(asked)).to.be.within(1, 10);
    expect(await redis.llen("hookbus-inbox:shop:wait")).to.equal(101);
  });

  it("fails of deliveries that come at the same time only the one that cannot be recorded", async () => {
    const inbox = open();
    await recorded(inbox, 1);
    const [whole, broken, other] = [aRecord("shop"), aRecord("shop"), aRecord("shop")];
    await redis.set(`hookbus-inbox:shop:${jobIdOf(broken.key)}`, "no hash");
    const came = await Promise.allSettled([whole, broken, other].map((one) => inbox.record([one])));
    expect(came.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    expect((came[1] as PromiseRejectedResult).reason).to.include({ code: "HOOKBUS_STORE_UNAVAILABLE" });
    expect((await inbox.find()).map(({ key }) => key)).to.include.members([whole.key, other.key]);
    await redis.del(`hookbus-inbox:shop:${jobIdOf(broken.key)}`);
    expect(await inbox.record([broken])).to.deep.equal([{ state: "recorded" }]);
  });

  it("asks the server for much less than one command an event", async () => {
    const inbox = open();
    await recorded(inbox, 300);
    await redis.config("RESETSTAT");
    inbox.work(new ScriptedBus("shop"), { concurrency: 50 });
    await until(async () => (await redis.zcard("hookbus-inbox:shop:completed")) === 300);
    const scripts = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1];
    expect(Number(scripts)).to.be.lessThan(150);
  });

  it("asks for the next events before it delivers those that came, and never holds too many", async () => {
    const inbox = open();
    await recorded(inbox, 200);
    const log: string[] = [];
    BullWorker.prototype.getNextJob = async function (token, options) {
      log.push("asked");
      const job = await getNextJob.call(this, token, options);
      if (job && options?.block === false) log.push("came");
      return job;
    };
    const bus = new ScriptedBus("shop", () => {
      log.push("delivered");
      return new Promise((resolve) => setImmediate(() => resolve(DONE)));
    });
    inbox.work(bus, { concurrency: 20 });
    await isDone(inbox, 200);
    expect(log.join(" ")).to.include("came asked delivered");
    expect(bus.peak).to.be.within(10, 20);
  });

  it("takes small events together, and large ones one by one", async () => {
    const inbox = open();
    const bus = new ScriptedBus("shop", () => new Promise(() => {}));
    inbox.work(bus);
    const locks = async (): Promise<(string | null)[]> =>
      Promise.all(bus.keys().map((key) => redis.get(`hookbus-inbox:shop:${jobIdOf(key)}:lock`)));
    await inbox.record(Array.from({ length: 4 }, () => aRecord("shop", { body: Buffer.alloc(300_000) })));
    await until(() => bus.deliveries.length === 4);
    expect(new Set(await locks()).size).to.equal(4);
    await recorded(inbox, 6);
    await until(() => bus.deliveries.length === 10);
    expect(new Set(await locks()).size).to.be.lessThan(9);
  });

  it("gives back what came while the worker began to close, as if it had never been taken", async () => {
    const inbox = open();
    const keys = await recorded(inbox, 3);
    let closed: Promise<void> | undefined;
    afterSeveral(() => {
      closed = worker.close();
    });
    const bus = new ScriptedBus("shop");
    const worker = inbox.work(bus);
    await until(() => closed !== undefined);
    await closed;
    const taken = keys.filter((key) => !bus.keys().includes(key));
    expect(taken).to.have.length.above(1);
    for (const key of taken) {
      expect(await inbox.get(key)).to.deep.include({ state: "pending", attempts: 0, history: [] });
    }
    expect(await redis.lrange("hookbus-inbox:shop:wait", 0, -1)).to.have.members(taken.map(jobIdOf));
  });

  /** BullMQ has finished a job: from then on it can be asked for the next one with the end of another. */
  const finishedOne = async (inbox: Inbox, bus: ScriptedBus): Promise<void> => {
    const [key] = await recorded(inbox, 1);
    await until(() => bus.keys().includes(key as string));
    await isDone(inbox, 1);
  };

  const lockOf = (key: string): Promise<string | null> => redis.get(`hookbus-inbox:shop:${jobIdOf(key)}:lock`);

  it("gets the next event with the end of another", async () => {
    const inbox = open();
    const tokens: (string | null)[] = [];
    const bus = new ScriptedBus("shop", async ({ key }, run) => {
      tokens.push(await lockOf(key));
      await run.markDone("ledger", false, true);
      return DONE;
    });
    inbox.work(bus, { concurrency: 1 });
    await finishedOne(inbox, bus);
    await redis.config("RESETSTAT");
    await recorded(inbox, 20);
    await isDone(inbox, 21);
    expect(tokens).to.have.length(21);
    expect(tokens).not.to.include(null);
    expect(bus.peak).to.equal(1);
    const [, asked] = /cmdstat_bzpopmin:calls=(\d+)/.exec(await redis.info("commandstats")) ?? [];
    expect(Number(asked ?? 0)).to.be.lessThan(5);
  });

  it("holds an event that came again by another token than before, so that its old run ends nothing", async () => {
    const inbox = open();
    const runs: { readonly key: string; readonly token: string | null; finish(): void }[] = [];
    const bus = new ScriptedBus("shop", async ({ key }, run) => {
      const token = await lockOf(key);
      if (bus.deliveries.length > 1) await new Promise<void>((finish) => runs.push({ key, token, finish }));
      await run.markDone("ledger", false, true);
      return DONE;
    });
    inbox.work(bus, { concurrency: 4 });
    await finishedOne(inbox, bus);
    await recorded(inbox, 4);
    await until(() => runs.length === 4);
    const [stolen, neighbour] = runs.filter(({ token }) => runs.filter((run) => run.token === token).length > 1);
    if (!stolen || !neighbour) throw new Error("no two events came together");
    await redis.del(`hookbus-inbox:shop:${jobIdOf(stolen.key)}:lock`);
    expect(await inbox.replay(stolen.key)).to.deep.include({ replayed: [stolen.key] });
    neighbour.finish();
    await until(() => runs.length === 5);
    const again = runs[4] as (typeof runs)[number];
    expect(again.key).to.equal(stolen.key);
    expect(again.token).to.be.a("string").that.does.not.equal(stolen.token);
    stolen.finish();
    await until(() => bus.running === 3);
    expect(await inbox.get(stolen.key)).to.deep.include({ state: "running" });
    for (const run of runs) run.finish();
    await isDone(inbox, 5);
  });

  it("gives back what came with the end of another while the worker began to close", async () => {
    const inbox = open();
    let closed: Promise<void> | undefined;
    const bus = new ScriptedBus("shop", async (_, run) => {
      const marked = run.markDone("ledger", false, true);
      // What is to be asked for has been said, and the answer is not there.
      if (bus.deliveries.length > 1) closed ??= worker.close();
      await marked;
      return DONE;
    });
    const worker = inbox.work(bus, { concurrency: 1 });
    await finishedOne(inbox, bus);
    const keys = await recorded(inbox, 3);
    await until(() => closed !== undefined);
    await closed;
    const left = keys.filter((key) => !bus.keys().includes(key));
    expect(left).to.have.length(2);
    for (const key of left) {
      expect(await inbox.get(key)).to.deep.include({ state: "pending", attempts: 0, history: [] });
    }
    expect(await redis.lrange("hookbus-inbox:shop:wait", 0, -1)).to.have.members(left.map(jobIdOf));
    expect(await redis.lrange("hookbus-inbox:shop:active", 0, -1)).to.deep.equal([]);
  });

  it("asks for no other event with the end of a large one", async () => {
    const inbox = open();
    const held: number[] = [];
    const bus = new ScriptedBus("shop", async (_, run) => {
      await run.markDone("ledger", false, true);
      held.push(await redis.llen("hookbus-inbox:shop:active"));
      return DONE;
    });
    inbox.work(bus, { concurrency: 1 });
    await finishedOne(inbox, bus);
    await inbox.record(Array.from({ length: 3 }, () => aRecord("shop", { body: Buffer.alloc(300_000) })));
    await until(() => held.length === 4);
    expect(held.slice(1)).to.deep.equal([0, 0, 0]);
  });

  it("delivers again what the server gave in an answer that was lost, and counts it as an attempt", async () => {
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const direct = open();
    const keys = await recorded(direct, 3);
    let cut: Promise<void> | undefined;
    const bus: ScriptedBus = new ScriptedBus("shop", async () => {
      // The first is being delivered, and the others are asked for.
      if (bus.deliveries.length > 1) return DONE;
      await until(() => cut !== undefined);
      await cut;
      return DONE;
    });
    BullWorker.prototype.getNextJob = async function (token, options) {
      if (options?.block === false && !cut) {
        await until(() => bus.running === 1);
        cut = proxy.loseReply();
      }
      return getNextJob.call(this, token, options);
    };
    open({ connection: proxy.through(server.url), leaseMs: 900 }).work(bus);
    await isDone(direct, 3);
    expect(bus.keys().toSorted()).to.deep.equal(keys.toSorted());
    const histories = await Promise.all(keys.map((key) => outcomes(direct, key)));
    expect(histories.toSorted()).to.deep.equal([["done"], ["lost", "done"], ["lost", "done"]]);
  });

  it("refuses of several ends only that of the event which another worker has by now", async () => {
    const inbox = open();
    const [stolen, kept] = (await recorded(inbox, 2)) as [string, string];
    const lock = `hookbus-inbox:shop:${jobIdOf(stolen)}:lock`;
    const bus = together(2, async () => {
      await redis.set(lock, "another worker", "PX", 60_000);
      return DONE;
    });
    const worker = inbox.work(bus);
    await until(async () => (await inbox.get(kept))?.state === "done");
    await worker.close();
    expect(await inbox.get(stolen)).to.deep.include({ state: "running", history: [] });
    expect(await redis.get(lock)).to.equal("another worker");
  });

  it("writes the other ends where one cannot be written, and that one once it can", async () => {
    const inbox = open();
    const [broken, whole] = (await recorded(inbox, 2)) as [string, string];
    const lock = `hookbus-inbox:shop:${jobIdOf(broken)}:lock`;
    let token: string | null = null;
    const bus = together(2, async ({ key }, run) => {
      if (key === broken) {
        token = await redis.get(lock);
        await redis.multi().del(lock).rpush(lock, "no text").exec();
      }
      await run.markDone("ledger", false);
      return DONE;
    });
    inbox.work(bus);
    await until(async () => (await inbox.get(whole))?.state === "done");
    await until(() => bus.troubles.length > 0);
    expect(await inbox.get(broken)).to.include({ state: "running" });
    await redis.set(lock, String(token), "PX", 20_000);
    await isDone(inbox, 2);
    expect(bus.deliveries).to.have.length(2);
    expect((await inbox.get(broken))?.subscribers.map(({ subscriber }) => subscriber)).to.deep.equal(["ledger"]);
  });

  it("writes how several attempts ended once the server takes it, though its memory was full meanwhile", async () => {
    const inbox = open();
    const keys = await recorded(inbox, 5);
    const bus = together(5, async () => {
      await redis.config("SET", "maxmemory", "1mb");
      return DONE;
    });
    inbox.work(bus);
    await until(() => bus.troubles.length > 0);
    expect(await inbox.counts()).to.deep.include({ running: 5, done: 0 });
    await redis.config("SET", "maxmemory", "0");
    await isDone(inbox, 5);
    expect(bus.deliveries).to.have.length(5);
    for (const key of keys) expect(await outcomes(inbox, key)).to.deep.equal(["done"]);
  });

  it("writes how several attempts ended though the server was killed in the middle of it", async () => {
    const inbox = open();
    const keys = await recorded(inbox, 5);
    let back: Promise<void> | undefined;
    const bus = together(5, () => {
      back ??= server.kill().then(() => server.start());
      return DONE;
    });
    inbox.work(bus);
    await until(() => back !== undefined);
    await back;
    const direct = open();
    await isDone(direct, 5);
    expect(bus.deliveries).to.have.length(5);
    for (const key of keys) expect(await outcomes(direct, key)).to.deep.equal(["done"]);
  });

  it("takes among its own what another program put into the queue, and delivers its own", async () => {
    const queue = new Queue("shop", { connection: { url: server.url }, prefix: "hookbus-inbox" });
    closing.push(() => queue.close());
    const inbox = open();
    await recorded(inbox, 2);
    const job = await queue.add("mine", { text: "kept" });
    await recorded(inbox, 2);
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await isDone(inbox, 4);
    await until(() => job.isFailed());
    expect((await queue.getJob(job.id as string))?.data).to.deep.equal({ text: "kept" });
  });

  it("delivers one event after the other where it does not know the scripts of BullMQ", async () => {
    closing.push(await hideScripts(server.url));
    const inbox = open();
    await recorded(inbox, 20);
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await isDone(inbox, 20);
    expect(new Set(bus.keys()).size).to.equal(20);
    expect(await redis.info("commandstats")).to.match(/cmdstat_evalsha:calls=(8\d|9\d|\d{3})/);
  });
});
