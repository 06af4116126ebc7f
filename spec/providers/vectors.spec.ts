import { readFileSync } from "node:fs";
import { expect } from "chai";
import { systemClock } from "../../src/bus/clock.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { conekta } from "../../src/providers/conekta.ts";
import type { Provider, SecretForm, SecretSetting, SigningKey, WebhookRequest } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";

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
}

const DEFAULT_FILE = new URL("../../fixtures/vectors/vectors.json", import.meta.url);
const OTHER_FILE = process.env["HOOKBUS_VECTORS"];
const ROWS: readonly Row[] = JSON.parse(readFileSync(OTHER_FILE || DEFAULT_FILE, "utf8"));

const PROVIDERS = { stripe, conekta } as unknown as Readonly<Record<string, () => Provider>>;

/** How many rows of the shipped file run: a file that is cut short, or a row that is skipped, shows up here. */
const SHIPPED_ROWS: Readonly<Record<string, number>> = { stripe: 20, conekta: 9 };

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
  const texts = [row.publicKey ?? row.secret ?? []].flat();
  const settings = Object.entries(provider.secrets) as [SecretSetting, SecretForm][];
  const [setting, form] =
    settings.find(([, { scheme }]) => scheme === row.scheme) ??
    (row.scheme === undefined ? settings[0] : undefined) ??
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

/** A JSON object with a string `id` and a string `type`. */
function isReadable(body: Uint8Array): boolean {
  try {
    const event = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof event?.id === "string" && typeof event.type === "string";
  } catch {
    return false;
  }
}

function checkVerify(row: Row, provider: Provider): void {
  const [, form, texts] = secretsOf(row, provider);
  const keys = texts.map((text, index): SigningKey => {
    return { label: `key ${index}`, scheme: form.scheme, key: form.parse(text) };
  });
  const verify = (some: readonly SigningKey[]) => {
    const { toleranceSeconds } = provider;
    return provider.verify(requestOf(row), { keys: some, now: nowOf(row), toleranceSeconds });
  };
  const result = verify(keys);
  if (row.valid) {
    const [first] = keys.filter((key) => verify([key]).verified);
    expect(result).to.deep.equal({ verified: true, matchedSecret: first?.label });
  } else {
    expect(result.verified).to.equal(false);
    if (row.reason !== undefined) expect(result).to.deep.equal({ verified: false, reason: row.reason });
  }
}

async function checkReceive(row: Row, provider: Provider): Promise<void> {
  const bus = new EventBus(provider, { clock: { ...systemClock, now: () => nowOf(row) } });
  bus.idempotency = false;
  bus.logger = { info() {}, warn() {}, error() {} };
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
  const { status } = await bus.receive(requestOf(row));
  expect({ status, ran }).to.deep.equal(row.valid ? { status: 200, ran: 1 } : { status: 401, ran: 0 });
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
      let ran = 0;
      for (const row of rows) {
        const skipped = ourReasonToSkip(row);
        if (skipped !== undefined) {
          it(`${row.name}: skipped, ${skipped}`);
          continue;
        }
        it(row.name, () => {
          checkVerify(row, make());
          ran++;
        });
        if (isReadable(requestOf(row).body)) it(`${row.name}, through a bus`, () => checkReceive(row, make()));
      }

      it("ran every row", () => {
        const run = rows.filter((row) => ourReasonToSkip(row) === undefined);
        expect(ran).to.equal(OTHER_FILE ? run.length : SHIPPED_ROWS[name]);
      });
    });
  }

  it("are there for every provider that we know", () => {
    const missing = Object.keys(PROVIDERS).filter((name) => !ROWS.some((row) => row.provider === name));
    expect(OTHER_FILE ? [] : missing).to.deep.equal([]);
  });
});
