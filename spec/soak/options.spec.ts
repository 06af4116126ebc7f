import { expect } from "chai";
import { optionsOf, UsageError } from "../../tools/soak/options.ts";

describe("the options of the soak", () => {
  const refused = (...args: readonly string[]): string => {
    try {
      optionsOf(args);
    } catch (error) {
      expect(error).to.be.instanceOf(UsageError);
      return (error as Error).message;
    }
    throw new Error(`taken: ${args.join(" ")}`);
  };

  it("are read", () => {
    const args = ["--inbox", "postgres", "--events", "300", "--kills", "10", "--seed", "7", "--break", "no-fence"];
    expect(optionsOf([...args, "--deadline", "90", "--keep"])).to.deep.equal({
      inbox: "postgres",
      events: 300,
      kills: 10,
      seed: 7,
      fault: "no-fence",
      deadlineSeconds: 90,
      keep: true,
    });
  });

  it("have defaults, but for the inbox", () => {
    const { events, kills, seed, fault, keep } = optionsOf(["--inbox", "sqlite"]);
    expect({ events, kills, seed, fault, keep }).to.deep.equal({
      events: 1000,
      kills: 20,
      seed: 1,
      fault: undefined,
      keep: false,
    });
    expect(refused()).to.include("--inbox must be one of sqlite, postgres, redis");
  });

  it("allow more time for more events and more kills", () => {
    const secondsOf = (...args: readonly string[]): number => optionsOf(["--inbox", "redis", ...args]).deadlineSeconds;
    expect(secondsOf("--events", "5000", "--kills", "20")).to.be.above(secondsOf("--events", "50", "--kills", "20"));
    expect(secondsOf("--events", "50", "--kills", "90")).to.be.above(secondsOf("--events", "50", "--kills", "20"));
  });

  it("are refused where they cannot be meant", () => {
    expect(refused("--inbox", "mysql")).to.include("--inbox");
    expect(refused("--inbox", "sqlite", "--events", "0")).to.include("--events");
    expect(refused("--inbox", "sqlite", "--kills", "-1")).to.include("--kills");
    expect(refused("--inbox", "sqlite", "--seed", "1e3")).to.include("--seed");
    expect(refused("--inbox", "sqlite", "--break", "everything")).to.include("--break");
    expect(refused("--inbox", "sqlite", "--speed", "9")).to.include("--speed");
  });

  it("are refused for a fault that the inbox cannot have", () => {
    expect(refused("--inbox", "redis", "--break", "no-fence")).to.include("does not apply to redis");
    expect(refused("--inbox", "redis", "--break", "mark-outside")).to.include("does not apply to redis");
    expect(optionsOf(["--inbox", "redis", "--break", "ack-early"]).fault).to.equal("ack-early");
  });
});
