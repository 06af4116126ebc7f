import { expect } from "chai";
import { describeError } from "../../src/bus/logger.ts";
import { ConfigurationError } from "../../src/errors.ts";

describe("describeError", () => {
  it("tells the class, the code and the line that threw, and not the message", () => {
    const described = describeError(new ConfigurationError("card 4242"));
    expect(described).to.include({ error: "ConfigurationError", code: "HOOKBUS_CONFIGURATION" });
    expect(described.at).to.match(/logger\.spec\.ts:\d+:\d+/);
    expect(JSON.stringify(described)).not.to.include("4242");
    expect(Object.keys(describeError(new TypeError("m")))).to.deep.equal(["error", "at"]);
  });

  it("takes no line of a message for a line that threw", () => {
    const described = describeError(new Error("first\n    at card 4242\n    at card 4343"));
    expect(JSON.stringify(described)).not.to.match(/4242|4343/);
    expect(described.at).to.include("logger.spec.ts");
  });

  it("does without a line where the message is another than the stack's, or where there is no stack", () => {
    const changed = new Error("first\n    at card 4242");
    expect(changed.stack).to.include("card"); // which also makes it, once and for all
    changed.message = "second";
    expect(describeError(changed)).to.deep.equal({ error: "Error" });
    const bare = new Error("m");
    delete (bare as { stack?: string }).stack;
    expect(describeError(bare)).to.deep.equal({ error: "Error" });
  });

  it("tells a code that is text, and no other", () => {
    const coded = (code: unknown): unknown => describeError(Object.assign(new Error("m"), { code })).code;
    expect([coded("ECONNREFUSED"), coded(5), coded({})]).to.deep.equal(["ECONNREFUSED", undefined, undefined]);
  });

  it("tells only what kind of thing it is that is no error", () => {
    expect(describeError("card 4242")).to.deep.equal({ error: "string" });
    expect(describeError(undefined)).to.deep.equal({ error: "undefined" });
    expect(describeError({ card: 4242 })).to.deep.equal({ error: "object" });
  });
});
