import { expect } from "chai";
import * as errors from "../../src/errors.ts";
import {
  type AnyHookbusError,
  ConfigurationError,
  DispatchError,
  HookbusError,
  Ignore,
  MissingPeerError,
  ProcessError,
  ProviderUnavailableError,
  Reject,
  RetryLater,
} from "../../src/errors.ts";

/** What programs decide by: a change here breaks them. */
const CODES: Readonly<Record<string, string>> = {
  BodyTimeoutError: "HOOKBUS_BODY_TIMEOUT",
  BodyTooLargeError: "HOOKBUS_BODY_TOO_LARGE",
  ConfigurationError: "HOOKBUS_CONFIGURATION",
  DispatchError: "HOOKBUS_DISPATCH",
  HookbusError: "HOOKBUS_ERROR",
  Ignore: "HOOKBUS_IGNORE",
  MissingPeerError: "HOOKBUS_MISSING_PEER",
  PayloadError: "HOOKBUS_PAYLOAD",
  ProcessError: "HOOKBUS_PROCESS",
  ProviderUnavailableError: "HOOKBUS_PROVIDER_UNAVAILABLE",
  RawBodyUnavailableError: "HOOKBUS_RAW_BODY_UNAVAILABLE",
  Reject: "HOOKBUS_REJECT",
  RequestAbortedError: "HOOKBUS_REQUEST_ABORTED",
  RetrievalRefusedError: "HOOKBUS_RETRIEVAL_REFUSED",
  RetryLater: "HOOKBUS_RETRY_LATER",
  SecretsUnavailableError: "HOOKBUS_SECRETS_UNAVAILABLE",
  StaleTokenError: "HOOKBUS_STALE_TOKEN",
  StoreUnavailableError: "HOOKBUS_STORE_UNAVAILABLE",
  SubscriberTimeoutError: "HOOKBUS_SUBSCRIBER_TIMEOUT",
  UnknownEventError: "HOOKBUS_UNKNOWN_EVENT",
};

/** How each is made; `satisfies` makes a missing one a compile error. */
const cause = new Error("underneath");
const MADE = {
  BodyTimeoutError: () => new errors.BodyTimeoutError("m", { cause }),
  BodyTooLargeError: () => new errors.BodyTooLargeError("m", { cause }),
  ConfigurationError: () => new ConfigurationError("m", { cause }),
  Ignore: () => new Ignore("m", { cause }),
  MissingPeerError: () => new MissingPeerError("stripe", "Fetching events", { cause }),
  PayloadError: () => new errors.PayloadError("m", { cause }),
  ProcessError: () => new ProcessError("m", { cause }),
  ProviderUnavailableError: () => new ProviderUnavailableError("m", { cause }),
  RawBodyUnavailableError: () => new errors.RawBodyUnavailableError("m", { cause }),
  Reject: () => new Reject("m", { cause }),
  RequestAbortedError: () => new errors.RequestAbortedError("m", { cause }),
  RetrievalRefusedError: () => new errors.RetrievalRefusedError("m", { cause }),
  RetryLater: () => new RetryLater(5, "m", { cause }),
  SecretsUnavailableError: () => new errors.SecretsUnavailableError("m", { cause }),
  StaleTokenError: () => new errors.StaleTokenError("m", { cause }),
  StoreUnavailableError: () => new errors.StoreUnavailableError("m", { cause }),
  SubscriberTimeoutError: () => new errors.SubscriberTimeoutError("m", { cause }),
  UnknownEventError: () => new errors.UnknownEventError("m", { cause }),
} satisfies Record<string, () => HookbusError>;

describe("errors", () => {
  it("are all listed here, each with a code of its own", () => {
    expect(Object.keys(errors).sort()).to.deep.equal(Object.keys(CODES));
    expect(new Set(Object.values(CODES)).size).to.equal(Object.keys(CODES).length);
    expect(Object.keys(MADE)).to.deep.equal(
      Object.keys(CODES).filter((name) => !["DispatchError", "HookbusError"].includes(name)),
    );
  });

  for (const [name, make] of Object.entries(MADE)) {
    it(`${name} has its name, its code and its cause, and is a HookbusError`, () => {
      const error = make();
      expect([error.name, error.code]).to.deep.equal([name, CODES[name]]);
      expect(error.cause).to.equal(cause);
      expect(error).to.be.instanceOf(Error);
      expect(error).to.be.instanceOf(HookbusError);
      expect(error.stack).to.include("errors.spec.ts");
      if (name !== "MissingPeerError") expect(error.message).to.equal("m");
    });
  }

  it("of your own that extend HookbusError are told by their own names", () => {
    class Mine extends HookbusError {
      override readonly code = "MINE";
    }
    const mine = new Mine("m");
    expect([mine.name, mine.code]).to.deep.equal(["Mine", "MINE"]);
    expect(mine).to.be.instanceOf(HookbusError);
    expect(new HookbusError("m").code).to.equal("HOOKBUS_ERROR");
    expect(new HookbusError("m")).not.to.be.instanceOf(Mine);
    expect(new DispatchError("a", [])).not.to.be.instanceOf(Mine);
  });

  it("of others are no HookbusError", () => {
    for (const other of [new Error("m"), new AggregateError([]), { code: "HOOKBUS_ERROR" }, null, undefined, "text"]) {
      expect(other instanceof HookbusError).to.equal(false);
    }
    expect(new ConfigurationError("m") instanceof Reject).to.equal(false);
    expect((new DispatchError("a", []) as unknown) instanceof ConfigurationError).to.equal(false);
  });

  it("MissingPeerError says what to run", () => {
    const error = new MissingPeerError("stripe", "Fetching Stripe events");
    expect(error.peer).to.equal("stripe");
    expect(error.message).to.equal(
      'Fetching Stripe events needs the package "stripe", which is not installed. Run: npm install stripe',
    );
  });

  it("ProviderUnavailableError says when another try makes sense, and whether we were limited", () => {
    const { retryAfterSeconds, rateLimited } = new ProviderUnavailableError("m");
    expect({ retryAfterSeconds, rateLimited }).to.deep.equal({ retryAfterSeconds: 5, rateLimited: false });
    const limited = new ProviderUnavailableError("m", { retryAfterSeconds: 0, rateLimited: true });
    expect([limited.retryAfterSeconds, limited.rateLimited]).to.deep.equal([0, true]);
  });

  it("RetryLater says after how long, a minute unless told otherwise", () => {
    expect([
      new RetryLater().afterSeconds,
      new RetryLater(0).afterSeconds,
      new RetryLater(0.5).afterSeconds,
    ]).to.deep.equal([60, 0, 0.5]);
    for (const seconds of [-1, Number.NaN, Number.POSITIVE_INFINITY, "5" as never, null as never]) {
      expect(() => new RetryLater(seconds)).to.throw(
        TypeError,
        "`afterSeconds` must be a number of seconds, zero or more",
      );
    }
  });

  it("that subscribers throw have messages of their own", () => {
    expect(
      [new RetryLater(), new ProcessError(), new Reject(), new Ignore()].map(({ message }) => message),
    ).to.deep.equal([
      "the subscriber asked for a later try",
      "the event could not be processed",
      "the subscriber rejected the event for good",
      "the subscriber ignored the event",
    ]);
  });

  it("DispatchError keeps what was thrown, beside the names", () => {
    const failures = [
      { subscriber: "one", error: cause },
      { subscriber: "two", error: undefined },
    ];
    const error = new DispatchError("charge.paid", failures);
    expect(error.failures).to.equal(failures);
    expect(error.errors).to.deep.equal([cause, undefined]);
    expect([error.name, error.code]).to.deep.equal(["DispatchError", CODES["DispatchError"]]);
    expect(error.message).to.equal('2 subscriber(s) of "charge.paid" failed: one, two');
  });

  it("narrow by their code", () => {
    const told = (error: AnyHookbusError): unknown => {
      switch (error.code) {
        case "HOOKBUS_RETRY_LATER":
          return error.afterSeconds;
        case "HOOKBUS_DISPATCH":
          return error.failures.length;
        case "HOOKBUS_MISSING_PEER":
          return error.peer;
        default:
          return error.code;
      }
    };
    expect([
      told(new RetryLater(7)),
      told(new DispatchError("a", [{ subscriber: "one", error: cause }])),
      told(new MissingPeerError("stripe", "It")),
      told(new Reject()),
    ]).to.deep.equal([7, 1, "stripe", "HOOKBUS_REJECT"]);
  });
});
