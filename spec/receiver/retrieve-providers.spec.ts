import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import { conekta } from "../../src/providers/conekta.ts";
import type { Provider, WebhookRequest } from "../../src/providers/provider.ts";
import { until } from "../inbox/scripted-bus.ts";
import { clockAt, deliveryOf, envelopesOf, type ProviderSample, payloadOf, settingOf } from "../providers/contract.ts";
import { SAMPLES } from "../providers/samples.ts";
import { Log, plainEventBus } from "../support/bus.ts";
import { bytes } from "./harness.ts";

/** The clock of the samples. */
const NOW = 1_700_000_000_000;

/** Where an event holds its id, of those that hold it where it is signed. */
const ID_IN: Readonly<Record<string, string>> = {
  stripe: "id",
  conekta: "id",
  kopokopo: "id",
  acme: "id",
  "coinbase-commerce": "id",
  zenkipay: "id",
  discord: "id",
  mercadopago: "id",
  braintree: "id",
  paddle: "event_id",
  slack: "event_id",
  square: "event_id",
  sendgrid: "sg_event_id",
  hubspot: "eventId",
  twilio: "MessageSid",
};

/** What a genuine delivery of theirs is known by stands in no event: in a header, in the body's hash, in several fields. */
const ID_ELSEWHERE = [
  "standard-webhooks",
  "svix",
  "clerk",
  "openai",
  "polar",
  "resend",
  "acme-lists",
  "lemonsqueezy",
  "zoom",
  "adyen",
  "adyen-platform",
];

/** Their ids are not signed. */
const ID_UNSIGNED = ["github", "shopify", "linear", "razorpay", "paypal"];

type Fields = Record<string, unknown>;

interface Asked {
  readonly params: unknown;
  readonly id: string;
  readonly event: unknown;
  readonly verifiedBy: string;
}

describe("a retriever of the user's own, by provider", () => {
  it("is specified for every provider", () => {
    const names = SAMPLES.map(([make]) => (make() as Provider).name);
    expect([...Object.keys(ID_IN), ...ID_ELSEWHERE, ...ID_UNSIGNED].sort()).to.deep.equal(names.sort());
  });

  for (const [make, ...samples] of SAMPLES) {
    for (const sample of samples.filter(({ events = 1 }) => events > 0)) {
      specify(make as () => Provider, sample);
    }
  }

  for (const [make] of SAMPLES) {
    const { name, retrieval, secrets } = (make as () => Provider)();
    if (retrieval) {
      it(`${name}: may be all that authenticates deliveries`, () => {
        const bus = new EventBus((make as () => Provider)());
        bus.eventRetriever = () => null;
        bus.assertReady();
      });
    } else {
      it(`${name}: cannot be all that authenticates deliveries, whose ids nobody could check`, async () => {
        const bus = new EventBus((make as () => Provider)());
        bus.logger = new Log();
        let asked = 0;
        bus.eventRetriever = () => {
          asked += 1;
          return null;
        };
        const [setting = ""] = Object.keys(secrets);
        expect(() => bus.assertReady()).to.throw(ConfigurationError, `set \`${setting}\` too`);
        const post = { method: "POST", url: "/", headers: {}, body: bytes({ id: "evt_1" }) };
        expect(await bus.receive(post)).to.include({ status: 500 });
        expect(asked).to.equal(0);
      });
    }
  }

  it("is refused where it is set by a provider that has neither signatures nor an API", () => {
    const bus = plainEventBus({}, { secrets: {} });
    expect(() => {
      bus.eventRetriever = () => null;
    }).to.throw(
      ConfigurationError,
      "`eventRetriever` means nothing to plain, which has neither secrets nor a `retrieval`: nothing tells a genuine id",
    );
    expect(() => bus.assertReady()).to.throw(ConfigurationError);
  });

  it("gets a signed id even where it is none of the provider's grammar, which hookbus's own fetch refuses", async () => {
    const sample = SAMPLES.find(([each]) => each === conekta)?.[1] as ProviderSample;
    const bus = open(conekta() as Provider, sample);
    bus.apiKey = "key_spec";
    const body = '{"id":"evt-ünïcode","object":"event","type":"charge.paid"}';
    const request = deliveryOf(conekta() as Provider, { ...sample, body });
    expect(await bus.receive(request)).to.include({ status: 400 });
    bus.eventRetriever = (_params, { event }) => event ?? null;
    expect(await bus.receive(request)).to.include({ status: 200, outcome: "handled" });
  });
});

function specify(make: () => Provider, sample: ProviderSample): void {
  const { name } = make();
  const { events = 1 } = sample;

  describe(`${name}, ${sample.name}`, () => {
    const genuine = (): WebhookRequest => deliveryOf(make(), sample);

    for (const [place, deliver] of [
      ["while the sender waits", receive],
      ["in a worker", throughInbox],
    ] as const) {
      it(`is asked for what is genuine, ${place}, and hands on what it returns`, async () => {
        const provider = make();
        const request = genuine();
        const envelopes = envelopesOf(provider, request);
        const bus = open(provider, sample);
        const asked: Asked[] = [];
        const seen: unknown[] = [];
        const keys: string[] = [];
        bus.eventRetriever = (params, { id, event, verifiedBy }) => {
          asked.push({ params, id, event, verifiedBy });
          return { ...(event as Fields), retrieved: true };
        };
        bus.all(
          (event, { key }) => {
            seen.push(event);
            keys.push(key);
          },
          { name: "it" },
        );
        await deliver(bus, request, events);

        const given = (list: readonly Asked[]) => list.map(({ id }) => id).sort();
        expect(given(asked)).to.deep.equal(envelopes.map(({ id }) => id).sort());
        expect(asked.map(({ verifiedBy }) => verifiedBy)).to.deep.equal(Array(events).fill("signature"));
        const read = provider.read(payloadOf(provider, request), { request });
        for (const { params, event } of asked) {
          expect(params).to.deep.equal("id" in read ? payloadOf(provider, request) : event);
        }
        for (const event of envelopes.map((each) => each.event as Fields)) {
          expect(seen.map(plain)).to.deep.include(plain({ ...event, retrieved: true }));
        }
        expect(keys.sort()).to.deep.equal(envelopes.map(({ key }) => `${name}:${key}`).sort());
      });
    }

    it("is asked for nothing that is forged", async () => {
      const bus = open(make(), sample);
      bus[settingOf(make(), sample)] = sample.otherSecret as never;
      let asked = 0;
      bus.eventRetriever = () => {
        asked += 1;
        return null;
      };
      expect(await bus.receive(genuine())).to.include({ status: 401 });
      expect(asked).to.equal(0);
    });

    it("may hand back what was posted, and what it ignores may come again", async () => {
      const bus = open(make(), sample);
      const seen: unknown[] = [];
      bus.all((event) => {
        seen.push(event);
      });
      const request = genuine();
      bus.eventRetriever = () => null;
      expect(await bus.receive(request)).to.include({ outcome: "ignored" });
      bus.eventRetriever = (_params, { event }) => event ?? null;
      expect(await bus.receive(request)).to.include({ outcome: "handled" });
      bus.eventRetriever = (params) => params;
      expect(await bus.receive(request)).to.include({ outcome: "duplicate" });
      expect(seen.map(plain)).to.deep.equal(envelopesOf(make(), request).map(({ event }) => plain(event)));
    });

    if (ID_UNSIGNED.includes(name)) {
      it("may return an event of another id: none is signed that could be compared, and the delivery's key stays", async () => {
        const bus = open(make(), sample);
        const request = genuine();
        const [envelope] = envelopesOf(make(), request);
        const keys: string[] = [];
        bus.all((_event, { key }) => {
          keys.push(key);
        });
        bus.eventRetriever = (_params, { event }) => ({ ...(event as Fields), id: "another" });
        expect(await bus.receive(request)).to.include({ status: 200, outcome: "handled" });
        expect(await bus.receive(request)).to.include({ outcome: "duplicate" });
        expect(keys).to.deep.equal([`${name}:${envelope?.key}`]);
      });
    }

    const field = ID_IN[name];
    if (field !== undefined) {
      it("must return the event that was asked for: another one is a 401", async () => {
        const bus = open(make(), sample);
        const seen: unknown[] = [];
        bus.all((event) => {
          seen.push(event);
        });
        const own = (event: unknown) => (Object.hasOwn(event as Fields, field) ? field : "trigger_id");
        bus.eventRetriever = (_params, { event }) => ({ ...(event as Fields), [own(event)]: "SM2another" });
        expect(await bus.receive(genuine())).to.include({ status: 401, outcome: "rejected" });
        expect(seen).to.deep.equal([]);
      });
    }
  });
}

function open(provider: Provider, sample: ProviderSample): EventBus {
  const bus = new EventBus(provider, { clock: clockAt(sample.now ?? NOW) });
  bus.logger = new Log();
  bus[settingOf(provider, sample)] = (sample.verifyingSecret ?? sample.secret) as never;
  return bus;
}

async function receive(bus: EventBus, request: WebhookRequest): Promise<void> {
  expect((await bus.receive(request)).outcome).to.equal("handled");
}

async function throughInbox(bus: EventBus, request: WebhookRequest, events: number): Promise<void> {
  const inbox = memoryInbox();
  try {
    bus.inbox = inbox;
    expect((await bus.receive(request)).outcome).to.equal("queued");
    inbox.work(bus);
    await until(async () => (await inbox.counts()).done === events);
  } finally {
    await inbox.close({ graceMs: 0 });
  }
}

/** As data alone: without what an event can do. */
function plain(event: unknown): unknown {
  return JSON.parse(JSON.stringify(event));
}
