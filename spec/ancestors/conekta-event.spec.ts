import { readFileSync } from "node:fs";
import { expect } from "chai";
import { EventBus } from "../../src/event-bus.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { Log } from "../support/bus.ts";
import { type Answer, fixtureText, Harness, RECEIVED, REFUSED } from "./harness.ts";
import { libraryRows } from "./library-rows.ts";

interface Vector {
  readonly name: string;
  readonly scheme?: string;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../fixtures/vectors/vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

/** What the gem's own controller spec sends, byte for byte. */
const GEM = vectors.find(({ name }) => name === "legacy: gem's own accept vector");

const CHARGE = JSON.parse(fixtureText("evt_charge_paid")) as object;
const ID_ONLY = { id: "evt_charge_paid" };

describe("the gem conekta_event", () => {
  const harness = new Harness("https://api.conekta.io", "/events");
  harness.install();

  const newBus = () => {
    const bus = new EventBus(conekta());
    bus.logger = new Log();
    bus.apiKey = "key_eYvWV7gSDkNYXsmr";
    return bus;
  };
  let bus: ReturnType<typeof newBus>;
  let events: unknown[];

  const note = (event: unknown): void => void events.push(event);
  const post = (body: string | object, headers?: Record<string, string>): Promise<Answer> =>
    harness.post(bus, body, headers);
  const expectRefused = (answer: Answer, status = 401): void => {
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

  describe("its library, which is stripe_event's", () => {
    libraryRows({
      harness,
      namespace: "conekta_event",
      bus: newBus,
      event: (id, type) => ({ id, object: "event", type, data: { object: { id: "cus_1" } } }),
    });
  });

  describe("its controller", () => {
    beforeEach(() => {
      bus.subscribe("charge.paid", note);
    });

    it("C1: succeeds with valid event data, once", async () => {
      const api = harness.stubEvent("evt_charge_paid", CHARGE, 200, { authorization: "Bearer key_eYvWV7gSDkNYXsmr" });
      expectReceived(await post(ID_ONLY), CHARGE);
      expect(api.isDone()).to.equal(true);
    });

    it("C2: succeeds when the event_retriever returns nil (simulating an ignored webhook event)", async () => {
      bus.eventRetriever = () => null;
      expectReceived(await post(ID_ONLY));
    });

    it("C3: denies access with invalid event data", async () => {
      harness.stubEvent("evt_invalid_id", fixtureText("evt_invalid_id"), 404);
      expectRefused(await post({ id: "evt_invalid_id" }));
    });

    it("C3b: asks for another try while Conekta is down: 503 where the gem answers 401", async () => {
      harness.stubEvent("evt_charge_paid", "<html>", 502);
      const answer = await post(ID_ONLY);
      expectRefused(answer, 503);
      expect(answer.headers.get("retry-after")).to.equal("5");
    });
  });

  describe("its controller, with an authentication", () => {
    if (!GEM) throw new Error("the vectors hold none of the gem's own");
    const { body, headers, secret } = GEM;
    const delivered = JSON.parse(body) as { readonly id: string; readonly type: string };

    beforeEach(() => {
      bus.all(note);
      bus.privateSignature = secret;
    });

    it("C4: rejects requests with no secret", async () => {
      expectRefused(await post(body));
    });

    it("C5: rejects requests with incorrect digest", async () => {
      for (const digest of ["abcdef12345", "not base64!", "=", "AAAA", Buffer.alloc(257, 1).toString("base64")]) {
        expectRefused(await post(body, { digest }));
      }
    });

    it("C6: accepts requests with correct digest", async () => {
      const api = harness.stubEvent(delivered.id, body);
      expectReceived(await post(body, headers), delivered);
      expect(api.isDone()).to.equal(true);
    });

    it("C7: rejects a body of which one byte was changed, and padding and digest in one and the same way", async () => {
      const answers = [
        await post(body.replace("ngrok.io", "ngrok.ie"), headers), // another digest than the one inside
        await post(body, { digest: Buffer.alloc(256, 1).toString("base64") }), // no padding
        await post(body, conekta().sign(`${body} `, { secret: PRIVATE_PEM, setting: "privateSignature" })),
      ];
      for (const answer of answers) {
        expectRefused(answer);
        const fields = Object.fromEntries(answer.headers);
        delete fields["date"];
        expect(fields).to.deep.equal({
          connection: "keep-alive",
          "content-length": String(REFUSED.length),
          "content-type": "application/json",
          "keep-alive": "timeout=5",
        });
      }
    });

    it("C8: accepts a signature by one of Conekta's public keys of today, where the gem knows no such thing", async () => {
      bus = newBus();
      bus.all(note);
      bus.webhookKeys = PUBLIC_PEM;
      harness.stubEvent(delivered.id, body);
      expectReceived(await post(body, conekta().sign(body, { secret: PRIVATE_PEM })), delivered);
    });

    it("D16: delivers the payload that was signed where it has no API key, where the gem always retrieves", async () => {
      bus = new EventBus(conekta());
      bus.logger = new Log();
      bus.all(note);
      bus.privateSignature = secret;
      // The API is not stubbed: asking it would be a 503.
      expectReceived(await post(body, headers), delivered);
    });
  });

  describe("what its specs do not speak of", () => {
    it("D17: takes the blame where it has neither key nor signature, or a key that Conekta refuses: 500 where the gem answers 401", async () => {
      bus.all(note);
      harness.stubEvent("evt_charge_paid", { details: [{ message: "no such key" }] }, 401);
      expectRefused(await post(ID_ONLY), 500);
      bus = new EventBus(conekta());
      bus.logger = new Log();
      bus.all(note);
      expectRefused(await post(ID_ONLY), 500);
    });
  });
});
