import { expect } from "chai";
import { StoreUnavailableError } from "../../../src/errors.ts";
import { Batch, type BatchOptions } from "../../../src/inbox/polled/batch.ts";
import { type Deferred, deferred } from "../../receiver/harness.ts";
import { rejectionOf } from "../../support/bus.ts";
import { FakeClock, settle } from "../../support/clock.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

interface Commit {
  readonly items: readonly string[];
  readonly answer: Deferred<readonly (string | Error)[]>;
}

describe("Batch", () => {
  let clock: FakeClock;
  let commits: Commit[];

  beforeEach(() => {
    clock = new FakeClock();
    commits = [];
  });

  /** A batch whose commits wait until the spec answers them. */
  const batchOf = (options: Partial<BatchOptions<string, string>> = {}): Batch<string, string> =>
    new Batch<string, string>({
      flush: (items) => {
        const commit = { items, answer: deferred<readonly (string | Error)[]>() };
        commits.push(commit);
        return commit.answer.promise;
      },
      most: 64,
      flights: 1,
      timeoutMs: 5_000,
      clock,
      ...options,
    });
  const commit = async (index: number): Promise<void> => {
    const { items, answer } = commits[index] as Commit;
    answer.resolve(items.map((item) => item.toUpperCase()));
    await settle();
  };
  const items = (): (readonly string[])[] => commits.map((each) => each.items);

  it("commits what is at hand together, and answers each with its own result", async () => {
    const batch = batchOf();
    const all = Promise.all(["a", "b", "c"].map((item) => batch.add(item)));
    await settle();
    expect(items()).to.deep.equal([["a", "b", "c"]]);
    await commit(0);
    expect(await all).to.deep.equal(["A", "B", "C"]);
  });

  describe("while more comes", () => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    /** Adds an item as a socket would: in the next turn of the event loop, and not together with the last one. */
    const brings = async (batch: Batch<string, string>, item: string): Promise<void> => {
      await new Promise<void>((resolve) => process.nextTick(resolve));
      void batch.add(item);
      await turn();
    };

    it("waits until a turn of the event loop has brought nothing", async () => {
      const batch = batchOf({ turns: 5 });
      void batch.add("a");
      await brings(batch, "b");
      await brings(batch, "c");
      expect(items()).to.deep.equal([]);
      await turn();
      expect(items()).to.deep.equal([["a", "b", "c"]]);
    });

    it("waits for no more turns than it may", async () => {
      const batch = batchOf({ turns: 5 });
      void batch.add("0");
      for (let next = 1; commits.length === 0; next += 1) await brings(batch, String(next));
      expect(items()).to.deep.equal([["0", "1", "2", "3", "4", "5"]]);
    });

    it("does not wait unless it may gather for longer", async () => {
      const batch = batchOf();
      void batch.add("a");
      await brings(batch, "b");
      expect(items()).to.deep.equal([["a", "b"]]);
    });

    it("waits for no more than go together", async () => {
      const batch = batchOf({ most: 3, turns: 5 });
      void batch.add("a");
      await brings(batch, "b");
      await brings(batch, "c");
      expect(items()).to.deep.equal([["a", "b", "c"]]);
    });
  });

  it("keeps nobody waiting for company", async () => {
    const batch = batchOf();
    const alone = batch.add("a");
    await settle();
    expect(items()).to.deep.equal([["a"]]);
    await commit(0);
    expect(await alone).to.equal("A");
  });

  it("commits together what came while a commit was under way", async () => {
    const batch = batchOf();
    const first = batch.add("a");
    await settle();
    const later = [batch.add("b")];
    await settle();
    later.push(batch.add("c"));
    await settle();
    expect(items()).to.deep.equal([["a"]]);
    await commit(0);
    await settle();
    expect(items()).to.deep.equal([["a"], ["b", "c"]]);
    await commit(1);
    expect(await Promise.all([first, ...later])).to.deep.equal(["A", "B", "C"]);
  });

  it("puts no more into one commit than it is told to", async () => {
    const batch = batchOf({ most: 2 });
    const all = Promise.all(["a", "b", "c"].map((item) => batch.add(item)));
    await settle();
    await commit(0);
    await settle();
    await commit(1);
    await all;
    expect(items()).to.deep.equal([["a", "b"], ["c"]]);
  });

  it("has as many commits under way as it is told, and no more", async () => {
    const batch = batchOf({ most: 1, flights: 2 });
    const all = Promise.all(["a", "b", "c"].map((item) => batch.add(item)));
    await settle();
    await settle();
    await settle();
    expect(items()).to.deep.equal([["a"], ["b"]]);
    await commit(1);
    await settle();
    expect(items()).to.deep.equal([["a"], ["b"], ["c"]]);
    await commit(0);
    await commit(2);
    await all;
  });

  it("ends a commit at 256 KiB, and gives what is larger one of its own", async () => {
    const sizes: Readonly<Record<string, number>> = { a: 200 * KIB, b: 56 * KIB, c: 1, d: 3 * MIB, e: 1 };
    const batch = batchOf({ weigh: (item) => sizes[item] ?? 0, flights: 9 });
    const all = Promise.all(Object.keys(sizes).map((item) => batch.add(item)));
    for (let round = 0; round < 5; round += 1) await settle();
    expect(items()).to.deep.equal([["a", "b"], ["c"], ["d"], ["e"]]);
    for (const index of commits.keys()) await commit(index);
    await all;
  });

  it("fails the one that could not be written, and no other", async () => {
    const batch = batchOf();
    const all = Promise.allSettled(["a", "b", "c"].map((item) => batch.add(item)));
    await settle();
    const bad = new Error("b cannot be stored");
    commits[0]?.answer.resolve(["A", bad, "C"]);
    const [a, b, c] = await all;
    expect([a, c]).to.deep.equal(["A", "C"].map((value) => ({ status: "fulfilled", value })));
    expect(b).to.deep.equal({ status: "rejected", reason: bad });
  });

  for (const [how, fail] of [
    ["rejects", () => Promise.reject(new Error("disk full"))],
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
  ] as const) {
    it(`fails all of a commit that ${how}, and goes on with the next`, async () => {
      let broken = true;
      const batch = batchOf({
        flush: (given) => (broken ? fail() : given.map((item) => item.toUpperCase())),
      });
      for (const error of await Promise.all([rejectionOf(batch.add("a")), rejectionOf(batch.add("b"))])) {
        expect(String(error)).to.equal("Error: disk full");
      }
      broken = false;
      expect(await batch.add("c")).to.equal("C");
      expect(clock.pending).to.equal(0);
    });
  }

  it("gives up on a commit that takes too long, and takes no notice of what comes of it", async () => {
    const batch = batchOf();
    const late = rejectionOf(batch.add("a"));
    await settle();
    await clock.advance(4_999);
    expect(clock.pending).to.equal(1);
    await clock.advance(1);
    expect(await late).to.be.instanceOf(StoreUnavailableError);
    await commit(0);
    const next = batch.add("b");
    await settle();
    await commit(1);
    expect(await next).to.equal("B");
  });

  it("counts the time spent waiting, and writes nothing for those who are told no by then", async () => {
    const batch = batchOf();
    const first = rejectionOf(batch.add("a"));
    await settle();
    const gone = rejectionOf(batch.add("gone"));
    await clock.advance(4_000);
    const patient = batch.add("patient");
    await clock.advance(1_000);
    expect(await gone).to.be.instanceOf(StoreUnavailableError);
    expect(await first).to.be.instanceOf(StoreUnavailableError);
    await commit(0);
    await settle();
    expect(items()).to.deep.equal([["a"], ["patient"]]);
    await commit(1);
    expect(await patient).to.equal("PATIENT");
  });

  it("refuses more than 64 MiB that wait, and takes more once they are on their way", async () => {
    const batch = batchOf({ weigh: () => 30 * MIB });
    const flying = batch.add("a");
    await settle();
    const waiting = [batch.add("b"), batch.add("c")];
    expect(await rejectionOf(batch.add("d"))).to.be.instanceOf(StoreUnavailableError);
    await commit(0);
    await settle();
    waiting.push(batch.add("e"));
    for (const index of [1, 2, 3]) {
      await commit(index);
      await settle();
    }
    expect(await Promise.all([flying, ...waiting])).to.deep.equal(["A", "B", "C", "E"]);
    expect(clock.pending).to.equal(0);
  });
});
