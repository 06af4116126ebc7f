import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Provider, SchemeSummary } from "../src/providers/provider.ts";
import { ROOT, table, withMade } from "./made.ts";

const load = createRequire(import.meta.url);

/** Entry points for making a provider of one's own. */
const MAKERS: ReadonlySet<string> = new Set(["define-provider.ts", "hmac.ts"]);

/** What a reader of the table should know beside it, by the entry point. */
const NOTES: Readonly<Record<string, string>> = {
  adyen: "each item is signed by itself; `{ platform: true }` takes Adyen for Platforms",
  braintree: "no id: the hash of the XML; answers the GET challenge",
  clerk: "delivers through Svix",
  "coinbase-commerce": "types are parted by colons: `charge:confirmed`",
  conekta: "which of the two goes by the setting that is filled; can be fetched back",
  discord: "the secret is the application's public key; answers PING",
  github: "id and type come unsigned: the type is checked against the payload's shape",
  hubspot: "many events a delivery; v1 and v2 are taken, too",
  kopokopo: "the secret is the API key; can be fetched back",
  lemonsqueezy: "no id: the hash of the body",
  linear: "the timestamp is the body's `webhookTimestamp`; the id comes unsigned",
  mercadopago: "**the body is not signed**: get the payment from the API",
  openai: "Standard Webhooks",
  paddle: "Paddle Billing",
  paypal:
    "the secret is the webhook's id; a certificate is fetched from PayPal; the body is signed by its CRC-32 alone",
  polar: "Standard Webhooks, with the secret as it stands",
  razorpay: "the id comes unsigned: the body is what makes a duplicate",
  resend: "delivers through Svix",
  sendgrid: "many events a delivery; the secret is the verification key",
  shopify:
    "id, topic and shop come unsigned; types are parted by slashes; two topics with the same bytes are one event, which the first that fails waits for: where that happens, give each topic a bus",
  slack: "events, commands and interactivity; answers `url_verification`",
  square: "the URL is signed: `notificationUrl` behind a proxy",
  "standard-webhooks": "any sender that follows the standard",
  stripe: "snapshot and thin events; can be fetched back",
  svix: "any sender that delivers through Svix",
  twilio: "the URL is signed: `publicUrl` behind a proxy",
  zenkipay: "delivers through Svix, encrypted or plain",
  zoom: "no id: the hash of the body; answers `endpoint.url_validation`",
};

/** A provider that has an entry point. */
interface Row {
  /** What it is imported from: `"stripe"` of `hookbus/stripe`. */
  readonly entry: string;
  /** The name of its factory: `"stripe"`. */
  readonly factory: string;
  readonly provider: Provider;
  readonly summary: SchemeSummary;
}

/** The pages that hold a table of the providers: their text, with the tables made anew, by their path. */
export function generatedPages(): ReadonlyMap<string, string> {
  const rows = providers();
  const unknown = Object.keys(NOTES).filter((noted) => !rows.some(({ entry }) => entry === noted));
  if (unknown.length > 0) throw new Error(`notes on what is no provider: ${unknown.join(", ")}`);
  return new Map([
    ["README.md", withMade("README.md", "providers", shortTable(rows))],
    ["docs/providers.md", withMade("docs/providers.md", "providers", fullTable(rows))],
  ]);
}

/** Every provider in `src/providers` that has an entry point of the same name in `src`. */
function providers(): readonly Row[] {
  const files = readdirSync(join(ROOT, "src", "providers")).filter((file) => existsSync(join(ROOT, "src", file)));
  return files
    .filter((file) => !MAKERS.has(file))
    .sort()
    .map(rowOf);
}

function rowOf(file: string): Row {
  const entry = file.slice(0, -".ts".length);
  // Not `import`: mocha requires, and a second copy of each source would make nonsense of the coverage.
  const exported: Readonly<Record<string, unknown>> = load(`../src/${file}`);
  const factory = Object.keys(exported).find((name) => name.toLowerCase() === entry.replaceAll("-", ""));
  const make = factory === undefined ? undefined : exported[factory];
  if (factory === undefined || typeof make !== "function") throw new Error(`src/${file} exports no factory`);
  const provider: Provider = make();
  if (!provider.summary) throw new Error(`${factory}() has no summary of its scheme`);
  return { entry, factory, provider, summary: provider.summary };
}

function fullTable(rows: readonly Row[]): string {
  return table(
    ["provider", "header", "algorithm", "what is signed", "secrets", "timestamp", "methods", "notes"],
    rows.map(({ entry, factory, provider, summary }) => [
      code(`${factory}()`),
      headersOf(summary),
      summary.algorithms.join("; or "),
      signedContent(summary.content),
      secretsOf(provider, summary),
      toleranceOf(provider),
      provider.methods.join(", "),
      NOTES[entry] ?? "",
    ]),
  );
}

function shortTable(rows: readonly Row[]): string {
  return table(
    ["provider", "import from", "header", "algorithm", "timestamp"],
    rows.map(({ entry, factory, provider, summary }) => [
      code(`${factory}()`),
      code(`hookbus/${entry}`),
      headersOf(summary),
      summary.algorithms.join("; or "),
      toleranceOf(provider),
    ]),
  );
}

function signedContent(content: string): string {
  return content.includes("{") ? code(content) : content;
}

/** The settings, and what a secret looks like; a provider with several of each tells more in its own section. */
function secretsOf({ secrets }: Provider, summary: SchemeSummary): string {
  const settings = Object.keys(secrets);
  const shapes = [...new Set(summary.secrets)];
  if (settings.length === summary.secrets.length) {
    return settings.map((setting, index) => `${code(setting)}: ${summary.secrets[index]}`).join("; ");
  }
  return `${settings.map(code).join(", ")}: ${either(shapes)}`;
}

function headersOf({ headers }: SchemeSummary): string {
  return headers.length > 0 ? either(headers.map(code)) : "none: in the body";
}

function toleranceOf({ toleranceSeconds }: Provider): string {
  if (toleranceSeconds === Number.POSITIVE_INFINITY) return "of any age";
  return toleranceSeconds > 0 ? `${toleranceSeconds} s` : "none";
}

function either(words: readonly string[]): string {
  return [...new Set(words)].join(" or ");
}

function code(text: string): string {
  return `\`${text}\``;
}
