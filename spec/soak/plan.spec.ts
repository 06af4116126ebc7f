import { expect } from "chai";
import { type Options, optionsOf } from "../../tools/soak/options.ts";
import { planOf, RECEIVERS, receiverFor, WORKERS } from "../../tools/soak/plan.ts";
import { SUBSCRIBERS, workOf } from "../../tools/soak/work.ts";

const asked = (seed: number, inbox = "sqlite", kills = "20"): Options =>
  optionsOf(["--inbox", inbox, "--events", "500", "--kills", kills, "--seed", String(seed)]);

describe("the plan of the soak", () => {
  const plan = planOf(asked(1));

  it("is the same for the same seed, and another one for another", () => {
    expect(planOf(asked(1))).to.deep.equal(plan);
    const other = planOf(asked(2));
    expect(other.events).not.to.deep.equal(plan.events);
    expect(other.blows).not.to.deep.equal(plan.blows);
    const order = ({ deliveries }: typeof plan): readonly (string | undefined)[] =>
      deliveries.map(({ id }) => /\d+/.exec(id)?.[0]);
    expect(order(other)).not.to.deep.equal(order(plan));
  });

  it("sends every event, some twice at once and some again later", () => {
    const ids = plan.deliveries.map(({ id }) => id);
    expect([...new Set(ids)].sort()).to.deep.equal(plan.events.map(({ id }) => id).sort());
    const distances = ids.map((id, index) => ids.indexOf(id, index + 1) - index).filter((distance) => distance > 0);
    expect(distances.filter((distance) => distance === 1).length).to.be.above(50);
    expect(distances.filter((distance) => distance > 10).length).to.be.above(50);
  });

  it("has as many kills as were asked for, of receivers and of workers, and freezes besides", () => {
    const count = (kind: string, role?: string): number =>
      plan.blows.filter((blow) => blow.kind === kind && (!role || ("target" in blow && blow.target.role === role)))
        .length;
    expect(count("kill")).to.equal(20);
    expect(count("kill", "receiver")).to.equal(10);
    expect(count("kill", "worker")).to.equal(10);
    expect(count("freeze", "worker")).to.be.above(count("freeze", "receiver")).and.above(2);
    expect(planOf(asked(1, "sqlite", "0")).blows).to.be.empty;
  });

  it("kills the server too, where it is the soak's own", () => {
    const { blows } = planOf(asked(1, "redis"));
    expect(blows.filter(({ kind }) => kind === "kill server").length).to.equal(4);
    expect(blows.filter(({ kind }) => kind !== "freeze").length).to.equal(20);
  });

  it("strikes in the order of acknowledgements, before the last of them, and whom there is", () => {
    const moments = plan.blows.map(({ afterAcks }) => afterAcks);
    expect(moments).to.deep.equal([...moments].sort((one, other) => one - other));
    expect(moments.every((moment) => moment > 0 && moment < plan.deliveries.length)).to.equal(true);
    for (const blow of plan.blows) {
      if (!("target" in blow)) continue;
      expect(blow.target.index).to.be.within(0, (blow.target.role === "worker" ? WORKERS : RECEIVERS) - 1);
    }
  });

  it("has work for each event and subscriber that no process can change", () => {
    const works = plan.events.flatMap(({ id }) => SUBSCRIBERS.map(({ name }) => workOf(1, id, name)));
    expect(plan.events.flatMap(({ id }) => SUBSCRIBERS.map(({ name }) => workOf(1, id, name)))).to.deep.equal(works);
    expect(works.every(({ ms }) => ms >= 0 && ms <= 150)).to.equal(true);
    const failing = works.filter(({ failures }) => failures > 0);
    expect(failing.length).to.be.within(works.length * 0.04, works.length * 0.12);
    expect(new Set(failing.map(({ failsBy }) => failsBy)).size).to.equal(2);
  });

  it("sends a retry to another receiver", () => {
    expect(receiverFor(1, 7, 0))
      .to.equal(receiverFor(1, 7, 0))
      .and.not.equal(receiverFor(1, 7, 1));
    expect(new Set(Array.from({ length: 20 }, (_, delivery) => receiverFor(1, delivery, 0))).size).to.equal(RECEIVERS);
  });
});
