import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { svix } from "../../src/providers/svix.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, PRIVATE_KEY, PUBLIC_KEY, refused, requestOf, SECRET, verify } from "./standard.ts";

const provider = svix();
const CONTACT = fixture("standard-webhooks/contact.created.json");

describe("svix", () => {
  it("says what it is", () => {
    const { name, namespace, toleranceSeconds, summary } = provider;
    expect({ name, namespace, toleranceSeconds }).to.deep.equal({
      name: "svix",
      namespace: "svix_event",
      toleranceSeconds: 300,
    });
    expect(summary?.headers).to.deep.equal(["svix-signature", "webhook-signature"]);
    expect(summary?.secrets).to.deep.equal(["whsec_… (base64)", "whpk_… (base64)"]);
  });

  it("signs under its own headers", () => {
    expect(provider.sign("{}", { secret: SECRET, now: NOW, id: "msg_1" })).to.have.all.keys(
      "svix-id",
      "svix-timestamp",
      "svix-signature",
    );
  });

  it("takes the standard's headers as well, and its own where both came", () => {
    const request = delivery(provider, CONTACT);
    const renamed = Object.entries(request.headers).map(([name, value]) => [name.replace("svix", "webhook"), value]);
    expect(verify(provider, { ...request, headers: Object.fromEntries(renamed) }).verified).to.equal(true);
    const strange = {
      ...request.headers,
      "webhook-id": "msg_2",
      "webhook-timestamp": "1",
      "webhook-signature": "v1,x",
    };
    expect(verify(provider, { ...request, headers: strange }).verified).to.equal(true);
    expect(provider.read(CONTACT, { request: { ...request, headers: strange } })).to.include({ id: "msg_1" });
    const fresh = { ...Object.fromEntries(renamed), "svix-id": "msg_2" };
    expect(verify(provider, { ...request, headers: fresh })).to.deep.equal(refused("bad_signature"));
  });

  it("takes ed25519 signatures under a public key", () => {
    const request = delivery(provider, CONTACT, { secret: PRIVATE_KEY });
    expect(verify(provider, request, [PUBLIC_KEY]).verified).to.equal(true);
    expect(verify(provider, request, [SECRET])).to.deep.equal(refused("no_expected_scheme"));
  });

  it("runs the subscriber once for one id", async () => {
    const { bus, seen, contexts } = busOf(provider);
    expect((await bus.receive(delivery(provider, CONTACT))).outcome).to.equal("handled");
    expect((await bus.receive(delivery(provider, CONTACT, { now: NOW - 1000 }))).outcome).to.equal("duplicate");
    expect(await bus.receive(requestOf(CONTACT, {}))).to.include({ status: 401 });
    expect(seen).to.deep.equal([CONTACT]);
    expect(contexts[0]).to.include({ bus: "svix", id: "msg_1", type: "contact.created" });
  });

  it("refuses the empty key", () => {
    const { bus } = busOf(provider);
    expect(() => {
      bus.signingSecrets = "whsec_";
    }).to.throw(ConfigurationError, "`signingSecrets` must be whsec_ and base64 text");
  });
});
