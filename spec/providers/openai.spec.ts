import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { openai } from "../../src/openai.ts";
import { standardWebhooks } from "../../src/standard-webhooks.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, refused, requestOf, SECRET, verify } from "./standard.ts";

const provider = openai();
const EVENT = fixture("openai/response.completed.json");

describe("openai", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "openai", namespace: "openai_event", toleranceSeconds: 300 });
    expect(provider.summary).to.deep.equal({
      headers: ["webhook-signature"],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "{id}.{timestamp}.{body}",
      secrets: ["whsec_… (base64), or text, as it stands"],
    });
  });

  it("decodes a secret behind whsec_, and takes any other as text, unlike the standard", () => {
    const bare = SECRET.slice("whsec_".length);
    const standard = standardWebhooks();
    expect(verify(provider, delivery(standard, EVENT, { secret: SECRET })).verified).to.equal(true);
    const request = delivery(provider, EVENT, { secret: bare });
    expect(verify(provider, request, [bare]).verified).to.equal(true);
    expect(verify(provider, request, [SECRET])).to.deep.equal(refused("bad_signature"));
    expect(verify(standard, request, [bare])).to.deep.equal(refused("bad_signature"));
    const asBase64 = `whsec_${Buffer.from(bare).toString("base64")}`;
    expect(verify(standard, request, [asBase64]).verified).to.equal(true);
  });

  it("refuses an empty key, and an API key without repeating it", () => {
    const { bus } = busOf(provider);
    const set = (secret: string) => () => {
      bus.signingSecrets = secret;
    };
    expect(set("whsec_")).to.throw(ConfigurationError, "`signingSecrets` must be whsec_ and base64 text");
    expect(set("whsec_###")).to.throw(ConfigurationError, "`signingSecrets` must be whsec_ and base64 text");
    expect(set("sk-proj-abc")).to.throw(ConfigurationError, "`signingSecrets` holds an API key (sk-…)");
    expect(set("sk-proj-abc")).not.to.throw(ConfigurationError, "abc");
    set("my sk-text")();
  });

  it("knows no other headers", () => {
    const { headers } = delivery(provider, EVENT);
    const renamed = Object.entries(headers).map(([name, value]) => [name.replace("webhook", "svix"), value]);
    expect(verify(provider, requestOf(EVENT, Object.fromEntries(renamed)))).to.deep.equal(refused("missing_header"));
  });

  it("finds the delivery's id, not the body's", () => {
    expect(provider.read(EVENT, { request: delivery(provider, EVENT, { id: "wh_1" }) })).to.deep.equal({
      id: "wh_1",
      type: "response.completed",
      key: "wh_1",
      livemode: undefined,
      created: new Date(1_750_861_210_000),
      account: undefined,
      data: { id: "resp_123" },
      event: EVENT,
    });
    expect(provider.read(EVENT)).to.include({ id: "evt_685c059ae3a481909bdc86819b066fb6" });
  });

  it("runs the subscriber once for one id", async () => {
    const { bus, seen, contexts } = busOf(provider);
    expect(await bus.receive(delivery(provider, EVENT))).to.include({ status: 200, outcome: "handled" });
    expect((await bus.receive(delivery(provider, EVENT, { now: NOW + 1000 }))).outcome).to.equal("duplicate");
    expect(await bus.receive(delivery(provider, EVENT, { headers: { "webhook-id": "wh_2" } }))).to.include({
      status: 401,
    });
    expect(seen).to.deep.equal([EVENT]);
    expect(contexts[0]).to.include({ id: "msg_1", type: "response.completed", verifiedBy: "signature" });
  });
});
