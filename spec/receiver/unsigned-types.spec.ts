import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { EventBus } from "../../src/event-bus.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import { sqliteIdempotency } from "../../src/idempotency/sqlite.ts";
import type { IdempotencyStore } from "../../src/idempotency/store.ts";
import { github } from "../../src/providers/github.ts";
import { readerOf } from "../../src/receiver/reader.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { Log } from "../support/bus.ts";

const SECRET = "secret of the specs";
const BODY = Buffer.from(JSON.stringify({ ref: "refs/heads/main", before: "a", after: "b", commits: [], pusher: {} }));

const STORES: Readonly<Record<string, () => IdempotencyStore>> = {
  memory: () => memoryIdempotency(),
  SQLite: () => sqliteIdempotency({ path: ":memory:", allowVolatile: true }),
};

for (const [name, makeStore] of Object.entries(STORES)) {
  describe(`an event whose type no signature covers, and the store of ${name}`, () => {
    let bus: EventBus<never, object>;
    let store: IdempotencyStore;
    let broken: boolean;
    let pushes: number;

    beforeEach(() => {
      [broken, pushes] = [true, 0];
      bus = new EventBus(github()) as never;
      bus.logger = new Log();
      bus.signingSecrets = SECRET;
      store = makeStore();
      bus.idempotency = store;
      bus.subscribe(
        "push",
        () => {
          if (broken) throw new Error("mine");
          pushes += 1;
        },
        { name: "pushes" },
      );
    });

    afterEach(() => store.close?.());

    const deliver = (type: string, types?: readonly string[]): Promise<Receipt> => {
      const headers = {
        ...bus.provider.sign(BODY, { secret: SECRET }),
        "x-github-event": type,
        "x-github-delivery": randomUUID(),
      };
      return bus.respond({ method: "POST", url: "/", headers }, readerOf(BODY), { types });
    };

    it("cannot be ended under another type, which nobody hears of, once it has failed", async () => {
      expect(await deliver("push")).to.include({ status: 500 });
      expect(await deliver("a_new_event")).to.include({ status: 409 });
      broken = false;
      expect(await deliver("push")).to.include({ status: 200, outcome: "handled" });
      expect(pushes).to.equal(1);
      expect(await deliver("a_new_event")).to.include({ status: 200, outcome: "duplicate" });
    });

    it("cannot be used up under a type that is ignored, once it has failed", async () => {
      expect(await deliver("push", ["push"])).to.include({ status: 500 });
      expect(await deliver("a_new_event", ["push"])).to.include({ status: 409 });
      broken = false;
      expect(await deliver("push", ["push"])).to.include({ status: 200, outcome: "handled" });
      expect(pushes).to.equal(1);
    });

    it("runs under its own type as often as it fails", async () => {
      for (let time = 0; time < 3; time += 1) expect(await deliver("push")).to.include({ status: 500 });
      expect(await deliver("a_new_event")).to.include({ status: 409 });
      broken = false;
      expect(await deliver("push")).to.include({ status: 200 });
      expect(pushes).to.equal(1);
    });

    it("runs nobody of another type, once it has failed", async () => {
      const issues: unknown[] = [];
      bus.subscribe("a_new_event", (event: object) => void issues.push(event), { name: "others" });
      await deliver("push");
      expect(await deliver("a_new_event")).to.include({ status: 409 });
      expect(issues).to.deep.equal([]);
    });
  });
}
