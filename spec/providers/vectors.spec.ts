import { readFileSync } from "node:fs";
import { expect } from "chai";
import { systemClock } from "../../src/clock.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { adyen } from "../../src/providers/adyen.ts";
import { braintree } from "../../src/providers/braintree.ts";
import { clerk } from "../../src/providers/clerk.ts";
import { coinbaseCommerce } from "../../src/providers/coinbase-commerce.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { discord } from "../../src/providers/discord.ts";
import { github } from "../../src/providers/github.ts";
import { type HmacOptions, hmac } from "../../src/providers/hmac.ts";
import { hubspot } from "../../src/providers/hubspot.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import { lemonsqueezy } from "../../src/providers/lemonsqueezy.ts";
import { linear } from "../../src/providers/linear.ts";
import { mercadopago } from "../../src/providers/mercadopago.ts";
import { openai } from "../../src/providers/openai.ts";
import { paddle } from "../../src/providers/paddle.ts";
import { paypal } from "../../src/providers/paypal.ts";
import { polar } from "../../src/providers/polar.ts";
import type {
  Provider,
  SecretForm,
  SecretSetting,
  SigningKey,
  Verification,
  WebhookRequest,
} from "../../src/providers/provider.ts";
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
import { Log } from "../support/bus.ts";
import { exportedProviders } from "./exported.ts";

interface Row {
  readonly provider: string;
  readonly name: string;
  readonly secret?: string | readonly string[];
  readonly publicKey?: string | readonly string[];
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly url?: string;
  readonly method?: string;
  readonly body?: string;
  readonly bodyBase64?: string;
  /** Seconds since 1970. */
  readonly now?: number;
  readonly valid: boolean;
  readonly reason?: string;
  readonly scheme?: string;
  readonly policy?: string;
  /** A private key for the payload, in PEM form. */
  readonly decryptKey?: string;
}

const DEFAULT_FILE = new URL("../../fixtures/vectors/vectors.json", import.meta.url);
const OTHER_FILE = process.env["HOOKBUS_VECTORS"];
const ROWS: readonly Row[] = JSON.parse(readFileSync(OTHER_FILE || DEFAULT_FILE, "utf8"));

/** How the provider of a row is made: alike for every row, save where a row says what its provider is set to. */
const PROVIDERS = {
  stripe: () => stripe(),
  conekta: () => conekta(),
  svix,
  "standard-webhooks": standardWebhooks,
  openai,
  zenkipay: ({ decryptKey }: Row) => zenkipay(decryptKey === undefined ? {} : { decryptionKey: decryptKey }),
  github,
  kopokopo: () => kopokopo(),
  shopify,
  "generic-hmac": genericHmac,
  paddle,
  slack,
  twilio: () => twilio(),
  sendgrid,
  hubspot: () => hubspot(),
  adyen: () => adyen(),
  discord,
  razorpay,
  square: () => square(),
  lemonsqueezy,
  mercadopago,
  zoom,
  linear,
  "coinbase-commerce": coinbaseCommerce,
  braintree,
  clerk,
  resend,
  polar,
  paypal: () => paypal(),
} as unknown as Readonly<Record<string, (row: Row) => Provider>>;

/** The scheme of a row is `algorithm:encoding[:prefix]`; the signature is in the one header that it has. */
function genericHmac({ scheme = "", headers }: Row): Provider {
  const [algorithm, encoding, prefix = ""] = scheme.split(":");
  const [header = "x-signature", ...more] = Object.keys(headers);
  expect(more, "headers of which none is the signature's").to.deep.equal([]);
  return hmac({ name: "generic", header, prefix, ...({ algorithm, encoding } as Partial<HmacOptions>) });
}

/** Those that the shipped file has no rows for: the first two sign as Svix does, whose rows are theirs, too. */
const WITHOUT_ROWS: readonly string[] = ["clerk", "resend", "polar", "paypal"];

/**
 * How many rows of the shipped file run, and how many of them through a bus as well: a file that is cut short, or a row
 * that is skipped, shows up here.
 */
const SHIPPED_ROWS: Readonly<Record<string, readonly [rows: number, throughBus: number]>> = {
  stripe: [20, 18],
  conekta: [9, 9],
  svix: [18, 9],
  "standard-webhooks": [19, 11],
  openai: [3, 3],
  zenkipay: [2, 1],
  kopokopo: [13, 12],
  github: [8, 4],
  shopify: [3, 3],
  twilio: [14, 14],
  sendgrid: [4, 4],
  slack: [8, 8],
  "generic-hmac": [9, 3],
  paddle: [5, 2],
  hubspot: [2, 1],
  adyen: [1, 1],
  discord: [2, 1],
  razorpay: [1, 1],
  square: [1, 1],
  lemonsqueezy: [1, 1],
  mercadopago: [1, 1],
  zoom: [1, 1],
  linear: [2, 2],
  "coinbase-commerce": [1, 1],
  braintree: [1, 1],
};

/** What we do where the answer is a receiver's choice. A row that expects the other answer is skipped. */
const CHOICES: Readonly<Record<string, { readonly accepts: boolean; readonly why: string }>> = {
  "future-timestamp": { accepts: false, why: "a timestamp in the future is refused" },
  "hex-case": { accepts: false, why: "a digest is compared in the case that the provider writes" },
  "lenient-header-whitespace": { accepts: false, why: "white space inside of a signature header is not skipped" },
  "pem-escapes": { accepts: true, why: "a PEM key may be written on one line" },
};

function ourReasonToSkip({ policy, valid }: Row): string | undefined {
  const choice = policy === undefined ? undefined : CHOICES[policy];
  return choice && choice.accepts !== valid ? choice.why : undefined;
}

/** The setting that a row's keys belong to, with its form and the keys' texts. */
function secretsOf(row: Row, provider: Provider): [SecretSetting, SecretForm, readonly string[]] {
  const { secret, publicKey } = row;
  // Braintree's rows have both halves of one secret.
  const texts = [
    secret !== undefined && publicKey !== undefined ? `${publicKey}:${secret}` : (publicKey ?? secret ?? []),
  ].flat();
  const settings = Object.entries(provider.secrets) as [SecretSetting, SecretForm][];
  const [setting, form] =
    settings.find(([, { scheme }]) => scheme === row.scheme) ??
    (row.scheme === undefined || row.provider !== "conekta" ? settings[0] : undefined) ??
    expect.fail(`no setting of ${row.provider} is for ${row.scheme}`);
  return [setting, form, texts];
}

function requestOf(row: Row): WebhookRequest {
  const { bodyBase64, body = "" } = row;
  return {
    method: row.method ?? "POST",
    url: row.url ?? "/",
    headers: row.headers,
    body: bodyBase64 === undefined ? Buffer.from(body, "utf8") : Buffer.from(bodyBase64, "base64"),
  };
}

const nowOf = (row: Row): number => (row.now === undefined ? Date.now() : row.now * 1000);

/** Whether the row can go through a bus: what is refused can, and else a body that is an event of its provider. */
function canBeReceived(row: Row, provider: Provider): boolean {
  if (!row.valid) return true;
  const request = requestOf(row);
  try {
    const payload = provider.parse ? provider.parse(request) : JSON.parse(Buffer.from(request.body).toString("utf8"));
    const read = provider.read(payload, { request });
    return ("id" in read ? [read] : read).every(({ type }) => type !== undefined);
  } catch {
    return false;
  }
}

function keysOf(row: Row, provider: Provider): readonly SigningKey[] {
  const [, form, texts] = secretsOf(row, provider);
  return texts.map((text, index) => {
    return { label: `key ${index}`, scheme: form.schemeOf?.(text) ?? form.scheme, key: form.parse(text) };
  });
}

async function verify(row: Row, provider: Provider, keys: readonly SigningKey[]): Promise<Verification> {
  const { toleranceSeconds } = provider;
  return provider.verify(requestOf(row), { keys, now: nowOf(row), toleranceSeconds });
}

async function checkVerify(row: Row, provider: Provider): Promise<void> {
  const keys = keysOf(row, provider);
  const result = await verify(row, provider, keys);
  if (row.valid) {
    const alone = await Promise.all(keys.map((key) => verify(row, provider, [key])));
    const first = keys[alone.findIndex(({ verified }) => verified)];
    expect(result).to.deep.equal({ verified: true, matchedSecret: first?.label });
  } else {
    expect(result.verified).to.equal(false);
    if (row.reason !== undefined) expect(result).to.deep.equal({ verified: false, reason: row.reason });
  }
}

/** How many events a genuine row delivers: one, or as many as its list has. */
function eventsOf(row: Row): number {
  const text = Buffer.from(requestOf(row).body).toString();
  const body: unknown = text.startsWith("[") ? JSON.parse(text) : undefined;
  return Array.isArray(body) ? body.length : 1;
}

async function checkReceive(row: Row, provider: Provider): Promise<void> {
  const bus = new EventBus(provider, { clock: { ...systemClock, now: () => nowOf(row) } });
  bus.idempotency = false;
  const log = new Log();
  bus.logger = log;
  const [setting, form, texts] = secretsOf(row, provider);
  const secrets = form.several ? texts : texts[0];
  const set = (): void => {
    bus[setting] = secrets as never;
  };
  if (texts.some((text) => text.trim() !== text && !text.includes("-----BEGIN"))) {
    expect(set).to.throw(ConfigurationError);
    return;
  }
  set();
  let ran = 0;
  bus.all(() => {
    ran++;
  });
  const { status, outcome } = await bus.receive(requestOf(row));
  const reasons = log.lines.map(({ message }) => /^hookbus: delivery refused: (\w+)$/.exec(message)?.[1]);
  if (!row.valid) {
    expect({ status, ran }).to.deep.equal({ status: 401, ran: 0 });
    const verdict = await verify(row, provider, keysOf(row, provider));
    expect(reasons).to.deep.equal([row.reason ?? (verdict.verified ? "none" : verdict.reason)]);
    return;
  }
  expect(log.lines).to.deep.equal([]);
  if (outcome === "challenge") expect({ status, ran }).to.deep.equal({ status: 200, ran: 0 });
  else expect({ status, ran }).to.deep.equal({ status: provider.success?.status ?? 200, ran: eventsOf(row) });
}

describe("signature vectors", () => {
  for (const name of new Set(ROWS.map((row) => row.provider))) {
    const rows = ROWS.filter((row) => row.provider === name);
    const make = PROVIDERS[name];
    if (!make) {
      it(`${name}: ${rows.length} rows`);
      continue;
    }
    describe(name, () => {
      const ran = { rows: 0, throughBus: 0 };
      for (const row of rows) {
        const skipped = ourReasonToSkip(row);
        if (skipped !== undefined) {
          it(`${row.name}: skipped, ${skipped}`);
          continue;
        }
        it(row.name, async () => {
          await checkVerify(row, make(row));
          ran.rows++;
        });
        if (!canBeReceived(row, make(row))) continue;
        it(`${row.name}, through a bus`, async () => {
          await checkReceive(row, make(row));
          ran.throughBus++;
        });
      }

      it("ran every row, and through a bus those that can be received", () => {
        const run = rows.filter((row) => ourReasonToSkip(row) === undefined);
        const received = run.filter((row) => canBeReceived(row, make(row)));
        expect([ran.rows, ran.throughBus]).to.deep.equal([run.length, received.length]);
        if (!OTHER_FILE) expect([ran.rows, ran.throughBus]).to.deep.equal(SHIPPED_ROWS[name]);
      });
    });
  }

  it("are there for every provider that we know, or it is said that they are not", () => {
    const missing = Object.keys(PROVIDERS).filter((name) => !ROWS.some((row) => row.provider === name));
    expect(OTHER_FILE ? WITHOUT_ROWS : missing).to.deep.equal(WITHOUT_ROWS);
    const known = Object.keys(PROVIDERS).map((name) => name.replace(/^generic-/, ""));
    expect(known.sort()).to.deep.equal(exportedProviders());
  });
});
