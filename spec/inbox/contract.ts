import { expect } from "chai";
import { ConfigurationError, StaleTokenError } from "../../src/errors.ts";
import type { Inbox, InboxOptions, OrderOptions, Run, Worker, WorkOptions } from "../../src/inbox/inbox.ts";
import type { NewRecord } from "../../src/inbox/record.ts";
import { aRecord, DONE, failed, type Script, ScriptedBus, until } from "./scripted-bus.ts";

export interface InboxUnderTest {
  readonly name: string;
  /** Opens the same, at first empty, storage; each time as another process would. */
  open(options?: InboxOptions & OrderOptions): Promise<Inbox>;
  /** Empties the storage, or leaves it for good. Every inbox is closed by then. */
  reset(): Promise<void>;
  /** Whether `orderBy` can be kept. */
  readonly ordered: boolean;
  /** Gives the record of `key` to another worker for an hour, as if its lease had run out. */
  takeAway?(key: string): Promise<void>;
}

/** No wait between attempts, and few of them. */
const QUICK: InboxOptions = { attempts: 3, backoff: { baseMs: 1, capMs: 1 }, random: () => 0 };

/** What every inbox must do, as a mocha suite. */
export function inboxContract({ name, open, reset, ordered, takeAway }: InboxUnderTest): void {
  describe(`${name} as an inbox`, () => {
    const opened: Inbox[] = [];
    let inbox: Inbox;
    let bus: ScriptedBus;

    const openOne = async (options: InboxOptions & OrderOptions = QUICK): Promise<Inbox> => {
      const one = await open(options);
      opened.push(one);
      return one;
    };
    const work = (script: Script, options?: WorkOptions, on = inbox): Worker => {
      bus.script = script;
      return on.work(bus, { pollMs: 20, ...options });
    };
    const record = (fields?: Partial<NewRecord>): NewRecord => aRecord("shop", fields);
    const add = async (...records: NewRecord[]): Promise<void> => {
      for (const each of records) expect(await inbox.record([each])).to.deep.equal([{ state: "recorded" }]);
    };
    const stateOf = async (key: string): Promise<string | undefined> => (await inbox.get(key))?.state;
    const becomes = (key: string, state: string): Promise<void> => until(async () => (await stateOf(key)) === state);

    beforeEach(async () => {
      bus = new ScriptedBus("shop");
      inbox = await openOne();
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close({ graceMs: 0 })));
      await reset();
    });

    describe("record", () => {
      it("tells a new event from one that is there, with the fingerprint of the first", async () => {
        const first = record({ fingerprint: "first" });
        await add(first);
        expect(await inbox.record([{ ...first, fingerprint: "second" }])).to.deep.equal([
          { state: "duplicate", fingerprint: "first" },
        ]);
      });

      it("takes one of a hundred at once, from two processes", async () => {
        const other = await openOne();
        const one = record();
        const recorded = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 ? inbox : other).record([one])),
        );
        expect(recorded.flat().filter(({ state }) => state === "recorded")).to.have.length(1);
        expect((await inbox.find()).map(({ key }) => key)).to.deep.equal([one.key]);
      });

      it("records the events of one delivery together, each under its own key, those that are there aside", async () => {
        const body = Buffer.from("[1,2,3]");
        const events = [record({ body }), record({ body }), record({ body })];
        const [, second] = events as [NewRecord, NewRecord, NewRecord];
        await add(second);
        const recorded = await inbox.record(events);
        expect(recorded.map(({ state }) => state)).to.deep.equal(["recorded", "duplicate", "recorded"]);
        work(() => DONE);
        await until(() => bus.deliveries.length === 3);
        expect(bus.keys().sort()).to.deep.equal(events.map(({ key }) => key).sort());
        for (const delivery of bus.deliveries) expect(Buffer.from(delivery.body).toString()).to.equal("[1,2,3]");
      });

      it("tells apart what many deliveries bring at once", async () => {
        const there = Array.from({ length: 5 }, () => record());
        for (const each of there) await add(each);
        const fresh = Array.from({ length: 30 }, (_, index) => record(index % 7 === 0 ? { ignored: true } : {}));
        const body = Buffer.from("[1,2]");
        const pair = [record({ body }), record({ body })];
        const given: NewRecord[][] = fresh.flatMap((each, index) => [
          [each],
          ...(index % 6 === 0 ? [[{ ...(there[index / 6] as NewRecord), fingerprint: "again" }]] : []),
          ...(index % 4 === 0 ? [[{ ...each, fingerprint: "twice", body: Buffer.from("twice") }]] : []),
          ...(index === 20 ? [pair] : []),
        ]);
        const answers = await Promise.all(given.map((records) => inbox.record(records)));

        const seen = new Set(there.map(({ key }) => key));
        const expected = given.map((records) =>
          records.map(({ key }) => {
            if (!seen.has(key)) return seen.add(key) && { state: "recorded" };
            const first = [...there, ...fresh].find((each) => each.key === key);
            return { state: "duplicate", fingerprint: first?.fingerprint };
          }),
        );
        expect(answers).to.deep.equal(expected);
        for (const { key, body, ignored } of [...there, ...fresh, ...pair]) {
          const kept = await inbox.get(key);
          expect(Buffer.from(kept?.body ?? []).toString(), key).to.equal(Buffer.from(body).toString());
          expect(kept?.state).to.equal(ignored ? "ignored" : "pending");
        }
      });

      it("keeps every byte, and every word, as it came", async () => {
        const body = Buffer.from(Array.from({ length: 512 }, (_, index) => index & 0xff));
        const odd = record({
          body,
          type: "tipo.año'; --",
          request: { method: "POST", url: "/hooks?a=1&b=%20ñ", headers: { digest: "é'\"\\n" } },
          matchedSecret: "secret 1",
        });
        await add(odd);
        work(() => DONE);
        await until(() => bus.deliveries.length === 1);
        const [delivery] = bus.deliveries;
        expect(Buffer.compare(Buffer.from(delivery?.body ?? []), body)).to.equal(0);
        const { key, type, request, matchedSecret, verifiedBy, receivedAt, fingerprint } = odd;
        expect(delivery).to.deep.include({ key, type, request, matchedSecret, verifiedBy, receivedAt, fingerprint });
        expect(delivery).to.deep.include({ attempt: 1, attemptsLeft: 2, done: [], rejected: false, replayed: false });
      });

      it("keeps an event that was fetched back without a request, and one without a type", async () => {
        const fetched = record({ verifiedBy: "retrieval", request: undefined, matchedSecret: undefined });
        const typeless = record({ type: undefined });
        await add(fetched, typeless);
        work(() => DONE);
        await until(() => bus.deliveries.length === 2);
        const byKey = (key: string) => bus.deliveries.find((delivery) => delivery.key === key);
        expect(byKey(fetched.key)).to.include({
          verifiedBy: "retrieval",
          request: undefined,
          matchedSecret: undefined,
        });
        expect(byKey(typeless.key)).to.include({ type: undefined });
      });

      it("keeps keys apart, however alike or odd", async () => {
        const ids = ["a", "A", "a ", "a:", "á", "a\u0301", "__proto__", "'; --", "%", "k".repeat(500)];
        for (const id of ids) await add(record({ id, fingerprint: id }));
        for (const id of ids) {
          expect(await inbox.record([record({ id })])).to.deep.equal([{ state: "duplicate", fingerprint: id }]);
        }
      });

      it("takes a body of a megabyte", async () => {
        await add(record({ body: Buffer.alloc(1024 * 1024, "x") }));
        work(() => DONE);
        await until(() => bus.deliveries.length === 1);
        expect(bus.deliveries[0]?.body.byteLength).to.equal(1024 * 1024);
      });

      it("remembers an ignored event without delivering it", async () => {
        const ignored = record({ ignored: true });
        await add(ignored);
        await add(record());
        work(() => DONE);
        await until(() => bus.deliveries.length === 1);
        expect(bus.keys()).not.to.include(ignored.key);
        expect(await stateOf(ignored.key)).to.equal("ignored");
        expect((await inbox.record([ignored]))[0]?.state).to.equal("duplicate");
      });
    });

    describe("work", () => {
      it("delivers each event once, whether it was there before the worker or comes later", async () => {
        const before = [record(), record()];
        await add(...before);
        work(() => DONE);
        const later = [record(), record()];
        await add(...later);
        await until(async () => (await inbox.counts()).done === 4);
        expect(bus.keys().sort()).to.deep.equal([...before, ...later].map(({ key }) => key).sort());
      });

      it("shares the events among the workers of several processes, each to one of them", async () => {
        const records = Array.from({ length: 120 }, () => record());
        await Promise.all(records.map((each) => inbox.record([each])));
        const others = [new ScriptedBus("shop"), new ScriptedBus("shop")];
        work(() => DONE);
        for (const other of others) (await openOne()).work(other, { pollMs: 20 });
        await until(async () => (await inbox.counts()).done === 120);
        const keys = [bus, ...others].flatMap((each) => each.keys());
        expect(keys.sort()).to.deep.equal(records.map(({ key }) => key).sort());
      });

      it("delivers the events of its own bus alone", async () => {
        const other = aRecord("other");
        await inbox.record([other]);
        await add(record());
        work(() => DONE);
        await until(() => bus.deliveries.length === 1);
        await becomes(bus.keys()[0] as string, "done");
        expect(await stateOf(other.key)).to.equal("pending");
      });

      it("delivers no more at once than it is told, and as many", async () => {
        await add(...Array.from({ length: 9 }, () => record()));
        work(
          async () => {
            await until(() => bus.peak === 3);
            return DONE;
          },
          { concurrency: 3 },
        );
        await until(async () => (await inbox.counts()).done === 9);
        expect(bus.peak).to.equal(3);
      });

      it("tries a failed event again, and tells who is done with it", async () => {
        const one = record();
        await add(one);
        work(async ({ attempt }, run) => {
          if (attempt === 1) await run.markDone("ledger", false);
          if (attempt === 2) await run.markDone("mailer", false);
          return attempt === 3 ? DONE : failed(0, "audit");
        });
        await becomes(one.key, "done");
        expect(
          bus.deliveries.map(({ attempt, attemptsLeft, done }) => ({ attempt, attemptsLeft, done })),
        ).to.deep.equal([
          { attempt: 1, attemptsLeft: 2, done: [] },
          { attempt: 2, attemptsLeft: 1, done: ["ledger"] },
          { attempt: 3, attemptsLeft: 0, done: ["ledger", "mailer"] },
        ]);
      });

      it("waits as long as a subscriber asked for", async () => {
        const one = record();
        await add(one);
        work(() => failed(3_600_000, "ledger"));
        await until(async () => (await inbox.get(one.key))?.history.length === 1);
        const details = await inbox.get(one.key);
        expect(details?.state).to.equal("pending");
        expect((details?.dueAt ?? 0) - (details?.history[0]?.endedAt ?? 0)).to.be.closeTo(3_600_000, 1_000);
        expect(bus.deliveries).to.have.length(1);
      });

      it("keeps what is dead, with its failures", async () => {
        const one = record();
        await add(one);
        work(({ attemptsLeft }) => {
          const outcome = failed(0, "ledger");
          if (attemptsLeft > 0 || outcome.outcome !== "failed") return outcome;
          return { outcome: "dead", failures: outcome.failures };
        });
        await becomes(one.key, "dead");
        const details = await inbox.get(one.key);
        expect(details?.history.map(({ outcome }) => outcome)).to.deep.equal(["failed", "failed", "dead"]);
        expect(details?.history[2]?.failures).to.deep.equal([
          { subscriber: "ledger", error: "Error", message: "it failed" },
        ]);
        expect(details?.subscribers.map(({ subscriber, state }) => ({ subscriber, state }))).to.deep.equal([
          { subscriber: "ledger", state: "failed" },
        ]);
        expect(details?.attempts).to.equal(3);
      });

      it("tells a later attempt that somebody rejected the event for good", async () => {
        const one = record();
        await add(one);
        work(async ({ attempt }, run) => {
          if (attempt === 1) await run.markDone("ledger", true);
          return attempt === 1 ? failed(0, "mailer") : DONE;
        });
        await becomes(one.key, "done");
        expect(bus.deliveries[1]).to.deep.include({ done: ["ledger"], rejected: true });
        expect((await inbox.get(one.key))?.subscribers.map(({ state }) => state)).to.include("rejected");
      });

      it("ends an ignored event", async () => {
        const one = record();
        await add(one);
        work(() => ({ outcome: "ignored" }));
        await becomes(one.key, "ignored");
        expect((await inbox.record([one]))[0]?.state).to.equal("duplicate");
      });

      it("holds the lease of an event until a late subscriber has settled, and delivers others meanwhile", async () => {
        const [slow, ...others] = [record(), record(), record()] as [NewRecord, ...NewRecord[]];
        await add(slow, ...others);
        let settle: () => void = () => {};
        const late = new Promise<{ outcome: "done" }>((resolve) => {
          settle = () => resolve({ outcome: "done" });
        });
        work(({ key }) => (key === slow.key ? { outcome: failed(0, "slow"), late } : DONE), { concurrency: 1 });
        for (const { key } of others) await becomes(key, "done");
        expect(await stateOf(slow.key)).to.equal("running");
        settle();
        await becomes(slow.key, "done");
        expect(bus.keys().filter((key) => key === slow.key)).to.have.length(1);
      });
    });

    describe("find, get and counts", () => {
      it("find what fits, the newest first, page by page", async () => {
        const records = [
          record({ type: "a.b", receivedAt: 1_000 }),
          record({ type: "a.c", receivedAt: 2_000 }),
          record({ type: "a.b", receivedAt: 3_000 }),
        ];
        const [one, two, three] = records.map(({ key }) => key) as [string, string, string];
        await add(...records);
        await inbox.record([aRecord("other")]);
        const keys = async (query: Parameters<Inbox["find"]>[0]) => (await inbox.find(query)).map(({ key }) => key);
        expect(await keys({ bus: "shop" })).to.deep.equal([three, two, one]);
        expect(await keys({ bus: "shop", limit: 2 })).to.deep.equal([three, two]);
        expect(await keys({ bus: "shop", limit: 2, after: two })).to.deep.equal([one]);
        expect(await keys({ type: "a.b" })).to.deep.equal([three, one]);
        expect(await keys({ id: records[1]?.id })).to.deep.equal([two]);
        expect(await keys({ since: 2_000, until: new Date(3_000) })).to.deep.equal([two]);
        expect(await keys({ bus: "shop", state: "done" })).to.deep.equal([]);
        expect(await keys({ bus: "shop", state: "pending" })).to.deep.equal([three, two, one]);
      });

      it("count by state", async () => {
        await add(record(), record(), record({ ignored: true }));
        expect(await inbox.counts()).to.deep.equal({
          pending: 2,
          running: 0,
          done: 0,
          dead: 0,
          ignored: 1,
          discarded: 0,
        });
      });

      it("get what happened to an event, and nothing for a key that is unknown", async () => {
        const one = record();
        await add(one);
        work(async ({ attempt }, run) => {
          await run.markDone(attempt === 1 ? "ledger" : "mailer", false);
          return attempt === 1 ? failed(0, "mailer") : DONE;
        });
        await becomes(one.key, "done");
        const details = await inbox.get(one.key);
        expect(details).to.deep.include({
          key: one.key,
          id: one.id,
          type: one.type,
          provider: "stripe",
          purged: false,
        });
        expect(details).to.deep.include({ matchedSecret: "signingSecrets", request: one.request, audit: [] });
        expect(Buffer.from(details?.body ?? []).toString()).to.equal(Buffer.from(one.body).toString());
        expect(details?.subscribers.map(({ subscriber, state }) => `${subscriber} ${state}`).sort()).to.deep.equal([
          "ledger done",
          "mailer done",
        ]);
        expect(details?.history.map(({ attempt, outcome }) => ({ attempt, outcome }))).to.deep.equal([
          { attempt: 1, outcome: "failed" },
          { attempt: 2, outcome: "done" },
        ]);
        expect(await inbox.get("shop:evt_unknown")).to.equal(undefined);
      });

      it("refuse a query that cannot be meant", async () => {
        for (const query of [{ stat: "dead" }, { state: "lost" }, { limit: 0 }, { since: "yesterday" }]) {
          const error = await inbox.find(query as never).catch((reason: unknown) => reason);
          expect(error, JSON.stringify(query)).to.be.instanceOf(ConfigurationError);
        }
      });
    });

    describe("replay", () => {
      const handled = async (one: NewRecord): Promise<Worker> => {
        await add(one);
        const worker = work(async (_, run) => {
          await run.markDone("ledger", false);
          await run.markDone("mailer", false);
          return DONE;
        });
        await becomes(one.key, "done");
        return worker;
      };

      it("delivers an event again to all, as a replay, with attempts of its own", async () => {
        const one = record();
        await handled(one);
        expect(await inbox.replay(one.key)).to.deep.equal({ replayed: [one.key], refused: [] });
        await until(() => bus.deliveries.length === 2);
        await becomes(one.key, "done");
        expect(bus.deliveries[1]).to.deep.include({
          attempt: 1,
          attemptsLeft: 2,
          done: [],
          replayed: true,
          only: undefined,
        });
        const [entry, ...more] = (await inbox.get(one.key))?.audit ?? [];
        expect(more).to.deep.equal([]);
        expect(entry).to.deep.include({ action: "replay", subscribers: undefined });
      });

      it("keeps the history of what went well before a replay", async () => {
        const one = record();
        await handled(one);
        const [before] = (await inbox.get(one.key))?.history ?? [];
        await inbox.replay(one.key);
        await until(() => bus.deliveries.length === 2);
        await becomes(one.key, "done");
        const history = (await inbox.get(one.key))?.history ?? [];
        expect(history.map(({ outcome }) => outcome)).to.deep.equal(["done", "done"]);
        expect(history[0]).to.deep.equal(before);
      });

      it("delivers an event again to some, new ones too, and tells that it was done without them", async () => {
        const one = record();
        await handled(one);
        await inbox.replay(one.key, { subscribers: ["mailer", "newcomer"] });
        await until(() => bus.deliveries.length === 2);
        expect(bus.deliveries[1]).to.deep.include({ done: ["ledger"], only: ["mailer", "newcomer"], wasDone: true });
        await becomes(one.key, "done");
        expect((await inbox.get(one.key))?.audit[0]).to.deep.include({ subscribers: ["mailer", "newcomer"] });
      });

      it("only says what it would do when it is asked to", async () => {
        const one = record();
        await (await handled(one)).close();
        expect(await inbox.replay({ state: "done" }, { dryRun: true })).to.deep.equal({
          replayed: [one.key],
          refused: [],
        });
        expect(await stateOf(one.key)).to.equal("done");
        expect((await inbox.get(one.key))?.audit).to.deep.equal([]);
      });

      it("brings back what a query means, the dead and the discarded as well", async () => {
        const [one, two] = [record(), record()] as [NewRecord, NewRecord];
        await add(one, two);
        const worker = work(() => ({ outcome: "dead", failures: [] }));
        await becomes(one.key, "dead");
        await becomes(two.key, "dead");
        await worker.close();
        expect(await inbox.discard(two.key)).to.equal(1);
        expect((await inbox.replay({ bus: "shop" })).replayed.toSorted()).to.deep.equal([one.key, two.key].toSorted());
        work(() => DONE);
        await until(async () => (await inbox.counts()).done === 2);
      });

      it("refuses an event that a worker has", async () => {
        const one = record();
        await add(one);
        let go: () => void = () => {};
        const gate = new Promise<void>((resolve) => {
          go = resolve;
        });
        work(async () => {
          await gate;
          return DONE;
        });
        await until(() => bus.running === 1);
        expect(await inbox.replay(one.key)).to.deep.equal({
          replayed: [],
          refused: [{ key: one.key, reason: "running" }],
        });
        go();
        await becomes(one.key, "done");
      });

      it("finds nothing to do for an unknown key", async () => {
        expect(await inbox.replay("shop:evt_unknown")).to.deep.equal({ replayed: [], refused: [] });
      });
    });

    describe("discard", () => {
      it("gives up what waits and what is dead, and keeps the keys", async () => {
        const [one, two] = [record(), record()] as [NewRecord, NewRecord];
        await add(one, two);
        expect(await inbox.discard({ bus: "shop", state: "pending" })).to.equal(2);
        expect((await inbox.counts()).discarded).to.equal(2);
        expect((await inbox.record([one]))[0]?.state).to.equal("duplicate");
        expect((await inbox.get(one.key))?.audit[0]?.action).to.equal("discard");
        await add(record());
        work(() => DONE);
        await until(() => bus.deliveries.length === 1);
        expect(bus.keys()).not.to.include(one.key);
      });

      it("leaves what is done", async () => {
        const one = record();
        await add(one);
        work(() => DONE);
        await becomes(one.key, "done");
        expect(await inbox.discard(one.key)).to.equal(0);
        expect(await stateOf(one.key)).to.equal("done");
      });
    });

    describe("close", () => {
      it("lets what runs finish, and takes nothing more", async () => {
        const [one, two] = [record(), record()] as [NewRecord, NewRecord];
        await add(one);
        let go: () => void = () => {};
        const gate = new Promise<void>((resolve) => {
          go = resolve;
        });
        const worker = work(async () => {
          await gate;
          return DONE;
        });
        await until(() => bus.running === 1);
        const closed = worker.close({ graceMs: 5_000 });
        await add(two);
        go();
        await closed;
        expect(await stateOf(one.key)).to.equal("done");
        expect(await stateOf(two.key)).to.equal("pending");
      });

      it("gives back what does not finish in time, to a worker that may have it at once", async () => {
        const one = record();
        await add(one);
        let kept: Run | undefined;
        let go: () => void = () => {};
        const gate = new Promise<void>((resolve) => {
          go = resolve;
        });
        const worker = work(async (_, run) => {
          kept = run;
          await run.markDone("ledger", false);
          await gate;
          return DONE;
        });
        await until(() => bus.running === 1);
        await worker.close({ graceMs: 0 });
        expect(kept?.halt).to.be.instanceOf(Error);
        const other = new ScriptedBus("shop");
        (await openOne()).work(other, { pollMs: 20 });
        await until(() => other.deliveries.length === 1);
        expect(other.deliveries[0]?.done).to.deep.equal(["ledger"]);
        go();
        await becomes(one.key, "done");
      });

      it("may be called twice", async () => {
        const worker = work(() => DONE);
        await Promise.all([worker.close(), worker.close()]);
        await inbox.close();
      });
    });

    if (takeAway) {
      describe("a lease that is lost while a subscriber still runs", () => {
        it("halts the run, and refuses whatever it still says", async () => {
          const one = record();
          await add(one);
          let lost: Run | undefined;
          let go: () => void = () => {};
          const gate = new Promise<void>((resolve) => {
            go = resolve;
          });
          work(async (_, run) => {
            lost = run;
            await gate;
            await run.markDone("ledger", false);
            return DONE;
          });
          await until(() => bus.running === 1);
          await takeAway(one.key);
          go();
          await until(() => lost?.halt !== undefined);
          expect(lost?.halt).to.be.instanceOf(StaleTokenError);
          const details = await inbox.get(one.key);
          expect(details?.subscribers).to.deep.equal([]);
          expect(details?.state).not.to.equal("done");
        });
      });
    }

    if (ordered) {
      describe("orderBy", () => {
        it("delivers the events of one key one after the other, and of other keys meanwhile", async () => {
          inbox = await openOne({ ...QUICK, orderBy: () => undefined });
          const lane = (lane: string) => record({ lane });
          const records = [lane("a"), lane("a"), lane("b"), lane("a"), lane("b")];
          await add(...records);
          const ended: string[] = [];
          const running = new Set<string>();
          const clashes: string[] = [];
          const laneOf = new Map(records.map((each) => [each.key, each.lane as string]));
          const script: Script = async ({ key, attempt }) => {
            const mine = laneOf.get(key) as string;
            if (running.has(mine)) clashes.push(key);
            running.add(mine);
            await new Promise((resolve) => setTimeout(resolve, 10));
            running.delete(mine);
            // A failure holds up its own lane.
            if (attempt === 1 && key === records[0]?.key) return failed(0, "ledger");
            ended.push(key);
            return DONE;
          };
          work(script);
          const other = new ScriptedBus("shop", script);
          (await openOne({ ...QUICK, orderBy: () => undefined })).work(other, { pollMs: 20 });
          await until(async () => (await inbox.counts()).done === records.length);
          expect(clashes).to.deep.equal([]);
          for (const mine of ["a", "b"]) {
            const wanted = records.filter((each) => each.lane === mine).map(({ key }) => key);
            expect(ended.filter((key) => laneOf.get(key) === mine)).to.deep.equal(wanted);
          }
        });

        it("asks for the key of every event, and takes nothing but text", async () => {
          const seen: unknown[] = [];
          inbox = await openOne({
            ...QUICK,
            orderBy: (event: { customer: string }, facts) => {
              seen.push(facts);
              return event.customer;
            },
          });
          const facts = { bus: "shop", type: "charge.succeeded" };
          expect(inbox.laneOf?.({ customer: "cus_1" }, facts)).to.equal("cus_1");
          expect(seen).to.deep.equal([facts]);
          expect(() => inbox.laneOf?.({ customer: 7 }, facts)).to.throw(ConfigurationError, "orderBy");
        });
      });
    }

    for (const [option, value] of [
      ["attempts", 0],
      ["leaseMs", 1.5],
      ["retentionMs", 1_000],
      ["random", 4],
      ["backoff", { baseMs: -1 }],
    ] as const) {
      it(`refuses ${JSON.stringify(value)} for \`${option}\``, async () => {
        const error = await open({ [option]: value } as never).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(ConfigurationError);
        expect((error as Error).message).to.include(option);
      });
    }

    it("refuses what is no bus, no target and no number of deliveries", async () => {
      expect(() => inbox.work({} as never)).to.throw(TypeError, "`bus`");
      expect(() => inbox.work(bus, { concurrency: 0 })).to.throw(ConfigurationError, "concurrency");
      for (const target of [undefined, null, 7]) {
        expect(await inbox.replay(target as never).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
        expect(await inbox.discard(target as never).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
      }
    });

    it("says that it can be reached", async () => {
      await inbox.ping();
    });
  });
}
