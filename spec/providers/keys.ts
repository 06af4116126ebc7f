import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";

interface KeyRow {
  readonly scheme?: string;
  readonly secret?: string;
}

const rows: readonly KeyRow[] = JSON.parse(
  readFileSync(new URL("../../fixtures/vectors/vectors.json", import.meta.url), "utf8"),
);

/** The published test key of the conekta_event gem: RSA, 2048 bits, PKCS#1. */
export const PRIVATE_PEM: string =
  rows.find((row) => row.scheme === "legacy-rsa-private-decrypt")?.secret ?? "the vectors hold no private key";

export const PUBLIC_PEM: string = pem(createPublicKey(PRIVATE_PEM));

/** Another key, short so that it is made quickly. */
export const OTHER: { readonly privatePem: string; readonly publicPem: string } = rsaPair(1024);

export function rsaPair(modulusLength: number): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  return { privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), publicPem: pem(publicKey) };
}

/** A key as people keep it in environment variables: on one line, the line ends written out. */
export function oneLine(text: string): string {
  return text.trim().replaceAll("\n", "\\n");
}

function pem(key: ReturnType<typeof createPublicKey>): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}
