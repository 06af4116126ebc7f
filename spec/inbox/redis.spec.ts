import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker as BullWorker, Queue } from "bullmq";
import { expect } from "chai";
import { Redis } from "ioredis";
import { systemClock } from "../../src/clock.ts";
import { ConfigurationError } from "../../src/errors.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import type { NewRecord } from "../../src/inbox/record.ts";
import { jobIdOf, queueOf } from "../../src/inbox/redis/keys.ts";
import { type RedisInboxOptions, redisInbox } from "../../src/inbox/redis.ts";
import { hideScripts } from "../support/bullmq-scripts.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import { inboxContract } from "./contract.ts";
import { aRecord, DONE, failed, ScriptedBus, until } from "./scripted-bus.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

describe("Redis", () => {
  let server: RedisServerProcess;
  let redis: Redis;

  before(async function () {
    needRedisServer(this);
    server = await RedisServerProcess.start();
    redis = new Redis(server.url);
  });

  after(async () => {
    redis?.disconnect();
    await server?.remove();
  });

  const contract: Parameters<typeof inboxContract>[0] = {
    name: "redisInbox",
    ordered: false,
    open: async (options) => redisInbox({ ...options, connection: server.url }),
    reset: async () => {
      await redis.flushall();
    },
    takeAway: async (key) => {
      const bus = key.slice(0, key.indexOf(":"));
      await redis.set(`hookbus-inbox:${queueOf(bus)}:${jobIdOf(key)}:lock`, "another worker", "PX", 3_600_000);
    },
  };

  inboxContract(contract);

  describe("where BullMQ has other names for its scripts", () => {
    let show: (() => void) | undefined;

    before(async () => {
      show = await hideScripts(server.url);
    });

    after(() => show?.());

    inboxContract(contract);

    it("keeps a body that events of a delivery share once, and records on after its scripts were dropped", async () => {
      const inbox = redisInbox({ connection: server.url });
      const body = Buffer.from("shared");
      const [first, second, ignored] = [{}, {}, { ignored: true }].map((more) => aRecord("shop", { body, ...more }));
      const delivery = [first, second, ignored] as [NewRecord, NewRecord, NewRecord];
      try {
        expect(await inbox.record(delivery)).to.deep.equal(delivery.map(() => ({ state: "recorded" })));
        expect(await redis.keys("hookbus-inbox:b-*")).to.have.length(1);
        for (const { key } of delivery) expect((await inbox.get(key))?.body).to.deep.equal(body);
        await redis.script("FLUSH");
        expect((await inbox.record(delivery)).map(({ state }) => state)).to.deep.equal(delivery.map(() => "duplicate"));
        expect(await inbox.record([aRecord("shop")])).to.deep.equal([{ state: "recorded" }]);
      } finally {
        await inbox.close();
        await redis.flushall();
      }
    });
  });

  describe("redisInbox", () => {
    const opened: Inbox[] = [];
    const QUICK = { attempts: 3, backoff: { baseMs: 1, capMs: 1 }, random: () => 0 };

    const open = (options: Partial<RedisInboxOptions> = {}): Inbox => {
      const inbox = redisInbox({ ...QUICK, connection: server.url, ...options });
      opened.push(inbox);
      return inbox;
    };
    const later = (days: number) => ({ ...systemClock, now: () => Date.now() + days * DAY_MS });
    const keysLike = (pattern: string): Promise<string[]> => redis.keys(`hookbus-inbox:${pattern}`);

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((inbox) => inbox.close({ graceMs: 0 })));
      await redis.flushall();
    });

    const becomes = (inbox: Inbox, key: string, state: string): Promise<void> =>
      until(async () => (await inbox.get(key))?.state === state);

    // The clock of the whole process: BullMQ takes no other.
    for (const [title, hours] of [
      ["forward", 1],
      ["back", -1],
    ] as const) {
      it(`delivers each event once when the clock is put ${title} by an hour, held, waiting and new ones`, async () => {
        const [held, waiting, again, fresh] = [aRecord("shop"), aRecord("shop"), aRecord("shop"), aRecord("shop")];
        let finish = (): void => undefined;
        const finished = new Promise<void>((resolve) => {
          finish = resolve;
        });
        const first = new ScriptedBus("shop", async () => {
          await finished;
          return DONE;
        });
        const second = new ScriptedBus("shop", ({ key, attempt }) =>
          key === again.key && attempt === 1 ? failed() : DONE,
        );
        const [holder, other] = [open(), open()];
        await holder.record([held]);
        holder.work(first, { concurrency: 1 });
        await until(() => first.deliveries.length === 1);
        await holder.record([waiting]);
        const now = Date.now;
        try {
          Date.now = () => now() + hours * 3_600_000;
          other.work(second);
          await other.record([again]);
          await other.record([fresh]);
          for (const { key } of [waiting, again, fresh]) await becomes(other, key, "done");
          expect((await other.get(held.key))?.state).to.equal("running");
          finish();
          await becomes(other, held.key, "done");
        } finally {
          Date.now = now;
        }
        expect(first.keys()).to.deep.equal([held.key]);
        expect(second.keys().toSorted()).to.deep.equal([waiting.key, again.key, again.key, fresh.key].toSorted());
      });
    }

    it("keeps the body that many events of a delivery share once, until the last of them is purged", async () => {
      const body = Buffer.alloc(100_000, "x");
      const records = Array.from({ length: 50 }, () => aRecord("shop", { body }));
      const inbox = open();
      await inbox.record(records);
      expect(await keysLike("b-*")).to.have.length(1);
      const { length } = (await redis.hgetall(`hookbus-inbox:shop:${jobIdOf(records[0]?.key ?? "")}`))["data"] ?? "";
      expect(length).to.be.lessThan(100);

      const [kept] = records as [NewRecord];
      const worker = inbox.work(new ScriptedBus("shop", ({ key }) => (key === kept.key ? failed(DAY_MS) : DONE)));
      await until(async () => (await inbox.counts()).done === 49);
      await worker.close();
      const inAMonth = open({ clock: later(31) });
      expect(await inAMonth.purge()).to.equal(49);
      expect(Buffer.compare(Buffer.from((await inAMonth.get(kept.key))?.body ?? []), body)).to.equal(0);

      await inAMonth.replay(kept.key);
      inAMonth.work(new ScriptedBus("shop"));
      await becomes(inAMonth, kept.key, "done");
      expect(await open({ clock: later(62) }).purge()).to.equal(1);
      expect(await keysLike("b-*")).to.deep.equal([]);
    });

    it("does not keep a shared body of which nothing is new", async () => {
      const body = Buffer.from("[1,2]");
      const records = [aRecord("shop", { body }), aRecord("shop", { body })];
      const inbox = open();
      for (const each of records) await inbox.record([each]);
      await inbox.record(records);
      expect(await keysLike("b-*")).to.deep.equal([]);
    });

    it("purges what ended longer ago than the retention time, and keeps the keys for ever", async () => {
      const records = [aRecord("shop"), aRecord("shop", { ignored: true }), aRecord("shop"), aRecord("shop")];
      const [done, ignored, dead, discarded] = records as [NewRecord, NewRecord, NewRecord, NewRecord];
      const inbox = open();
      for (const each of records) await inbox.record([each]);
      await inbox.discard(discarded.key);
      inbox.work(new ScriptedBus("shop", ({ key }) => (key === dead.key ? { outcome: "dead", failures: [] } : DONE)));
      await becomes(inbox, done.key, "done");
      await becomes(inbox, dead.key, "dead");
      expect(await open({ clock: later(29) }).purge()).to.equal(0);
      const inAMonth = open({ clock: later(31) });
      expect(await inAMonth.purge()).to.equal(3);
      expect(await inAMonth.purge()).to.equal(0);

      for (const { key, fingerprint } of [done, ignored, discarded]) {
        const details = await inAMonth.get(key);
        expect(details).to.deep.include({ purged: true, body: undefined, request: undefined });
        // What failures say may quote the event.
        expect(details).to.deep.include({ history: [], subscribers: [] });
        expect(await inAMonth.replay(key)).to.deep.equal({ replayed: [], refused: [{ key, reason: "purged" }] });
        expect(await inAMonth.record([aRecord("shop", { key })])).to.deep.equal([{ state: "duplicate", fingerprint }]);
      }
      expect(await inAMonth.counts()).to.deep.include({ done: 1, dead: 1, ignored: 1, discarded: 1 });
      expect((await inAMonth.get(dead.key))?.body).to.have.length.above(0);
      expect((await inAMonth.find({ state: "done" })).map(({ purged }) => purged)).to.deep.equal([true]);
    });

    it("leaves little of an event for ever", async () => {
      const one = aRecord("shop", { body: Buffer.alloc(3_000) });
      const inbox = open();
      await inbox.record([one]);
      inbox.work(
        new ScriptedBus("shop", async (_, run) => {
          await run.markDone("ledger", false);
          return DONE;
        }),
      );
      await becomes(inbox, one.key, "done");
      await open({ clock: later(31) }).purge();
      const tombstone = `hookbus-inbox:shop:${jobIdOf(one.key)}`;
      expect(await redis.object("ENCODING", tombstone)).to.equal("listpack");
      expect(await redis.memory("USAGE", tombstone)).to.be.lessThan(512);
    });

    it("finds an event by an id of any characters, purged or not", async () => {
      const ids = ["evt_é€😀\u2028", `evt_${"ñ".repeat(80)}`, 'evt_"\\', "evt_\ud83d!", "evt_\u0000"];
      const inbox = open();
      const records = ids.map((id) => aRecord("shop", { id, ignored: true }));
      for (const one of records) await inbox.record([one]);
      const inAMonth = open({ clock: later(31) });
      for (const purged of [false, true]) {
        if (purged) expect(await inAMonth.purge()).to.equal(ids.length);
        for (const { id, key } of records) {
          const [found, ...others] = await inAMonth.find({ id });
          expect(others).to.deep.equal([]);
          expect(found).to.deep.include({ id: id.replace("\ud83d!", "\ufffd!"), purged });
          expect(await inAMonth.get(key)).to.deep.include({ id: found?.id, purged });
        }
      }
    });

    it("delivers an ignored event when it is replayed", async () => {
      const one = aRecord("shop", { ignored: true });
      const inbox = open();
      await inbox.record([one]);
      const bus = new ScriptedBus("shop");
      inbox.work(bus);
      expect(await inbox.replay(one.key)).to.deep.equal({ replayed: [one.key], refused: [] });
      await becomes(inbox, one.key, "done");
      expect(Buffer.from(bus.deliveries[0]?.body ?? []).equals(Buffer.from(one.body))).to.equal(true);
    });

    it("delivers at once what waits for its next attempt, when it is replayed", async () => {
      const one = aRecord("shop");
      const inbox = open();
      await inbox.record([one]);
      const bus = new ScriptedBus("shop", ({ replayed }) => (replayed ? DONE : failed(DAY_MS)));
      inbox.work(bus);
      await until(async () => (await inbox.get(one.key))?.history.length === 1);
      await inbox.replay(one.key);
      await becomes(inbox, one.key, "done");
      expect(bus.deliveries).to.have.length(2);
    });

    it("discards what waits for its next attempt", async () => {
      const one = aRecord("shop");
      const inbox = open();
      await inbox.record([one]);
      inbox.work(new ScriptedBus("shop", () => failed(DAY_MS)));
      await until(async () => (await inbox.get(one.key))?.history.length === 1);
      expect(await inbox.discard(one.key)).to.equal(1);
      expect(await redis.zcard("hookbus-inbox:shop:delayed")).to.equal(0);
      expect(await inbox.counts()).to.deep.include({ pending: 0, running: 0, discarded: 1 });
    });

    it("remembers the last fifty attempts, and the last fifty doings of operators", async () => {
      const one = aRecord("shop");
      const inbox = open({ attempts: 100 });
      await inbox.record([one]);
      inbox.work(new ScriptedBus("shop", ({ attempt }) => (attempt === 60 ? DONE : failed(0))));
      await becomes(inbox, one.key, "done");
      const attempts = (await inbox.get(one.key))?.history.map(({ attempt }) => attempt);
      expect(attempts).to.deep.equal(Array.from({ length: 50 }, (_, index) => index + 11));
      await inbox.close();
      const operator = open();
      for (let times = 0; times < 60; times += 1) await operator.replay(one.key, { subscribers: [`s${times}`] });
      const audit = (await operator.get(one.key))?.audit ?? [];
      expect(audit.map(({ subscribers }) => subscribers?.[0])).to.deep.equal(
        Array.from({ length: 50 }, (_, index) => `s${index + 10}`),
      );
    });

    it("finds and counts records of many buses, more than fit into one look", async () => {
      const inbox = open();
      const buses = ["shop", "shop:mx", "tienda ñ/%"];
      const records = Array.from({ length: 1_300 }, (_, index) => aRecord(buses[index % 3] as string));
      for (let from = 0; from < records.length; from += 100) await inbox.record(records.slice(from, from + 100));
      await inbox.discard((records[0] as NewRecord).key);
      expect(await inbox.counts()).to.deep.include({ pending: 1_299, discarded: 1 });
      const newestFirst = records.map(({ key }) => key).reverse();
      const all = await inbox.find({ limit: 2_000 });
      expect(all.map(({ key }) => key)).to.deep.equal(newestFirst);
      expect((await inbox.find({ state: "discarded" })).map(({ key }) => key)).to.deep.equal(newestFirst.slice(-1));
      const last = newestFirst.filter((key) => key.startsWith("shop:mx:")).at(-1);
      expect((await inbox.find({ bus: "shop:mx", limit: 1_000 })).at(-1)?.key).to.equal(last);
      const page = await inbox.find({ limit: 600, after: newestFirst[599] });
      expect(page.map(({ key }) => key)).to.deep.equal(newestFirst.slice(600, 1_200));
      expect(await inbox.find({ after: "shop:evt_unknown" })).to.deep.equal([]);
      expect(await inbox.discard({ bus: "shop" })).to.equal(433);
      expect(await inbox.counts()).to.deep.include({ pending: 866, discarded: 434 });
      const bus = new ScriptedBus("tienda ñ/%");
      inbox.work(bus, { concurrency: 50 });
      await until(async () => (await inbox.counts()).done === 433);
      expect(new Set(bus.keys()).size).to.equal(433);
    }).timeout(30_000);

    it("keeps inboxes of other prefixes apart", async () => {
      const one = aRecord("shop");
      const [inbox, other] = [open(), open({ prefix: "other" })];
      await inbox.record([one]);
      expect(await other.get(one.key)).to.equal(undefined);
      expect(await other.record([one])).to.deep.equal([{ state: "recorded" }]);
    });

    it("lets BullMQ's own tools see what is where", async () => {
      const records = [aRecord("shop"), aRecord("shop", { type: "charge.failed" }), aRecord("shop")];
      const [done, dead, waits] = records as [NewRecord, NewRecord, NewRecord];
      const inbox = open();
      await inbox.record(records);
      inbox.work(
        new ScriptedBus("shop", ({ key }) => {
          if (key === done.key) return DONE;
          return key === waits.key ? failed(DAY_MS) : ({ ...failed(0, "ledger"), outcome: "dead" } as never);
        }),
      );
      const queue = new Queue("shop", { connection: { url: server.url }, prefix: "hookbus-inbox" });
      await until(async () => {
        const counts = await queue.getJobCounts("completed", "failed", "delayed");
        return Object.values(counts).every((count) => count === 1);
      });
      const [failure] = await queue.getFailed();
      expect(failure).to.include({ id: jobIdOf(dead.key), name: "charge.failed", failedReason: "ledger: Error" });
      expect(failure?.stacktrace).to.deep.equal([]);
      await queue.close();
    });

    it("does not deliver a job of somebody else's", async () => {
      const inbox = open();
      const bus = new ScriptedBus("shop");
      inbox.work(bus);
      const queue = new Queue("shop", { connection: { url: server.url }, prefix: "hookbus-inbox" });
      const job = await queue.add("mine", { text: "kept" });
      await until(() => job.isFailed());
      await inbox.record([aRecord("shop")]);
      await until(() => bus.deliveries.length === 1);
      expect(await queue.getJob(job.id as string))
        .to.have.property("data")
        .that.deep.equals({ text: "kept" });
      await queue.close();
    });

    it("drops a job that never became a record, and records it when it is delivered again", async () => {
      const one = aRecord("shop");
      const inbox = open();
      const bus = new ScriptedBus("shop");
      inbox.work(bus);
      const queue = new Queue("shop", { connection: { url: server.url }, prefix: "hookbus-inbox" });
      await queue.add("charge.succeeded", {}, { jobId: jobIdOf(one.key) });
      await until(async () => (await queue.getJob(jobIdOf(one.key))) === undefined);
      expect(await inbox.record([one])).to.deep.equal([{ state: "recorded" }]);
      await becomes(inbox, one.key, "done");
      expect(bus.deliveries).to.have.length(1);
      await queue.close();
    });

    it("stands still while BullMQ's tools pause or limit its queue, and goes on when they let it", async () => {
      const inbox = open();
      const bus = new ScriptedBus("shop");
      inbox.work(bus);
      await inbox.record([aRecord("shop")]);
      await until(async () => (await inbox.counts()).done === 1);
      const queue = new Queue("shop", { connection: { url: server.url }, prefix: "hookbus-inbox" });
      await queue.pause();
      await inbox.record([aRecord("shop")]);
      await until(async () => (await redis.zcard("hookbus-inbox:shop:marker")) === 0);
      expect(await inbox.counts()).to.deep.include({ pending: 1, done: 1 });
      await queue.resume();
      await until(async () => (await inbox.counts()).done === 2);
      await queue.setGlobalRateLimit(1, 200);
      await inbox.record(Array.from({ length: 3 }, () => aRecord("shop")));
      await until(async () => (await inbox.counts()).done === 5);
      await queue.close();
    });

    it("goes on after its scripts were dropped from the server", async () => {
      const inbox = open();
      const bus = new ScriptedBus("shop");
      inbox.work(bus);
      await inbox.record([aRecord("shop")]);
      await until(async () => (await inbox.counts()).done === 1);
      await redis.script("FLUSH");
      const [one, two] = [aRecord("shop"), aRecord("shop")];
      expect(await inbox.record([one, two])).to.deep.equal([{ state: "recorded" }, { state: "recorded" }]);
      await until(async () => (await inbox.counts()).done === 3);
      expect(bus.deliveries).to.have.length(3);
    });

    it("gives back at once what BullMQ hands it while it begins to close", async () => {
      const inbox = open();
      const one = aRecord("shop");
      await inbox.record([one]);
      const { getNextJob } = BullWorker.prototype;
      let closed: Promise<void> | undefined;
      BullWorker.prototype.getNextJob = async function (...args) {
        const job = await getNextJob.apply(this, args);
        if (job) closed = worker.close();
        return job;
      };
      const bus = new ScriptedBus("shop");
      const worker = inbox.work(bus);
      try {
        await until(() => closed !== undefined);
        await closed;
      } finally {
        BullWorker.prototype.getNextJob = getNextJob;
      }
      expect(bus.deliveries).to.deep.equal([]);
      expect(await inbox.get(one.key)).to.include({ state: "pending", attempts: 0 });
      expect(await redis.llen("hookbus-inbox:shop:wait")).to.equal(1);
    });

    it("uses copies of a client that it is given, and leaves the client open", async () => {
      const client = new Redis(server.url, { maxRetriesPerRequest: null, enableAutoPipelining: true });
      const inbox = open({ connection: client });
      inbox.work(new ScriptedBus("shop"));
      await inbox.record([aRecord("shop")]);
      await until(async () => (await inbox.counts()).done === 1);
      await inbox.close();
      expect(await client.ping()).to.equal("PONG");
      expect(client).not.to.have.property("hookbusRemember");
      client.disconnect();
    });

    it("leaves no connection behind", async () => {
      const clients = async (): Promise<number> =>
        Number(/connected_clients:(\d+)/.exec(await redis.info("clients"))?.[1]);
      const before = await clients();
      const inbox = open();
      inbox.work(new ScriptedBus("shop"));
      inbox.work(new ScriptedBus("other"));
      await inbox.record([aRecord("shop")]);
      await until(async () => (await inbox.counts()).done === 1);
      await inbox.close();
      await until(async () => (await clients()) === before);
    });

    it("answers nothing once it is closed", async () => {
      const inbox = open();
      await inbox.ping();
      await inbox.close();
      const error = await inbox.record([aRecord("shop")]).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(() => inbox.work(new ScriptedBus("shop"))).to.throw(ConfigurationError, "closed");
    });
  });

  it("says which packages redisInbox needs, where they are not installed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hookbus-"));
    try {
      await cp(fileURLToPath(new URL("../../src/", import.meta.url)), join(folder, "src"), { recursive: true });
      await writeFile(join(folder, "package.json"), '{"type":"module"}');
      await writeFile(
        join(folder, "script.ts"),
        `import { redisInbox } from "./src/inbox/redis.ts";
await redisInbox({ connection: "redis://127.0.0.1:1" }).ping().catch((error) => console.log(error.message));`,
      );
      const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
      const args = ["--import", tsx, "script.ts"];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      const sentence = 'An inbox on Redis needs the package "bullmq", which is not installed. Run: npm install bullmq';
      expect(stdout.trim()).to.equal(sentence);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  describe("redisInbox refuses", () => {
    const refused = (options: object, part: string): void => {
      expect(() => redisInbox(options as RedisInboxOptions)).to.throw(ConfigurationError, part);
    };

    it("a connection that cannot be meant", () => {
      refused({}, "environment variable");
      refused({ connection: undefined }, "environment variable");
      refused({ connection: "localhost:6379" }, "redis://");
      refused({ connection: { duplicate: () => undefined, sendCommand: () => undefined } }, "ioredis");
      refused(
        { connection: { duplicate: () => undefined, defineCommand: () => undefined, isCluster: true } },
        "cluster",
      );
      refused({ connection: { host: "localhost", keyPrefix: "app:" } }, "keyPrefix");
    });

    it("an order of events, and a prefix that is none", () => {
      refused({ connection: "redis://localhost", orderBy: () => "a" }, "orderBy");
      refused({ connection: "redis://localhost", prefix: "" }, "prefix");
    });
  });
});
