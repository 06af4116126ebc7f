import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { adyen } from "../../src/providers/adyen.ts";
import { braintree } from "../../src/providers/braintree.ts";
import { clerk } from "../../src/providers/clerk.ts";
import { coinbaseCommerce } from "../../src/providers/coinbase-commerce.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { discord } from "../../src/providers/discord.ts";
import { github } from "../../src/providers/github.ts";
import { hmac } from "../../src/providers/hmac.ts";
import { hubspot } from "../../src/providers/hubspot.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import { lemonsqueezy } from "../../src/providers/lemonsqueezy.ts";
import { linear } from "../../src/providers/linear.ts";
import { mercadopago } from "../../src/providers/mercadopago.ts";
import { openai } from "../../src/providers/openai.ts";
import { paddle } from "../../src/providers/paddle.ts";
import { paypal } from "../../src/providers/paypal.ts";
import { polar } from "../../src/providers/polar.ts";
import type { Provider, SecretForm, SecretSetting } from "../../src/providers/provider.ts";
import { razorpay } from "../../src/providers/razorpay.ts";
import { resend } from "../../src/providers/resend.ts";
import { sendgrid } from "../../src/providers/sendgrid.ts";
import { shopify } from "../../src/providers/shopify.ts";
import { slack } from "../../src/providers/slack.ts";
import { square } from "../../src/providers/square.ts";
import { standardWebhooks } from "../../src/providers/standard-webhooks.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { svix } from "../../src/providers/svix.ts";
import { twilio } from "../../src/providers/twilio.ts";
import { zenkipay } from "../../src/providers/zenkipay.ts";
import { zoom } from "../../src/providers/zoom.ts";
import { exportedProviders } from "../providers/exported.ts";
import { OTHER } from "../providers/keys.ts";
import { LEAF_KEY } from "../providers/paypal-chain.ts";
import { Log } from "../support/bus.ts";

interface Row {
  /** The entry point that exports it. */
  readonly name: string;
  readonly make: () => unknown;
  readonly setting?: SecretSetting;
  /** A secret that is taken. */
  readonly good: string;
  /** Secrets that are refused, each with what is said of the shape that is expected. */
  readonly odd: Readonly<Record<string, string>>;
  /** What is said of it for a text that stands for nothing. */
  readonly shape?: string;
}

const TEXT = "text, as it stands";
const HEX_DIGITS = "64 hex digits";
const WHSEC = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const POINT = Buffer.alloc(32, 9);
const SPKI =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
const SHORT = "is too short to be a secret: it must be whsec_ and the base64 of 24 to 64 bytes";

/** What is no `whsec_` and base64, and what is one that could be guessed. */
const NO_WHSEC = {
  whsec_: "whsec_",
  "whsec_not base64": "whsec_",
  [`whsec_${Buffer.alloc(15, 7).toString("base64")}`]: SHORT,
};

const ROWS: readonly Row[] = [
  {
    name: "adyen",
    make: adyen,
    good: "ab".repeat(32),
    odd: { AQEyhmfxK: HEX_DIGITS, abcd: HEX_DIGITS, ["zz".repeat(32)]: HEX_DIGITS },
    shape: HEX_DIGITS,
  },
  {
    name: "adyen",
    make: () => adyen({ platform: true }),
    good: "ab".repeat(32),
    odd: { AQEyhmfxK: HEX_DIGITS, ["ab".repeat(31)]: HEX_DIGITS },
    shape: "hex digits",
  },
  {
    name: "braintree",
    make: braintree,
    good: "public:private",
    odd: {
      justOneKey: "publicKey:privateKey",
      "public:": "publicKey:privateKey",
      "https://example.com": "publicKey:privateKey",
      "a:b:c": "publicKey:privateKey",
    },
    shape: "publicKey:privateKey",
  },
  { name: "clerk", make: clerk, good: WHSEC, odd: NO_WHSEC, shape: "whsec_… (base64)" },
  { name: "coinbase-commerce", make: coinbaseCommerce, good: "secret", odd: {} },
  {
    name: "conekta",
    make: conekta,
    setting: "webhookKeys",
    good: OTHER.publicPem,
    odd: {
      [OTHER.privatePem]: "takes an RSA public key in PEM form; a private key belongs in `privateSignature`",
      key_eYvWV7gSDkNYXsmr: "must be an RSA public key in PEM form: -----BEGIN PUBLIC KEY-----",
      "-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----": "must be an RSA public key in PEM form",
    },
    shape: "PEM public key",
  },
  {
    name: "conekta",
    make: conekta,
    setting: "privateSignature",
    good: OTHER.privatePem,
    odd: {
      [OTHER.publicPem]: "takes an RSA private key in PEM form; a public key belongs in `webhookKeys`",
      key_eYvWV7gSDkNYXsmr: "must be an RSA private key in PEM form: -----BEGIN PRIVATE KEY-----",
    },
    shape: "PEM private key",
  },
  {
    name: "discord",
    make: discord,
    good: POINT.toString("hex"),
    odd: { [POINT.toString("base64")]: HEX_DIGITS, abcd: HEX_DIGITS, ["zz".repeat(32)]: HEX_DIGITS },
    shape: HEX_DIGITS,
  },
  {
    name: "github",
    make: github,
    good: "secret",
    odd: { ghp_16C7e42F292c6912E7: "typed in beside the webhook's URL", github_pat_11AA: "typed in beside" },
  },
  { name: "hmac", make: () => hmac({ name: "acme", header: "x-s" }), good: "secret", odd: {} },
  {
    name: "hmac",
    make: () => hmac({ name: "acme", header: "x-s", keyEncoding: "hex" }),
    good: "ab".repeat(32),
    odd: { abc: "must be hex digits", "0x00": "must be hex digits", "0000": "must be hex digits" },
    shape: "hex digits",
  },
  {
    name: "hmac",
    make: () => hmac({ name: "acme", header: "x-s", keyEncoding: "base64" }),
    good: Buffer.alloc(32, 7).toString("base64"),
    odd: { "not base64": "must be base64 text", "AAAA====": "must be base64 text", AAAA: "must be base64 text" },
    shape: "base64",
  },
  { name: "hubspot", make: hubspot, good: "secret", odd: {} },
  { name: "kopokopo", make: kopokopo, good: "secret", odd: {} },
  { name: "lemonsqueezy", make: lemonsqueezy, good: "secret", odd: { "eyJ0eXAi.eyJhdWQi.sig": "typed in beside" } },
  {
    name: "linear",
    make: linear,
    good: "lin_wh_secret",
    odd: { lin_api_secret: "begins with lin_wh_", lin_oauth_secret: "begins with lin_wh_" },
  },
  {
    name: "mercadopago",
    make: mercadopago,
    good: "secret",
    odd: { "APP_USR-123": "the signing secret stands with the webhook", "TEST-123": "stands with the webhook" },
  },
  {
    name: "openai",
    make: openai,
    good: WHSEC,
    odd: { ...NO_WHSEC, "sk-proj-secret": "begins with whsec_" },
    shape: "whsec_… (base64), or text, as it stands",
  },
  {
    name: "paddle",
    make: paddle,
    good: "pdl_ntfset_01_secret",
    odd: { pdl_live_apikey_01: "(pdl_ntfset_…)", ntfset_01: "(pdl_ntfset_…)" },
  },
  {
    name: "paypal",
    make: paypal,
    good: "1JE4291016473214C",
    odd: {
      "1JE4291016473214": "the webhook's id, of 17 characters",
      "1JE4291016473214CC": "the webhook's id, of 17 characters",
      [`A${"x".repeat(79)}`]: "the webhook's id, of 17 characters",
      [LEAF_KEY]: "the webhook's id, of 17 characters",
      "1JE429101-473214C": "letters and digits",
    },
    shape: "the webhook id",
  },
  {
    name: "polar",
    make: polar,
    good: "polar_whs_secret",
    odd: {
      polar_oat_secret: "set on the webhook endpoint's page",
      polar_pat_secret: "set on the webhook endpoint's page",
    },
  },
  {
    name: "razorpay",
    make: razorpay,
    good: "secret",
    odd: { rzp_test_secret: "typed in beside", rzp_live_secret: "typed in beside" },
  },
  { name: "resend", make: resend, good: WHSEC, odd: NO_WHSEC, shape: "whsec_… (base64)" },
  {
    name: "sendgrid",
    make: sendgrid,
    good: SPKI,
    odd: {
      "SG.secret": "the verification key stands with the Event Webhook's security features",
      AAAA: "must be the base64 of a public key",
    },
    shape: "base64 (SPKI)",
  },
  {
    name: "shopify",
    make: shopify,
    good: "shpss_secret",
    odd: { shpat_secret: "the app's client secret", shpca_secret: "the app's client secret" },
  },
  {
    name: "slack",
    make: slack,
    good: "secret",
    odd: { "xoxb-secret": "under Basic Information", "xapp-secret": "under Basic Information" },
  },
  {
    name: "square",
    make: square,
    good: "secret",
    odd: { EAAAsecret: "the signature key stands with the subscription", "sq0idp-secret": "the signature key" },
  },
  {
    name: "standard-webhooks",
    make: standardWebhooks,
    good: WHSEC,
    odd: { ...NO_WHSEC, whsk_AAAA: "whpk_ and the base64 of 32 bytes", whpk_AAAA: "whpk_ and the base64 of 32 bytes" },
    shape: "whsec_… (base64)",
  },
  {
    name: "stripe",
    make: stripe,
    good: "whsec_secret",
    odd: {
      whsec_: "is whsec_ and nothing behind it",
      sk_live_secret: "begins with whsec_",
      we_123: "begins with whsec_",
    },
  },
  {
    name: "svix",
    make: svix,
    good: `whpk_${POINT.toString("base64")}`,
    odd: { ...NO_WHSEC, whsk_AAAA: "whpk_ and the base64 of 32 bytes" },
    shape: "whsec_… (base64)",
  },
  {
    name: "twilio",
    make: twilio,
    good: "secret",
    odd: { [`AC${"0".repeat(32)}`]: "the auth token of the account", [`SK${"0".repeat(32)}`]: "the auth token" },
  },
  { name: "zenkipay", make: zenkipay, good: WHSEC, odd: NO_WHSEC, shape: "whsec_… (base64)" },
  { name: "zoom", make: zoom, good: "secret", odd: {} },
];

/** What an unset variable becomes on its way through templates, JSON and arithmetic. */
const NOTHING = ["undefined", "null", "NaN", "Undefined", "NULL", "[object Object]"];

describe("malformed secrets", () => {
  it("are specified for every setting of every provider that the package exports", () => {
    expect([...new Set(ROWS.map(({ name }) => name))].sort()).to.deep.equal(exportedProviders());
    for (const { name, make } of ROWS) {
      const settings = Object.keys((make() as Provider).secrets).sort();
      const specified = ROWS.filter((row) => row.name === name).map((row) => settingOf(row));
      expect([...new Set(specified)].sort(), name).to.deep.equal(settings);
    }
  });

  for (const row of ROWS) {
    const { make, good, odd, shape = TEXT } = row;
    const setting = settingOf(row);

    describe(`of ${(make() as Provider).name}, \`${setting}\`${shape === TEXT ? "" : `, ${shape}`}`, () => {
      it("are refused by their setter, which says what is expected and repeats nothing", () => {
        for (const [secret, expected] of Object.entries(odd)) {
          const message = refusalOf(make() as Provider, setting, secret);
          expect(message).to.match(new RegExp(`^\`${setting}\``));
          expect(message).to.contain(expected);
          // A prefix says what kind of thing it is, and is in the message for that.
          if (secret.length > 6) expect(message).not.to.contain(secret);
        }
      });

      it("are the texts that an unset variable leaves behind", () => {
        for (const text of NOTHING) {
          const message = refusalOf(make() as Provider, setting, text);
          expect(message).to.equal(
            `\`${setting}\` holds the text "${text}", as a variable that was not set leaves it: it takes ${shape}`,
          );
        }
        expect(refusalOf(make() as Provider, setting, "")).to.contain(`\`${setting}\` is empty`);
      });

      it("are refused in a list, by their place, and keep the bus from being ready", () => {
        const form = (make() as Provider).secrets[setting] as SecretForm;
        const bus = quietBus(make() as Provider);
        bus[setting] = good as never;
        bus.assertReady();
        const [bad = "undefined"] = Object.keys(odd);
        const set = (): void => {
          bus[setting] = (form.several ? [good, bad] : bad) as never;
        };
        expect(set).to.throw(ConfigurationError, form.several ? `\`${setting}[1]\`` : `\`${setting}\``);
        expect(() => bus.assertReady()).to.throw(ConfigurationError);
      });
    });
  }

  it("do not concern keys that were made already: what verified keeps verifying", () => {
    const short = `whsec_${Buffer.alloc(8, 7).toString("base64")}`;
    const provider = standardWebhooks() as Provider;
    const form = provider.secrets.signingSecrets as SecretForm;
    const keys = [{ label: "it", scheme: "v1", key: form.parse(short) }];
    const headers = provider.sign("{}", { secret: short, now: 0 });
    const request = { method: "POST", url: "/", headers, body: Buffer.from("{}") };
    expect(provider.verify(request, { keys, now: 0, toleranceSeconds: 300 })).to.have.property("verified", true);
    expect(refusalOf(provider, "signingSecrets", short)).to.contain(SHORT);
  });
});

describe("malformed API keys", () => {
  const refusal = (provider: unknown, key: string): string | undefined => {
    const bus = quietBus(provider as Provider);
    try {
      bus.apiKey = key;
      return undefined;
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(() => bus.assertReady()).to.throw(ConfigurationError);
      expect(bus.apiKey).to.equal(undefined);
      return (error as Error).message;
    }
  };

  it("are specified for every provider whose events can be fetched", () => {
    const fetched = ROWS.filter(({ make }) => (make() as Provider).retrieval).map(({ name }) => name);
    expect([...new Set(fetched)]).to.deep.equal(["conekta", "kopokopo", "stripe"]);
  });

  it("of Stripe are signing secrets, publishable keys and endpoints", () => {
    const where = "the API key begins with sk_ or rk_ and stands under Developers, API keys";
    expect(refusal(stripe(), "whsec_secret")).to.equal(`\`apiKey\` holds a signing secret (whsec_…): ${where}`);
    expect(refusal(stripe(), "pk_live_secret")).to.equal(`\`apiKey\` holds a publishable key (pk_…): ${where}`);
    expect(refusal(stripe(), "we_123")).to.equal(`\`apiKey\` holds the id of an endpoint (we_…): ${where}`);
    for (const key of ["sk_test_1", "sk_live_1", "rk_live_1"]) expect(refusal(stripe(), key)).to.equal(undefined);
  });

  it("of Conekta are the keys of its digest", () => {
    const expected =
      "`apiKey` holds a PEM key, which belongs in `webhookKeys` or `privateSignature`: it takes the private API key (key_…)";
    expect(refusal(conekta(), OTHER.publicPem)).to.equal(expected);
    expect(refusal(conekta(), OTHER.privatePem)).to.equal(expected);
    expect(refusal(conekta(), "key_eYvWV7gSDkNYXsmr")).to.equal(undefined);
  });

  it("of Kopo Kopo are no pair of client id and secret", () => {
    for (const key of ["secret", ":secret", "client:"]) {
      expect(refusal(kopokopo(), key)).to.equal("`apiKey` must be clientId:clientSecret for Kopo Kopo");
    }
    expect(refusal(kopokopo(), "client:secret")).to.equal(undefined);
  });

  it("are the texts that an unset variable leaves behind", () => {
    for (const text of NOTHING) {
      for (const [provider, shape] of [
        [stripe(), "sk_… or rk_…"],
        [conekta(), "the private API key (key_…)"],
        [kopokopo(), "clientId:clientSecret"],
      ] as const) {
        expect(refusal(provider, text)).to.equal(
          `\`apiKey\` holds the text "${text}", as a variable that was not set leaves it: it takes ${shape}`,
        );
      }
    }
  });
});

function settingOf({ make, setting }: Row): SecretSetting {
  return setting ?? (Object.keys((make() as Provider).secrets)[0] as SecretSetting);
}

function quietBus(provider: Provider): EventBus {
  const bus = new EventBus(provider);
  bus.logger = new Log();
  return bus;
}

function refusalOf(provider: Provider, setting: SecretSetting, secret: string): string {
  try {
    quietBus(provider)[setting] = secret as never;
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return expect.fail("it was not refused");
}
