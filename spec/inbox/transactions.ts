import { expect } from "chai";
import type { DeliveryContext } from "../../src/bus/context.ts";
import { ConfigurationError, StaleTokenError } from "../../src/errors.ts";
import type { Inbox, Run } from "../../src/inbox/inbox.ts";
import { anEvent } from "../receiver/harness.ts";
import { rejectionOf } from "../support/bus.ts";
import type { Engine } from "./faults/engines.ts";
import { aProcess, type Process, ProcessClock, type Work } from "./faults/process.ts";
import { following, post } from "./faults/storage.ts";
import { aRecord, DONE, ScriptedBus, until } from "./scripted-bus.ts";

/** Tries again at once, twice. */
const QUICK = { attempts: 3, backoff: { baseMs: 1, capMs: 1 }, random: () => 0 };

interface RawClient {
  query(text: string, values?: unknown[]): Promise<unknown>;
  exec(text: string): unknown;
}

/** What an inbox must do whose database can hold the user's data, as a mocha suite. */
export function transactionContract(engine: Engine): void {
  describe(`transactions with an inbox on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<Engine["make"]>>;
    let inbox: Inbox;
    let key: string;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      inbox = storage.inbox(QUICK);
    });

    afterEach(() => storage?.drop());

    /** Delivers one event to these subscribers until it is done. */
    const deliver = async (subscribers: Readonly<Record<string, Work>>): Promise<Process> => {
      const process = aProcess(new ProcessClock(), subscribers);
      process.bus.inbox = inbox;
      const event = anEvent();
      key = `stripe:${event.id}`;
      await post(process.bus, event);
      process.work(inbox);
      await until(async () => (await inbox.get(key))?.state === "done");
      return process;
    };
    /** Fails the first time that it is called, in the way of `work`, and then writes as it should. */
    const secondTime = (work: Work): Work => {
      let calls = 0;
      return (context) => {
        calls += 1;
        return calls === 1 ? work(context) : context.transaction((tx) => storage.write(context.subscriber, tx));
      };
    };
    const marked = async (): Promise<readonly unknown[]> =>
      (await storage.query("SELECT subscriber FROM hookbus_inbox_mark ORDER BY subscriber")).map(
        ({ subscriber }) => subscriber,
      );
    const execute = (tx: unknown, sql: string): unknown =>
      engine.name === "SQLite" ? (tx as RawClient).exec(sql) : (tx as RawClient).query(sql);
    const takeAway = () => storage.query("UPDATE hookbus_inbox SET fence = fence + 1, due_at = due_at + 3600000");

    describe("context.transaction", () => {
      it("commits what fn wrote together with the mark, and resolves to what fn returned", async () => {
        const seen: unknown[] = [];
        await deliver({
          ledger: async (context) => {
            seen.push(await context.transaction((tx) => following(storage.write("letter", tx), () => "posted")));
            seen.push(await storage.effects(), await marked());
          },
        });
        expect(seen).to.deep.equal(["posted", ["letter"], ["ledger"]]);
      });

      it("rolls both back and rejects with what fn threw, and the subscriber is tried again", async () => {
        const bang = new Error("bang");
        const seen: unknown[] = [];
        const process = await deliver({
          ledger: secondTime(async (context) => {
            const failing = context.transaction((tx) =>
              following(storage.write("lost", tx), () => {
                throw bang;
              }),
            );
            seen.push(await rejectionOf(failing), await storage.effects(), await marked());
            throw bang;
          }),
        });
        expect(seen).to.deep.equal([bang, [], []]);
        expect(process.called).to.deep.equal(["ledger", "ledger"]);
        expect(await storage.effects()).to.deep.equal(["ledger"]);
      });

      it("awaits an async fn, or refuses it with TypeError and rolls back what it wrote", async () => {
        let outcome: unknown;
        await deliver({
          ledger: secondTime(async (context) => {
            outcome = await context
              .transaction(async (tx) => {
                await storage.write("ledger", tx);
                return "written";
              })
              .catch((error: unknown) => error);
            if (outcome instanceof Error) throw outcome;
          }),
        });
        if (engine.name === "SQLite") expect(outcome).to.be.instanceOf(TypeError);
        else expect(outcome).to.equal("written");
        expect(await storage.effects()).to.deep.equal(["ledger"]);
      });

      for (const statement of ["COMMIT", "ROLLBACK"]) {
        it(`refuses an fn that says ${statement} itself, undoes no other work, and tries again`, async () => {
          await inbox.record([aRecord("other")]);
          let refused: unknown;
          const process = await deliver({
            auditor: () => storage.write("auditor"),
            ledger: secondTime(async (context) => {
              refused = await rejectionOf(context.transaction((tx) => execute(tx, statement)));
              throw refused;
            }),
          });
          expect(refused).to.be.instanceOf(ConfigurationError);
          expect(process.called).to.deep.equal(["auditor", "ledger", "ledger"]);
          expect(await storage.effects()).to.deep.equal(["auditor", "ledger"]);
          expect(await inbox.counts()).to.include({ pending: 1, done: 1 });
        });
      }

      it("counts although the subscriber throws afterwards: it is not called again", async () => {
        const process = await deliver({
          ledger: async (context) => {
            await context.transaction((tx) => storage.write("ledger", tx));
            throw new Error("too late");
          },
        });
        expect(process.called).to.deep.equal(["ledger"]);
        expect(process.attempts).to.deep.equal(["failed", "done"]);
        expect(await storage.effects()).to.deep.equal(["ledger"]);
      });

      it("may be called again in a run that failed, and not in one that was committed", async () => {
        let refused: unknown;
        await deliver({
          ledger: async (context) => {
            await rejectionOf(
              context.transaction(() => {
                throw new Error("bang");
              }),
            );
            await context.transaction((tx) => storage.write("ledger", tx));
            refused = await rejectionOf(context.transaction((tx) => storage.write("twice", tx)));
          },
        });
        expect(refused).to.be.instanceOf(TypeError);
        expect(await storage.effects()).to.deep.equal(["ledger"]);
      });
    });

    describe("context.markDone in a transaction of the user's", () => {
      /** What users have for raw SQL: the client or database itself, and an ORM's function, which answers in its own way. */
      const executors: Readonly<Record<string, (given: never) => unknown>> = {
        "a client": (given) => given,
        ...(engine.name === "PostgreSQL" && {
          "an ORM's function that answers nothing": (given: RawClient) => async (text: string, values: unknown[]) => {
            await given.query(text, values);
          },
          "an ORM's function that wraps errors": (given: RawClient) => async (text: string, values: unknown[]) => {
            await given.query(text, values).catch((cause: unknown) => {
              throw new Error("the query failed", { cause });
            });
          },
        }),
      };
      for (const [what, executorOf] of Object.entries(executors)) {
        const own = (context: DeliveryContext, text: string, then: () => unknown = () => {}): Promise<void> =>
          storage.owned(async (given) => {
            await storage.write(text, given);
            await context.markDone(executorOf(given));
            await then();
          });

        it(`by ${what}: is committed with it, and the subscriber is not called again`, async () => {
          const process = await deliver({
            ledger: async (context) => {
              await own(context, "ledger");
              throw new Error("too late");
            },
          });
          expect(process.called).to.deep.equal(["ledger"]);
          expect(await storage.effects()).to.deep.equal(["ledger"]);
          expect(await marked()).to.deep.equal(["ledger"]);
        });

        it(`by ${what}: is rolled back with it, and the subscriber is called again`, async () => {
          const process = await deliver({
            ledger: secondTime((context) =>
              own(context, "lost", () => {
                throw new Error("bang");
              }),
            ),
          });
          expect(process.called).to.deep.equal(["ledger", "ledger"]);
          expect(await storage.effects()).to.deep.equal(["ledger"]);
        });

        it(`by ${what}: fails within the transaction where the lease is lost, and starts no other subscriber`, async () => {
          let refused: unknown;
          let reached = false;
          const process = aProcess(new ProcessClock(), {
            ledger: async (context) => {
              await takeAway();
              refused = await rejectionOf(own(context, "lost", () => (reached = true)));
              throw refused;
            },
            mailer: () => storage.write("mailer"),
          });
          process.bus.inbox = inbox;
          await post(process.bus, anEvent());
          process.work(inbox);
          await until(() => process.attempts.length === 1);
          expect(refused).to.be.instanceOf(StaleTokenError);
          expect(reached).to.equal(false);
          expect(process.called).to.deep.equal(["ledger"]);
          expect(await storage.effects()).to.deep.equal([]);
          expect(await marked()).to.deep.equal([]);
        });
      }

      it("is no sign of a lost lease when the run marks the subscriber after that", async () => {
        const record = aRecord("shop");
        let run: Run | undefined;
        const bus = new ScriptedBus("shop", async (_record, given) => {
          run = given;
          await storage.owned(async (executor) => given.markDoneWithin?.("ledger", executor));
          await given.markDone("ledger", false);
          await given.markDone("mailer", false);
          // Marks are written in the order in which they are made.
          await until(async () => (await marked()).length === 2);
          return DONE;
        });
        await inbox.record([record]);
        inbox.work(bus);
        await until(async () => (await inbox.get(record.key))?.state === "done");
        expect(run?.halt).to.equal(undefined);
        expect(bus.deliveries).to.have.length(1);
      });

      it("takes nothing that is no executor", async () => {
        const refused: unknown[] = [];
        await deliver({
          ledger: secondTime(async (context) => {
            refused.push(await rejectionOf(context.markDone({})));
            throw refused[0];
          }),
        });
        expect(refused[0]).to.be.instanceOf(TypeError);
      });
    });
  });
}
