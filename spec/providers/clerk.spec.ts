import { expect } from "chai";
import { clerk } from "../../src/clerk.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, PUBLIC_KEY, refused, requestOf, verify } from "./standard.ts";

const provider = clerk();
const EVENT = fixture("clerk/user.created.json");

describe("clerk", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "clerk", namespace: "clerk_event", toleranceSeconds: 300 });
    expect(provider.summary).to.deep.equal({
      headers: ["svix-signature", "webhook-signature"],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "{id}.{timestamp}.{body}",
      secrets: ["whsec_… (base64)"],
    });
  });

  it("takes what it signs, and what Svix signs under the standard's headers", () => {
    const request = delivery(provider, EVENT);
    expect(Object.keys(request.headers).sort()).to.deep.equal(["svix-id", "svix-signature", "svix-timestamp"]);
    expect(verify(provider, request).verified).to.equal(true);
    const renamed = Object.entries(request.headers).map(([name, value]) => [name.replace("svix", "webhook"), value]);
    expect(verify(provider, requestOf(EVENT, Object.fromEntries(renamed))).verified).to.equal(true);
    expect(verify(provider, { ...request, body: Buffer.from("{}") })).to.deep.equal(refused("bad_signature"));
  });

  it("refuses secrets that are none", () => {
    const { bus } = busOf(provider);
    for (const secret of ["whsec_", "sk_live_abc", PUBLIC_KEY]) {
      expect(() => {
        bus.signingSecrets = secret;
      }, secret).to.throw(ConfigurationError, "`signingSecrets` must be whsec_ and base64 text");
    }
  });

  it("finds the signed id, the type, the time and the data", () => {
    expect(provider.read(EVENT, { request: delivery(provider, EVENT, { id: "msg_7" }) })).to.deep.equal({
      id: "msg_7",
      type: "user.created",
      key: "msg_7",
      livemode: undefined,
      created: new Date(1_716_883_200_123),
      account: "ins_2g7np7Hrk0SN6kj5EDMLDaKNL0U",
      data: EVENT["data"],
      event: EVENT,
    });
  });

  it("runs the subscriber once for one id", async () => {
    const { bus, seen, contexts } = busOf(provider);
    expect(await bus.receive(delivery(provider, EVENT))).to.include({ status: 200, outcome: "handled" });
    expect((await bus.receive(delivery(provider, EVENT, { now: NOW + 1000 }))).outcome).to.equal("duplicate");
    const fresh = delivery(provider, EVENT, { headers: { "svix-id": "msg_2" } });
    expect(await bus.receive(fresh)).to.include({ status: 401, outcome: "rejected" });
    expect(seen).to.deep.equal([EVENT]);
    expect(contexts[0]).to.include({ id: "msg_1", type: "user.created", verifiedBy: "signature" });
  });
});
