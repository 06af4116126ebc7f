import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { paddle } from "../../src/providers/paddle.ts";
import type { Provider, Verification } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf, requestOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";
import { atOnce } from "./only.ts";

const SECRET = "pdl_ntfset_01hv8wptq8987qeep44cyrewp9_secret";
const EVENT = fixture("paddle/transaction.completed.json");
const BODY = JSON.stringify(EVENT);
const NOW = 1_700_000_000;

const form = paddle().secrets.signingSecrets ?? expect.fail("Paddle takes signing secrets");
const KEYS = [{ label: "it", scheme: form.scheme, key: form.parse(SECRET) }];
const signed = (at: number = NOW): string =>
  paddle().sign(BODY, { secret: SECRET, now: at * 1000 })["paddle-signature"] ?? "";

function verify(header: string, now: number = NOW): Verification {
  const request = requestOf(BODY, { "paddle-signature": header });
  return atOnce(paddle().verify(request, { keys: KEYS, now: now * 1000, toleranceSeconds: paddle().toleranceSeconds }));
}
const ACCEPTED = { verified: true, matchedSecret: "it" };
const refused = (reason: string) => ({ verified: false, reason });

providerContract(paddle as () => unknown as () => Provider, [
  { name: "a transaction", secret: SECRET, otherSecret: "another", body: BODY },
]);

describe("paddle", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, toleranceSeconds } = paddle();
    expect({ name, namespace, delimiter, toleranceSeconds }).to.deep.equal({
      name: "paddle",
      namespace: "paddle_event",
      delimiter: ".",
      toleranceSeconds: 5,
    });
    expect(signed()).to.match(/^ts=1700000000;h1=[0-9a-f]{64}$/);
  });

  it("is good for five seconds either way", () => {
    const header = signed();
    for (const age of [0, 5, -5]) expect(verify(header, NOW + age), String(age)).to.deep.equal(ACCEPTED);
    expect(verify(header, NOW + 6)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(header, NOW - 6)).to.deep.equal(refused("timestamp_in_future"));
  });

  it("counts every h1, and nothing else", () => {
    const [ts = "", h1 = ""] = signed().split(";");
    const other = `h1=${"0".repeat(64)}`;
    for (const header of [`${ts};${h1};${other}`, `${ts};${other};${h1}`, `${h1};${ts}`, `${ts};${h1};h2=x`]) {
      expect(verify(header), header).to.deep.equal(ACCEPTED);
    }
    expect(verify(`${ts};${other}`)).to.deep.equal(refused("bad_signature"));
    expect(verify(`${ts};${h1.replace("h1", "h2")}`)).to.deep.equal(refused("no_expected_scheme"));
    for (const header of [h1, `${h1};ts=`, `ts=x;${h1}`, `${ts};${ts};${h1}`, `${ts},${h1}`]) {
      expect(verify(header), header).to.deep.equal(refused("malformed_header"));
    }
    expect(verify(`${ts}1;${h1}`)).to.deep.equal(refused("bad_signature"));
    expect(verify("")).to.deep.equal(refused("missing_header"));
  });

  it("reads an event", () => {
    expect(readOf(paddle(), BODY)).to.deep.equal({
      id: "evt_01hv8wptq8987qeep44cyrewp9",
      type: "transaction.completed",
      key: "evt_01hv8wptq8987qeep44cyrewp9",
      livemode: undefined,
      created: new Date("2026-04-12T10:18:49.621022Z"),
      account: undefined,
      data: EVENT["data"],
      event: EVENT,
    });
  });

  it("delivers an event once, whatever its notification", async () => {
    const to = new Deliveries(paddle(), SECRET);
    expect((await to.post(BODY)).outcome).to.equal("handled");
    expect((await to.post(JSON.stringify({ ...EVENT, notification_id: "ntf_2" }))).outcome).to.equal("duplicate");
    expect(to.events).to.deep.equal([EVENT]);
  });

  it("takes neither an API key nor an id for a secret", () => {
    const { bus } = new Deliveries(paddle(), SECRET);
    for (const [text, what] of [
      ["pdl_live_apikey_01gtgztp8fpchantd5g1wrksa3", "holds an API key"],
      ["pdl_sdbx_apikey_01gtgztp8fpchantd5g1wrksa3", "holds an API key"],
      ["ntfset_01gt21c5pdx9q1e4mh1xrsjjn6", "holds the id of a notification destination"],
    ] as const) {
      expect(() => {
        bus.signingSecrets = text;
      }).to.throw(ConfigurationError, what);
    }
    bus.signingSecrets = [SECRET, "x_pdl_live_apikey_", "x_ntfset_"];
  });
});
