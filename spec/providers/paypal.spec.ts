import { createPrivateKey, createPublicKey } from "node:crypto";
import type { RequestListener } from "node:http";
import { crc32 } from "node:zlib";
import { expect } from "chai";
import { ConfigurationError, PayloadError, ProviderUnavailableError } from "../../src/errors.ts";
import { type PayPalOptions, paypal } from "../../src/providers/paypal.ts";
import { type CertificateFetch, isCertificateUrl } from "../../src/providers/paypal-certificates.ts";
import type { Provider, Verification } from "../../src/providers/provider.ts";
import { signRsaSha256 } from "../../src/providers/schemes/rsa.ts";
import { rejectionOf } from "../support/bus.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { keysOf, recordingBus, refusalOf, requestOf } from "./delivered.ts";
import { fixture } from "./fixture.ts";
import { BELOW_LEAF, ELLIPTIC, INTERMEDIATE, LEAF, LEAF_KEY, OTHER_NAME, ROOT } from "./paypal-chain.ts";

const WEBHOOK = "1JE4291016473214C";
const SECRET = `${WEBHOOK}:${LEAF_KEY}`;
const NOW = Date.parse("2027-01-01T12:00:00Z");
const CERTS = "https://api.paypal.com/v1/notifications/certs";
const BODY = JSON.stringify(fixture("paypal/PAYMENT.CAPTURE.COMPLETED.json"));
const CHAIN = `${LEAF}\n${INTERMEDIATE}\n`;

/** What PayPal's host answers to; each spec sets it. */
let answer: RequestListener = () => {};
let server: TestServer;
/** The paths that were asked for. */
let asked: string[] = [];

/** Leads PayPal's URLs to the stand-in, over a real socket. */
const standIn: CertificateFetch = (url, init) => fetch(url.replace("https://api.paypal.com", server.url), init);

const text =
  (body: string, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "text/plain" }).end(body);
  };

const make = (options: PayPalOptions = {}): Provider =>
  paypal({ fetch: standIn, trustedCertificates: [ROOT], ...options });
const signed = (id = "t-1", url = `${CERTS}/CERT-1`, body = BODY, now = NOW): Record<string, string> =>
  paypal().sign(body, { secret: SECRET, now, id, headers: { "paypal-cert-url": url } });

interface Attempt {
  readonly headers?: Record<string, unknown>;
  readonly body?: string;
  readonly now?: number;
  readonly tolerance?: number;
  readonly secrets?: readonly string[];
}

async function verify(provider: Provider, attempt: Attempt = {}): Promise<Verification> {
  const headers = { ...signed(), ...attempt.headers } as Record<string, string>;
  return await provider.verify(requestOf({ headers, body: attempt.body ?? BODY }), {
    keys: keysOf(provider, ...(attempt.secrets ?? [WEBHOOK])),
    now: attempt.now ?? NOW,
    toleranceSeconds: attempt.tolerance ?? provider.toleranceSeconds,
  });
}

const accepted = (label = "key 0"): Verification => ({ verified: true, matchedSecret: label });
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("paypal", () => {
  before(async () => {
    server = await startServer((request, response) => {
      asked.push(request.url ?? "");
      answer(request, response);
    });
  });

  after(() => server.close());

  beforeEach(() => {
    asked = [];
    answer = text(CHAIN);
  });

  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, success, summary } = paypal();
    expect({ name, namespace, delimiter, methods, toleranceSeconds, success, summary }).to.deep.equal({
      name: "paypal",
      namespace: "paypal_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: Number.POSITIVE_INFINITY,
      success: undefined,
      summary: {
        headers: ["paypal-transmission-sig"],
        algorithms: ["RSA with SHA-256 (PKCS #1 v1.5), base64"],
        content: "{id}|{timestamp}|{webhook id}|{CRC-32 of the body}",
        secrets: ["webhook id"],
      },
    });
  });

  it("takes the webhook's id for a secret, and no client id", () => {
    const provider = paypal();
    for (const good of [WEBHOOK, "0".repeat(17)]) expect(refusalOf(provider, good)).to.equal(undefined);
    expect(refusalOf(provider, "A".repeat(80))).to.contain("`signingSecrets` holds a client id or secret");
    for (const odd of ["WH-1", WEBHOOK.slice(1), `${WEBHOOK}1`]) {
      expect(refusalOf(provider, odd), odd).to.equal(
        "`signingSecrets` is no webhook id: what is needed is the webhook's id, of 17 characters",
      );
    }
    for (const odd of ["-", "|", " "].map((character) => WEBHOOK.replace("9", character))) {
      expect(refusalOf(provider, odd), odd).to.contain("`signingSecrets` must be the webhook's id, letters and digits");
    }
  });

  it("refuses a trusted certificate that is none", () => {
    expect(() => paypal({ trustedCertificates: [ROOT, "x"] })).to.throw(
      ConfigurationError,
      "`trustedCertificates[1]` must be a certificate in PEM form",
    );
  });

  describe("verify", () => {
    it("takes a genuine delivery, for any of the webhook ids", async () => {
      expect(await verify(make())).to.deep.equal(accepted());
      expect(asked).to.deep.equal(["/v1/notifications/certs/CERT-1"]);
      expect(await verify(make(), { secrets: ["OTHER", WEBHOOK, WEBHOOK] })).to.deep.equal(accepted("key 1"));
      const upper = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), value]));
      const provider = make();
      const request = requestOf({ headers: upper, body: BODY });
      const options = { keys: keysOf(provider, WEBHOOK), now: NOW, toleranceSeconds: 300 };
      expect(await provider.verify(request, options)).to.deep.equal(accepted());
    });

    it("signs the CRC-32 of the body as an unsigned decimal", async () => {
      // A checksum above 2^31, which other languages print as a negative number.
      const body = Array.from({ length: 99 }, (_, n) => `{"n":${n}}`).find((each) => crc32(each) > 2 ** 31) ?? "";
      expect(body).not.to.equal("");
      const time = new Date(NOW).toISOString();
      const content = `t-1|${time}|${WEBHOOK}|${crc32(body)}`;
      const signature = signRsaSha256(createPrivateKey(LEAF_KEY), Buffer.from(content)).toString("base64");
      expect(signed("t-1", `${CERTS}/CERT-1`, body)["paypal-transmission-sig"]).to.equal(signature);
      expect(await verify(make(), { body, headers: { "paypal-transmission-sig": signature } })).to.deep.equal(
        accepted(),
      );
    });

    it("refuses another endpoint's delivery, another body, another id and another time", async () => {
      const provider = make();
      const bad = refused("bad_signature");
      expect(await verify(provider, { secrets: ["OTHER"] })).to.deep.equal(bad);
      expect(await verify(provider, { secrets: [] })).to.deep.equal(bad);
      expect(await verify(provider, { body: `${BODY} ` })).to.deep.equal(bad);
      expect(await verify(provider, { headers: { "paypal-transmission-id": "t-2" } })).to.deep.equal(bad);
      const time = "2027-01-01T12:00:00Z";
      expect(await verify(provider, { headers: { "paypal-transmission-time": time } })).to.deep.equal(bad);
    });

    it("refuses headers that are missing or garbled, and asks nobody for a certificate", async () => {
      const provider = make();
      const names = Object.keys(signed());
      expect(names).to.have.length(5);
      for (const name of names) {
        for (const odd of [undefined, "", " "]) {
          expect(await verify(provider, { headers: { [name]: odd } }), name).to.deep.equal(refused("missing_header"));
        }
      }
      for (const algorithm of ["SHA1withRSA", "sha256withrsa", "none"]) {
        expect(await verify(provider, { headers: { "paypal-auth-algo": algorithm } })).to.deep.equal(
          refused("no_expected_scheme"),
        );
      }
      const odd: Record<string, string[]> = {
        "paypal-transmission-time": ["x", "1700000000", "2027-01-01", "2027-13-01T00:00:00Z", "2027-01-01T00:00:00"],
        "paypal-transmission-id": ["a|b", "a b", "é", "x".repeat(129)],
        "paypal-transmission-sig": ["*", "YR==", "x".repeat(2733), "A".repeat(2736)],
        "paypal-cert-url": ["x", `${CERTS}/`, "https://evil.example/v1/notifications/certs/CERT-1"],
      };
      for (const [name, values] of Object.entries(odd)) {
        for (const value of values) {
          expect(await verify(provider, { headers: { [name]: value } }), value).to.deep.equal(
            refused("malformed_header"),
          );
        }
      }
      expect(asked).to.deep.equal([]);
    });

    it("refuses a signature that is too short", async () => {
      expect(await verify(make(), { headers: { "paypal-transmission-sig": "AAAA" } })).to.deep.equal(
        refused("bad_signature"),
      );
    });

    it("has a tolerance only where one is set", async () => {
      const provider = make();
      expect(await verify(provider, { now: NOW + 3 * 86_400_000 })).to.deep.equal(accepted());
      expect(await verify(provider, { now: NOW + 300_000, tolerance: 300 })).to.deep.equal(accepted());
      expect(await verify(provider, { now: NOW + 301_000, tolerance: 300 })).to.deep.equal(
        refused("timestamp_too_old"),
      );
      expect(await verify(provider, { now: NOW - 301_000, tolerance: 300 })).to.deep.equal(
        refused("timestamp_in_future"),
      );
      const time = "2027-01-01T13:00:00+01:00";
      const content = `t-1|${time}|${WEBHOOK}|${crc32(BODY)}`;
      const signature = signRsaSha256(createPrivateKey(LEAF_KEY), Buffer.from(content)).toString("base64");
      const headers = { "paypal-transmission-time": time, "paypal-transmission-sig": signature };
      expect(await verify(provider, { headers, tolerance: 1 })).to.deep.equal(accepted());
    });
  });

  describe("the certificate's URL", () => {
    it("is PayPal's, and nothing near it", () => {
      for (const host of ["api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"]) {
        expect(
          isCertificateUrl(`https://${host}/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270`),
          host,
        ).to.equal(true);
      }
      const path = "/v1/notifications/certs/CERT-1";
      const odd = [
        "",
        "CERT-1",
        `http://api.paypal.com${path}`,
        `ftp://api.paypal.com${path}`,
        `https://paypal.com${path}`,
        `https://evil.paypal.com${path}`,
        `https://api.paypal.com.evil.example${path}`,
        `https://evilapi.paypal.com${path}`,
        `https://api.paypal.com@evil.example${path}`,
        `https://u:p@api.paypal.com${path}`,
        `https://api.paypal.com:8443${path}`,
        `https://api.paypal.com:443${path}`,
        `https://api.paypal.com.${path}`,
        `https://API.paypal.com${path}`,
        `https:\\\\api.paypal.com${path}`,
        ` https://api.paypal.com${path}`,
        `https://api.paypal.com${path}?a`,
        `https://api.paypal.com${path}#a`,
        `https://api.paypal.com${path}/a`,
        `https://api.paypal.com/a/..${path}`,
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/notifications/certs/..",
        "https://api.paypal.com/v1/oauth2/token",
        `https://api.paypal.com/x${path}`,
        `https://api.paypal.com/v1/notifications/certs/${"x".repeat(129)}`,
        `https://127.0.0.1${path}`,
        `file://api.paypal.com${path}`,
      ];
      for (const url of odd) expect(isCertificateUrl(url), url).to.equal(false);
    });
  });

  describe("the certificate", () => {
    const verdict = async (pem: string, options: PayPalOptions = {}, now = NOW): Promise<unknown> => {
      answer = text(pem);
      return await verify(make(options), { now });
    };
    const bad = refused("bad_signature");

    it("leads to a trusted one, over those that come with it", async () => {
      expect(await verdict(`${LEAF}\n${INTERMEDIATE}\n${ROOT}`)).to.deep.equal(accepted());
      expect(await verdict(`${LEAF}\n${ROOT}\n${INTERMEDIATE}`)).to.deep.equal(accepted());
      expect(await verdict(LEAF)).to.deep.equal(bad);
      expect(await verdict(LEAF, { trustedCertificates: [INTERMEDIATE] })).to.deep.equal(accepted());
      expect(await verdict(CHAIN, { trustedCertificates: [] })).to.deep.equal(bad);
      // Node's own roots know nothing of the specs' one.
      expect(await verdict(`${CHAIN}${ROOT}`, { trustedCertificates: undefined })).to.deep.equal(bad);
    });

    it("does not lead over one that may not sign others", async () => {
      expect(await verdict(`${BELOW_LEAF}\n${LEAF}\n${INTERMEDIATE}`)).to.deep.equal(bad);
      expect(await verdict(BELOW_LEAF, { trustedCertificates: [LEAF] })).to.deep.equal(bad);
    });

    it("need not lead anywhere with `verifyChain: false`", async () => {
      expect(await verdict(LEAF, { verifyChain: false, trustedCertificates: undefined })).to.deep.equal(accepted());
    });

    it("is PayPal's by its name, and holds an RSA key", async () => {
      for (const options of [{}, { verifyChain: false }]) {
        expect(await verdict(`${OTHER_NAME}\n${INTERMEDIATE}`, options)).to.deep.equal(bad);
        expect(await verdict(`${ELLIPTIC}\n${INTERMEDIATE}`, options)).to.deep.equal(bad);
        expect(await verdict(ROOT, options)).to.deep.equal(bad);
      }
    });

    it("is good today, chain or not", async () => {
      for (const options of [{}, { verifyChain: false }]) {
        expect(await verdict(CHAIN, options, Date.parse("2026-11-22T13:00:00Z"))).to.deep.equal(bad);
        expect(await verdict(CHAIN, options, Date.parse("2126-07-22T00:00:00Z"))).to.deep.equal(bad);
        expect(await verdict(CHAIN, options, Date.parse("2126-07-21T00:00:00Z"))).to.deep.equal(accepted());
      }
    });

    it("is a certificate", async () => {
      const garbled = LEAF.replace(/^MII/m, "AAA");
      for (const odd of ["", "x", garbled, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]) {
        expect(await verdict(odd), odd).to.deep.equal(bad);
      }
    });
  });

  describe("fetching the certificate", () => {
    const refusal = async (options: PayPalOptions = {}): Promise<ProviderUnavailableError> => {
      const error = await rejectionOf(verify(make(options)));
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      return error as ProviderUnavailableError;
    };

    it("is done once as long as the certificate is good, and once for those who wait together", async () => {
      const provider = make();
      const both = await Promise.all([verify(provider), verify(provider)]);
      expect(both).to.deep.equal([accepted(), accepted()]);
      await verify(provider, { now: NOW + 86_400_000 });
      expect(asked).to.have.length(1);
      expect(await verify(provider, { now: Date.parse("2126-07-22T00:00:00Z") })).to.deep.equal(
        refused("bad_signature"),
      );
      expect(asked).to.have.length(2);
      await verify(provider, { headers: signed("t-1", `${CERTS}/CERT-2`) });
      expect(asked).to.have.length(3);
      expect(await verify(make())).to.deep.equal(accepted());
      expect(asked).to.have.length(4);
    });

    it("remembers sixteen certificates, and forgets the one that was not used for longest", async () => {
      const provider = make();
      const use = (n: number): Promise<unknown> => verify(provider, { headers: signed("t-1", `${CERTS}/CERT-${n}`) });
      for (let n = 0; n < 16; n++) await use(n);
      await use(0);
      expect(asked).to.have.length(16);
      await use(16);
      await use(0);
      expect(asked).to.have.length(17);
      await use(1);
      expect(asked).to.have.length(18);
    });

    it("rejects where PayPal fails, and tries again with the next delivery", async () => {
      const provider = make();
      for (const status of [500, 503, 429, 401, 403, 201]) {
        answer = text("", status);
        const error = await rejectionOf(verify(provider));
        expect(error, `${status}`).to.be.instanceOf(ProviderUnavailableError);
        expect((error as Error).message).to.equal("PayPal's certificate could not be fetched");
        expect(((error as Error).cause as Error).message).to.equal(`it answered ${status}`);
      }
      answer = text(CHAIN);
      expect(await verify(provider)).to.deep.equal(accepted());
    });

    it("refuses a delivery under a certificate that PayPal does not have", async () => {
      answer = text("", 404);
      expect(await verify(make())).to.deep.equal(refused("bad_signature"));
    });

    it("follows no redirect", async () => {
      answer = (request, response) => {
        if (request.url === "/elsewhere") response.end(CHAIN);
        else response.writeHead(302, { location: "/elsewhere" }).end();
      };
      await refusal();
      expect(asked).to.deep.equal(["/v1/notifications/certs/CERT-1"]);
      // Nor where the fetch that was given does.
      const error = await refusal({ fetch: (url, init) => standIn(url, { ...init, redirect: "follow" as "error" }) });
      expect((error.cause as Error).message).to.equal("it redirected");
    });

    it("takes 64 KiB and no more", async () => {
      const padded = (length: number): string => CHAIN.padEnd(length, "\n");
      answer = text(padded(65_536));
      expect(await verify(make())).to.deep.equal(accepted());
      answer = text(padded(65_537));
      expect(((await refusal()).cause as Error).message).to.equal("it is larger than 65536 bytes");
    });

    it("gives up after the timeout, before the answer and within it", async () => {
      answer = () => {};
      expect(((await refusal({ timeoutMs: 30 })).cause as Error).name).to.equal("TimeoutError");
      answer = (_request, response) => {
        response.write("-----BEGIN");
      };
      expect(((await refusal({ timeoutMs: 30 })).cause as Error).name).to.equal("TimeoutError");
    });

    it("rejects where nobody listens", async () => {
      await refusal({ fetch: () => Promise.reject(new TypeError("fetch failed")) });
      await refusal({
        fetch: () => {
          throw new TypeError("fetch failed");
        },
      });
    });

    it("asks for eight at a time, and those that are known do not wait", async () => {
      const provider = make();
      await verify(provider);
      const waiting: (() => void)[] = [];
      answer = (_request, response) => {
        waiting.push(() => response.end(CHAIN));
      };
      const use = (n: number): Promise<Verification> =>
        verify(provider, { headers: signed("t-1", `${CERTS}/CERT-X${n}`) });
      const flights = Array.from({ length: 8 }, (_, n) => use(n));
      const error = await rejectionOf(use(8));
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      expect((error as Error).message).to.equal("too many certificates of PayPal are under way");
      expect(await verify(provider)).to.deep.equal(accepted());
      while (waiting.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
      for (const finish of waiting) finish();
      for (const each of await Promise.all(flights)) expect(each).to.deep.equal(accepted());
      answer = text(CHAIN);
      expect(await use(8)).to.deep.equal(accepted());
    });
  });

  describe("read", () => {
    const event = fixture("paypal/PAYMENT.CAPTURE.COMPLETED.json");

    it("finds what it knows of an event; the key is the transmission's id", () => {
      expect(paypal().read(event, { request: requestOf({ headers: signed("t-7") }) })).to.deep.equal({
        id: "WH-58D329510W468432D-8HN650336L201105X",
        type: "PAYMENT.CAPTURE.COMPLETED",
        key: "t-7",
        livemode: undefined,
        created: new Date("2026-11-20T09:14:03.012Z"),
        account: undefined,
        data: event["resource"],
        event,
        // A CRC-32 binds the body to nobody.
        unsigned: ["id", "type"],
      });
    });

    it("refuses what is no event", () => {
      for (const odd of [null, [], "x", {}, { ...event, id: 5 }, { ...event, event_type: "a b" }]) {
        expect(() => paypal().read(odd)).to.throw(PayloadError);
      }
    });
  });

  it("says what it needs to sign", () => {
    const sign = (secret: string): unknown => paypal().sign(BODY, { secret });
    expect(() => sign(WEBHOOK)).to.throw(ConfigurationError, "must be an RSA private key in PEM form");
    expect(() => sign(LEAF_KEY)).to.throw(ConfigurationError, "`secret` must be the webhook's id");
    const publicPem = createPublicKey(LEAF_KEY).export({ type: "spki", format: "pem" });
    expect(() => sign(`${WEBHOOK}:${publicPem}`)).to.throw(ConfigurationError, "holds a public key");
    expect(paypal().sign(BODY, { secret: SECRET, now: NOW })).to.include({
      "paypal-transmission-id": "00000000-0000-4000-8000-000000000001",
      "paypal-transmission-time": "2027-01-01T12:00:00.000Z",
      "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-1",
      "paypal-auth-algo": "SHA256withRSA",
    });
  });

  describe("on a bus", () => {
    const clock = (): number => NOW;

    it("runs a delivery once", async () => {
      const { deliver, seen } = recordingBus(make(), WEBHOOK, clock);
      const request = requestOf({ headers: signed(), body: BODY });
      expect(await deliver(request)).to.deep.equal({ status: 200, outcome: "handled", body: '{"received":true}' });
      expect((await deliver(request)).outcome).to.equal("duplicate");
      expect(seen).to.deep.equal([JSON.parse(BODY)]);
    });

    it("does not run it again with blanks around the transmission's id, which the signature leaves out", async () => {
      const { deliver, seen } = recordingBus(make(), WEBHOOK, clock);
      const headers = signed();
      await deliver(requestOf({ headers, body: BODY }));
      for (const id of [`${headers["paypal-transmission-id"]}\u00a0`, ` ${headers["paypal-transmission-id"]}`]) {
        const again = { ...headers, "paypal-transmission-id": id };
        expect((await deliver(requestOf({ headers: again, body: BODY }))).outcome).to.equal("duplicate");
      }
      expect(seen).to.have.length(1);
    });

    it("does not run another body that was given the same CRC-32", async () => {
      const { deliver, seen } = recordingBus(make(), WEBHOOK, clock);
      await deliver(requestOf({ headers: signed(), body: BODY }));
      const forged = withChecksum(
        JSON.stringify({ id: "WH-FORGED", event_type: "PAYMENT.CAPTURE.COMPLETED" }),
        crc32(BODY),
      );
      expect(JSON.parse(forged)["id"]).to.equal("WH-FORGED");
      const { outcome } = await deliver(requestOf({ headers: signed(), body: forged }));
      expect({ outcome, runs: seen.length }).to.deep.equal({ outcome: "duplicate", runs: 1 });
    });

    it("answers 503 where the certificate cannot be fetched, so that PayPal sends the event again", async () => {
      const { bus, deliver, seen } = recordingBus(make(), WEBHOOK, clock);
      answer = text("", 500);
      const request = requestOf({ headers: signed(), body: BODY });
      const { status, headers } = await bus.receive(request);
      expect({ status, retryAfter: headers["retry-after"] }).to.deep.equal({ status: 503, retryAfter: "5" });
      answer = text(CHAIN);
      expect((await deliver(request)).outcome).to.equal("handled");
      expect(seen).to.have.length(1);
    });

    it("answers 401 to what is not signed", async () => {
      const { deliver, seen } = recordingBus(make(), "OTHERWEBHOOK00000", clock);
      expect((await deliver(requestOf({ headers: signed(), body: BODY }))).status).to.equal(401);
      expect((await deliver(requestOf({ body: BODY }))).status).to.equal(401);
      expect(seen).to.deep.equal([]);
    });
  });
});

/**
 * A JSON object with spaces and tabs behind it, in number and order so that its CRC-32 is `wanted`: what anybody can do
 * to a body that only a checksum binds. CRC is linear, so that this is Gaussian elimination over 32 bits.
 */
function withChecksum(json: string, wanted: number): string {
  const length = 64;
  const spaces = Buffer.from(json + " ".repeat(length));
  const base = crc32(spaces);
  /** By its highest bit, what a set of swaps changes in the checksum. */
  const basis = new Map<number, { readonly change: number; readonly swaps: bigint }>();
  const reduce = (change: number, swaps: bigint): { change: number; swaps: bigint } => {
    let rest = { change: change >>> 0, swaps };
    for (let bit = 31; bit >= 0; bit--) {
      const row = basis.get(bit);
      if (row && (rest.change >>> bit) & 1) {
        rest = { change: (rest.change ^ row.change) >>> 0, swaps: rest.swaps ^ row.swaps };
      }
    }
    return rest;
  };
  for (let n = 0; n < length; n++) {
    const swapped = Buffer.from(spaces);
    swapped[json.length + n] = 0x09;
    const row = reduce(crc32(swapped) ^ base, 1n << BigInt(n));
    if (row.change !== 0) basis.set(31 - Math.clz32(row.change), row);
  }
  const { change, swaps } = reduce(wanted ^ base, 0n);
  expect(change).to.equal(0);
  for (let n = 0; n < length; n++) if ((swaps >> BigInt(n)) & 1n) spaces[Buffer.byteLength(json) + n] = 0x09;
  expect(crc32(spaces)).to.equal(wanted);
  return spaces.toString();
}
