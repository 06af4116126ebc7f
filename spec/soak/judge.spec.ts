import { expect } from "chai";
import { MARK_PULSES, NOTICE_PULSES, PULSE_MS, type Struck } from "../../tools/soak/exposure.ts";
import type { Ending, Line } from "../../tools/soak/journal.ts";
import { type Effect, isWell, judge, type Verdict } from "../../tools/soak/judge.ts";
import { report } from "../../tools/soak/report.ts";
import { Runs } from "../../tools/soak/runs.ts";

const SUBSCRIBERS = [
  { name: "ledger", transactional: true },
  { name: "mailer", transactional: false },
];

/** A log of what two workers did, made up. */
class Log {
  readonly lines: Line[] = [];
  readonly effects: Effect[] = [];
  readonly struck: Struck[] = [];
  #runs = 0;

  /** Pulses of a worker, as they come where nothing holds it up. */
  pulses(process: string, from: number, until: number): this {
    for (let at = from; at <= until; at += PULSE_MS) this.lines.push({ kind: "pulse", process, at });
    return this;
  }

  ran(process: string, event: string, subscriber: string, start: number, end?: number, ending: Ending = "ok"): this {
    const run = `run${++this.#runs}`;
    this.lines.push({ kind: "start", run, event, subscriber, process, at: start });
    if (end !== undefined) this.lines.push({ kind: "end", run, ending, at: end });
    return this;
  }

  wrote(event: string, subscriber = "ledger"): this {
    this.effects.push({ event, subscriber });
    return this;
  }

  killed(process: string | undefined, from: number): this {
    this.struck.push({ process, from, to: Number.POSITIVE_INFINITY });
    return this;
  }

  froze(process: string | undefined, from: number, to: number): this {
    this.struck.push({ process, from, to });
    return this;
  }

  /** An event that went well. */
  delivered(event: string, process = "worker0.1", at = 1_000): this {
    this.ran(process, event, "ledger", at, at + 20).wrote(event);
    return this.ran(process, event, "mailer", at + 20, at + 60);
  }

  judged(acked: readonly string[], { transactions = true, events = acked } = {}): Verdict {
    const runs = new Runs(SUBSCRIBERS.length);
    runs.add([...this.lines].sort((one, other) => one.at - other.at));
    const effects = transactions ? this.effects : undefined;
    return judge({ events, acked: new Set(acked), subscribers: SUBSCRIBERS, runs, effects, struck: this.struck });
  }
}

const aLog = (): Log => new Log().pulses("worker0.1", 0, 20_000).pulses("worker1.2", 0, 20_000);
const lastLine = (verdict: Verdict): string | undefined => report(verdict).trimEnd().split("\n").at(-1);

describe("the judge of the soak", () => {
  it("finds nothing where all went well", () => {
    const verdict = aLog().delivered("evt_1").delivered("evt_2", "worker1.2").judged(["evt_1", "evt_2"]);
    expect(isWell(verdict)).to.equal(true);
    expect(report(verdict)).to.equal(
      "acked 2, lost 0, transactional effects doubled 0, subscribers run more than once 0\n",
    );
  });

  it("takes failures that were planned, and runs that were undone, for no other run", () => {
    const verdict = aLog()
      .ran("worker0.1", "evt_1", "mailer", 100, 150, "planned")
      .ran("worker0.1", "evt_1", "ledger", 200, 250, "undone")
      .delivered("evt_1")
      .judged(["evt_1"]);
    expect(isWell(verdict)).to.equal(true);
    expect(verdict.reran).to.be.empty;
  });

  describe("calls an event lost", () => {
    it("that was acknowledged and never ran", () => {
      const verdict = aLog().delivered("evt_1").judged(["evt_1", "evt_2"]);
      expect(verdict.lost).to.deep.equal(["evt_2"]);
      expect(isWell(verdict)).to.equal(false);
      expect(report(verdict)).to.equal(
        "acknowledged and lost: evt_2\nacked 2, lost 1, transactional effects doubled 0, subscribers run more than once 0\n",
      );
    });

    it("of which one subscriber did not finish", () => {
      const log = aLog().ran("worker0.1", "evt_1", "ledger", 100, 120).wrote("evt_1");
      expect(log.ran("worker0.1", "evt_1", "mailer", 120).judged(["evt_1"]).lost).to.deep.equal(["evt_1"]);
    });

    it("whose transaction left no row, whatever the subscriber says", () => {
      const log = aLog().ran("worker0.1", "evt_1", "ledger", 100, 120).ran("worker0.1", "evt_1", "mailer", 120, 130);
      expect(log.judged(["evt_1"]).lost).to.deep.equal(["evt_1"]);
      expect(log.judged(["evt_1"], { transactions: false }).lost).to.be.empty;
    });

    it("and none that was not acknowledged: that one fails the run by itself", () => {
      const verdict = aLog()
        .delivered("evt_1")
        .judged(["evt_1"], { events: ["evt_1", "evt_2"] });
      expect(verdict.lost).to.be.empty;
      expect(verdict.unacked).to.deep.equal(["evt_2"]);
      expect(isWell(verdict)).to.equal(false);
    });
  });

  it("counts effects beyond one for each event and subscriber, kills or not", () => {
    const verdict = aLog()
      .delivered("evt_1")
      .delivered("evt_2")
      .wrote("evt_1")
      .wrote("evt_1")
      .killed("worker0.1", 1_010)
      .judged(["evt_1", "evt_2"]);
    expect(verdict.doubled).to.deep.equal(["evt_1 ledger", "evt_1 ledger"]);
    expect(isWell(verdict)).to.equal(false);
  });

  it("says that there are no transactions where there are none", () => {
    const verdict = aLog().delivered("evt_1").judged(["evt_1"], { transactions: false });
    expect(lastLine(verdict)).to.equal(
      "acked 1, lost 0, transactional effects doubled n/a, subscribers run more than once 0",
    );
  });

  describe("of a subscriber that ran more than once", () => {
    const again = (log: Log): Verdict => log.ran("worker2.3", "evt_1", "mailer", 9_000, 9_040).judged(["evt_1"]);
    const marked = MARK_PULSES * PULSE_MS + PULSE_MS;

    it("asks for a reason", () => {
      const verdict = again(aLog().delivered("evt_1"));
      expect(verdict.reran).to.deep.equal(["evt_1 mailer"]);
      expect(verdict.unexplained).to.deep.equal(["evt_1 mailer"]);
      expect(isWell(verdict)).to.equal(false);
      expect(report(verdict)).to.match(/^run more often than kills and freezes explain: evt_1 mailer\n/);
    });

    it("takes a kill in the middle of its run for one, or just after it", () => {
      for (const killedAt of [1_030, 1_060, 1_060 + marked - 2 * PULSE_MS]) {
        const verdict = again(aLog().delivered("evt_1").killed("worker0.1", killedAt));
        expect(verdict.reran, String(killedAt)).to.deep.equal(["evt_1 mailer"]);
        expect(isWell(verdict), String(killedAt)).to.equal(true);
      }
    });

    it("takes no kill of another process for one, nor one when its mark was long written", () => {
      for (const log of [aLog().killed("worker1.2", 1_030), aLog().killed("worker0.1", 1_060 + marked)]) {
        expect(again(log.delivered("evt_1")).unexplained).to.deep.equal(["evt_1 mailer"]);
      }
    });

    it("takes a kill of the server for one, in all processes", () => {
      expect(isWell(again(aLog().delivered("evt_1").froze(undefined, 1_030, 2_000)))).to.equal(true);
    });

    it("takes a freeze for one, and a run that begins before the worker has noticed", () => {
      const log = (start: number): Log =>
        aLog()
          .ran("worker0.1", "evt_1", "ledger", 1_000, 1_020)
          .wrote("evt_1")
          .ran("worker1.2", "evt_1", "mailer", 6_000, 6_050)
          .ran("worker0.1", "evt_1", "mailer", start, start + 50)
          .froze("worker0.1", 1_030, 7_000);
      expect(isWell(log(7_020).judged(["evt_1"]))).to.equal(true);
      expect(isWell(log(7_000 + (NOTICE_PULSES + 2) * PULSE_MS).judged(["evt_1"]))).to.equal(false);
    });

    it("lets one interruption explain one more run, and no two", () => {
      const log = aLog()
        .delivered("evt_1")
        .killed("worker0.1", 1_030)
        .ran("worker1.2", "evt_1", "mailer", 8_000, 8_040);
      expect(again(log).unexplained).to.deep.equal(["evt_1 mailer"]);
    });

    it("takes a process that the machine held up for one that was frozen", () => {
      const held = new Log().pulses("worker0.1", 0, 1_000).pulses("worker0.1", 6_000, 9_000);
      const verdict = again(held.delivered("evt_1"));
      expect(isWell(verdict)).to.equal(true);
      expect({ atRisk: verdict.atRisk, heldUp: verdict.heldUp }).to.deep.equal({ atRisk: 0, heldUp: 2 });
    });
  });

  it("names the first few of many", () => {
    const ids = Array.from({ length: 9 }, (_, index) => `evt_${index}`);
    expect(report(aLog().judged(ids))).to.match(
      /^acknowledged and lost: evt_0, evt_1, evt_2, evt_3, evt_4 and 4 more\n/,
    );
  });
});
