import { createHmac, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import express from "express";
import { expressHandler } from "../../src/adapters/express.ts";
import { fetchHandler } from "../../src/adapters/fetch.ts";
import { ConfigurationError, ProcessError, Reject, RetryLater } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { github } from "../../src/providers/github.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import { paddle } from "../../src/providers/paddle.ts";
import type { Provider, WebhookRequest } from "../../src/providers/provider.ts";
import { sendgrid } from "../../src/providers/sendgrid.ts";
import { shopify } from "../../src/providers/shopify.ts";
import { slack } from "../../src/providers/slack.ts";
import { standardWebhooks } from "../../src/providers/standard-webhooks.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { svix } from "../../src/providers/svix.ts";
import { twilio } from "../../src/providers/twilio.ts";
import { zenkipay } from "../../src/providers/zenkipay.ts";
import { zoom } from "../../src/providers/zoom.ts";
import { until } from "../inbox/scripted-bus.ts";
import {
  anEvent,
  Closing,
  fetchingStripeBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  serve,
  signed,
  stripeBus,
} from "../receiver/harness.ts";
import { Log } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { RawHttp } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";
import { StandIn } from "../support/standin.ts";
import { PRIVATE_PEM, PUBLIC_PEM } from "./keys.ts";
import { form, NOW, rig, sample } from "./rig.ts";

const SECRET = "a_secret_of_anybodys";
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECONDS = NOW / 1000;
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** What the sender's own HMAC would be, made without hookbus. */
function hmac(algorithm: string, encoding: "hex" | "base64", content: string | Uint8Array, secret: string = SECRET) {
  return createHmac(algorithm, secret).update(content).digest(encoding);
}

function svixSignature(id: string, body: string): string {
  const key = Buffer.from(WHSEC.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${SECONDS}.${body}`).digest("base64")}`;
}

function posted(body: string | Uint8Array, headers: WebhookRequest["headers"], url = "/"): WebhookRequest {
  return { method: "POST", url, headers, body: Buffer.from(body) };
}

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Genuine {
  readonly provider: Provider;
  readonly secret: string;
  readonly verifying?: string;
  readonly body: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signature: string;
}

const SHOPIFY_HEADERS = {
  "x-shopify-topic": "orders/create",
  "x-shopify-shop-domain": "shop1.myshopify.com",
  "x-shopify-webhook-id": "wh-1",
};
const GITHUB_HEADERS = { "x-github-event": "push", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" };

/** A delivery by each way of signing. */
const GENUINE: readonly Genuine[] = [
  {
    provider: stripe(),
    secret: SECRET,
    body: JSON.stringify(sample("stripe/charge.refunded.json")),
    signature: "stripe-signature",
  },
  {
    provider: github(),
    secret: SECRET,
    body: JSON.stringify(sample("github/push.json")),
    headers: GITHUB_HEADERS,
    signature: "x-hub-signature-256",
  },
  {
    provider: shopify(),
    secret: SECRET,
    body: JSON.stringify(sample("shopify/orders.create.json")),
    headers: SHOPIFY_HEADERS,
    signature: "x-shopify-hmac-sha256",
  },
  {
    provider: slack(),
    secret: SECRET,
    body: JSON.stringify(sample("slack/app_mention.json")),
    signature: "x-slack-signature",
  },
  {
    provider: svix(),
    secret: WHSEC,
    body: '{"type":"contact.created"}',
    signature: "svix-signature",
  },
  {
    provider: twilio(),
    secret: SECRET,
    body: form(sample("twilio/message.received.json")),
    url: "https://example.com/sms",
    headers: FORM,
    signature: "x-twilio-signature",
  },
  {
    provider: kopokopo(),
    secret: SECRET,
    body: JSON.stringify(sample("kopokopo/customer_created.json")),
    signature: "x-kopokopo-signature",
  },
  {
    provider: sendgrid(),
    secret: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    verifying: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    body: JSON.stringify(sample("sendgrid/batch.json")),
    signature: "x-twilio-email-event-webhook-signature",
  },
];

function rigOf({ provider, secret, verifying = secret }: Genuine) {
  return rig(provider, { secret, verifying });
}

function deliveryOf(genuine: Genuine): WebhookRequest {
  const { body, url = "/", headers = {} } = genuine;
  return rigOf(genuine).deliver(body, { url, headers });
}

describe("a trap that other libraries have fallen into", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  describe("of any provider", () => {
    for (const genuine of GENUINE) {
      const { name } = genuine.provider;
      it(`${name}: headers in arrays and in mixed case, as API Gateway has them, are taken, where stripe-node and svix throw`, async () => {
        const { bus, seen } = rigOf(genuine).open();
        const request = deliveryOf(genuine);
        const arrays = Object.entries(request.headers).map(([key, value]) => [
          key.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase()),
          [value as string],
        ]);
        expect(await bus.receive({ ...request, headers: Object.fromEntries(arrays) })).to.include({ status: 200 });
        expect(seen).not.to.be.empty;
      });

      it(`${name}: a signature that Node's lenient decoders read as no bytes at all is a 401`, async () => {
        const { bus, seen } = rigOf(genuine).open();
        const request = deliveryOf(genuine);
        const good = request.headers[genuine.signature] as string;
        // What is left of the text but for the signature itself: `v1,***`, `sha256=zz`.
        for (const empty of ["***", "zz", "=", "====", "\u0000", " ", "é".repeat(64), "🦊"]) {
          const bad = good.replace(/[\w+/-]{27,}={0,2}$/, empty);
          expect(bad).not.to.equal(good);
          const headers = { ...request.headers, [genuine.signature]: bad };
          expect(await bus.receive({ ...request, headers }), bad).to.include({ status: 401, body: REFUSED });
        }
        expect(seen).to.be.empty;
      });

      it(`${name}: a forgery of what was handled is a 401, where Convoy looks for duplicates before it verifies`, async () => {
        const { bus } = rigOf(genuine).open();
        const request = deliveryOf(genuine);
        expect(await bus.receive(request)).to.include({ outcome: "handled" });
        expect(await bus.receive(request)).to.include({ status: 200, outcome: "duplicate" });
        const { [genuine.signature]: _, ...unsigned } = request.headers;
        const elsewhere = deliveryOf({ ...genuine, body: "another=body" }).headers;
        for (const headers of [unsigned, { ...unsigned, [genuine.signature]: elsewhere[genuine.signature] }]) {
          expect(await bus.receive({ ...request, headers })).to.include({ status: 401, outcome: "rejected" });
        }
      });
    }

    const dollars = `{"id":"evt_1","object":"event","type":"a.b","event":"a.b","price":"$$ $& $1 $\` $' $<body>"}`;
    const signatures: readonly [Provider, string, Readonly<Record<string, string>>][] = [
      [stripe(), SECRET, { "stripe-signature": `t=${SECONDS},v1=${hmac("sha256", "hex", `${SECONDS}.${dollars}`)}` }],
      [
        slack(),
        SECRET,
        {
          "x-slack-request-timestamp": `${SECONDS}`,
          "x-slack-signature": `v0=${hmac("sha256", "hex", `v0:${SECONDS}:${dollars}`)}`,
        },
      ],
      [
        zoom(),
        SECRET,
        {
          "x-zm-request-timestamp": `${SECONDS}`,
          "x-zm-signature": `v0=${hmac("sha256", "hex", `v0:${SECONDS}:${dollars}`)}`,
        },
      ],
      [paddle(), SECRET, { "paddle-signature": `ts=${SECONDS};h1=${hmac("sha256", "hex", `${SECONDS}:${dollars}`)}` }],
      [
        standardWebhooks(),
        WHSEC,
        {
          "webhook-id": "msg_$&$$",
          "webhook-timestamp": `${SECONDS}`,
          "webhook-signature": svixSignature("msg_$&$$", dollars),
        },
      ],
    ];
    for (const [provider, secret, headers] of signatures) {
      it(`${provider.name}: a body with $$ and $& is signed as it is, where Tern takes it for replacement patterns`, () => {
        const { verify, deliver } = rig(provider, { secret });
        expect(verify(posted(dollars, headers)).verified).to.equal(true);
        // What a replacement would have made of it.
        expect(verify(posted(dollars.replaceAll("$$", "$"), headers)).verified).to.equal(false);
        expect(verify(deliver(dollars)).verified).to.equal(true);
      });
    }

    it("GitHub: a signed JSON body of 5 is a 400 and the process lives, where octokit's exits", async () => {
      const { bus, seen } = rig(github(), { secret: SECRET }).open();
      const wire = closing.add(await serve(bus));
      const sent = (body: string) =>
        wire.post(body, { headers: { ...GITHUB_HEADERS, ...github().sign(body, { secret: SECRET }) } });
      for (const body of ["5", "null", "true", '"x"', "[]", ""]) {
        expect(await sent(body), body).to.deep.include({ status: 400, body: REFUSED });
      }
      expect(seen).to.deep.equal([]);
      expect(await sent(JSON.stringify(sample("github/push.json")))).to.include({ status: 200 });
      expect(seen).to.deep.equal(["push"]);
    });

    it("an error's message with non-ASCII text never reaches the sender, where octokit sends it and cuts it short", async () => {
      const bus = stripeBus();
      const errors = [
        new Error("señal 🦊"),
        new RetryLater(7, "später 🦊"),
        new ProcessError("größer"),
        new Reject("niño"),
        "ключ 🦊",
      ];
      let next = 0;
      bus.all(() => {
        throw errors[next++];
      });
      const wire = closing.add(await serve(bus));
      const client = await RawHttp.connect(wire.port);
      for (const status of [500, 503, 422, 200, 500]) {
        const body = JSON.stringify(anEvent());
        await client.sendHead({ ...signed(body), "content-length": Buffer.byteLength(body) });
        await client.send(body);
        const answer = await client.read();
        expect(answer).to.include({ status, body: status === 200 ? RECEIVED : REFUSED });
        expect(answer.headers["content-length"]).to.equal(`${Buffer.byteLength(answer.body)}`);
        expect(JSON.stringify(answer.headers)).to.match(/^[ -~]*$/);
      }
      // Nothing is left over of an answer whose length was wrong.
      expect([client.leftover(), next]).to.deep.equal(["", errors.length]);
      client.destroy();
    });

    it("the sender's address is the connection's, where dj-stripe believes the first of X-Forwarded-For", async () => {
      const endpoint = new RecordingEndpoint();
      const wire = closing.add(await serve(endpoint));
      const headers = {
        "x-forwarded-for": "3.18.12.63, 10.0.0.1",
        forwarded: "for=3.18.12.63",
        "x-real-ip": "3.18.12.63",
      };
      await wire.post("{}", { headers });
      expect(endpoint.heads[0]?.ip).to.equal("127.0.0.1");
    });

    it("an idempotency key in a header is nobody's, where Tern takes an unsigned one for the event's id", async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const headers = { "idempotency-key": "one", "x-idempotency-key": "one", "x-tern-idempotency-key": "one" };
      const [first, second] = [anEvent(), anEvent()];
      for (const event of [first, second]) {
        const body = JSON.stringify(event);
        expect(await bus.receive(posted(body, { ...signed(body), ...headers }))).to.include({ outcome: "handled" });
      }
      const body = JSON.stringify(first);
      const fresh = { ...signed(body), ...headers, "idempotency-key": "two" };
      expect(await bus.receive(posted(body, fresh))).to.include({ outcome: "duplicate" });
      expect(ids).to.deep.equal([first.id, second.id]);
    });
  });

  describe("of Stripe", () => {
    const event = anEvent();
    const body = JSON.stringify(event);
    const v1 = hmac("sha256", "hex", `${SECONDS}.${body}`);
    const receive = (header: string) => {
      const { bus } = rig(stripe(), { secret: SECRET }).open();
      return bus.receive(posted(body, { "stripe-signature": header }));
    };

    it("an empty v1 before a good one is no matter, where stripe-node throws a plain Error", async () => {
      for (const empty of ["v1=", "v1", "v1=,v1="]) {
        expect(await receive(`t=${SECONDS},${empty},v1=${v1}`), empty).to.include({ outcome: "handled" });
        expect(await receive(`t=${SECONDS},${empty}`), empty).to.include({ status: 401 });
      }
    });

    it("a timestamp that is no number is a 401, though the HMAC is over NaN, where stripe-node takes it", async () => {
      for (const t of ["abc", "NaN", "", `${SECONDS}junk`, "1e9", "-1", " "]) {
        for (const signed of ["NaN", t]) {
          const forged = hmac("sha256", "hex", `${signed}.${body}`);
          expect(await receive(`t=${t},v1=${forged}`), `${t} over ${signed}`).to.include({ status: 401 });
        }
      }
    });

    it("a body is signed by its bytes, a byte order mark or broken UTF-8 among them, where stripe-node refuses both", async () => {
      const text = JSON.stringify(anEvent());
      const rows = [
        [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]), "handled", undefined],
        [Buffer.from(text.replace("ch_1", "niño"), "latin1"), "rejected", "HOOKBUS_PAYLOAD"],
      ] as const;
      for (const [bytes, outcome, reason] of rows) {
        const { bus } = rig(stripe(), { secret: SECRET }).open();
        const content = Buffer.concat([Buffer.from(`${SECONDS}.`), bytes]);
        const headers = { "stripe-signature": `t=${SECONDS},v1=${hmac("sha256", "hex", content)}` };
        expect(await bus.receive(posted(bytes, headers))).to.include({ outcome });
        // What cannot be read is no forgery: the log says which of the two it was.
        expect(logOf(bus).map(({ fields }) => (fields as { reason?: string }).reason)).to.deep.equal(
          reason === undefined ? [] : [reason],
        );
      }
    });

    it("the first of two v1 may be the good one, where Tern looks at the last alone", async () => {
      const other = hmac("sha256", "hex", body, "rolled");
      expect(await receive(`t=${SECONDS},v1=${v1},v1=${other}`)).to.include({ outcome: "handled" });
      expect(await receive(`t=${SECONDS},v1=${other},v1=${v1}`)).to.include({ outcome: "handled" });
      expect(await receive(`t=${SECONDS},v1=${other},v1=${other}`)).to.include({ status: 401 });
    });

    it("takes no secret with a line end behind it, as files and shells leave one: the setter says where to trim", () => {
      for (const secret of [`${WHSEC}\n`, `${WHSEC}\r\n`, ` ${WHSEC}`]) {
        expect(() => {
          new EventBus(stripe()).signingSecrets = secret;
        }).to.throw(ConfigurationError, "has white space at its start or end: trim it where it is stored");
      }
    });

    it("two events that share one request.idempotency_key are two events, where Tern drops the second", async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const request = { id: "req_1", idempotency_key: "8a3f6c1e" };
      const events = [anEvent({ request }), anEvent({ request, type: "payment_intent.succeeded" })];
      for (const each of events) {
        const text = JSON.stringify(each);
        expect(await bus.receive(posted(text, signed(text)))).to.include({ outcome: "handled" });
      }
      expect(ids).to.deep.equal(events.map(({ id }) => id));
    });

    it("evt_00000000000000, which the dashboard's test button sends, is taken when it is signed and 401 when it has to be fetched", async () => {
      const test = anEvent({ id: "evt_00000000000000", livemode: false });
      const api = closing.add(await StandIn.start());
      const fetching = fetchingStripeBus({ apiBase: api.apiBase });
      const signing = stripeBus({ apiBase: api.apiBase });
      const [fetched, taken] = [idsOf(fetching), idsOf(signing)];
      const text = JSON.stringify(test);
      expect(await fetching.receive(posted(text, {}))).to.include({ status: 401, body: REFUSED });
      expect(await signing.receive(posted(text, signed(text)))).to.include({ status: 200, outcome: "handled" });
      expect([fetched, taken]).to.deep.equal([[], ["evt_00000000000000"]]);
      expect(api.calls.map(({ path }) => path)).to.deep.equal(["/v1/events/evt_00000000000000"]);
    });

    it("a Connect endpoint gets test events beside live ones under one secret, and can tell and ignore them", async () => {
      const bus = stripeBus();
      const seen: unknown[] = [];
      bus.all((_event, { livemode, account }) => {
        seen.push([livemode, account]);
      });
      const [live, test] = [true, false].map((livemode) => anEvent({ livemode, account: "acct_1" }));
      for (const each of [live, test]) {
        const text = JSON.stringify(each);
        expect(await bus.receive(posted(text, signed(text)))).to.include({ outcome: "handled" });
      }
      bus.eventFilter = (each) => (each["livemode"] === true ? each : null);
      const text = JSON.stringify(anEvent({ livemode: false }));
      expect(await bus.receive(posted(text, signed(text)))).to.include({ status: 200, outcome: "ignored" });
      expect(seen).to.deep.equal([
        [true, "acct_1"],
        [false, "acct_1"],
      ]);
    });

    it("invoice.upcoming, whose object has no id, is an event each time it is sent", async () => {
      const upcoming = () =>
        anEvent({ type: "invoice.upcoming", data: { object: { object: "invoice", amount_due: 100 } } });
      const [first, second] = [upcoming(), upcoming()];
      const bus = stripeBus();
      const due: unknown[] = [];
      bus.subscribe("invoice.upcoming", (each) => {
        due.push([each.id, each["data"]]);
      });
      for (const [each, outcome] of [
        [first, "handled"],
        [second, "handled"],
        [first, "duplicate"],
      ] as const) {
        const text = JSON.stringify(each);
        expect(await bus.receive(posted(text, signed(text)))).to.include({ outcome });
      }
      expect(due).to.deep.equal([first, second].map(({ id, data }) => [id, data]));
    });
  });

  describe("of Svix", () => {
    it("a Headers object and a body of a Uint8Array are taken, where svix and standardwebhooks take neither", async () => {
      const { bus, seen } = rig(svix(), { secret: WHSEC }).open();
      const body = '{"type":"contact.created"}';
      const headers = new Headers({
        "Svix-Id": "msg_1",
        "Svix-Timestamp": `${SECONDS}`,
        "Svix-Signature": svixSignature("msg_1", body),
      });
      const request = new Request("http://localhost/", {
        method: "POST",
        headers,
        body: new TextEncoder().encode(body),
      });
      const response = await fetchHandler(bus)(request);
      expect([response.status, await response.text()]).to.deep.equal([200, RECEIVED]);
      expect(seen).to.deep.equal(["contact.created"]);
    });
  });

  describe("of GitHub", () => {
    it("a form is signed as a form, payload= and all, where octokit answers it 415", async () => {
      const { bus, seen } = rig(github(), { secret: SECRET }).open();
      const wire = closing.add(await serve(bus));
      const json = JSON.stringify({ ...sample("github/push.json"), note: "50 % + ñ & = \u001b" });
      const body = form({ payload: json });
      const post = (over: string) =>
        wire.post(body, {
          headers: { ...FORM, ...GITHUB_HEADERS, "x-hub-signature-256": `sha256=${hmac("sha256", "hex", over)}` },
        });
      expect(await post(json)).to.include({ status: 401 });
      expect(await post(body)).to.include({ status: 200, body: RECEIVED });
      expect(seen).to.deep.equal(["push"]);
    });
  });

  describe("of a handler that takes its time", () => {
    const push = JSON.stringify(sample("github/push.json"));
    const delivery = posted(push, { ...GITHUB_HEADERS, ...github().sign(push, { secret: SECRET }) });
    /** Fails after nine seconds, the first time. */
    const slow = (clock: FakeClock) => {
      let runs = 0;
      return {
        name: "slow",
        call: async () => {
          runs += 1;
          const first = runs === 1;
          await new Promise<void>((resolve) => void clock.setTimeout(resolve, 9_000));
          if (first) throw new Error("after nine seconds");
        },
        runs: () => runs,
      };
    };
    const open = (clock: FakeClock) => {
      const bus = new EventBus(github(), { clock });
      bus.logger = new Log();
      bus.signingSecrets = SECRET;
      return bus;
    };

    it("GitHub: a handler that fails after 9 s is a 500, and runs again, where octokit has answered 202 by then and the event is lost", async () => {
      const clock = new FakeClock();
      const bus = open(clock);
      const handler = slow(clock);
      bus.all(handler);
      for (const [status, runs] of [
        [500, 1],
        [200, 2],
      ]) {
        let answered = false;
        const answer = bus.receive(delivery).finally(() => {
          answered = true;
        });
        await until(() => handler.runs() === runs);
        await clock.advance(8_999);
        expect([answered, handler.runs()]).to.deep.equal([false, runs]);
        await clock.advance(1);
        expect(await answer).to.include({ status });
      }
    });

    it("GitHub: a handler of 9 s keeps nobody waiting with an inbox: 200 at once, and a durable record until it is done", async () => {
      const clock = new FakeClock();
      const bus = open(clock);
      const handler = slow(clock);
      const inbox = memoryInbox({ clock, backoff: { baseMs: 1, capMs: 1 } });
      bus.inbox = inbox;
      bus.all(handler);
      expect(await bus.receive(delivery)).to.include({ status: 200, outcome: "queued" });
      inbox.work(bus);
      for (const runs of [1, 2]) {
        await until(async () => {
          if (handler.runs() < runs) await clock.advance(1_000);
          return handler.runs() === runs;
        });
        expect(await inbox.counts()).to.include({ done: 0, dead: 0 });
        await clock.advance(9_000);
      }
      await until(async () => (await inbox.counts()).done === 1);
      expect(handler.runs()).to.equal(2);
      await inbox.close({ graceMs: 0 });
    });

    it("Express with an inbox delivers to its subscribers, and is refused at once where they could not be told apart, where Tern's Express handler never gets one", async () => {
      const bus = open(new FakeClock(Date.now()));
      const inbox = memoryInbox();
      bus.inbox = inbox;
      const ran: string[] = [];
      const dispose = bus.all(() => void ran.push("nameless"));
      const app = express();
      app.post("/github", expressHandler(bus));
      const server = closing.add(await startServer(app));
      const post = async () => {
        const headers = delivery.headers as Record<string, string>;
        return (await fetch(`${server.url}/github`, { method: "POST", headers, body: push })).status;
      };
      expect(() => bus.assertReady()).to.throw(ConfigurationError, "needs a `name` of its own");
      expect(await post()).to.equal(500);
      dispose();
      bus.all(() => void ran.push("named"), { name: "named" });
      expect(await post()).to.equal(200);
      inbox.work(bus);
      await until(async () => (await inbox.counts()).done === 1);
      expect(ran).to.deep.equal(["named"]);
      await inbox.close({ graceMs: 0 });
    });
  });

  describe("of SendGrid", () => {
    it("OAuth on top of the signature is the app's to check: the token in Authorization changes no verdict, and is kept nowhere", async () => {
      const genuine = GENUINE.find(({ provider }) => provider.name === "sendgrid") as Genuine;
      const token = "eyJhbGciOiJSUzI1NiJ9.e30.c2VjcmV0";
      const request = deliveryOf(genuine);
      const headers = { ...request.headers, authorization: `Bearer ${token}` };
      const { bus } = rigOf(genuine).open();
      expect(await bus.receive({ ...request, headers })).to.include({ status: 200, outcome: "handled" });
      expect(await bus.receive({ ...request, headers: { ...headers, [genuine.signature]: "MEUC" } })).to.include({
        status: 401,
      });
      expect(JSON.stringify(logOf(bus))).not.to.include(token);

      const kept = new EventBus(genuine.provider);
      kept.signingSecrets = genuine.verifying;
      const inbox = memoryInbox();
      kept.inbox = inbox;
      expect(await kept.receive({ ...request, headers })).to.include({ status: 200, outcome: "queued" });
      const records = await inbox.find();
      expect(records).not.to.be.empty;
      for (const { key } of records) expect(JSON.stringify(await inbox.get(key))).not.to.include(token);
      await inbox.close({ graceMs: 0 });
    });
  });

  describe("of Shopify", () => {
    const shop = () => rig(shopify(), { secret: SECRET });

    it("a signed cookie of the OAuth flow, an HMAC under the same secret, is no webhook: 400, and nothing runs", async () => {
      const { bus, seen } = shop().open();
      // The values of `shopify_app_state` and `shopify_app_session`, with what their `.sig` cookies hold.
      for (const cookie of ["123456789012345", "offline_shop1.myshopify.com", "4f0c5b1e-9d5a-4c0e-8a39-7c2f1f1e6f55"]) {
        const headers = { ...SHOPIFY_HEADERS, "x-shopify-hmac-sha256": hmac("sha256", "base64", cookie) };
        expect(await bus.receive(posted(cookie, headers)), cookie).to.include({ status: 400, outcome: "rejected" });
      }
      expect(seen).to.deep.equal([]);
    });

    it("a test notification from the store's admin, signed with the store's secret, needs that secret beside the app's", async () => {
      const { bus, seen } = shop().open();
      const body = JSON.stringify(sample("shopify/orders.create.json"));
      const headers = { ...SHOPIFY_HEADERS, "x-shopify-hmac-sha256": hmac("sha256", "base64", body, "the_stores") };
      expect(await bus.receive(posted(body, headers))).to.include({ status: 401 });
      bus.signingSecrets = [SECRET, "the_stores"];
      expect(await bus.receive(posted(body, headers))).to.include({ status: 200, outcome: "handled" });
      expect(seen).to.deep.equal(["orders/create"]);
    });

    it("the signature in hex, as Shopify's OAuth callback has it, is a 401", async () => {
      const { bus } = shop().open();
      const body = JSON.stringify(sample("shopify/orders.create.json"));
      const headers = { ...SHOPIFY_HEADERS, "x-shopify-hmac-sha256": hmac("sha256", "hex", body) };
      expect(await bus.receive(posted(body, headers))).to.include({ status: 401 });
    });

    it("ids above 2^53 that JSON.parse makes one of are two events, and the GraphQL ids stay exact", async () => {
      const { bus } = shop().open();
      const gids: unknown[] = [];
      bus.all((event) => {
        gids.push((event as { payload: Record<string, unknown> }).payload["admin_graphql_api_id"]);
      });
      for (const id of ["9007199254740992", "9007199254740993"]) {
        const body = `{"id":${id},"admin_graphql_api_id":"gid://shopify/Order/${id}"}`;
        const headers = { ...SHOPIFY_HEADERS, "x-shopify-hmac-sha256": hmac("sha256", "base64", body) };
        expect(await bus.receive(posted(body, headers))).to.include({ outcome: "handled" });
      }
      expect(gids).to.deep.equal(["gid://shopify/Order/9007199254740992", "gid://shopify/Order/9007199254740993"]);
    });
  });

  describe("of Twilio", () => {
    const URL_ = "https://example.com/sms";
    const phone = (provider = twilio()) => rig(provider, { secret: SECRET });

    it("a + in a form is a space and %2B a plus, both in what is signed and in what subscribers get", async () => {
      const { bus } = phone().open();
      const texts: unknown[] = [];
      bus.all((event) => {
        texts.push(event);
      });
      const body = "Body=a+b%2Bc%20d&From=%2B14158675309&MessageSid=SM1";
      const content = `${URL_}Bodya b+c dFrom+14158675309MessageSidSM1`;
      const headers = { ...FORM, "x-twilio-signature": hmac("sha1", "base64", content) };
      expect(await bus.receive(posted(body, headers, URL_))).to.include({ status: 200, outcome: "handled" });
      expect(texts).to.deep.equal([{ Body: "a b+c d", From: "+14158675309", MessageSid: "SM1" }]);
      const unread = `${URL_}Bodya+b+c dFrom+14158675309MessageSidSM1`;
      const wrong = { ...FORM, "x-twilio-signature": hmac("sha1", "base64", unread) };
      expect(await bus.receive(posted(body, wrong, URL_))).to.include({ status: 401 });
    });

    it("a trailing slash is part of the URL that is signed: with one and without one are two endpoints", () => {
      const { deliver, verify } = phone();
      const body = form(sample("twilio/message.received.json"));
      for (const [asked, seen] of [
        [URL_, `${URL_}/`],
        [`${URL_}/`, URL_],
        [`${URL_}/?a=1`, `${URL_}?a=1`],
      ] as const) {
        const request = deliver(body, { url: asked });
        expect(verify(request).verified).to.equal(true);
        expect(verify({ ...request, url: seen }).verified, seen).to.equal(false);
        // The remedy: the URL as Twilio has it.
        const [publicUrl = ""] = asked.split("?");
        expect(phone(twilio({ publicUrl })).verify({ ...request, url: seen }).verified).to.equal(true);
      }
    });

    it("a proxy that ends TLS leaves http in the URL: `publicUrl` is the remedy, and X-Forwarded-Proto is none", () => {
      const request = phone().deliver(form(sample("twilio/message.received.json")), { url: URL_ });
      const inside = {
        ...request,
        url: "http://example.com/sms",
        headers: { ...request.headers, "x-forwarded-proto": "https", "x-forwarded-host": "example.com" },
      };
      expect(phone().verify(inside).verified).to.equal(false);
      expect(phone(twilio({ publicUrl: "https://example.com" })).verify(inside).verified).to.equal(true);
    });

    it("a missing signature and a wrong one are told apart in the log alone, where the middleware answers 400 and 403", async () => {
      const { bus } = phone().open();
      const body = form(sample("twilio/message.received.json"));
      const missing = await bus.receive(posted(body, FORM, URL_));
      const wrong = await bus.receive(
        posted(body, { ...FORM, "x-twilio-signature": hmac("sha1", "base64", "x") }, URL_),
      );
      expect(missing).to.include({ status: 401 });
      expect(wrong).to.deep.equal(missing);
      expect(logOf(bus).map(({ fields }) => (fields as { reason?: string }).reason)).to.deep.equal([
        "missing_header",
        "bad_signature",
      ]);
    });
  });

  describe("of Slack", () => {
    it("a timestamp that is no number is a 401, signed or not, where bolt's range check lets it pass", async () => {
      const { bus, seen } = rig(slack(), { secret: SECRET }).open();
      const body = JSON.stringify(sample("slack/app_mention.json"));
      for (const t of ["NaN", "soon", "Infinity", `${SECONDS}junk`, `${SECONDS}.0`, "-1", "1e9"]) {
        const headers = {
          "x-slack-request-timestamp": t,
          "x-slack-signature": `v0=${hmac("sha256", "hex", `v0:${t}:${body}`)}`,
        };
        expect(await bus.receive(posted(body, headers)), t).to.include({ status: 401 });
      }
      expect(seen).to.deep.equal([]);
    });

    it("a form with a charset in its content type is a form, which bolt compares to the letter", async () => {
      const { deliver, open } = rig(slack(), { secret: SECRET });
      const { bus, seen } = open();
      const command = form({ command: "/deploy", text: "now & then", trigger_id: "1" });
      const headers = { "content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8" };
      expect(await bus.receive(deliver(command, { headers }))).to.include({ status: 200, outcome: "handled" });
      expect(seen).to.deep.equal(["command.deploy"]);
    });

    it("a delivery that failed may be sent again: no refusal holds X-Slack-No-Retry", async () => {
      const { deliver, open } = rig(slack(), { secret: SECRET });
      const { bus } = open();
      let runs = 0;
      bus.all(() => {
        runs += 1;
        if (runs === 1) throw new Error("the first time");
      });
      const request = deliver(sample("slack/app_mention.json"));
      const failed = await bus.receive(request);
      expect(failed).to.include({ status: 500 });
      expect(Object.keys(failed.headers).map((name) => name.toLowerCase())).not.to.include("x-slack-no-retry");
      const again = { ...request, headers: { ...request.headers, "x-slack-retry-num": "1" } };
      expect(await bus.receive(again)).to.include({ status: 200, outcome: "handled" });
    });
  });

  describe("of Kopo Kopo", () => {
    const body = JSON.stringify(sample("kopokopo/buygoods_transaction_received.json"));
    const good = hmac("sha256", "hex", body);

    it("a signature of odd length, of another length or of no text is a 401, where k2-connect-node throws and never answers", async () => {
      const { bus, seen } = rig(kopokopo(), { secret: SECRET }).open();
      const odd = [good.slice(1), good.slice(2), `${good}0`, `${good}00`, "0", "", [good, good], [], 5, null, {}, true];
      for (const signature of odd) {
        const headers = { "x-kopokopo-signature": signature } as never;
        expect(await bus.receive(posted(body, headers)), String(signature)).to.include({ status: 401 });
      }
      expect(seen).to.deep.equal([]);
    });

    it("a signature of odd length gets its answer on the wire, and so does the next delivery", async () => {
      const wire = closing.add(await serve(rig(kopokopo(), { secret: SECRET }).open().bus));
      const post = (signature: string) => wire.post(body, { headers: { "x-kopokopo-signature": signature } });
      expect(await post(good.slice(1))).to.include({ status: 401, body: REFUSED });
      expect(await post(good)).to.include({ status: 200, body: RECEIVED });
    });

    it("an amount is text, and stays what it is", async () => {
      const { bus } = rig(kopokopo(), { secret: SECRET }).open();
      const amounts: unknown[] = [];
      bus.all((event) => {
        amounts.push((event as { event: { resource: { amount: unknown } } }).event.resource.amount);
      });
      await bus.receive(posted(body, { "x-kopokopo-signature": good }));
      expect(amounts).to.deep.equal(["100.0"]);
    });
  });

  describe("of Conekta", () => {
    const open = () => {
      const bus = new EventBus(conekta());
      bus.logger = new Log();
      bus.webhookKeys = PUBLIC_PEM;
      return bus;
    };
    const sign = (body: string | Uint8Array) => conekta().sign(body, { secret: PRIVATE_PEM, setting: "webhookKeys" });

    it("the ping is webhook_ping with an underscore on the wire, and its prose name webhook.ping is another event", async () => {
      const bus = open();
      const ran: string[] = [];
      for (const name of ["webhook_ping", "webhook.ping", "webhook", "webhook."] as const) {
        bus.subscribe(name as "webhook_ping", () => {
          ran.push(name);
        });
      }
      const ping = JSON.stringify(sample("conekta/webhook_ping.json"));
      expect(await bus.receive(posted(ping, sign(ping)))).to.include({ status: 200, outcome: "handled" });
      expect(ran).to.deep.equal(["webhook_ping"]);
    });

    it("text beyond ASCII is signed by its bytes: Latin-1 or escapes of the same text are another body", async () => {
      const text = JSON.stringify({ ...sample("conekta/charge.paid.json"), note: "Sublimación de tazas" });
      const [utf8, latin1] = [Buffer.from(text), Buffer.from(text, "latin1")];
      const escaped = Buffer.from(text.replaceAll("ó", "\\u00f3"));
      const bus = open();
      for (const other of [latin1, escaped]) {
        expect(await bus.receive(posted(other, sign(utf8)))).to.include({ status: 401 });
      }
      expect(await bus.receive(posted(utf8, sign(utf8)))).to.include({ status: 200, outcome: "handled" });
      expect(await bus.receive(posted(escaped, sign(escaped)))).to.include({ status: 200, outcome: "duplicate" });
    });
  });

  describe("of Zenkipay", () => {
    it("a bad signature is a 401 and an order in another state a 200, where its own plug-ins answer 500, 400 and 404", async () => {
      const { deliver, open } = rig(zenkipay(), { secret: WHSEC });
      const { bus, seen } = open();
      const pay = sample("zenkipay/order.pay.json");
      expect(await bus.receive(deliver(pay, { secret: `${WHSEC}BBBB` }))).to.include({ status: 401 });
      for (const [id, eventType, flatData] of [
        ["msg_1", "order.pay", '{"zenkiOrderId":"unknown","status":"CANCELLED"}'],
        ["msg_2", "order.of_another_kind", '{"zenkiOrderId":"unknown"}'],
      ] as const) {
        const body = JSON.stringify({ ...pay, eventType, flatData });
        const headers = {
          "svix-id": id,
          "svix-timestamp": `${SECONDS}`,
          "svix-signature": svixSignature(id, body),
        };
        expect(await bus.receive(posted(body, headers))).to.include({ status: 200, outcome: "handled" });
      }
      expect(seen).to.deep.equal(["order.pay", "order.of_another_kind"]);
    });
  });
});
