import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { ConfigurationError, SecretsUnavailableError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { OTHER, PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { atOnce } from "../providers/only.ts";
import { Log, plainBus, plainEventBus } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent, bytes, idsOf, logOf, REFUSED, SECRET, type SpecBus, signed, stepsOf, stripeBus } from "./harness.ts";

const MINUTE = 60_000;

describe("a scheme that has to wait", () => {
  for (const [title, make] of [
    ["a promise", <T>(value: T) => Promise.resolve(value)],
    ["a promise of another make", <T>(value: T) => runInNewContext("Promise.resolve(value)", { value }) as Promise<T>],
  ] as const) {
    it(`may answer by ${title}, and is taken at its word`, async () => {
      const real = stripe();
      const bus = new EventBus({ ...real, verify: (request, options) => make(atOnce(real.verify(request, options))) });
      bus.logger = new Log();
      bus.signingSecrets = SECRET;
      const body = bytes(anEvent());
      const receive = async (headers: Record<string, string>) =>
        (await bus.receive({ method: "POST", url: "/", headers, body })).status;
      expect(await receive(signed(body))).to.equal(200);
      expect(await receive(signed(body, Date.now(), "whsec_other"))).to.equal(401);
    });
  }
});

describe("secrets with an end", () => {
  let clock: FakeClock;
  let bus: SpecBus;
  const failures: unknown[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    bus = stripeBus({ clock });
    failures.length = 0;
    bus.onError = (error) => failures.push(error);
  });

  const post = (secret: string): Promise<Receipt> => {
    const body = bytes(anEvent());
    return bus.receive({ method: "POST", url: "/", headers: signed(body, clock.now(), secret), body });
  };

  it("verify up to their last millisecond, and not from then on", async () => {
    bus.signingSecrets = [
      { label: "old", secret: "whsec_v_old", notAfter: clock.now() + MINUTE },
      { label: "new", secret: "whsec_v_new" },
    ];
    const seen: unknown[] = [];
    bus.all((_event: unknown, { matchedSecret }) => {
      seen.push(matchedSecret);
    });
    expect(await post("whsec_v_old")).to.include({ status: 200 });
    await clock.advance(MINUTE);
    expect(await post("whsec_v_old")).to.include({ status: 200 });
    await clock.advance(1);
    expect(await post("whsec_v_old")).to.deep.include({ status: 401, body: REFUSED });
    expect(await post("whsec_v_new")).to.include({ status: 200 });
    expect(seen).to.deep.equal(["old", "old", "new"]);
    expect(bus.signingSecrets).to.deep.equal([{ label: "old" }, { label: "new" }]);
  });

  it("are a fault of ours when all have expired, and nothing passes", async () => {
    bus.signingSecrets = [
      { label: "a", secret: "whsec_v_a", notAfter: clock.now() + MINUTE },
      { label: "b", secret: "whsec_v_b", notAfter: clock.now() + 2 * MINUTE },
    ];
    const ids = idsOf(bus);
    await clock.advance(2 * MINUTE + 1);
    for (const secret of ["whsec_v_a", "whsec_v_b"]) {
      expect(await post(secret)).to.deep.include({ status: 500, outcome: "failed", body: REFUSED });
    }
    expect(ids).to.deep.equal([]);
    expect(failures[0])
      .to.be.instanceOf(ConfigurationError)
      .with.property("message", 'every secret of the bus "stripe" has expired');
    expect(logOf(bus)[0]).to.include({ level: "error", message: "hookbus: delivery failed" });
  });

  it("do not let an unverified event be fetched back instead when all have expired", async () => {
    bus.apiKey = "sk_test_1";
    bus.signingSecrets = { label: "a", secret: "whsec_v_a", notAfter: clock.now() };
    await clock.advance(1);
    expect(bus.retrieves).to.equal(false);
    expect(await post("whsec_v_a")).to.include({ status: 500 });
  });
});

describe("secrets of tenants", () => {
  const SECRETS: Readonly<Record<string, string>> = { "/a": "whsec_v_tenant_a", "/b": "whsec_v_tenant_b" };
  let bus: SpecBus;
  const failures: unknown[] = [];

  beforeEach(() => {
    bus = stripeBus();
    bus.signingSecrets = async ({ url }) => SECRETS[url];
    failures.length = 0;
    bus.onError = (error) => failures.push(error);
  });

  const post = (url: string, secret = ""): Promise<Receipt> => {
    const body = bytes(anEvent());
    return bus.receive({ method: "POST", url, headers: signed(body, Date.now(), secret || "none"), body });
  };

  it("verify the deliveries of their own tenant alone", async () => {
    const ids = idsOf(bus);
    expect(await post("/a", SECRETS["/a"])).to.include({ status: 200 });
    expect(await post("/b", SECRETS["/b"])).to.include({ status: 200 });
    expect(await post("/b", SECRETS["/a"])).to.include({ status: 401 });
    expect(await post("/a", SECRETS["/b"])).to.include({ status: 401 });
    expect(ids).to.have.length(2);
  });

  it("are found to be none where there is no such tenant: a 401 that tells nothing", async () => {
    const steps = stepsOf(bus);
    const ids = idsOf(bus);
    const stranger = await post("/c", SECRETS["/a"]);
    expect(stranger).to.deep.equal(await post("/b", SECRETS["/a"]));
    expect(stranger).to.deep.include({ status: 401, body: REFUSED, outcome: "rejected" });
    expect(steps.slice(0, 2).map(({ name, outcome, reason }) => [name, outcome, reason])).to.deep.equal([
      ["hookbus.verify", "rejected", "no_secret"],
      ["hookbus.receive", "rejected", "no_secret"],
    ]);
    expect(logOf(bus)[0]?.fields).to.deep.equal({
      bus: "stripe",
      status: 401,
      reason: "no_secret",
      hint: "there is no secret for this request: is it one of your tenants' URLs, and is the tenant set up?",
    });
    expect([ids, failures]).to.deep.equal([[], []]);
  });

  it("that cannot be had ask the sender to come again", async () => {
    bus.signingSecrets = () => Promise.reject(new Error("password=sesame"));
    const receipt = await post("/a", SECRETS["/a"]);
    expect(receipt).to.deep.include({ status: 503, outcome: "failed", body: REFUSED });
    expect(receipt.headers).to.deep.include({ "retry-after": "5" });
    expect(failures).to.have.length(1);
    expect(failures[0]).to.be.instanceOf(SecretsUnavailableError);
    expect(JSON.stringify(logOf(bus))).not.to.include("sesame");
  });

  it("that cannot be secrets are a fault of ours", async () => {
    bus.signingSecrets = async () => " sesame";
    expect(await post("/a", " sesame")).to.include({ status: 500 });
    expect(failures[0]).to.be.instanceOf(ConfigurationError);
    expect(JSON.stringify(logOf(bus))).not.to.include("sesame");
  });

  it("keep a bus from fetching back what it can verify", () => {
    bus = new EventBus(stripe()) as unknown as SpecBus;
    bus.apiKey = "sk_test_1";
    expect(bus.retrieves).to.equal(true);
    bus.signingSecrets = async () => "whsec_1";
    expect(bus.retrieves).to.equal(false);
  });

  it("can be public keys", async () => {
    const conektas = new EventBus(conekta());
    conektas.logger = new Log();
    conektas.webhookKeys = async ({ url }) => (url === "/a" ? PUBLIC_PEM : [OTHER.publicPem]);
    const body = bytes(anEvent());
    const headers = conekta().sign(body, { secret: PRIVATE_PEM, setting: "webhookKeys" });
    const to = (url: string): Promise<Receipt> => conektas.receive({ method: "POST", url, headers, body });
    expect((await to("/b")).status).to.equal(401);
    expect((await to("/a")).status).to.equal(200);
  });

  it("are replaced at once when they are invalidated", async () => {
    const secrets = { ...SECRETS };
    bus.signingSecrets = async ({ url }) => secrets[url];
    expect(await post("/a", SECRETS["/a"])).to.include({ status: 200 });
    secrets["/a"] = "whsec_v_next";
    expect(await post("/a", "whsec_v_next")).to.include({ status: 401 });
    bus.invalidateSecrets();
    expect(await post("/a", "whsec_v_next")).to.include({ status: 200 });
    expect(await post("/a", SECRETS["/a"])).to.include({ status: 401 });
  });

  it("are handed, as the key that matched, to what answers a signed handshake", async () => {
    const seen: unknown[] = [];
    const plain = plainEventBus(undefined, {
      handshakes: {
        afterVerification(_payload, { key }) {
          seen.push(key.label, key.key.export().toString());
          return undefined;
        },
      },
    });
    plain.signingSecrets = () => [
      { label: "one", secret: "first" },
      { label: "two", secret: "second" },
    ];
    const body = bytes({ id: "evt_1", type: "a" });
    await plain.receive({ method: "POST", url: "/", headers: { "signed-by": "two" }, body });
    expect(seen).to.deep.equal(["two", "second"]);
  });

  it("are not asked for while they are set", () => {
    const plain = plainBus();
    plain.signingSecrets = "secret";
    const request = { method: "POST", url: "/", headers: {}, body: bytes("{}") };
    expect(plain.keysFor(request)).to.equal(plain.keys);
  });
});
