import { expect } from "chai";
import { notificationAdapter } from "../../src/bus/adapter.ts";
import { Namespace } from "../../src/bus/namespace.ts";
import { Notifications } from "../../src/bus/notifications.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { IdempotencyStore } from "../../src/idempotency/store.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { OTHER, oneLine, PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { eventOf, Log, type PlainBus, plainBus, plainProvider } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";

const PROVIDER = plainProvider({
  retrieval: {
    when: "no-secret",
    idPattern: /^evt_/,
    unfetchable: [],
    fetch: () => Promise.reject(new Error("not here")),
    classify: () => undefined,
  },
});

/** A store that is remembered by whoever keeps it, and remembers nothing. */
const store = (more: Partial<IdempotencyStore> = {}): IdempotencyStore => ({
  volatile: false,
  claim: () => ({ state: "busy" }),
  extend() {},
  markDone() {},
  complete() {},
  release() {},
  ...more,
});

describe("settings", () => {
  let bus: PlainBus;

  beforeEach(() => {
    bus = plainBus(undefined, PROVIDER);
  });

  /** Sets one of them without regard to its type. */
  const set = (setting: string, value: unknown): void => void Reflect.set(bus, setting, value);
  const get = (setting: string): unknown => Reflect.get(bus, setting);

  const STORE = memoryIdempotency();
  const TAKEN: Readonly<Record<string, readonly unknown[]>> = {
    apiKey: ["key_1", "sk_test_1"],
    endpointAuth: [
      { bearer: "abc.DEF-_~+/==" },
      { basic: { password: "p" } },
      { basic: { username: "u", password: " p: " } },
    ],
    eventRetriever: [() => null],
    eventFilter: [() => null],
    tolerance: [1, 0.5, 86_400],
    idempotency: [false, STORE],
    notifications: [new Notifications()],
    namespace: [new Namespace("mine")],
    adapter: [notificationAdapter],
    logger: [console, new Log()],
    maxBodyBytes: [1, 1024, Number.MAX_SAFE_INTEGER],
    freezeEvents: [true, false],
    onError: [() => {}],
  };

  const BEARER = "`endpointAuth.bearer` must be a token without white space that is not empty";
  const PASSWORD = "`endpointAuth.basic.password` must be a string that is not empty";
  const USERNAME = "`endpointAuth.basic.username` must be a string without a colon that is not empty";
  const AUTH = "`endpointAuth` must be { basic: { username?, password } } or { bearer }";
  const STEPS = "`namespace` must not be `hookbus`: hookbus's own steps are published there";
  const NAMESPACE = "`namespace` must be a Namespace or a string that is not empty";
  const REFUSED: Readonly<Record<string, readonly (readonly [value: unknown, message: string])[]>> = {
    apiKey: [
      [5, "`apiKey` must be a string"],
      [null, "`apiKey` must be a string"],
      ["", "`apiKey` is empty: is the environment variable filled?"],
      [" \n\t", "`apiKey` is empty: is the environment variable filled?"],
      ["key_1\n", "`apiKey` has white space at its start or end: trim it where it is stored"],
      [" key_1", "`apiKey` has white space at its start or end: trim it where it is stored"],
    ],
    endpointAuth: [
      [null, AUTH],
      ["token", AUTH],
      [{}, AUTH],
      [{ basic: "user:password" }, AUTH],
      [{ basic: null }, AUTH],
      [{ bearer: "token", basic: { password: "p" } }, AUTH],
      [{ bearer: "" }, BEARER],
      [{ bearer: " a" }, BEARER],
      [{ bearer: "a b" }, BEARER],
      [{ bearer: "ä" }, BEARER],
      [{ bearer: "=a" }, BEARER],
      [{ bearer: undefined }, BEARER],
      [{ basic: {} }, PASSWORD],
      [{ basic: { password: "" } }, PASSWORD],
      [{ basic: { password: " " } }, PASSWORD],
      [{ basic: { password: undefined } }, PASSWORD],
      [{ basic: { username: "u", password: 5 } }, PASSWORD],
      [{ basic: { username: "", password: "p" } }, USERNAME],
      [{ basic: { username: "a:b", password: "p" } }, USERNAME],
      [{ basic: { username: undefined, password: "p" } }, USERNAME],
      [{ basic: { username: 5, password: "p" } }, USERNAME],
    ],
    eventRetriever: [
      [null, "`eventRetriever` must be a function"],
      [{ call() {} }, "`eventRetriever` must be a function"],
    ],
    eventFilter: [["no", "`eventFilter` must be a function"]],
    tolerance: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "300", null].map((value) => [
      value,
      "`tolerance` must be a number of seconds above zero: it cannot be switched off",
    ]),
    idempotency: [
      [null, "`idempotency.claim` must be a function"],
      [true, "`idempotency.claim` must be a function"],
      [{}, "`idempotency.claim` must be a function"],
      ...(["claim", "extend", "markDone", "complete", "release"] as const).map(
        (verb) => [{ ...store(), [verb]: undefined }, `\`idempotency.${verb}\` must be a function`] as const,
      ),
    ],
    notifications: [null, {}, new EventTarget()].map((value) => [
      value,
      "`notifications` must be a Notifications: new Notifications(emitter)",
    ]),
    namespace: [
      ["", NAMESPACE],
      [null, NAMESPACE],
      [5, NAMESPACE],
      [{ value: "a", delimiter: "." }, NAMESPACE],
      ["hookbus", STEPS],
      ["hookbus.mine", STEPS],
      [new Namespace("hookbus", "/"), STEPS],
      [new Namespace("mine", "/"), "`namespace` must have the delimiter `.`, by which plain parts its types"],
    ],
    adapter: [[{}, "`adapter` must be a function"]],
    logger: [
      [null, "`logger.info` must be a function"],
      [() => {}, "`logger.info` must be a function"],
      [{ info() {}, error() {} }, "`logger.warn` must be a function"],
      [{ info() {}, warn() {} }, "`logger.error` must be a function"],
    ],
    maxBodyBytes: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1mb", null].map((value) => [
      value,
      "`maxBodyBytes` must be a whole number of bytes above zero",
    ]),
    freezeEvents: [
      [0, "`freezeEvents` must be true or false"],
      ["false", "`freezeEvents` must be true or false"],
      [null, "`freezeEvents` must be true or false"],
    ],
    onError: [[console, "`onError` must be a function"]],
  };

  for (const [setting, values] of Object.entries(TAKEN)) {
    describe(setting, () => {
      for (const [index, value] of values.entries()) {
        it(`takes a good value (${index + 1})`, () => {
          set(setting, value);
          expect(get(setting)).to.equal(value);
        });
      }

      it("refuses undefined, naming itself, and keeps the bus from being ready until it is set well", () => {
        bus.signingSecrets = "secret";
        const before = get(setting);
        const message =
          `\`${setting}\` of the bus "plain" was set to undefined: is its environment variable set? ` +
          "Leave the line out where the setting is not used";
        expect(() => set(setting, undefined)).to.throw(ConfigurationError, message);
        expect(get(setting)).to.equal(before);
        expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
        set(setting, values[0]);
        bus.assertReady();
      });

      for (const [index, [value, message]] of (REFUSED[setting] ?? []).entries()) {
        it(`refuses what cannot be meant (${index + 1}), and stays as it was`, () => {
          bus.signingSecrets = "secret";
          const before = get(setting);
          expect(() => set(setting, value))
            .to.throw(ConfigurationError)
            .with.property("message", message);
          expect(get(setting)).to.equal(before);
          expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
          set(setting, values[0]);
          bus.assertReady();
        });
      }
    });
  }

  it("have defaults", () => {
    const { apiKey, endpointAuth, eventRetriever, eventFilter, tolerance, maxBodyBytes, freezeEvents, onError } = bus;
    expect({ tolerance, maxBodyBytes, freezeEvents }).to.deep.equal({
      tolerance: 300,
      maxBodyBytes: 1_048_576,
      freezeEvents: false,
    });
    expect([apiKey, endpointAuth, eventRetriever, eventFilter, onError]).to.deep.equal(Array(5).fill(undefined));
    expect([bus.adapter, bus.namespace.call("a")]).to.deep.equal([notificationAdapter, "plain_event.a"]);
    expect([bus.signingSecrets, bus.privateSignature, bus.webhookKeys]).to.deep.equal([[], [], []]);
    expect(new EventBus(plainProvider()).logger).to.equal(console);
  });

  it("take a namespace as a string", async () => {
    bus.namespace = "mine";
    const heard: string[] = [];
    bus.notifications.subscribe("mine.charge.", (_, { type }) => heard.push(type));
    await bus.publish(eventOf("charge.paid"));
    expect(heard).to.deep.equal(["charge.paid"]);
    expect(bus.namespace).to.deep.equal(new Namespace("mine"));
  });

  it("do not mend one another", () => {
    expect(() => set("apiKey", undefined)).to.throw(ConfigurationError);
    bus.signingSecrets = "secret";
    bus.tolerance = 5;
    expect(() => bus.assertReady()).to.throw(ConfigurationError, "`apiKey` of the bus");
  });

  describe("that subscribers depend on", () => {
    const late: Readonly<Record<string, unknown>> = {
      notifications: new Notifications(),
      namespace: "mine",
      adapter: notificationAdapter,
    };
    for (const [setting, value] of Object.entries(late)) {
      it(`are set before the first subscriber: ${setting}`, () => {
        bus.signingSecrets = "secret";
        const before = get(setting);
        const dispose = bus.all(() => {});
        const message = `set \`${setting}\` before the first subscriber of the bus "plain"`;
        expect(() => set(setting, value)).to.throw(ConfigurationError, message);
        expect(get(setting)).to.equal(before);
        expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
        dispose();
        set(setting, value);
        bus.assertReady();
      });

      it(`may be set after one that listens across buses: ${setting}`, () => {
        bus.notifications.subscribe("", () => {});
        bus.notifications.subscribe("plain_event.", () => {});
        set(setting, value);
        bus.all(() => {});
        expect(bus.listening("a")).to.equal(true);
      });
    }
  });

  describe("idempotency", () => {
    it("is in memory, goes by the clock of the bus, and is the bus's own", () => {
      const clock = new FakeClock();
      const [one, two] = [plainBus({ clock }), plainBus({ clock })];
      const { idempotency } = one;
      if (idempotency === false) throw new Error("there is one");
      expect(one.idempotency).to.equal(idempotency);
      expect(two.idempotency).not.to.equal(idempotency);
      const claim = (): unknown =>
        Reflect.get(Object(idempotency.claim("k", { leaseMs: 1_000, fingerprint: "" })), "state");
      expect([claim(), claim()]).to.deep.equal(["claimed", "busy"]);
      return clock.advance(1_000).then(() => expect(claim()).to.equal("claimed"));
    });

    it("can be shared by buses, unless they have one name", () => {
      const shared = memoryIdempotency();
      const [one, two, twin] = [plainBus(), plainBus({ name: "two" }), plainBus()];
      one.idempotency = shared;
      two.idempotency = shared;
      one.idempotency = shared;
      const message = 'another bus named "plain" uses this `idempotency` store: give each bus a `name` of its own';
      twin.signingSecrets = "secret";
      expect(() => {
        twin.idempotency = shared;
      }).to.throw(ConfigurationError, message);
      expect(twin.idempotency).not.to.equal(shared);
      expect(() => twin.assertReady()).to.throw(ConfigurationError, message);
    });

    it("that outlives the process asks for subscribers' names", () => {
      bus.signingSecrets = "secret";
      bus.all({ name: "audit", call() {} });
      bus.all(() => {}, { name: "mailer" });
      const dispose = bus.all(() => {});
      bus.idempotency = store({ volatile: true });
      bus.assertReady();
      bus.idempotency = store();
      expect(() => bus.assertReady()).to.throw(
        ConfigurationError,
        'subscriber "subscriber-2" of the bus "plain" needs a `name` of its own: what outlives the process knows it by that',
      );
      bus.idempotency = false;
      bus.assertReady();
      bus.idempotency = store();
      dispose();
      bus.assertReady();
    });

    it("that outlives the process asks whoever could hear of the bus's events, and nobody else", () => {
      bus.signingSecrets = "secret";
      bus.idempotency = store();
      plainBus({ name: "twin", notifications: bus.notifications }).all(() => {});
      for (const pattern of ["other_event.", "plain", "plain_events.", "other"]) {
        bus.notifications.subscribe(pattern, () => {});
      }
      bus.assertReady();
      for (const pattern of ["", "plain_event", "plain_event.", "plain_event.charge", "plain_event.charge."]) {
        const dispose = bus.notifications.subscribe(pattern, () => {});
        expect(() => bus.assertReady(), pattern).to.throw(ConfigurationError, "needs a `name` of its own");
        dispose();
      }
      bus.assertReady();
    });
  });

  describe("assertReady", () => {
    it("asks for some authentication, naming the ways there are", () => {
      const message = 'the bus "plain" cannot authenticate deliveries: set `signingSecrets` or `privateSignature`';
      expect(() => plainBus().assertReady())
        .to.throw(ConfigurationError)
        .with.property("message", message);
      expect(() => bus.assertReady())
        .to.throw(ConfigurationError)
        .with.property("message", `${message} or \`apiKey\``);
    });

    it("is content with a secret, with an API key, and with a retriever of your own", () => {
      for (const [setting, value] of Object.entries({
        signingSecrets: "secret",
        privateSignature: "secret",
        apiKey: "key",
        eventRetriever: () => null,
      })) {
        bus = plainBus(undefined, PROVIDER);
        set(setting, value);
        bus.assertReady();
      }
    });

    it("takes an extra gate for no authentication of the sender", () => {
      bus.endpointAuth = { bearer: "token" };
      expect(() => bus.assertReady()).to.throw(ConfigurationError, "cannot authenticate deliveries");
    });
  });

  describe("retrieves", () => {
    const when = (retrieval: "no-secret" | "api-key", settings: object): boolean => {
      const { retrieval: way } = PROVIDER;
      const fresh = plainBus(undefined, way ? { retrieval: { ...way, when: retrieval } } : {});
      return Object.assign(fresh, settings).retrieves;
    };
    const [apiKey, signingSecrets, eventRetriever] = ["key", "secret", () => null];

    it("where a key is all there is, or always, as the provider has it", () => {
      expect(when("no-secret", { apiKey })).to.equal(true);
      expect(when("no-secret", { apiKey, signingSecrets })).to.equal(false);
      expect(when("no-secret", { signingSecrets })).to.equal(false);
      expect(when("api-key", { apiKey })).to.equal(true);
      expect(when("api-key", { apiKey, signingSecrets })).to.equal(true);
      expect(when("api-key", { signingSecrets })).to.equal(false);
    });

    it("with a retriever of your own, always", () => {
      expect(when("no-secret", { signingSecrets, eventRetriever })).to.equal(true);
      expect(when("api-key", { eventRetriever })).to.equal(true);
    });
  });

  describe("secrets", () => {
    it("are known by labels: by their place, or one of your own", () => {
      bus.signingSecrets = "one";
      expect(bus.signingSecrets).to.deep.equal([{ label: "signingSecrets" }]);
      bus.signingSecrets = ["one", { label: "mexico", secret: "two" }, "three"];
      expect(bus.signingSecrets).to.deep.equal([
        { label: "signingSecrets[0]" },
        { label: "mexico" },
        { label: "signingSecrets[2]" },
      ]);
      bus.signingSecrets = { label: "peru", secret: "four" };
      expect(bus.keys.map(({ label, scheme }) => [label, scheme])).to.deep.equal([["peru", "v1"]]);
      expect(bus.keys[0]?.key.export().toString()).to.equal("four");
    });

    it("refuse two of one label, since nobody could tell which of them matched", () => {
      for (const secrets of [
        [
          { label: "mexico", secret: "one" },
          { label: "mexico", secret: "two" },
        ],
        ["one", { label: "signingSecrets[0]", secret: "two" }],
      ]) {
        expect(() => {
          bus.signingSecrets = secrets;
        }).to.throw(ConfigurationError, "has the `label` of another secret");
      }
    });

    it("are never made of the labels that they read as", () => {
      bus.signingSecrets = ["one", "two"];
      for (const [value, place] of [
        [[...bus.signingSecrets, "three"], "signingSecrets[0]"],
        [["three", ...bus.signingSecrets], "signingSecrets[1]"],
        [bus.signingSecrets, "signingSecrets[0]"],
        [bus.signingSecrets[0], "signingSecrets"],
      ] as const) {
        expect(() => set("signingSecrets", value)).to.throw(
          ConfigurationError,
          `\`${place}\` has no \`secret\`: what a setting reads as are labels, not secrets`,
        );
      }
      expect(bus.keys.map(({ key }) => key.export().toString())).to.deep.equal(["one", "two"]);
    });

    it("refuse undefined, naming themselves", () => {
      for (const setting of ["signingSecrets", "privateSignature"]) {
        expect(() => set(setting, undefined)).to.throw(
          ConfigurationError,
          `\`${setting}\` of the bus "plain" was set to undefined: is its environment variable set?`,
        );
      }
    });

    const refused: readonly (readonly [value: unknown, message: string])[] = [
      [5, "`signingSecrets` must be a string"],
      [null, "`signingSecrets` must be a string"],
      [Buffer.from("secret"), "`signingSecrets` has no `secret`: what a setting reads as are labels, not secrets"],
      ["", "`signingSecrets` is empty: is the environment variable filled?"],
      [" \t\n", "`signingSecrets` is empty: is the environment variable filled?"],
      ["secret\n", "`signingSecrets` has white space at its start or end: trim it where it is stored"],
      [["one", null], "`signingSecrets[1]` must be a string"],
      [["one", ""], "`signingSecrets[1]` is empty: is the environment variable filled?"],
      [["one", " two"], "`signingSecrets[1]` has white space at its start or end: trim it where it is stored"],
      [[], "`signingSecrets` holds no secret: every entry is undefined"],
      [[undefined, undefined], "`signingSecrets` holds no secret: every entry is undefined"],
      [{ label: "", secret: "one" }, "`signingSecrets` needs a `label` that is not empty"],
      [[{ label: " ", secret: "one" }], "`signingSecrets[0]` needs a `label` that is not empty"],
      [{ secret: "one" }, "`signingSecrets` needs a `label` that is not empty"],
      [{ label: "one", secret: "" }, "`signingSecrets` is empty: is the environment variable filled?"],
      [{ label: "one", secret: null }, "`signingSecrets` must be a string"],
    ];
    for (const [index, [value, message]] of refused.entries()) {
      it(`refuse what cannot be meant (${index + 1}), and keep those before`, () => {
        bus.signingSecrets = "before";
        expect(() => set("signingSecrets", value))
          .to.throw(ConfigurationError)
          .with.property("message", message);
        expect(bus.keys.map(({ key }) => key.export().toString())).to.deep.equal(["before"]);
        expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
        bus.signingSecrets = "after";
        bus.assertReady();
        expect(bus.keys.map(({ key }) => key.export().toString())).to.deep.equal(["after"]);
      });
    }

    it("leave undefined entries out, with a warning for each", () => {
      const log = new Log();
      bus.logger = log;
      bus.signingSecrets = [undefined, "two", { label: "three", secret: undefined }];
      expect(bus.signingSecrets).to.deep.equal([{ label: "signingSecrets[1]" }]);
      expect(log.lines).to.deep.equal(
        ["signingSecrets[0]", "signingSecrets[2]"].map((place) => ({
          level: "warn",
          message: `hookbus: \`${place}\` is undefined and left out: is its environment variable set?`,
          fields: { bus: "plain" },
        })),
      );
    });

    describe("with an end", () => {
      const at = (notAfter: unknown): void => set("signingSecrets", [{ label: "old", secret: "one", notAfter }]);
      const MS = Date.UTC(2027, 0, 31, 12, 30);

      for (const [index, [value, ms]] of (
        [
          [new Date(MS), MS],
          [MS, MS],
          ["2027-01-31T12:30:00Z", MS],
          ["2027-01-31T12:30Z", MS],
          ["2027-01-31T13:30:00.250+01:00", MS + 250],
          ["2027-01-31", Date.UTC(2027, 0, 31)],
          ["2028-02-29", Date.UTC(2028, 1, 29)],
        ] as const
      ).entries()) {
        it(`take a moment (${index + 1})`, () => {
          at(value);
          expect(bus.keys.map(({ label, notAfter }) => [label, notAfter])).to.deep.equal([["old", ms]]);
          bus.assertReady();
        });
      }

      for (const [index, value] of [
        undefined,
        null,
        "",
        "tomorrow",
        "31.01.2027",
        "2027-01-31T12:30:00",
        " 2027-01-31",
        "2027-02-29",
        "2027-02-30T00:00:00Z",
        "2027-13-01",
        "2027-01-31T25:00:00Z",
        new Date(Number.NaN),
        Number.NaN,
        Number.POSITIVE_INFINITY,
        0,
        1_800_000_000,
        String(MS),
        {},
      ].entries()) {
        it(`refuse what is no moment, or is in seconds (${index + 1})`, () => {
          expect(() => at(value))
            .to.throw(ConfigurationError)
            .with.property(
              "message",
              "`signingSecrets[0].notAfter` must be a Date, ISO 8601 text with a time zone, or milliseconds since 1970",
            );
          expect(() => bus.assertReady()).to.throw(ConfigurationError, "notAfter");
        });
      }

      it("have none by default", () => {
        bus.signingSecrets = { label: "one", secret: "one" };
        expect(bus.keys[0]).not.to.have.property("notAfter");
      });
    });

    it("are one where the provider takes one", () => {
      expect(() => set("privateSignature", ["one", "two"])).to.throw(
        ConfigurationError,
        "`privateSignature` takes one secret, not a list",
      );
      expect(() => set("privateSignature", ["one"])).to.throw(ConfigurationError, "takes one secret, not a list");
      bus.privateSignature = "one";
      expect(bus.privateSignature).to.deep.equal([{ label: "privateSignature" }]);
    });

    it("that cannot be made a key are refused without being quoted", () => {
      const parse = (): never => {
        throw new Error("OpenSSL says no");
      };
      bus = plainBus(undefined, { secrets: { signingSecrets: { scheme: "v1", several: true, parse } } });
      expect(() => set("signingSecrets", ["sesame"]))
        .to.throw(ConfigurationError)
        .that.satisfies((error: Error) => error.message === "`signingSecrets[0]` cannot be read as a key")
        .and.has.nested.property("cause.message", "OpenSSL says no");
    });

    it("that mean nothing to the provider are refused, with the name of those that do", () => {
      expect(() => set("webhookKeys", "key")).to.throw(
        ConfigurationError,
        "`webhookKeys` means nothing to plain: its secrets go into `signingSecrets` or `privateSignature`",
      );
      expect(() => set("webhookKeys", "key")).to.throw(ConfigurationError);
      bus.signingSecrets = "secret";
      expect(() => bus.assertReady()).to.throw(ConfigurationError, "`webhookKeys` means nothing to plain");
    });

    it("of two settings are refused: one header cannot mean both", () => {
      bus.privateSignature = "one";
      const message =
        "`signingSecrets` and `privateSignature` are both set: one header cannot mean both, keep the one that is in use";
      expect(() => set("signingSecrets", "two")).to.throw(ConfigurationError, message);
      expect(bus.keys.map(({ label }) => label)).to.deep.equal(["privateSignature"]);
      expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
      bus.privateSignature = "three";
      expect(() => bus.assertReady()).to.throw(ConfigurationError, message);
    });
  });

  describe("an API key of a provider without an API", () => {
    it("means nothing", () => {
      bus = plainBus();
      expect(() => set("apiKey", "key")).to.throw(ConfigurationError, "`apiKey` means nothing to plain");
      expect(bus.apiKey).to.equal(undefined);
    });
  });

  describe("of Stripe", () => {
    const WHERE = "the signing secret begins with whsec_ and stands on the endpoint's page in the dashboard";

    it("refuse an API key, or an endpoint's id, that was pasted as a secret", () => {
      const stripeBus = new EventBus(stripe());
      for (const [secret, what] of [
        ["sk_test_4eC39HqLyjWDarjtT1zdp7dc", "holds an API key (sk_…)"],
        ["rk_live_4eC39HqLyjWDarjtT1zdp7dc", "holds an API key (rk_…)"],
        ["we_1Mr5jULkdIwHu7ix1ibLTM0x", "holds the id of an endpoint (we_…)"],
      ] as const) {
        expect(() => {
          stripeBus.signingSecrets = ["whsec_1", secret];
        })
          .to.throw(ConfigurationError)
          .with.property("message", `\`signingSecrets[1]\` ${what}: ${WHERE}`);
      }
      expect(stripeBus.signingSecrets).to.deep.equal([]);
    });

    it("refuse Conekta's", () => {
      const stripeBus = new EventBus(stripe());
      for (const setting of ["webhookKeys", "privateSignature"] as const) {
        expect(() => {
          stripeBus[setting] = PUBLIC_PEM;
        }).to.throw(
          ConfigurationError,
          `\`${setting}\` means nothing to stripe: its secrets go into \`signingSecrets\``,
        );
      }
    });
  });

  describe("of Conekta", () => {
    let conektaBus: EventBus;

    beforeEach(() => {
      conektaBus = new EventBus(conekta()) as unknown as EventBus;
    });

    it("take keys in PEM, on one line or many, with white space around them or not", () => {
      for (const pem of [PUBLIC_PEM, oneLine(PUBLIC_PEM), `\n${PUBLIC_PEM}\n`]) {
        conektaBus.webhookKeys = [pem, OTHER.publicPem];
        expect(conektaBus.webhookKeys).to.deep.equal([{ label: "webhookKeys[0]" }, { label: "webhookKeys[1]" }]);
      }
      const legacy = new EventBus(conekta());
      legacy.privateSignature = oneLine(PRIVATE_PEM);
      legacy.assertReady();
    });

    it("refuse both at once, whichever came first", () => {
      conektaBus.webhookKeys = PUBLIC_PEM;
      expect(() => {
        conektaBus.privateSignature = PRIVATE_PEM;
      }).to.throw(
        ConfigurationError,
        "`privateSignature` and `webhookKeys` are both set: one header cannot mean both, keep the one that is in use",
      );
      expect(conektaBus.privateSignature).to.deep.equal([]);
      expect(conektaBus.keys.map(({ label }) => label)).to.deep.equal(["webhookKeys"]);
      expect(() => conektaBus.assertReady()).to.throw(ConfigurationError, "are both set");
    });

    it("refuse what is no key, without quoting it", () => {
      expect(() => {
        conektaBus.webhookKeys = "key_eYvWV7gSDkNYXsmr";
      })
        .to.throw(ConfigurationError)
        .that.satisfies(
          ({ message }: Error) => message.startsWith("`webhookKeys` ") && !message.includes("eYvWV7gSDkNYXsmr"),
        );
    });

    it("refuse Stripe's", () => {
      expect(() => {
        conektaBus.signingSecrets = "whsec_1";
      }).to.throw(
        ConfigurationError,
        "`signingSecrets` means nothing to conekta: its secrets go into `webhookKeys` or `privateSignature`",
      );
    });
  });
});
