import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { type HmacOptions, hmac } from "../../src/hmac.ts";
import type { Provider, Verification } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf, requestOf } from "./deliver.ts";
import { atOnce } from "./only.ts";

const BODY = '{"id":"evt_1","type":"order.paid","data":1}';
const acme = (more: Partial<HmacOptions> = {}): Provider => hmac({ name: "acme", header: "X-Acme-Signature", ...more });

function verify(provider: Provider, secret: string, body: Uint8Array, headers: object, now = 0): Verification {
  const form = provider.secrets.signingSecrets ?? expect.fail("an HMAC has signing secrets");
  const keys = [{ label: "it", scheme: form.scheme, key: form.parse(secret) }];
  const request = { ...requestOf(body, headers as Record<string, string>), url: "/hooks?a=1" };
  return atOnce(provider.verify(request, { keys, now, toleranceSeconds: provider.toleranceSeconds }));
}

providerContract(() => acme(), [{ name: "the defaults", secret: "one", otherSecret: "two", body: BODY }]);
providerContract(
  () =>
    acme({
      algorithm: "sha512",
      encoding: "base64",
      keyEncoding: "hex",
      content: "{id}.{timestamp}.{method}.{url}.{body}",
      id: "X-Acme-Id",
      timestamp: { item: "t", unit: "ms" },
      list: { separator: ",", assign: "=", tag: "v1" },
    }),
  [{ name: "every option", secret: "0a0b", otherSecret: "0c", body: BODY, id: "msg_1", url: "/hooks?a=1" }],
);

describe("hmac", () => {
  it("needs a name and a header", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, secrets, summary } = acme();
    expect({ name, namespace, delimiter, methods, toleranceSeconds, summary }).to.deep.equal({
      name: "acme",
      namespace: "acme_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 0,
      summary: {
        headers: ["X-Acme-Signature"],
        algorithms: ["HMAC-SHA-256, hex"],
        content: "{body}",
        secrets: ["text, as it stands"],
      },
    });
    expect(Object.keys(secrets)).to.deep.equal(["signingSecrets"]);
    expect(readOf(acme(), BODY)).to.include({ id: "evt_1", type: "order.paid", key: "evt_1" });
  });

  it("takes a description of the event, a delimiter and answers of its own", async () => {
    const success = { status: 202, headers: {}, body: "[ok]" };
    const handshakes = { beforeVerification: () => success };
    const provider = acme({ event: { id: "n.id", type: "n.type", data: "n" }, delimiter: ":", success, handshakes });
    expect(provider).to.include({ delimiter: ":", success, handshakes });
    expect(readOf(provider, '{"n":{"id":"1","type":"a:b"}}')).to.include({ id: "1", type: "a:b" });
    const to = new Deliveries(acme({ success }), "secret");
    expect(await to.post(BODY)).to.include({ status: 202, body: "[ok]" });
  });

  it("tolerates as much as it is told", () => {
    const provider = acme({
      content: "{timestamp}{body}",
      timestamp: { header: "x-acme-timestamp", toleranceSeconds: 10 },
    });
    const body = Buffer.from(BODY);
    const headers = provider.sign(body, { secret: "one", now: 100_000 });
    expect(headers).to.have.all.keys("x-acme-timestamp", "X-Acme-Signature");
    expect(verify(provider, "one", body, headers, 110_000).verified).to.equal(true);
    expect(verify(provider, "one", body, headers, 111_000)).to.have.property("reason", "timestamp_too_old");
    expect(verify(provider, "one", body, headers, 89_000)).to.have.property("reason", "timestamp_in_future");
  });

  it("says what is wrong with its options", () => {
    for (const [more, message] of [
      [{ name: "Acme" }, "`name` must be"],
      [{ name: "" }, "`name` must be"],
      [{ name: "a_b" }, "`name` must be"],
      [{ name: "-a" }, "`name` must be"],
      [{ name: undefined as never }, "`name` must be"],
      [{ header: "" }, "`header` must be"],
      [{ header: [] }, "`header` must be"],
      [{ header: ["x", "a b"] }, "`header` must be"],
      [{ header: 5 as never }, "`header` must be"],
      [{ algorithm: "md5" as never }, "`algorithm` must be one of sha1, sha256, sha384, sha512"],
      [{ encoding: "utf8" as never }, "`encoding` must be one of hex, base64, base64url"],
      [{ keyEncoding: "raw" as never }, "`keyEncoding` must be one of utf8, hex, base64"],
      [{ keyEncoding: "constructor" as never }, "`keyEncoding` must be one of"],
      [{ prefix: "v1=", list: { separator: ",", assign: "=", tag: "v1" } }, "`prefix` and `list`"],
      [{ timestamp: {}, content: "{timestamp}{body}" }, "`timestamp` must name"],
      [{ timestamp: { header: "a", item: "t" }, content: "{timestamp}{body}" }, "`timestamp` must name"],
      [{ timestamp: { item: "t" }, content: "{timestamp}{body}" }, "`timestamp.item` is an item of a `list`"],
      [{ content: "{url}" }, "`content` must hold {body}"],
      [{ content: "{timestamp}.{body}" }, "`timestamp` is missing: `content` holds {timestamp}"],
      [{ content: "{id}.{body}" }, "`id` is missing: `content` holds {id}"],
      [{ timestamp: { header: "x-time" } }, "`timestamp` means nothing: `content` lacks {timestamp}"],
      [{ id: "x-id" }, "`id` means nothing: `content` lacks {id}"],
    ] as const) {
      expect(() => acme(more), message).to.throw(ConfigurationError, message);
    }
    expect(() => acme({ content: "{body}{query}" })).to.throw(ConfigurationError, "{query}");
  });

  it("takes no option that it does not know: a slip of the pen must not go unnoticed", () => {
    const content = "{timestamp}{body}";
    for (const [more, message] of [
      [{ prefx: "v1=" }, "`prefx` is no option: there are name, header, algorithm, encoding, prefix, content, "],
      [{ keyencoding: "hex" }, "`keyencoding` is no option"],
      [{ secret: "s" }, "`secret` is no option"],
      [
        { content, timestamp: { header: "x-t", tolerance: 10 } },
        "`timestamp.tolerance` is no option: there are header, item, unit, toleranceSeconds, first",
      ],
      [
        { list: { separator: ",", assign: "=", tag: "v1", tags: 1 } },
        "`list.tags` is no option: there are separator, assign, tag",
      ],
      [{ event: { id: "id", type: "type", create: "at" } }, "`event.create` is no option: there are form, id, type, "],
      [{ event: { id: "id" } }, "`event.type` is missing: it says where an event has its type"],
      [{ event: { type: "type" } }, "`event.id` is missing: it says where an event has its id"],
      [{ event: {} }, "`event.id` is missing"],
    ] as const) {
      expect(() => acme(more as never), message).to.throw(ConfigurationError, message);
    }
    expect(() => acme({ prefix: undefined as never, event: undefined as never })).not.to.throw();
  });

  it("says what to do with an id that is a number", () => {
    const body = '{"id":5,"type":"a.b","meta":{"id":6}}';
    const say = (path: string) => `the \`id\` is a number: use a function, (event) => String(event.${path})`;
    expect(() => readOf(acme(), body)).to.throw(PayloadError, say("id"));
    expect(() => readOf(acme({ event: { id: "meta.id", type: "type" } }), body)).to.throw(PayloadError, say("meta.id"));
    const told = acme({ event: { id: (event) => String(event["id"]), type: "type" } });
    expect(readOf(told, body)).to.include({ id: "5", key: "5" });
  });

  it("signs what a function puts together", () => {
    const provider = acme({ content: ({ request }) => ["salt:", request.body] });
    const headers = provider.sign(BODY, { secret: "one" });
    expect(headers).to.deep.equal(acme({ content: "salt:{body}" }).sign(BODY, { secret: "one" }));
    expect(verify(provider, "one", Buffer.from(BODY), headers).verified).to.equal(true);
  });

  it("verifies what it signs, whatever the options", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
    const options = fc
      .record({
        algorithm: fc.constantFrom("sha1", "sha256", "sha384", "sha512"),
        encoding: fc.constantFrom("hex", "base64", "base64url"),
        keyEncoding: fc.constantFrom("utf8", "hex", "base64"),
        prefix: fc.constantFrom("", "sha256=", "v0=", "HMAC "),
        separator: fc.constantFrom(",", ";", " "),
        assign: fc.constantFrom("=", ","),
        tag: fc.constantFrom("v1", "h1", "s"),
        listed: fc.boolean(),
        stamped: fc.constantFrom("header", "item", "none"),
        unit: fc.constantFrom("s", "ms"),
        withId: fc.boolean(),
        glue: fc.constantFrom("", ".", ":", "|", "v0:"),
        withUrl: fc.boolean(),
        header: word,
      })
      .filter(({ separator, assign }) => separator !== assign)
      .map((some): HmacOptions => {
        const { algorithm, encoding, keyEncoding, prefix, separator, assign, tag, listed, unit, withId, glue } = some;
        const stamped = some.stamped === "item" && !listed ? "header" : some.stamped;
        const fields = [
          withId && "{id}",
          stamped !== "none" && "{timestamp}",
          some.withUrl && "{method}{url}",
          "{body}",
        ];
        return {
          name: "acme",
          header: `x-sig-${some.header}`,
          algorithm,
          encoding,
          keyEncoding,
          content: fields.filter(Boolean).join(glue),
          ...(listed ? { list: { separator, assign, tag } } : { prefix }),
          ...(withId ? { id: "x-id" } : {}),
          ...(stamped === "none"
            ? {}
            : { timestamp: stamped === "item" ? { item: "t", unit } : { header: "x-t", unit } }),
        } as HmacOptions;
      });
    // A key of zero bytes alone is refused: it is the empty key to an HMAC.
    const secrets = fc.uint8Array({ minLength: 1, maxLength: 64 }).filter((bytes) => bytes.some((byte) => byte !== 0));
    const times = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(options, secrets, fc.uint8Array(), times, fc.nat(), (some, bytes, body, now, at) => {
        const encoding = some.keyEncoding === "base64" ? "base64" : "hex";
        const secret = Buffer.from(bytes).toString(encoding);
        const provider = hmac(some);
        const headers = provider.sign(body, { secret, now, id: "msg_7", url: "/hooks?a=1" });
        expect(verify(provider, secret, body, headers, now)).to.deep.equal({ verified: true, matchedSecret: "it" });
        const other = Buffer.concat([body, Buffer.from([at & 0xff])]);
        expect(verify(provider, secret, other, headers, now)).to.deep.equal({
          verified: false,
          reason: "bad_signature",
        });
        // Not a zero: an HMAC pads its key with those.
        const longer = Buffer.from([...bytes, 0xff]).toString(encoding);
        expect(verify(provider, longer, body, headers, now)).to.deep.equal({
          verified: false,
          reason: "bad_signature",
        });
      }),
    );
  });

  describe("the published vectors", () => {
    interface Row {
      readonly provider: string;
      readonly name: string;
      readonly scheme: string;
      readonly secret: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly valid: boolean;
      readonly reason?: string;
    }
    const file = new URL("../../fixtures/vectors/vectors.json", import.meta.url);
    const rows = (JSON.parse(readFileSync(file, "utf8")) as Row[]).filter(
      ({ provider }) => provider === "generic-hmac",
    );

    it("are nine", () => {
      expect(rows).to.have.length(9);
    });

    for (const { name, scheme, secret, headers, body, valid, reason } of rows) {
      it(name, () => {
        const [algorithm, encoding, prefix] = scheme.split(":");
        const provider = acme({
          header: "x-signature",
          algorithm: algorithm as "sha256",
          encoding: encoding as "hex",
          ...(prefix === undefined ? {} : { prefix }),
        });
        const expected = valid ? { verified: true, matchedSecret: "it" } : { verified: false, reason };
        expect(verify(provider, secret, Buffer.from(body), headers)).to.deep.equal(expected);
        if (valid) expect(provider.sign(body, { secret })).to.deep.equal(headers);
      });
    }
  });
});
