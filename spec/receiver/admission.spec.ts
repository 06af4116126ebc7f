import { expect } from "chai";
import type { EndpointAuth } from "../../src/bus/endpoint-auth.ts";
import { plainEventBus } from "../support/bus.ts";
import { anEvent, bytes, Closing, idsOf, logOf, REFUSED, serve, signed, stepsOf, stripeBus } from "./harness.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("admission", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  describe("of a method other than POST", () => {
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      it(`answers ${method} with 405 and Allow`, async () => {
        const bus = stripeBus();
        const steps = stepsOf(bus);
        const ids = idsOf(bus);
        const wire = closing.add(await serve(bus));
        const event = anEvent();
        const { status, headers, body } = await wire.post(event, { method, headers: signed(event) });
        expect([status, headers["allow"], body]).to.deep.equal([405, "POST", method === "HEAD" ? "" : REFUSED]);
        expect(ids).to.deep.equal([]);
        expect(steps).to.have.length(1);
        expect(steps[0]).to.include({ name: "hookbus.receive", outcome: "rejected", status: 405, reason: "method" });
      });
    }

    it("names every method that the provider uses", async () => {
      const bus = plainEventBus({}, { methods: ["POST", "GET"] });
      bus.signingSecrets = "secret";
      const receipt = await bus.receive({ method: "PUT", url: "/", headers: {}, body: bytes("{}") });
      expect(receipt).to.deep.include({ status: 405, outcome: "rejected", body: REFUSED });
      expect(receipt.headers).to.deep.equal({ "content-type": "application/json", allow: "POST, GET" });
    });

    it("takes methods as they are written", async () => {
      const receipt = await stripeBus().receive({ method: "post", url: "/", headers: {}, body: bytes("{}") });
      expect(receipt.status).to.equal(405);
    });

    it("does not read the body", async () => {
      const unread = (): never => {
        throw new Error("read");
      };
      expect(await stripeBus().respond({ method: "GET", url: "/", headers: {} }, unread)).to.include({ status: 405 });
    });
  });

  const PASSWORD = "pässwörd: with a colon";
  const both: EndpointAuth = { basic: { username: "stripe", password: PASSWORD } };
  const anyName: EndpointAuth = { basic: { password: PASSWORD } };
  const bearer: EndpointAuth = { bearer: "abc.DEF-123~+/==" };
  const BASIC = 'Basic realm="webhooks", charset="UTF-8"';

  const rows: [title: string, auth: EndpointAuth, authorization: string | undefined, status: 200 | 401][] = [
    ["basic, username and password", both, `Basic ${base64(`stripe:${PASSWORD}`)}`, 200],
    ["basic, the scheme in other case", both, `bASIC ${base64(`stripe:${PASSWORD}`)}`, 200],
    ["basic, several spaces", both, `Basic   ${base64(`stripe:${PASSWORD}`)}  `, 200],
    ["basic, nothing", both, undefined, 401],
    ["basic, an empty field", both, "", 401],
    ["basic, the scheme alone", both, "Basic", 401],
    ["basic, another username", both, `Basic ${base64(`Stripe:${PASSWORD}`)}`, 401],
    ["basic, no username", both, `Basic ${base64(`:${PASSWORD}`)}`, 401],
    ["basic, another password", both, `Basic ${base64(`stripe:${PASSWORD}x`)}`, 401],
    ["basic, a password cut short", both, `Basic ${base64(`stripe:${PASSWORD.slice(0, -1)}`)}`, 401],
    ["basic, no colon", both, `Basic ${base64("stripe")}`, 401],
    ["basic, the pair in clear", both, `Basic stripe:${PASSWORD.slice(0, 2)}`, 401],
    ["basic, the right pair as another scheme", both, `Digest ${base64(`stripe:${PASSWORD}`)}`, 401],
    ["basic, something behind it", both, `Basic ${base64(`stripe:${PASSWORD}`)} x`, 401],
    ["basic, something before it", both, `x Basic ${base64(`stripe:${PASSWORD}`)}`, 401],
    ["basic, no space", both, `Basic${base64(`stripe:${PASSWORD}`)}`, 401],
    ["basic without a username, any", anyName, `Basic ${base64(`whoever:${PASSWORD}`)}`, 200],
    ["basic without a username, an empty one", anyName, `Basic ${base64(`:${PASSWORD}`)}`, 200],
    ["basic without a username, another password", anyName, `Basic ${base64("whoever:password")}`, 401],
    ["basic without a username, the password without a colon", anyName, `Basic ${base64("password")}`, 401],
    ["bearer", bearer, "Bearer abc.DEF-123~+/==", 200],
    ["bearer, the scheme in other case", bearer, "bEARER abc.DEF-123~+/==", 200],
    ["bearer, nothing", bearer, undefined, 401],
    ["bearer, the token alone", bearer, "abc.DEF-123~+/==", 401],
    ["bearer, the token in other case", bearer, "Bearer abc.def-123~+/==", 401],
    ["bearer, a token cut short", bearer, "Bearer abc.DEF-123~+/=", 401],
    ["bearer, the token as another scheme", bearer, "Basic abc.DEF-123~+/==", 401],
    ["bearer, 15 KB", bearer, `Bearer ${"a".repeat(15_000)}`, 401],
  ];
  for (const [title, auth, authorization, expected] of rows) {
    it(`answers ${expected}: ${title}`, async () => {
      const bus = stripeBus();
      bus.endpointAuth = auth;
      const ids = idsOf(bus);
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      const credentials = authorization === undefined ? {} : { authorization };
      const { status, headers, body } = await wire.post(event, { headers: { ...signed(event), ...credentials } });
      expect(status).to.equal(expected);
      if (expected === 200) {
        expect(ids).to.deep.equal([event.id]);
        expect(logOf(bus)).to.deep.equal([]);
        return;
      }
      expect(body).to.equal(REFUSED);
      expect(headers["www-authenticate"]).to.equal("bearer" in auth ? "Bearer" : BASIC);
      expect(ids).to.deep.equal([]);
      expect(logOf(bus)).to.deep.equal([
        {
          level: "warn",
          message: "hookbus: delivery refused: endpoint_auth",
          fields: {
            bus: "stripe",
            status: 401,
            reason: "endpoint_auth",
            hint: "the sender's URL or headers must carry the credentials of `endpointAuth`",
          },
        },
      ]);
    });
  }

  it("takes no password without a colon before it, where any username will do", async () => {
    const bus = stripeBus();
    bus.endpointAuth = { basic: { password: "token" } };
    const event = anEvent();
    const wire = closing.add(await serve(bus));
    const post = async (pair: string): Promise<number> =>
      (await wire.post(event, { headers: { ...signed(event), authorization: `Basic ${base64(pair)}` } })).status;
    expect(await post("token")).to.equal(401);
    expect(await post(":token")).to.equal(200);
  });

  it("asks for the signature all the same", async () => {
    const bus = stripeBus();
    bus.endpointAuth = bearer;
    const steps = stepsOf(bus, "hookbus.receive");
    const wire = closing.add(await serve(bus));
    const { status } = await wire.post(anEvent(), { headers: { authorization: "Bearer abc.DEF-123~+/==" } });
    expect(status).to.equal(401);
    expect(steps[0]).to.include({ reason: "missing_header" });
  });

  it("does not read the body of a sender without credentials", async () => {
    const bus = stripeBus();
    bus.endpointAuth = bearer;
    const unread = (): never => {
      throw new Error("read");
    };
    expect(await bus.respond({ method: "POST", url: "/", headers: {} }, unread)).to.include({ status: 401 });
  });
});
