import { expect } from "chai";
import { ConfigurationError, StaleTokenError } from "../../src/errors.ts";
import {
  type MemoryIdempotency,
  type MemoryIdempotencyOptions,
  memoryIdempotency,
} from "../../src/idempotency/memory.ts";
import type { Claim, ClaimToken } from "../../src/idempotency/store.ts";
import { idempotencyContract, ManualClock } from "./contract.ts";

idempotencyContract("memoryIdempotency", ({ now }) => memoryIdempotency({ now }));

describe("memoryIdempotency", () => {
  let clock: ManualClock;
  let store: MemoryIdempotency;

  const open = (options: MemoryIdempotencyOptions = {}): void => {
    store = memoryIdempotency({ now: clock.now, ...options });
  };
  const claim = (key: string): Claim => store.claim(key, { leaseMs: 1_000, fingerprint: "f" });
  const take = (key: string): ClaimToken => {
    const result = claim(key);
    if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
    return result.token;
  };
  const complete = (key: string): void => store.complete(take(key));

  beforeEach(() => {
    clock = new ManualClock();
    open();
  });

  it("forgets with the process", () => {
    expect(store.volatile).to.equal(true);
  });

  it("answers with plain values, not promises", () => {
    const token = take("a");
    expect(claim("a")).to.deep.equal({ state: "busy" });
    expect(store.extend(token, 1)).to.equal(undefined);
    expect(store.markDone(token, "mailer")).to.equal(undefined);
    expect(store.release(token)).to.equal(undefined);
    expect(store.complete(take("a"))).to.equal(undefined);
    expect(() => store.complete(token)).to.throw(StaleTokenError, '"a"');
  });

  it("has a clock of its own", () => {
    store = memoryIdempotency();
    const token = take("a");
    expect(claim("a")).to.deep.equal({ state: "busy" });
    store.complete(token);
    expect(claim("a")).to.deep.equal({ state: "done", fingerprint: "f" });
  });

  describe("maxKeys", () => {
    it("drops the settled key that was asked for least recently", () => {
      open({ maxKeys: 2 });
      complete("a");
      complete("b");
      expect(claim("a")).to.include({ state: "done" });
      complete("c");
      expect(claim("a")).to.include({ state: "done" });
      expect(claim("c")).to.include({ state: "done" });
      expect(claim("b")).to.include({ state: "claimed" });
    });

    it("never drops a live claim", () => {
      open({ maxKeys: 1 });
      const tokens = Array.from({ length: 500 }, (_, index) => take(`live ${index}`));
      for (let index = 0; index < 500; index += 1) complete(`done ${index}`);
      for (const token of tokens) {
        expect(claim(token.key)).to.deep.equal({ state: "busy" });
        store.markDone(token, "mailer");
        store.extend(token, 1_000);
      }
      store.complete(tokens[0] as ClaimToken);
      expect(claim("live 0")).to.deep.equal({ state: "done", fingerprint: "f" });
    });
  });

  describe("ttlMs", () => {
    it("forgets handled and half-done keys in time, seven days by default", () => {
      complete("handled");
      const token = take("half-done");
      store.markDone(token, "mailer");
      store.release(token);
      clock.advance(7 * 24 * 60 * 60 * 1000);
      expect(claim("handled")).to.include({ state: "done" });
      clock.advance(1);
      expect(claim("handled")).to.include({ state: "claimed" });
      expect(claim("half-done")).to.deep.include({ state: "claimed", done: [] });
    });

    it("counts from the completion, whoever asks meanwhile, and on a clock that begins at zero", () => {
      clock.time = 0;
      open({ ttlMs: 10 });
      complete("a");
      clock.advance(9);
      expect(claim("a")).to.include({ state: "done" });
      clock.advance(2);
      expect(claim("a")).to.include({ state: "claimed" });
    });
  });

  describe("claims whose run vanished", () => {
    const abandon = (count: number): ClaimToken => {
      const token = take("abandoned");
      store.markDone(token, "mailer");
      for (let index = 1; index < count; index += 1) take(`abandoned ${index}`);
      clock.advance(1_000);
      return token;
    };

    it("are given back, with their marks, before a thousand of them pile up", () => {
      const token = abandon(1_000);
      take("one more");
      expect(() => store.complete(token)).to.throw(StaleTokenError);
      expect(claim("abandoned")).to.deep.include({ state: "claimed", done: ["mailer"] });
    });

    it("may still finish while they are fewer", () => {
      const token = abandon(999);
      take("one more");
      store.complete(token);
      expect(claim("abandoned")).to.include({ state: "done" });
    });

    it("are told from those that live, however many there are of these", () => {
      const live = Array.from({ length: 3_000 }, (_, index) => take(`live ${index}`));
      const token = abandon(1);
      for (const held of live) store.extend(held, 1_000);
      for (let index = 0; index < 3_000; index += 1) take(`more ${index}`);
      expect(() => store.complete(token)).to.throw(StaleTokenError);
      for (const held of live) expect(claim(held.key)).to.deep.equal({ state: "busy" });
    });
  });

  for (const option of ["maxKeys", "ttlMs"] as const) {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`refuses ${value} for \`${option}\``, () => {
        expect(() => memoryIdempotency({ [option]: value })).to.throw(ConfigurationError, `\`${option}\``);
      });
    }
  }
});
