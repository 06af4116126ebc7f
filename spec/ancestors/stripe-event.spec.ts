import { expect } from "chai";
import Stripe from "stripe";
import { nodeHandler } from "../../src/adapters/node.ts";
import { ConfigurationError, type DispatchError, ProcessError, RetryLater } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { deferred } from "../receiver/harness.ts";
import { Log } from "../support/bus.ts";
import { RawHttp } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";
import { type Answer, fixtureText, Harness, RECEIVED, REFUSED } from "./harness.ts";
import { libraryRows } from "./library-rows.ts";

const [SECRET, SECOND, WRONG] = ["whsec_first", "whsec_second", "whsec_of_somebody_else"];
const BODY = fixtureText("stripe/charge.succeeded");
const EVENT = JSON.parse(BODY) as { readonly id: string; readonly type: string };

const provider = stripe();
const signed = (secret: string, body = BODY): Record<string, string> => provider.sign(body, { secret });

describe("the gem stripe_event", () => {
  const harness = new Harness("https://api.stripe.com", "/v1/events");
  harness.install();

  const newBus = () => {
    const bus = new EventBus(stripe());
    bus.logger = new Log();
    return bus;
  };
  let bus: ReturnType<typeof newBus>;
  let events: unknown[];

  const note = (event: unknown): void => void events.push(event);
  const post = (headers?: Record<string, string>, body: string | object = BODY): Promise<Answer> =>
    harness.post(bus, body, headers);

  const expectRefused = (answer: Answer, status: number): void => {
    expect([answer.status, answer.body]).to.deep.equal([status, REFUSED]);
    expect(events).to.deep.equal([]);
  };
  const expectReceived = (answer: Answer, ...heard: readonly unknown[]): void => {
    expect([answer.status, answer.body]).to.deep.equal([200, RECEIVED]);
    expect(events).to.deep.equal(heard);
  };

  beforeEach(() => {
    bus = newBus();
    events = [];
  });

  describe("its library", () => {
    libraryRows({
      harness,
      namespace: "stripe_event",
      bus: () => Object.assign(newBus(), { apiKey: "sk_test_1" }),
      event: (id, type) => ({ id, object: "event", type, data: { object: { id: "cus_1" } } }),
    });
  });

  describe("its controller", () => {
    beforeEach(() => {
      bus.all(note);
    });

    describe("without a signing secret", () => {
      it("B1: denies invalid signature: 500 where the gem answers 400, since the fault is ours", async () => {
        expectRefused(await post({ "stripe-signature": "invalid" }), 500);
      });

      it("B2: denies valid signature: 500 where the gem answers 400, since the fault is ours", async () => {
        expectRefused(await post(signed(SECRET)), 500);
      });
    });

    describe("with a signing secret", () => {
      beforeEach(() => {
        bus.signingSecrets = SECRET;
      });

      it("B3: denies missing signature: 401 where the gem answers 400", async () => {
        expectRefused(await post(), 401);
      });

      it("B4: denies invalid signature: 401 where the gem answers 400", async () => {
        expectRefused(await post({ "stripe-signature": "invalid signature" }), 401);
      });

      it("B5: denies signature from wrong secret: 401 where the gem answers 400", async () => {
        expectRefused(await post(signed(WRONG)), 401);
      });

      it("B6: succeeds with valid signature from correct secret", async () => {
        expectReceived(await post(signed(SECRET)), EVENT);
      });

      it("B7: succeeds with valid event data", async () => {
        const counted: string[] = [];
        bus.subscribe("charge.succeeded", (event) => void counted.push(event.id));
        bus.subscribe("charge.failed", (event) => void counted.push(event.id));
        expectReceived(await post(signed(SECRET)), EVENT);
        expect(counted).to.deep.equal([EVENT.id]);
      });

      it("B8: succeeds when the event_filter returns nil (simulating an ignored webhook event)", async () => {
        const filtered: unknown[] = [];
        bus.eventFilter = (event) => {
          filtered.push(event);
          return null;
        };
        expectReceived(await post(signed(SECRET)));
        expect(filtered).to.deep.equal([EVENT]);
      });

      it("B9: ensures user-generated Stripe exceptions pass through: 500", async () => {
        bus.subscribe("charge.succeeded", () => {
          throw new Stripe.errors.StripeInvalidRequestError({
            message: "testing",
            type: "invalid_request_error",
          } as never);
        });
        const answer = await post(signed(SECRET));
        expect([answer.status, answer.body]).to.deep.equal([500, REFUSED]);
        expect(events, "the others ran").to.deep.equal([EVENT]);
      });

      it("B9b: takes a subscriber's SignatureVerificationError for any other: 500 where the gem answers 400", async () => {
        const error = new Stripe.errors.StripeSignatureVerificationError("header" as never, "body" as never);
        bus.subscribe("charge.succeeded", () => Promise.reject(error));
        const failures: unknown[] = [];
        bus.onError = (each) => failures.push(...(each as DispatchError).errors);
        expect((await post(signed(SECRET))).status).to.equal(500);
        expect(failures).to.have.length(1);
        expect(failures[0]).to.equal(error);
      });
    });

    describe("with multiple signing secrets", () => {
      let matched: (string | undefined)[];

      beforeEach(() => {
        matched = [];
        bus.signingSecrets = [SECRET, SECOND];
        bus.all((_, { matchedSecret }) => void matched.push(matchedSecret));
      });

      it("B10: denies missing signature: 401 where the gem answers 400", async () => {
        expectRefused(await post(), 401);
      });

      it("B11: denies invalid signature: 401 where the gem answers 400", async () => {
        expectRefused(await post({ "stripe-signature": "invalid signature" }), 401);
      });

      it("B12: denies signature from wrong secret: 401 where the gem answers 400", async () => {
        expectRefused(await post(signed(WRONG)), 401);
      });

      it("B13: succeeds with valid signature from first secret", async () => {
        expectReceived(await post(signed(SECRET)), EVENT);
        expect(matched).to.deep.equal(["signingSecrets[0]"]);
      });

      it("B14: succeeds with valid signature from second secret", async () => {
        expectReceived(await post(signed(SECOND)), EVENT);
        expect(matched).to.deep.equal(["signingSecrets[1]"]);
      });
    });

    describe("with multiple signing secrets first of which is nil", () => {
      it("B15: succeeds with valid signature from the first secret there is, with a warning where the gem is silent", async () => {
        const log = new Log();
        bus.logger = log;
        bus.signingSecrets = [undefined, SECRET, SECOND];
        expectReceived(await post(signed(SECRET)), EVENT);
        expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal([
          "warn: hookbus: `signingSecrets[0]` is undefined and left out: is its environment variable set?",
        ]);
      });

      it("B16: succeeds with valid signature from the second secret there is", async () => {
        bus.signingSecrets = [undefined, SECRET, SECOND];
        expectReceived(await post(signed(SECOND)), EVENT);
      });

      it("B16b: refuses to start with nothing but nils, where the gem starts and denies", async () => {
        expect(() => {
          bus.signingSecrets = [undefined, undefined];
        }).to.throw(ConfigurationError, "`signingSecrets` holds no secret: every entry is undefined");
        expectRefused(await post(signed(SECRET)), 500);
      });
    });

    describe("raising an error when things go bad and stripe should retry", () => {
      it("B17: responds with 422 to ProcessError", async () => {
        bus.signingSecrets = SECRET;
        bus.subscribe("charge.succeeded", () => {
          throw new ProcessError();
        });
        const answer = await post(signed(SECRET));
        expect([answer.status, answer.body]).to.deep.equal([422, REFUSED]);
      });
    });
  });

  describe("what its specs do not speak of", () => {
    beforeEach(() => {
      bus.signingSecrets = SECRET;
    });

    it("D1: acknowledges a delivery that comes again without running it, where the gem runs it again", async () => {
      bus.all(note);
      expectReceived(await post(signed(SECRET)), EVENT);
      expectReceived(await post(signed(SECRET)), EVENT);
    });

    it("D2: runs every subscriber though one raises, and then only that one, where the gem ends with the first and begins anew", async () => {
      let failures = 1;
      bus.subscribe("charge.succeeded", () => {
        if (failures-- > 0) throw new Error("not yet");
        note("recovered");
      });
      bus.all(note);
      expect((await post(signed(SECRET))).status).to.equal(500);
      expect(events).to.deep.equal([EVENT]);
      expectReceived(await post(signed(SECRET)), EVENT, "recovered");
    });

    it("D3: answers RetryLater with 503 and Retry-After, where the gem has only errors", async () => {
      bus.all(() => {
        throw new RetryLater(90);
      });
      const answer = await post(signed(SECRET));
      expectRefused(answer, 503);
      expect(answer.headers.get("retry-after")).to.equal("90");
    });

    it("D4: takes POST and nothing else, where the gem's routes decide", async () => {
      const { status, headers } = await bus.receive({ method: "GET", url: "/", headers: {}, body: new Uint8Array() });
      expect([status, headers["allow"]]).to.deep.equal([405, "POST"]);
    });

    it("D5: denies a timestamp of the future, where the gem's library looks for stale ones alone", async () => {
      bus.all(note);
      const at = (seconds: number) => provider.sign(BODY, { secret: SECRET, now: Date.now() + seconds * 1000 });
      expectRefused(await post(at(600)), 401);
      expectRefused(await post(at(-600)), 401);
      expectReceived(await post(at(60)), EVENT);
    });

    it("D6: says in JSON that it has received the event, where the gem sends no body", async () => {
      const { status, body, headers } = await post(signed(SECRET));
      expect([status, body, headers.get("content-type")]).to.deep.equal([200, RECEIVED, "application/json"]);
    });

    it("D7: answers 409 while the event is being run, where the gem runs it a second time beside the first", async () => {
      const { promise, resolve } = deferred();
      bus.all(async (event) => {
        note(event);
        await promise;
      });
      const request = { method: "POST", url: "/", headers: signed(SECRET), body: Buffer.from(BODY) };
      const first = bus.receive(request);
      const second = await bus.receive(request);
      resolve();
      expect([second.status, second.headers["retry-after"]]).to.deep.equal([409, "5"]);
      expect((await first).status).to.equal(200);
      expect(events).to.deep.equal([EVENT]);
    });

    it("D8: reads a mebibyte and no more, where the gem reads whatever comes: 413", async () => {
      bus.all(note);
      expectRefused(await post(signed(SECRET), " ".repeat(1_048_577)), 413);
    });

    it("D9: waits for a body as long as a limit, where the gem leaves that to its server: 408", async () => {
      bus.all(note);
      const server = await startServer(nodeHandler(bus, { bodyTimeoutMs: 50 }));
      try {
        const client = await RawHttp.connect(Number(new URL(server.url).port));
        await client.sendHead({ ...signed(SECRET), "content-length": Buffer.byteLength(BODY) });
        await client.send(BODY.slice(0, 10));
        expect(await client.read()).to.include({ status: 408, body: REFUSED });
        client.destroy();
      } finally {
        await server.close();
      }
      expect(events).to.deep.equal([]);
    });

    it("D10: takes no empty secret, where the gem takes one and believes whoever signs with nothing", async () => {
      for (const empty of ["", " ", "\n"]) {
        expect(() => {
          newBus().signingSecrets = empty;
        }).to.throw(ConfigurationError, "`signingSecrets` is empty");
      }
    });
  });

  describe("its generation 1.9, which retrieves events", () => {
    const ID_ONLY = { id: EVENT.id };
    const GOODBYE = {
      id: "evt_account_application_deauthorized",
      object: "event",
      type: "account.application.deauthorized",
      account: "acct_1",
    };

    beforeEach(() => {
      bus.all(note);
      bus.apiKey = "sk_test_1";
    });

    describe("its controller", () => {
      it("L1: succeeds with valid event data", async () => {
        const api = harness.stubEvent(EVENT.id, BODY, 200, { authorization: "Bearer sk_test_1" });
        expectReceived(await post({}, ID_ONLY), EVENT);
        expect(api.isDone()).to.equal(true);
      });

      it("L2: succeeds when the event_retriever returns nil (simulating an ignored webhook event)", async () => {
        bus.eventRetriever = () => null;
        expectReceived(await post({}, ID_ONLY));
      });

      it("L3: denies access with invalid event data", async () => {
        harness.stubEvent("evt_unknown", fixtureText("evt_invalid_id"), 404);
        expectRefused(await post({}, { id: "evt_unknown" }), 401);
      });

      it("L3b: asks for another try while Stripe is down: 503 where the gem answers 401", async () => {
        harness.stubEvent(EVENT.id, { error: { message: "down", type: "api_error" } }, 500);
        const answer = await post({}, ID_ONLY);
        expectRefused(answer, 503);
        expect(answer.headers.get("retry-after")).to.equal("5");
      });

      it("L3c: takes the blame when Stripe refuses our own key: 500 where the gem answers 401", async () => {
        harness.stubEvent(EVENT.id, { error: { message: "no such key", type: "invalid_request_error" } }, 401);
        expectRefused(await post({}, ID_ONLY), 500);
      });

      it("L4: ensures user-generated Stripe exceptions pass through: 500, even for one that says 404", async () => {
        harness.stubEvent(EVENT.id, BODY);
        const raw = { message: "No such charge", type: "invalid_request_error", statusCode: 404 };
        bus.subscribe("charge.succeeded", () => {
          throw new Stripe.errors.StripeInvalidRequestError(raw as never);
        });
        expect((await post({}, ID_ONLY)).status).to.equal(500);
        expect(events).to.deep.equal([EVENT]);
      });
    });

    describe("what its specs do not speak of", () => {
      it("D11: asks for no id that is none of Stripe's: 400, where the gem asks and answers 401", async () => {
        for (const id of ["../customers/cus_1", "evt 1", "", 5, null, { id: "evt_1" }]) {
          // The API is not stubbed: asking it would be a 503.
          expectRefused(await post({}, { id }), 400);
        }
      });

      it("D12: delivers no other event than the one that was posted: 401, where the gem delivers what it gets", async () => {
        harness.stubEvent("evt_posted", BODY);
        expectRefused(await post({}, { id: "evt_posted" }), 401);
        bus.eventRetriever = () => JSON.parse(BODY);
        expectRefused(await post({}, { id: "evt_posted" }), 401);
      });

      it("D13: asks for the event of a connected account in its name, where the gem asks in its own and answers 401", async () => {
        const connected = { ...EVENT, account: "acct_1" };
        const api = harness.stubEvent(EVENT.id, connected, 200, { "stripe-account": "acct_1" });
        expectReceived(await post({}, { ...ID_ONLY, account: "acct_1" }), connected);
        expect(api.isDone()).to.equal(true);
      });

      it("D14: asks once for an id that is unknown, and not again for a moment, where the gem asks each time", async () => {
        const api = harness.stubEvent("evt_unknown", fixtureText("evt_invalid_id"), 404);
        for (const _ of [1, 2, 3]) expectRefused(await post({}, { id: "evt_unknown" }), 401);
        expect(api.isDone()).to.equal(true);
      });

      it("D15: gives up on an API that does not answer within a limit: 503, where the gem waits as long as its library", async () => {
        bus = new EventBus(stripe(), { retrieval: { timeoutMs: 50 } });
        bus.logger = new Log();
        bus.apiKey = "sk_test_1";
        bus.all(note);
        const api = harness.stubEvent(EVENT.id, BODY, 200, undefined, 400);
        const answer = await post({}, ID_ONLY);
        expectRefused(answer, 503);
        expect(answer.headers.get("retry-after")).to.equal("5");
        expect(api.isDone()).to.equal(true);
      });
    });

    describe("its controller, with an authentication secret", () => {
      const basic = (password: string): Record<string, string> => ({
        authorization: `Basic ${Buffer.from(`user:${password}`).toString("base64")}`,
      });

      beforeEach(() => {
        bus.endpointAuth = { basic: { password: "secret" } };
      });

      it("L5: rejects requests with no secret", async () => {
        const answer = await post({}, ID_ONLY);
        expectRefused(answer, 401);
        expect(answer.headers.get("www-authenticate")).to.match(/^Basic realm=/);
      });

      it("L6: rejects requests with incorrect secret", async () => {
        expectRefused(await post(basic("incorrect"), ID_ONLY), 401);
      });

      it("L7: accepts requests with correct secret", async () => {
        harness.stubEvent(EVENT.id, BODY);
        expectReceived(await post(basic("secret"), ID_ONLY), EVENT);
      });
    });

    describe("its controller, with a signing secret", () => {
      beforeEach(() => {
        bus.signingSecrets = SECRET;
      });

      it("L8: rejects missing signature: 401 where the gem answers 400", async () => {
        expectRefused(await post({}), 401);
      });

      it("L9: rejects invalid signature: 401 where the gem answers 400", async () => {
        expectRefused(await post({ "stripe-signature": "invalid signature" }), 401);
      });

      it("L10: accepts valid signature, and retrieves the event if a retriever says so, where the gem always does", async () => {
        const retrieved = { ...EVENT, api_version: "of today" };
        const api = harness.stubEvent(EVENT.id, retrieved);
        expectReceived(await post(signed(SECRET)), EVENT);
        expect(api.isDone(), "delivered as it was signed").to.equal(false);

        bus = newBus();
        events = [];
        bus.all(note);
        bus.apiKey = "sk_test_1";
        bus.signingSecrets = SECRET;
        bus.eventRetriever = (params, { retrieve }) => retrieve(params.id);
        expectReceived(await post(signed(SECRET)), retrieved);
        expect(api.isDone()).to.equal(true);
      });
    });

    describe("subscribing to the 'account.application.deauthorized' event type", () => {
      let got: unknown[];

      beforeEach(() => {
        got = [];
        bus.subscribe("account.application.deauthorized", (event, { verifiedBy }) => {
          got.push([(event as { type: string }).type, verifiedBy]);
        });
        harness.stubEvent(GOODBYE.id, { error: { message: "gone", type: "invalid_request_error" } }, 404);
      });

      it("L11: calls the subscriber with an instrumented event, once it cannot be retrieved, where the gem never tries", async () => {
        await bus.instrument(GOODBYE);
        expect(events).to.deep.equal([GOODBYE]);
        expect(got).to.deep.equal([["account.application.deauthorized", "nothing"]]);
      });

      it("L12: calls the subscriber with an event whose keys were parsed from text", async () => {
        await bus.instrument(JSON.parse(JSON.stringify(GOODBYE)) as Record<string, unknown>);
        expect(events).to.deep.equal([GOODBYE]);
        expect(got).to.have.length(1);
      });

      it("L13: calls the subscriber with a posted payload if it was signed, where the gem believes anybody", async () => {
        expectRefused(await post({}, GOODBYE), 401);
        expect(got).to.deep.equal([]);

        harness.stubEvent(GOODBYE.id, { error: { message: "gone", type: "invalid_request_error" } }, 404);
        bus = newBus();
        bus.all(note);
        bus.apiKey = "sk_test_1";
        bus.signingSecrets = SECRET;
        bus.eventRetriever = (params, { retrieve }) => retrieve(params.id);
        const text = JSON.stringify(GOODBYE);
        expectReceived(await post(signed(SECRET, text), text), GOODBYE);
      });
    });
  });
});
