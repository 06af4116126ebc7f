import { constants, createHash, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { crc32 } from "node:zlib";
import { expect } from "chai";
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
import type { Provider, SecretSetting, SignOptions } from "../../src/providers/provider.ts";
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
import type { Receipt } from "../../src/receiver/receipt.ts";
import { exportedProviders } from "./exported.ts";
import { fixture } from "./fixture.ts";
import { OTHER, PRIVATE_PEM, PUBLIC_PEM } from "./keys.ts";
import { INTERMEDIATE, LEAF, LEAF_KEY, ROOT } from "./paypal-chain.ts";

const MUTATIONS = 10_000;
const REPLAYS = 200;
const NOW = 1_700_000_000_000;

type Fields = Record<string, string | string[]>;

interface Delivery {
  method: string;
  url: string;
  headers: Fields;
  body: Buffer;
}

/** Whether what is signed of the one is what is signed of the other: said anew here, and not asked of the provider. */
type Same = (mutated: Delivery, original: Delivery) => boolean;

interface Row {
  readonly title: string;
  readonly make: () => unknown;
  /** What signs, where it is not what verifies. */
  readonly signer?: () => unknown;
  readonly secret: string;
  readonly verifyingSecret?: string;
  readonly setting?: SecretSetting;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly url?: string;
  readonly id?: string;
  readonly now?: number;
  /** The names of the header with the signature: of several, the first that came. */
  readonly signature?: readonly string[];
  /** For a header that lists signatures. */
  readonly list?: { readonly separator: string; readonly stamp?: string };
  /** The other signed header fields, which count to the letter. */
  readonly exact?: readonly (readonly string[])[];
  /** Signed header fields that count but for blanks around them. */
  readonly trimmed?: readonly string[];
  /** What is signed beside the header fields; default: the bytes of the body. */
  readonly content?: Same;
  /** Unsigned header fields that a provider has, and values that it could have sent. */
  readonly fresh?: Readonly<Record<string, readonly string[]>>;
  /** Default 1; with 0, a handshake. */
  readonly events?: number;
  /** Statuses beside 400, 401 and 405. */
  readonly statuses?: readonly number[];
}

// What is signed, in the words of each provider's documentation.

function joined(headers: Fields, name: string): string | undefined {
  const values: string[] = [];
  for (const key of Object.keys(headers)) if (key.toLowerCase() === name) values.push(...[headers[key] ?? []].flat());
  return values.length === 0 ? undefined : values.join(", ");
}

function fieldOf(headers: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = joined(headers, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

const sameBody: Same = (mutated, original) => mutated.body.equals(original.body);

/** The URL as it was asked for: a path is one on the host that the request names. No fragment is ever signed. */
function urlOf({ url, headers }: Delivery): string {
  const whole = /^https?:\/\//i.test(url) ? url : `https://${joined(headers, "host") ?? ""}${url}`;
  return whole.split("#")[0] as string;
}

const sameUrl: Same = (mutated, original) => urlOf(mutated) === urlOf(original);
const sameUrlAndBody: Same = (...both) => sameUrl(...both) && sameBody(...both);
const sameMethod: Same = (mutated, original) => mutated.method === original.method;

/** HubSpot signs these characters of a URL plain, even where they came escaped. */
const unescaped = (url: string): string =>
  url.replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, decodeURIComponent);
const hubspotV3: Same = (...both) =>
  sameMethod(...both) && sameBody(...both) && unescaped(urlOf(both[0])) === unescaped(urlOf(both[1]));

/** Every name with its values, sorted, without what stands there twice. */
function twilioFields({ body }: Delivery): string {
  const pairs = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(body.toString("utf8"))) {
    pairs.set(name, (pairs.get(name) ?? new Set()).add(value));
  }
  return [...pairs.keys()]
    .sort()
    .flatMap((name) => [...(pairs.get(name) ?? [])].sort().map((value) => name + value))
    .join("");
}

/** Twilio may leave out the port. */
const portless = (delivery: Delivery): string => urlOf(delivery).replace(/^(https?:\/\/[^/?]*?):\d+(?=[/?]|$)/i, "$1");
const twilioForm: Same = (one, other) => portless(one) === portless(other) && twilioFields(one) === twilioFields(other);
/** URL and fields are signed as one text, so that a border between them may move; a GET has no fields but those of its URL. */
const twilioGet: Same = (one, other) =>
  portless(one) + twilioFields(one) === portless(other) + twilioFields(other) &&
  (one.method !== "GET" || one.body.byteLength === 0);
const twilioJson: Same = (one, other) => portless(one) === portless(other) && one.body.equals(other.body);

/** The eight signed fields of each item, and its signature. */
function adyenClaims({ body }: Delivery): string[] {
  try {
    // biome-ignore lint/suspicious/noExplicitAny: whatever is not of this form throws.
    const { notificationItems: items } = JSON.parse(body.toString("utf8").replace(/^\ufeff/, "")) as any;
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    return items.map(({ NotificationRequestItem: item }: any) => {
      const { pspReference, originalReference, merchantAccountCode, merchantReference, amount } = item;
      const { eventCode, success, additionalData } = item;
      const text = [pspReference, originalReference, merchantAccountCode, merchantReference];
      const all = [...text, amount?.value, amount?.currency, eventCode, success, additionalData.hmacSignature];
      return all.map((each) => String(each ?? "")).join("\0");
    });
  } catch {
    return [];
  }
}

const adyenItems: Same = (mutated, original) => {
  const [claims, known] = [adyenClaims(mutated), adyenClaims(original)];
  return claims.length > 0 && claims.every((claim) => known.includes(claim));
};

/** The one `data.id` of the query, in lower case. */
const mercadoPagoId: Same = (...both) => {
  const [mutated, original] = both.map(({ url }) =>
    new URLSearchParams((url.split("#")[0] as string).split("?").slice(1).join("?")).getAll("data.id"),
  );
  return mutated?.length === 1 && mutated[0]?.toLowerCase() === original?.[0]?.toLowerCase();
};

/** The payload, of which forms lose the last line break on their way, and the pair of our public key. */
const braintreeForm: Same = (mutated, original) => {
  const [form, known] = [mutated, original].map(({ body }) => new URLSearchParams(body.toString("utf8")));
  const one = (name: string): string => (form?.getAll(name).length === 1 ? (form.get(name) as string) : "");
  const payload = known?.get("bt_payload") ?? "";
  return (
    [payload, payload.replace(/\n$/, "")].includes(one("bt_payload")) &&
    one("bt_signature")
      .split("&")
      .includes(known?.get("bt_signature") ?? "")
  );
};

/** Of the body, PayPal signs the checksum. */
const sameChecksum: Same = (mutated, original) => crc32(mutated.body) === crc32(original.body);

/** A single signature is the same but for blanks around it; a list has it, beside the one timestamp that was signed. */
function sameSignature({ signature, list }: Row, mutated: Delivery, original: Delivery): boolean {
  if (!signature) return true;
  const value = fieldOf(mutated.headers, signature)?.trim() ?? "";
  const known = fieldOf(original.headers, signature) ?? "";
  if (!list) return value === known;
  const { separator, stamp } = list;
  const items = (separator === " " ? value.replaceAll(", ", " ") : value).split(separator);
  const knownItems = known.split(separator);
  const stamps = stamp === undefined ? [] : items.filter((item) => item.trim().startsWith(`${stamp}=`));
  return knownItems.every((item) => items.includes(item)) && stamps.length === (stamp === undefined ? 0 : 1);
}

function isGenuine(row: Row, mutated: Delivery, original: Delivery): boolean {
  const { exact = [], trimmed = [], content = sameBody } = row;
  return (
    content(mutated, original) &&
    exact.every((names) => fieldOf(mutated.headers, names) === fieldOf(original.headers, names)) &&
    trimmed.every((name) => joined(mutated.headers, name)?.trim() === joined(original.headers, name)) &&
    sameSignature(row, mutated, original)
  );
}

/** Nothing of what is signed was touched at all, and nothing that says what is in the body. */
function isUntouched(row: Row, mutated: Delivery, original: Delivery): boolean {
  const names = [...signedNames(row), ...Object.keys(row.headers ?? {}), ...Object.keys(original.headers)];
  return (
    mutated.method === original.method &&
    mutated.url === original.url &&
    mutated.body.equals(original.body) &&
    names.every((name) => joined(mutated.headers, name) === joined(original.headers, name)) &&
    Object.keys(row.fresh ?? {}).every((name) => joined(mutated.headers, name) === joined(original.headers, name))
  );
}

function signedNames({ signature = [], exact = [], trimmed = [] }: Row): string[] {
  return [...signature, ...exact.flat(), ...trimmed];
}

// What is done to deliveries.

type Random = (below: number) => number;

/** A generator of numbers below a bound, the same in every run (mulberry32). */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[random(all.length)] as T;
}

function splice(bytes: Buffer, at: number, size: number, put: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + size)]);
}

const PIECES = [
  "\n",
  "\r\n",
  " ",
  "\0",
  "{}",
  "[]",
  ",",
  '"',
  "\\",
  "&",
  "=",
  ";",
  ":",
  "%00",
  "a=b&",
  "\ufeff",
  "ü",
  "1",
];

const BYTES: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => splice(bytes, random(bytes.length + 1), 1, Buffer.from([random(256)])),
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const at = random(copy.length + 1);
    if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random(8));
    return copy;
  },
  (bytes, random) => splice(bytes, random(bytes.length + 1), 1 + random(12)),
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random(bytes.length + 1)),
  (bytes, random) => {
    const at = random(bytes.length + 1);
    return splice(bytes, at, 0, bytes.subarray(at, at + 1 + random(40)));
  },
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, random) => splice(bytes, random(bytes.length + 1), 0, Buffer.alloc(1 + random(12), random(256))),
  (bytes, random) => splice(bytes, random(bytes.length + 1), 0, Buffer.from(pick(random, PIECES))),
  (bytes, random) => Buffer.concat([bytes, Buffer.from(pick(random, PIECES))]),
  (bytes, random) => Buffer.concat([Buffer.from(pick(random, PIECES)), bytes]),
  // Another text of the same form, or of the same URL.
  (bytes, random) => {
    const at = random(bytes.length);
    const hex = (bytes[at] ?? 0).toString(16).padStart(2, "0");
    return splice(bytes, at, 1, Buffer.from(`%${random(2) === 0 ? hex : hex.toUpperCase()}`));
  },
  (bytes, random) => {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  },
];

/** Another text of the same JSON, with and without something more. */
function rewritten(body: Buffer, random: Random): Buffer {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    const more = random(2) === 0 && !Array.isArray(value) ? { ...(value as object), more: random(9) } : value;
    return Buffer.from(JSON.stringify(more, null, 1 + random(4)));
  } catch {
    // A form: its fields the other way round.
    return Buffer.from(body.toString("latin1").split("&").reverse().join("&"), "latin1");
  }
}

const BLANKS = [" ", "\t", "\u00a0", "  ", "\ufeff"];

const TEXTS: readonly ((text: string, random: Random) => string | string[] | undefined)[] = [
  ...BYTES.map(
    (change) =>
      (text: string, random: Random): string =>
        change(Buffer.from(text, "latin1"), random).toString("latin1"),
  ),
  () => undefined,
  () => "",
  (text) => [text],
  (text) => [text, text],
  (text) => `${text}, ${text}`,
  (text) => `${text},${text}`,
  (text) => ["x", text],
  (text) => [text, "x"],
  (text) => text.split(","),
  (text, random) => {
    const separator = pick(random, [",", ";", " "]);
    return text.split(separator).reverse().join(separator);
  },
  (text, random) =>
    `${text}${pick(random, [",", ";", " "])}${pick(random, ["v0=1", "v1=00", "v1,AA==", "x", "h1=00"])}`,
  (text, random) =>
    `${pick(random, ["v0=1", "v1=00", "v1,AA==", "x", "h1=00"])}${pick(random, [",", ";", " "])}${text}`,
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text, random) => pick(random, BLANKS) + text,
  (text, random) => text + pick(random, BLANKS),
  (text) => text.replace(/=+$/, ""),
  (text) => `${text}=`,
  (text) => text.replaceAll("+", "-").replaceAll("/", "_"),
  // The last character before the padding holds bits that count for nothing.
  (text) => text.replace(/[A-Za-z0-9+/](?==*$)/, (last) => String.fromCharCode(last.charCodeAt(0) ^ 1)),
  (text, random) => text.replace(/\d/, String(random(10))),
  (text, random) => text.replace(/\d(?=\D*$)/, String(random(10))),
  (text) => `0${text}`,
  (text) => `+${text}`,
  (text) => text.replace(/^[a-z0-9]+=/, ""),
];

type Change = (delivery: Delivery, random: Random, row: Row) => void;

const FRESH = ["x-delivery-id", "x-retry-num", "x-event-type", "x-attempt", "x-request-start", "idempotency-key"];

const addFresh: Change = ({ headers }, random, { fresh = {} }) => {
  const names = Object.keys(fresh);
  const name = pick(random, [...names, ...names, ...FRESH]);
  const values = fresh[name] ?? [];
  const own = Object.keys(headers).find((each) => each.toLowerCase() === name) ?? name;
  headers[own] = values.length > 0 ? pick(random, values) : `fresh-${random(1_000_000)}`;
};

function presentName(headers: Fields, name: string): string {
  return Object.keys(headers).find((each) => each.toLowerCase() === name) ?? name;
}

const changeHeader = (delivery: Delivery, random: Random, name: string): void => {
  const own = presentName(delivery.headers, name);
  const value = pick(random, TEXTS)(joined(delivery.headers, name) ?? "", random);
  if (value === undefined) delete delivery.headers[own];
  else delivery.headers[own] = value;
};

const changeBody: Change = (delivery, random) => {
  const kind = random(BYTES.length + 2);
  delivery.body = BYTES[kind]?.(delivery.body, random) ?? rewritten(delivery.body, random);
};

const changeSigned: Change = (delivery, random, row) => {
  const names = signedNames(row).filter((name) => joined(delivery.headers, name) !== undefined);
  if (names.length === 0) changeBody(delivery, random, row);
  else changeHeader(delivery, random, pick(random, names));
};

const changeAny: Change = (delivery, random) => {
  const names = Object.keys(delivery.headers);
  if (names.length > 0) changeHeader(delivery, random, pick(random, names).toLowerCase());
};

const otherCase: Change = (delivery, random) => {
  const upper = random(2) === 0;
  delivery.headers = Object.fromEntries(
    Object.entries(delivery.headers).map(([name, value]) => [
      upper ? name.toUpperCase() : name.replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase()),
      value,
    ]),
  );
};

const reorder: Change = (delivery) => {
  delivery.headers = Object.fromEntries(Object.entries(delivery.headers).reverse());
};

/** From one of two families of names to the other. */
const otherFamily: Change = (delivery, random) => {
  const [from, to] = pick(random, [
    ["svix-", "webhook-"],
    ["webhook-", "svix-"],
    ["x-shopify-", "shopify-"],
    ["shopify-", "x-shopify-"],
  ] as const);
  const beside = random(2) === 0;
  for (const [name, value] of Object.entries(delivery.headers)) {
    if (!name.toLowerCase().startsWith(from)) continue;
    const other = to + name.toLowerCase().slice(from.length);
    if (!beside) delete delivery.headers[name];
    if (joined(delivery.headers, other) === undefined) delivery.headers[other] = beside ? `fresh-${random(99)}` : value;
  }
};

const changeUrl: Change = (delivery, random) => {
  const { url } = delivery;
  const [, scheme = "", host = "", rest = ""] = /^(https?:\/\/)([^/?#]+)(.*)$/i.exec(url) ?? [];
  const kinds: readonly (() => string)[] = [
    () => pick(random, BYTES)(Buffer.from(url, "latin1"), random).toString("latin1"),
    () => `${url}#${random(9)}?data.id=1&bodySHA256=1`,
    () =>
      `${url}${url.includes("?") ? "&" : "?"}${pick(random, ["x=1", "data.id=2", "data.id=", "bodySHA256=1", "y"])}`,
    () => url.split("?")[0] as string,
    () => (scheme ? `${scheme}${host}:${pick(random, ["80", "443", "8443", ""])}${rest}` : `http://example.com${url}`),
    () => {
      if (!scheme) return url;
      delivery.headers[presentName(delivery.headers, "host")] = random(3) === 0 ? "other.example" : host;
      return rest;
    },
    () => url.toUpperCase(),
    () => url.replace("https:", "http:"),
  ];
  delivery.url = pick(random, kinds)();
};

const changeMethod: Change = (delivery, random) => {
  delivery.method = pick(random, ["GET", "PUT", "post", "POST", ""]);
};

/** Moves the border between two things that are signed one after the other. */
const shift: Change = (delivery, random, row) => {
  const { body } = delivery;
  const name = pick(random, [...signedNames(row), "url"]);
  const own = presentName(delivery.headers, name);
  const text = name === "url" ? delivery.url : (joined(delivery.headers, name) ?? "");
  const size = 1 + random(3);
  const [changed, rest] = pick(random, [
    () => [text + body.subarray(0, size).toString("latin1"), body.subarray(size)] as const,
    () => [text.slice(0, -size), Buffer.concat([Buffer.from(text.slice(-size), "latin1"), body])] as const,
    () => [body.subarray(-size).toString("latin1") + text, body.subarray(0, -size)] as const,
    () => [text.slice(size), Buffer.concat([body, Buffer.from(text.slice(0, size), "latin1")])] as const,
  ])();
  delivery.body = rest;
  if (name === "url") delivery.url = changed;
  else delivery.headers[own] = changed;
};

const CHANGES: readonly Change[] = [
  ...Array<Change>(6).fill(changeBody),
  ...Array<Change>(6).fill(changeSigned),
  ...Array<Change>(4).fill(addFresh),
  changeAny,
  otherCase,
  reorder,
  otherFamily,
  changeUrl,
  changeUrl,
  changeMethod,
  shift,
];

function mutated(original: Delivery, random: Random, row: Row): Delivery {
  const delivery = { ...original, headers: { ...original.headers } };
  for (let left = 1 + (random(5) % 3); left > 0; left--) pick(random, CHANGES)(delivery, random, row);
  return delivery;
}

// The deliveries.

const json = (path: string): string => JSON.stringify(fixture(path));
const TEXT = "spec_secret_one";
const WHSEC = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const HEX = "ab".repeat(32);
const CERTS = "https://api.paypal.com/v1/notifications/certs";

const ED = generateKeyPairSync("ed25519");
const SEED = ED.privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
const POINT = ED.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
const EC = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_OR_FORM = { "content-type": ["application/json", "application/x-www-form-urlencoded", "text/plain"] };

function standard(family: readonly string[]): Pick<Row, "signature" | "list" | "exact" | "secret"> {
  const names = (field: string): string[] => family.map((each) => `${each}-${field}`);
  return {
    signature: names("signature"),
    list: { separator: " " },
    exact: [names("id"), names("timestamp")],
    secret: WHSEC,
  };
}

const acmeLists = (): unknown =>
  hmac({
    name: "acme-lists",
    header: "x-acme-signature",
    algorithm: "sha512",
    encoding: "base64url",
    content: "{id}:{timestamp}:{method}:{url}:{body}",
    timestamp: { item: "t", unit: "ms" },
    id: "x-acme-id",
    list: { separator: ";", assign: "=", tag: "s1" },
    event: { id: { header: "x-acme-id", signed: true }, type: "type" },
  });

const GITHUB = { "x-github-event": "issues", "x-github-delivery": "d1", "content-type": "application/json" };
const GITHUB_FRESH = {
  "x-github-delivery": [],
  "x-github-event": ["issues", "push", "ping", "issue_comment", "unheard_of"],
  "x-github-hook-id": [],
  ...JSON_OR_FORM,
};

const HUBSPOT = JSON.stringify(
  [1, 2].map((eventId) => ({
    eventId,
    portalId: 5,
    subscriptionId: 6,
    objectId: 7,
    occurredAt: 1_564_113_600_000,
    subscriptionType: "contact.creation",
    attemptNumber: 0,
  })),
);

const TWILIO_JSON = '[{"EventType":"a.b","Sid":"1"},{"EventType":"a.b","Sid":"2"}]';

/** One item of the sample, and another. */
function adyenBody(): string {
  const sample = fixture("adyen/AUTHORISATION.json") as {
    notificationItems: { NotificationRequestItem: Record<string, unknown> }[];
  };
  const [first] = sample.notificationItems;
  const second = { NotificationRequestItem: { ...first?.NotificationRequestItem, pspReference: "7914073381342285" } };
  return JSON.stringify({ ...sample, notificationItems: [first, second] });
}

/** Encrypted for a key that is short, because every delivery that verifies is decrypted. */
const ENCRYPTED = JSON.stringify({
  algorithm: "RSA",
  encryptedData: publicEncrypt(
    { key: OTHER.publicPem, padding: constants.RSA_PKCS1_PADDING },
    Buffer.from('{"eventDetails":{"orderId":"1"}}'),
  ).toString("base64"),
  flatData: "",
  keySize: 1024,
});

const SMS = new URLSearchParams(fixture("twilio/message.delivered.json") as Record<string, string>).toString();

const ROWS: readonly Row[] = [
  {
    title: "stripe",
    make: stripe,
    secret: TEXT,
    body: json("stripe/charge.succeeded.json"),
    signature: ["stripe-signature"],
    list: { separator: ",", stamp: "t" },
  },
  {
    title: "conekta, webhook keys",
    make: conekta,
    secret: PRIVATE_PEM,
    verifyingSecret: PUBLIC_PEM,
    body: json("conekta/charge.paid.json"),
    signature: ["digest"],
  },
  {
    title: "conekta, a private signature",
    make: conekta,
    setting: "privateSignature",
    secret: OTHER.privatePem,
    body: json("conekta/charge.paid.json"),
    signature: ["digest"],
  },
  {
    title: "standard-webhooks",
    make: standardWebhooks,
    ...standard(["webhook", "svix"]),
    body: json("standard-webhooks/contact.created.json"),
  },
  { title: "svix", make: svix, ...standard(["svix", "webhook"]), body: '{"type":"a.b"}' },
  {
    title: "svix, a public key",
    make: svix,
    ...standard(["svix", "webhook"]),
    secret: `whsk_${SEED.toString("base64")}`,
    verifyingSecret: `whpk_${POINT.toString("base64")}`,
    body: '{"type":"a.b"}',
  },
  { title: "clerk", make: clerk, ...standard(["svix", "webhook"]), body: json("clerk/user.created.json") },
  { title: "openai", make: openai, ...standard(["webhook"]), body: json("openai/response.completed.json") },
  { title: "polar", make: polar, ...standard(["webhook"]), secret: TEXT, body: json("polar/order.paid.json") },
  { title: "resend", make: resend, ...standard(["svix", "webhook"]), body: json("resend/email.sent.json") },
  { title: "zenkipay", make: zenkipay, ...standard(["svix", "webhook"]), body: json("zenkipay/order.pay.json") },
  {
    title: "zenkipay, encrypted",
    make: () => zenkipay({ decryptionKey: OTHER.privatePem }),
    ...standard(["svix", "webhook"]),
    body: ENCRYPTED,
  },
  {
    title: "github, JSON",
    make: github,
    secret: TEXT,
    body: json("github/issues.opened.json"),
    headers: GITHUB,
    signature: ["x-hub-signature-256"],
    fresh: GITHUB_FRESH,
  },
  {
    title: "github, a form",
    make: github,
    secret: TEXT,
    body: new URLSearchParams({ payload: json("github/issues.opened.json") }).toString(),
    headers: { ...GITHUB, ...FORM },
    signature: ["x-hub-signature-256"],
    fresh: GITHUB_FRESH,
  },
  {
    title: "shopify",
    make: shopify,
    secret: TEXT,
    body: json("shopify/products.update.json"),
    headers: { "shopify-topic": "products/update", "shopify-webhook-id": "w1" },
    signature: ["shopify-hmac-sha256", "x-shopify-hmac-sha256"],
    fresh: {
      "shopify-webhook-id": [],
      "shopify-event-id": [],
      "shopify-shop-domain": [],
      "x-shopify-webhook-id": [],
      "shopify-topic": ["products/create", "orders/create", "app/uninstalled"],
    },
  },
  {
    title: "shopify, the older headers",
    make: shopify,
    secret: TEXT,
    body: json("shopify/orders.create.json"),
    headers: { "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "w1" },
    signature: ["shopify-hmac-sha256", "x-shopify-hmac-sha256"],
    fresh: {
      "x-shopify-webhook-id": [],
      "shopify-webhook-id": [],
      "x-shopify-topic": ["orders/paid", "products/update"],
    },
  },
  ...[
    { title: "kopokopo, a webhook", body: json("kopokopo/buygoods_transaction_received.json") },
    { title: "kopokopo, a result", body: json("kopokopo/incoming_payment.json") },
    { title: "kopokopo, Daraja", body: json("kopokopo/daraja.pay_bill.json") },
  ].map((each) => ({ ...each, make: kopokopo, secret: TEXT, signature: ["x-kopokopo-signature"] })),
  {
    title: "hmac, a body",
    make: () => hmac({ name: "acme", header: "x-acme-signature" }),
    secret: TEXT,
    body: '{"id":"e1","type":"a.b"}',
    signature: ["x-acme-signature"],
  },
  {
    title: "hmac, a list",
    make: acmeLists,
    secret: TEXT,
    url: "https://example.com/acme",
    body: '{"type":"a.b"}',
    signature: ["x-acme-signature"],
    list: { separator: ";", stamp: "t" },
    exact: [["x-acme-id"]],
    content: (...both) => sameMethod(...both) && sameUrlAndBody(...both),
  },
  {
    title: "razorpay",
    make: razorpay,
    secret: TEXT,
    body: json("razorpay/payment.captured.json"),
    headers: { "x-razorpay-event-id": "e1" },
    signature: ["x-razorpay-signature"],
    fresh: { "x-razorpay-event-id": [] },
  },
  {
    title: "coinbase-commerce",
    make: coinbaseCommerce,
    secret: TEXT,
    body: json("coinbase-commerce/charge.confirmed.json"),
    signature: ["x-cc-webhook-signature"],
  },
  {
    title: "lemonsqueezy",
    make: lemonsqueezy,
    secret: TEXT,
    body: json("lemonsqueezy/order_created.json"),
    headers: { "x-event-name": "order_created" },
    signature: ["x-signature"],
    fresh: { "x-event-name": ["order_refunded"] },
  },
  {
    title: "paddle",
    make: paddle,
    secret: TEXT,
    body: json("paddle/transaction.completed.json"),
    signature: ["paddle-signature"],
    list: { separator: ";", stamp: "ts" },
  },
  ...[
    {
      title: "slack, an event",
      body: '{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"app_mention","text":"hi"}}',
    },
    {
      title: "slack, a slash command",
      body: "token=x&command=%2Fweather&text=94070&trigger_id=13345224609.738474920.8088930838",
      headers: FORM,
    },
    {
      title: "slack, interactivity",
      body: new URLSearchParams({ payload: json("slack/block_actions.json") }).toString(),
      headers: FORM,
    },
    { title: "slack, a handshake", body: '{"type":"url_verification","challenge":"c"}', events: 0 },
  ].map((each) => ({
    ...each,
    make: slack,
    secret: TEXT,
    signature: ["x-slack-signature"],
    exact: [["x-slack-request-timestamp"]],
    fresh: { "x-slack-retry-num": ["1", "2"], "x-slack-retry-reason": ["http_timeout"], ...JSON_OR_FORM },
  })),
  {
    title: "twilio, a form",
    make: twilio,
    secret: TEXT,
    url: "https://example.com/sms?x=1",
    body: "MessageSid=SM1&MessageStatus=delivered&From=%2B525555555555",
    headers: FORM,
    signature: ["x-twilio-signature"],
    content: twilioForm,
    fresh: { "i-twilio-idempotency-token": [], ...JSON_OR_FORM },
  },
  {
    title: "twilio, GET",
    make: twilio,
    secret: TEXT,
    method: "GET",
    url: `https://example.com/sms?${SMS}`,
    body: "",
    signature: ["x-twilio-signature"],
    content: twilioGet,
    fresh: { "i-twilio-idempotency-token": [], ...JSON_OR_FORM },
  },
  {
    title: "twilio, JSON",
    make: twilio,
    secret: TEXT,
    url: `https://example.com/sms?bodySHA256=${createHash("sha256").update(TWILIO_JSON).digest("hex")}`,
    body: TWILIO_JSON,
    headers: { "content-type": "application/json" },
    signature: ["x-twilio-signature"],
    content: twilioJson,
    fresh: { "i-twilio-idempotency-token": [], ...JSON_OR_FORM },
    events: 2,
  },
  {
    title: "sendgrid",
    make: sendgrid,
    secret: EC.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    verifyingSecret: EC.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    body: '[{"event":"delivered","sg_event_id":"a1","email":"a@b.example"},{"event":"open","sg_event_id":"a2"}]\r\n',
    signature: ["x-twilio-email-event-webhook-signature"],
    exact: [["x-twilio-email-event-webhook-timestamp"]],
    events: 2,
  },
  {
    title: "discord",
    make: discord,
    secret: SEED.toString("hex"),
    verifyingSecret: POINT.toString("hex"),
    body: '{"id":"846462639134605312","type":2,"token":"t","data":{"name":"cards"}}',
    signature: ["x-signature-ed25519"],
    exact: [["x-signature-timestamp"]],
  },
  {
    title: "zoom",
    make: zoom,
    secret: TEXT,
    body: '{"event":"meeting.started","payload":{"account_id":"a"},"event_ts":1}',
    signature: ["x-zm-signature"],
    exact: [["x-zm-request-timestamp"]],
  },
  {
    title: "linear",
    make: linear,
    secret: TEXT,
    body: '{"action":"create","type":"Issue","data":{"id":"1"},"webhookTimestamp":1700000000000,"webhookId":"w1"}',
    headers: { "linear-delivery": "d1", "linear-event": "Issue" },
    signature: ["linear-signature"],
    fresh: { "linear-delivery": [], "linear-event": ["Comment"], "linear-timestamp": ["1"] },
  },
  {
    title: "hubspot, v3",
    make: hubspot,
    secret: TEXT,
    url: "https://example.com/hubspot?to=a:b",
    body: HUBSPOT,
    signature: ["x-hubspot-signature-v3"],
    exact: [["x-hubspot-request-timestamp"]],
    content: hubspotV3,
    fresh: { "x-hubspot-signature": [], "x-hubspot-signature-version": ["v1", "v2", "v3"] },
    events: 2,
  },
  {
    title: "hubspot, v2",
    make: hubspot,
    signer: () => hubspot({ versions: ["v2"] }),
    secret: TEXT,
    url: "https://example.com/hubspot",
    body: HUBSPOT,
    signature: ["x-hubspot-signature"],
    content: (...both) => sameMethod(...both) && sameUrlAndBody(...both),
    fresh: { "x-hubspot-request-timestamp": ["1"] },
    events: 2,
  },
  {
    title: "hubspot, v1",
    make: hubspot,
    signer: () => hubspot({ versions: ["v1"] }),
    secret: TEXT,
    url: "https://example.com/hubspot",
    body: HUBSPOT,
    signature: ["x-hubspot-signature"],
    fresh: { "x-hubspot-request-timestamp": ["1"] },
    events: 2,
  },
  {
    title: "square",
    make: square,
    secret: TEXT,
    url: "https://example.com/square",
    body: '{"merchant_id":"M1","type":"payment.updated","event_id":"e1","data":{"id":"p1"}}',
    signature: ["x-square-hmacsha256-signature"],
    content: sameUrlAndBody,
    fresh: { "square-retry-number": ["1", "2"], "x-square-signature": [] },
  },
  {
    title: "adyen, payments",
    make: adyen,
    secret: HEX,
    body: adyenBody(),
    content: adyenItems,
    fresh: { hmacsignature: [] },
    events: 2,
  },
  {
    title: "adyen, a platform",
    make: () => adyen({ platform: true }),
    secret: HEX,
    body: json("adyen/balancePlatform.transfer.created.json"),
    signature: ["hmacsignature"],
  },
  {
    title: "mercadopago",
    make: mercadopago,
    secret: TEXT,
    id: "req-1",
    url: "https://example.com/mp?data.id=Pay123456&type=payment",
    body: '{"action":"payment.updated","type":"payment","data":{"id":"Pay123456"}}',
    signature: ["x-signature"],
    list: { separator: ",", stamp: "ts" },
    exact: [["x-request-id"]],
    content: mercadoPagoId,
  },
  {
    title: "braintree",
    make: braintree,
    secret: "public:private",
    body: "<notification><kind>check</kind><timestamp>2026-11-22T09:13:00Z</timestamp></notification>",
    headers: FORM,
    content: braintreeForm,
    fresh: JSON_OR_FORM,
  },
  {
    title: "paypal",
    make: () => paypal({ fetch: async () => new Response(`${LEAF}\n${INTERMEDIATE}\n`), trustedCertificates: [ROOT] }),
    secret: `1JE4291016473214C:${LEAF_KEY}`,
    verifyingSecret: "1JE4291016473214C",
    now: Date.parse("2027-01-01T12:00:00Z"),
    id: "t-1",
    body: json("paypal/PAYMENT.CAPTURE.COMPLETED.json"),
    headers: { "paypal-cert-url": `${CERTS}/CERT-1` },
    signature: ["paypal-transmission-sig"],
    trimmed: ["paypal-transmission-id", "paypal-transmission-time", "paypal-auth-algo"],
    content: sameChecksum,
    fresh: {
      "paypal-cert-url": [`${CERTS}/CERT-1`, `${CERTS}/CERT-2`, "https://example.com/cert"],
      "correlation-id": [],
    },
    // No certificate is fetched for a while, after many that were asked for.
    statuses: [503],
  },
];

interface SignsBody {
  signBody?(body: string, options: SignOptions): Uint8Array;
}

function deliveryOf(row: Row): Delivery {
  const { secret, setting, now = NOW, id, method = "POST", url = "/", headers = {} } = row;
  const provider = (row.signer ?? row.make)() as Provider & SignsBody;
  const options: SignOptions = { secret, setting, now, id, method, url, headers };
  const body = Buffer.from(provider.signBody?.(row.body, options) ?? row.body);
  return { method, url, headers: { ...headers, ...provider.sign(body, options) }, body };
}

function busOf({ make, setting, secret, verifyingSecret, now = NOW }: Row): { bus: EventBus; ran(): number } {
  const provider = make() as Provider;
  const clock = {
    now: () => now,
    setTimeout: (run: () => void, ms: number): unknown => setTimeout(run, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
  const bus = new EventBus(provider, { clock });
  bus.logger = { info() {}, warn() {}, error() {} };
  bus[setting ?? (Object.keys(provider.secrets)[0] as SecretSetting)] = (verifyingSecret ?? secret) as never;
  let runs = 0;
  bus.all(() => {
    runs++;
  });
  return { bus, ran: () => runs };
}

/** What `receipt` says that it must not, of a delivery that came before. */
function objectionTo(receipt: Receipt, row: Row, delivery: Delivery, original: Delivery): string | undefined {
  const { status, outcome } = receipt;
  if (status >= 200 && status < 300) {
    if (outcome !== (row.events === 0 ? "challenge" : "duplicate")) return "it is no duplicate";
    return isGenuine(row, delivery, original) ? undefined : "it is not what was signed";
  }
  if (isUntouched(row, delivery, original)) return "it is what was signed";
  return [400, 401, 405, ...(row.statuses ?? [])].includes(status) ? undefined : "it was no refusal";
}

function told({ body, ...delivery }: Delivery): string {
  return JSON.stringify({ ...delivery, body: body.toString("latin1") });
}

describe(`${MUTATIONS.toLocaleString("en")} mutations of a signed delivery, for each provider`, () => {
  it("leave out no provider", () => {
    expect([...new Set(ROWS.map(({ title }) => title.split(",")[0]))].sort()).to.deep.equal(exportedProviders());
  });

  for (const [index, row] of ROWS.entries()) {
    const { title, events = 1 } = row;

    it(`are refused where they changed what was signed, and never handled again: ${title}`, async function () {
      this.timeout(120_000);
      const original = deliveryOf(row);
      const { bus, ran } = busOf(row);
      const { outcome } = await bus.receive(original);
      expect(outcome).to.equal(events === 0 ? "challenge" : "handled");
      const random = randomFrom(index + 1);
      const counts = { accepted: 0, refused: 0 };
      for (let count = 0; count < MUTATIONS; count++) {
        const delivery = mutated(original, random, row);
        const receipt = await bus.receive(delivery);
        const objection = objectionTo(receipt, row, delivery, original);
        if (objection !== undefined) expect.fail(`${count}: ${objection}: ${receipt.status} for ${told(delivery)}`);
        if (receipt.status < 300) counts.accepted++;
        else counts.refused++;
      }
      expect(ran()).to.equal(events);
      // Both happened, so that neither half is idle.
      expect(counts.accepted, "accepted").to.be.above(MUTATIONS / 20);
      expect(counts.refused, "refused").to.be.above(MUTATIONS / 5);
    });

    it(`are no way to have a captured delivery handled twice, with fresh unsigned headers: ${title}`, async () => {
      const original = deliveryOf(row);
      const { bus, ran } = busOf(row);
      await bus.receive(original);
      const random = randomFrom(index + 1);
      let accepted = 0;
      for (let count = 0; count < REPLAYS; count++) {
        const delivery = { ...original, headers: { ...original.headers } };
        for (let left = 3; left > 0; left--) addFresh(delivery, random, row);
        const receipt = await bus.receive(delivery);
        const objection = objectionTo(receipt, row, delivery, original);
        if (objection !== undefined) expect.fail(`${objection}: ${receipt.status} for ${told(delivery)}`);
        if (receipt.status < 300) accepted++;
      }
      expect(ran()).to.equal(events);
      expect(accepted, "accepted").to.be.above(REPLAYS / 20);
    });
  }
});
