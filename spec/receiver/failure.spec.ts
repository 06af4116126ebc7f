import { expect } from "chai";
import {
  BodyTimeoutError,
  BodyTooLargeError,
  ConfigurationError,
  DispatchError,
  Ignore,
  MissingPeerError,
  PayloadError,
  ProcessError,
  ProviderUnavailableError,
  RawBodyUnavailableError,
  Reject,
  RequestAbortedError,
  RetrievalRefusedError,
  RetryLater,
  StaleTokenError,
  StoreUnavailableError,
  UnknownEventError,
} from "../../src/errors.ts";
import { busy, claimLost, receiptOf } from "../../src/receiver/failure.ts";
import { refusedForNow } from "../../src/receiver/receipt.ts";
import { anEvent, Closing, logOf, RECEIVED, REFUSED, serve, stepsOf, stripeBus } from "./harness.ts";

describe("a subscriber that fails", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  /** What the Stripe SDK throws when a subscriber verifies something by itself, and fails. */
  const sdkError = async (): Promise<Error> => {
    const { Stripe } = await import("stripe");
    try {
      new Stripe("sk_test_spec").webhooks.constructEvent("{}", "t=1,v1=00", "whsec_x");
    } catch (error) {
      return error as Error;
    }
    throw new Error("nothing was thrown");
  };

  const foreign = [
    ["an error", () => new Error("marker")],
    ["text", () => "marker"],
    ["undefined", () => undefined],
    ["null", () => null],
    ["hookbus's UnknownEventError", () => new UnknownEventError("marker")],
    ["hookbus's PayloadError", () => new PayloadError("marker")],
    ["hookbus's StoreUnavailableError", () => new StoreUnavailableError("marker")],
    ["hookbus's ProviderUnavailableError", () => new ProviderUnavailableError("marker")],
    ["hookbus's BodyTooLargeError", () => new BodyTooLargeError("marker")],
    ["Stripe's signature error", sdkError],
  ] as const;
  for (const [title, make] of foreign) {
    for (const how of ["throws", "rejects with"] as const) {
      it(`is a 500: ${how} ${title}`, async () => {
        const thrown = await make();
        const bus = stripeBus();
        const errors: unknown[] = [];
        bus.onError = (error) => errors.push(error);
        bus.subscribe(
          "charge.succeeded",
          () => {
            if (how === "throws") throw thrown;
            return Promise.reject(thrown);
          },
          { name: "broken" },
        );
        const wire = closing.add(await serve(bus));
        expect(await wire.deliver(anEvent())).to.deep.equal({
          status: 500,
          headers: { "content-type": "application/json", "content-length": `${REFUSED.length}`, connection: "close" },
          body: REFUSED,
        });
        expect(errors).to.have.length(1);
        expect(errors[0]).to.be.an.instanceOf(DispatchError);
        expect((errors[0] as DispatchError).failures).to.deep.equal([{ subscriber: "broken", error: thrown }]);
        expect(logOf(bus).map(({ level, message }) => [level, message])).to.deep.equal([
          ["error", 'hookbus: subscriber "broken" failed'],
          ["error", "hookbus: delivery failed"],
        ]);
        expect(logOf(bus)[1]?.fields).to.include({ message: '1 subscriber(s) of "charge.succeeded" failed: broken' });
        expect(JSON.stringify(logOf(bus))).not.to.match(/marker|No signatures found/);
      });
    }
  }

  type Row = [title: string, thrown: unknown[], status: number, retryAfter: string | undefined];
  const fault = new Error("mine");
  const rows: Row[] = [
    ["asks for a later try", [new RetryLater(7)], 503, "7"],
    ["asks for a later try, in less than a second", [new RetryLater(0.2)], 503, "1"],
    ["asks for a later try, at once", [new RetryLater(0)], 503, "1"],
    ["asks for a later try, in seconds and a bit", [new RetryLater(7.1)], 503, "8"],
    ["asks for a later try, it does not matter when", [new RetryLater()], 503, "60"],
    ["could not process the event", [new ProcessError()], 422, undefined],
    ["rejects the event for good", [new Reject()], 200, undefined],
    ["ignores the event", [new Ignore()], 200, undefined],
    ["several ask for a later try: the longest", [new RetryLater(7), new RetryLater(90), new RetryLater(8)], 503, "90"],
    ["a later try before a fault", [fault, new RetryLater(7), new ProcessError(), new Reject()], 503, "7"],
    ["a fault before what could not be processed", [new ProcessError(), fault, new Reject()], 500, undefined],
    ["a fault before a rejection", [new Reject(), fault], 500, undefined],
    [
      "what could not be processed before a rejection",
      [new Reject(), new ProcessError(), new Ignore()],
      422,
      undefined,
    ],
    ["rejections and nothing worse", [new Reject(), new Ignore(), new Reject()], 200, undefined],
  ];
  for (const [title, thrown, status, retryAfter] of rows) {
    it(`is a ${status}: ${title}`, async () => {
      const bus = stripeBus();
      const ran: number[] = [];
      thrown.forEach((each, index) => {
        bus.all(() => {
          ran.push(index);
          throw each;
        });
      });
      bus.all(() => {
        ran.push(thrown.length);
      });
      const receipts = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      const answer = await wire.deliver(event);
      expect([answer.status, answer.headers["retry-after"], answer.body]).to.deep.equal([
        status,
        retryAfter,
        status === 200 ? RECEIVED : REFUSED,
      ]);
      expect(ran).to.deep.equal(Array.from({ length: thrown.length + 1 }, (_, index) => index));
      expect(receipts[0]).to.include({ outcome: status === 200 ? "handled" : "failed", status, id: event.id });

      // Who rejects or ignores an event is done with it; whoever failed runs again.
      ran.length = 0;
      await wire.deliver(event);
      const final = (each: unknown): boolean => each instanceof Reject || each instanceof Ignore;
      expect(ran).to.deep.equal(thrown.flatMap((each, index) => (final(each) ? [] : [index])));
    });
  }

  it("is acknowledged in the provider's own words where nobody fails for good", async () => {
    const bus = stripeBus();
    Object.assign(bus.provider, { success: { status: 202, headers: { "x-own": "1" }, body: "[accepted]" } });
    bus.all(() => Promise.reject(new Reject()));
    const wire = closing.add(await serve(bus));
    const event = anEvent();
    for (let i = 0; i < 2; i++) {
      const { status, headers, body } = await wire.deliver(event);
      expect([status, headers["x-own"], body]).to.deep.equal([202, "1", "[accepted]"]);
    }
  });
});

describe("receiptOf", () => {
  const JSON_HEADERS = { "content-type": "application/json" };
  const rows: [error: unknown, status: number, outcome: "rejected" | "failed", retryAfter?: string][] = [
    [new BodyTooLargeError(""), 413, "rejected"],
    [new BodyTimeoutError(""), 408, "rejected"],
    [new RequestAbortedError(""), 400, "rejected"],
    [new PayloadError(""), 400, "rejected"],
    [new UnknownEventError(""), 401, "rejected"],
    [new ProviderUnavailableError("", { retryAfterSeconds: 12.5 }), 503, "failed", "13"],
    [new ProviderUnavailableError(""), 503, "failed", "5"],
    [new StoreUnavailableError(""), 503, "failed", "5"],
    [new RetrievalRefusedError(""), 500, "failed"],
    [new ConfigurationError(""), 500, "failed"],
    [new MissingPeerError("stripe", "Fetching Stripe events"), 500, "failed"],
    [new RawBodyUnavailableError(""), 500, "failed"],
    [new StaleTokenError(""), 500, "failed"],
    [new TypeError("x"), 500, "failed"],
    ["text", 500, "failed"],
    [undefined, 500, "failed"],
  ];
  for (const [error, status, outcome, retryAfter] of rows) {
    it(`is ${status} for ${error instanceof Error ? error.name : String(error)}`, () => {
      expect(receiptOf(error)).to.deep.equal({
        status,
        headers: retryAfter === undefined ? JSON_HEADERS : { ...JSON_HEADERS, "retry-after": retryAfter },
        body: REFUSED,
        outcome,
      });
    });
  }

  it("asks for whole seconds, one at least", () => {
    const headers = [0, 0.01, 1, 1.01, 59.9].map(
      (seconds) => refusedForNow(503, "failed", seconds).headers["retry-after"],
    );
    expect(headers).to.deep.equal(["1", "1", "1", "2", "60"]);
  });

  it("tells a busy event from a claim that was lost", () => {
    const receipt = { status: 409, headers: { ...JSON_HEADERS, "retry-after": "5" }, body: REFUSED };
    expect(busy()).to.deep.equal({ ...receipt, outcome: "duplicate" });
    expect(claimLost()).to.deep.equal({ ...receipt, outcome: "failed" });
  });
});
