import { expect } from "chai";
import { systemClock } from "../src/clock.ts";

describe("systemClock", () => {
  it("tells the time", () => {
    const before = Date.now();
    expect(systemClock.now()).to.be.within(before, Date.now());
  });

  it("calls back, and does not hold up a process that has nothing else to do", async () => {
    let timer: unknown;
    const called = new Promise<void>((resolve) => {
      timer = systemClock.setTimeout(resolve, 1);
    });
    expect((timer as NodeJS.Timeout).hasRef()).to.equal(false);
    (timer as NodeJS.Timeout).ref();
    await called;
  });

  it("does not call back when it was told so", async () => {
    let called = false;
    const timer = systemClock.setTimeout(() => {
      called = true;
    }, 1);
    systemClock.clearTimeout(timer);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(called).to.equal(false);
  });
});
