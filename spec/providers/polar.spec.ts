import { createHmac } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { polar } from "../../src/polar.ts";
import { standardWebhooks } from "../../src/standard-webhooks.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, refused, requestOf, SECRET, verify } from "./standard.ts";

const provider = polar();
const PAID = fixture("polar/order.paid.json");

describe("polar", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "polar", namespace: "polar_event", toleranceSeconds: 300 });
    expect(provider.summary).to.deep.equal({
      headers: ["webhook-signature"],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "{id}.{timestamp}.{body}",
      secrets: ["text, as it stands"],
    });
  });

  it("takes the whole text of the secret for the key, prefix and all", () => {
    for (const secret of ["polar_whs_abc", SECRET, "a text with spaces", "MfKQ9r8GKYqr", "ключ"]) {
      const digest = createHmac("sha256", Buffer.from(secret, "utf8")).update(`msg_1.${NOW / 1000}.{}`);
      const request = requestOf("{}", {
        "webhook-id": "msg_1",
        "webhook-timestamp": String(NOW / 1000),
        "webhook-signature": `v1,${digest.digest("base64")}`,
      });
      expect(verify(provider, request, [secret]).verified, secret).to.equal(true);
      expect(delivery(provider, "{}", { secret }).headers).to.deep.equal(request.headers);
    }
  });

  it("verifies as its SDK does, which hands the base64 of the secret to the standard's library", () => {
    const request = delivery(provider, PAID, { secret: SECRET });
    const standard = standardWebhooks();
    expect(verify(standard, request, [Buffer.from(SECRET).toString("base64")]).verified).to.equal(true);
    expect(verify(standard, request, [SECRET])).to.deep.equal(refused("bad_signature"));
    expect(verify(provider, delivery(standard, PAID), [SECRET])).to.deep.equal(refused("bad_signature"));
  });

  it("refuses an empty secret, and an access token without repeating it", () => {
    const { bus } = busOf(provider);
    const set = (secret: string) => () => {
      bus.signingSecrets = secret;
    };
    expect(set("")).to.throw(ConfigurationError, "`signingSecrets` is empty");
    for (const token of ["polar_oat_abc", "polar_pat_abc"]) {
      expect(set(token), token).to.throw(ConfigurationError, "`signingSecrets` holds an access token");
      expect(set(token), token).not.to.throw(ConfigurationError, "abc");
    }
    set("polar_whs_abc")();
    set("my_polar_oat_")();
  });

  it("finds the signed id, the type, the time and the data", () => {
    expect(provider.read(PAID, { request: delivery(provider, PAID) })).to.deep.equal({
      id: "msg_1",
      type: "order.paid",
      key: "msg_1",
      livemode: undefined,
      created: new Date("2026-03-15T10:30:00Z"),
      account: undefined,
      data: PAID["data"],
      event: PAID,
    });
  });

  it("runs the subscriber once for one id", async () => {
    const { bus, seen } = busOf(provider, "polar_whs_abc");
    const secret = "polar_whs_abc";
    expect(await bus.receive(delivery(provider, PAID, { secret }))).to.include({ status: 200, outcome: "handled" });
    const again = delivery(provider, PAID, { secret, now: NOW + 1000 });
    expect((await bus.receive(again)).outcome).to.equal("duplicate");
    expect(await bus.receive(delivery(provider, PAID))).to.include({ status: 401 });
    expect(seen).to.deep.equal([PAID]);
  });
});
