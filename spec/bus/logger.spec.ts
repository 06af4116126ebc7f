import { expect } from "chai";
import { describeError, shielded } from "../../src/bus/logger.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { revoked, TROUBLES, unhandledOf } from "../receiver/unhandled.ts";

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

  const bounded = "a".repeat(64);
  /** Codes of Node, undici, llhttp, OpenSSL, SQLite, pg, Prisma, MySQL, Stripe, Firebase, the AWS SDKs and hookbus. */
  const codes = [
    ...[
      "ECONNREFUSED",
      "ERR_HTTP2_STREAM_ERROR",
      "UND_ERR_CONNECT_TIMEOUT",
      "HPE_INVALID_HEADER_TOKEN",
      "ERR_OSSL_EVP",
    ],
    ...["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SQLITE_CONSTRAINT_UNIQUE", "23505", "0A000", "P2002", "ER_DUP_ENTRY"],
    ...["card_declined", "transfer_source_balance_parameters_mismatch", "messaging/invalid-argument", "AccessDenied"],
    ...["AWS.SimpleQueueService.NonExistentQueue", "HOOKBUS_CONFIGURATION", "0x80070005", "ORA-00001", bounded],
  ];
  /** What a payload may hold. */
  const texts = [
    ...[
      "",
      " ",
      "card 4242",
      "code {}",
      "a\n",
      "\na",
      "a\u2028",
      "é",
      `${bounded}a`,
      "jane@example.com",
      "+4915112345678",
    ],
    ...["4242424242424242", "card_4242424242424242", "123456789", "https://example.com/x", "a".repeat(1_000_000)],
  ];

  it("tells a code that looks like one, and no other text, which may be the payload's", () => {
    const coded = (code: unknown): unknown => describeError(Object.assign(new Error("m"), { code })).code;
    expect(codes.map(coded)).to.deep.equal(codes);
    expect(texts.map(coded)).to.deep.equal(texts.map(() => undefined));
  });

  it("tells a class whose name looks like one, and of any other only that it is an error", () => {
    const named = (name: unknown): unknown => describeError(Object.assign(new Error("m"), { name })).error;
    const names = ["TypeError", "error", "$ZodError", "_Failure2", "S3ServiceException", "errors.NotFound", bounded];
    expect(names.map(named)).to.deep.equal(names);
    expect(texts.map(named)).to.deep.equal(texts.map(() => "Error"));
    expect([5, undefined, null, {}, Symbol("s"), ["TypeError"]].map(named)).to.deep.equal(Array(6).fill("Error"));
  });

  it("takes no line of a message for a line that threw where the message was taken away", () => {
    const emptied = new Error("first\n    at card 4242");
    expect(emptied.stack).to.include("card"); // which also makes it, once and for all
    emptied.message = "";
    expect(describeError(emptied)).to.deep.equal({ error: "Error" });
    expect(describeError(new TypeError()).at).to.include("logger.spec.ts");
  });

  it("tells what can be had of an error that throws when it is asked", () => {
    const fail = { get: () => expect.fail("asked") };
    const whole = (): Error => {
      const error = Object.assign(new TypeError("m"), { code: "E1" });
      expect(error.stack).to.be.a("string"); // which also makes it: of a name that throws, none can be made
      return error;
    };
    const without = (...fields: string[]): object =>
      describeError(Object.defineProperties(whole(), Object.fromEntries(fields.map((field) => [field, fail]))));
    expect(without("name")).to.include({ error: "Error", code: "E1" }).and.have.property("at");
    expect(without("code")).to.include({ error: "TypeError" }).and.have.property("at");
    expect(without("code")).not.to.have.property("code");
    for (const field of ["stack", "message"]) {
      expect(without(field)).to.deep.equal({ error: "TypeError", code: "E1" });
    }
    expect(without("name", "code", "stack", "message")).to.deep.equal({ error: "Error" });
    for (const stack of [5, null, {}]) {
      expect(describeError(Object.assign(whole(), { stack }))).to.deep.equal({ error: "TypeError", code: "E1" });
    }
    expect(describeError(Object.assign(whole(), { message: {} }))).to.deep.equal({ error: "TypeError", code: "E1" });
  });

  it("tells of a proxy that was revoked what kind of thing it is", () => {
    expect(describeError(revoked())).to.deep.equal({ error: "object" });
    const trap = new Proxy(new Error("m"), { get: () => expect.fail("asked"), has: () => expect.fail("asked") });
    expect(describeError(trap)).to.deep.equal({ error: "Error" });
  });
});

describe("shielded", () => {
  for (const [title, call] of Object.entries(TROUBLES)) {
    it(`keeps to itself what ${title}`, async () => {
      expect(await unhandledOf(() => shielded(call))).to.deep.equal([]);
    });
  }

  it("calls at once, and once", () => {
    let calls = 0;
    expect(shielded(() => ++calls)).to.equal(undefined);
    expect(calls).to.equal(1);
  });
});
