import { type KeyObject, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { ConfigurationError, ProviderUnavailableError } from "../errors.ts";

/** What gets a certificate: as much of the Fetch API as is needed. */
export type CertificateFetch = (
  url: string,
  init: {
    readonly redirect: "error";
    readonly signal: AbortSignal;
    readonly headers: Readonly<Record<string, string>>;
  },
) => Promise<Response>;

export interface CertificateOptions {
  /** What gets certificates; default: the global `fetch`. A proxy goes here, or a stand-in. */
  readonly fetch?: CertificateFetch | undefined;
  /** How long a certificate may take, in milliseconds; default 5000. */
  readonly timeoutMs?: number | undefined;
  /** Whether a certificate must lead to one that is trusted; default true. */
  readonly verifyChain?: boolean | undefined;
  /** What is trusted, as PEM texts: roots or intermediates; default: the roots that Node brings. */
  readonly trustedCertificates?: readonly string[] | undefined;
}

/** The certificates of PayPal's deliveries. */
export interface Certificates {
  /**
   * The public key of the certificate behind a pinned URL; `undefined` where there is none that is good at `now`
   * (milliseconds since 1970). Rejects with `ProviderUnavailableError` where PayPal does not answer.
   */
  keyOf(url: string, now: number): Promise<KeyObject | undefined>;
}

interface Entry {
  readonly key: KeyObject;
  /** Milliseconds since 1970: as long as every certificate of the chain is good. */
  readonly from: number;
  readonly until: number;
}

const HOSTS: readonly string[] = [
  "api.paypal.com",
  "api-m.paypal.com",
  "api.sandbox.paypal.com",
  "api-m.sandbox.paypal.com",
];

const PATH = /^\/v1\/notifications\/certs\/[\w-]{1,128}$/;

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** PayPal has a handful of certificates in use. */
const MAX_ENTRIES = 16;

/** Anybody may name a URL, so that few are asked for at a time. */
const MAX_FLIGHTS = 8;

const MAX_BYTES = 64 * 1024;

/** From the certificate to its root; a public one has three. */
const MAX_CHAIN = 6;

/** Whether PayPal keeps a certificate there: https, one of its API hosts, the path of certificates and nothing else. */
export function isCertificateUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  // Spelt out and compared whole, so that no port, no credentials and no odd spelling is left.
  return HOSTS.includes(url.hostname) && PATH.test(url.pathname) && text === `https://${url.hostname}${url.pathname}`;
}

/** Throws `ConfigurationError` for a trusted certificate that is none. */
export function certificates(options: CertificateOptions = {}): Certificates {
  const { fetch = globalThis.fetch as CertificateFetch, timeoutMs = 5_000, verifyChain = true } = options;
  const trusted = options.trustedCertificates?.map(readTrusted);
  const entries = new Map<string, Entry>();
  const flights = new Map<string, Promise<string | undefined>>();

  async function keyOf(url: string, now: number): Promise<KeyObject | undefined> {
    const known = entries.get(url);
    if (known && known.from <= now && now <= known.until) {
      // The last one used is the last one to go.
      entries.delete(url);
      entries.set(url, known);
      return known.key;
    }
    const pem = await fly(url);
    const entry = pem === undefined ? undefined : entryOf(pem, now);
    if (!entry) return undefined;
    entries.delete(url);
    entries.set(url, entry);
    const [oldest] = entries.keys();
    if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
    return entry.key;
  }

  /** One flight per URL. */
  function fly(url: string): Promise<string | undefined> {
    const under = flights.get(url);
    if (under !== undefined) return under;
    if (flights.size >= MAX_FLIGHTS) {
      return Promise.reject(new ProviderUnavailableError("too many certificates of PayPal are under way"));
    }
    const flight = get(fetch, url, timeoutMs).finally(() => flights.delete(url));
    flights.set(url, flight);
    return flight;
  }

  function entryOf(pem: string, now: number): Entry | undefined {
    const [leaf, ...others] = read(pem);
    if (!leaf || !isPayPals(leaf) || leaf.publicKey.asymmetricKeyType !== "rsa") return undefined;
    const chain = verifyChain ? chainOf(leaf, others, trusted ?? roots(), now) : [leaf];
    if (!chain?.every((each) => isGood(each, now))) return undefined;
    return {
      key: leaf.publicKey,
      from: Math.max(...chain.map((each) => Date.parse(each.validFrom))),
      until: Math.min(...chain.map((each) => Date.parse(each.validTo))),
    };
  }

  return { keyOf };
}

/** The text behind the URL; `undefined` where PayPal says that there is none. */
async function get(fetch: CertificateFetch, url: string, timeoutMs: number): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { accept: "application/x-pem-file, text/plain, */*" };
    const response = await fetch(url, { redirect: "error", signal, headers });
    if (response.status === 200 && !response.redirected) return await textOf(response);
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new Error(response.redirected ? "it redirected" : `it answered ${response.status}`);
  } catch (cause) {
    throw new ProviderUnavailableError("PayPal's certificate could not be fetched", { cause });
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}

function read(pem: string): X509Certificate[] {
  try {
    return (pem.match(PEM) ?? []).map((each) => new X509Certificate(each));
  } catch {
    return [];
  }
}

/** The common name is `messageverificationcerts.paypal.com`, or another one below paypal.com. */
function isPayPals(certificate: X509Certificate): boolean {
  const name: unknown = certificate.toLegacyObject().subject?.CN;
  return typeof name === "string" && /^(?:[a-z0-9-]+\.)+paypal\.com$/i.test(name);
}

function isGood(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** The way from a certificate to one that is trusted, over those sent with it; `undefined` where there is none. */
function chainOf(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  now: number,
): readonly X509Certificate[] | undefined {
  const chain = [leaf];
  for (let last = leaf; chain.length < MAX_CHAIN; ) {
    const anchor = trusted.find((each) => issued(each, last, now));
    if (anchor) return [...chain, anchor];
    const next = others.find((each) => !chain.includes(each) && issued(each, last, now));
    if (!next) return undefined;
    chain.push(next);
    last = next;
  }
  return undefined;
}

function issued(issuer: X509Certificate, certificate: X509Certificate, now: number): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && isGood(issuer, now) && certificate.verify(issuer.publicKey);
}

let nodeRoots: readonly X509Certificate[] | undefined;

/** Read on first use: there are more than a hundred. */
function roots(): readonly X509Certificate[] {
  nodeRoots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return nodeRoots;
}

function readTrusted(pem: string, index: number): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ConfigurationError(`\`trustedCertificates[${index}]\` must be a certificate in PEM form`, { cause });
  }
}
