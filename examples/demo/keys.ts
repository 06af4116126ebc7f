import { generateKeyPairSync } from "node:crypto";

/** What the demo's endpoints and its senders share. Made up here, and worth nothing anywhere else. */
export const STRIPE_SIGNING_SECRET = "whsec_hookbus_demo_secret";
export const STRIPE_API_KEY = "sk_test_hookbus_demo";
export const CONEKTA_API_KEY = "key_hookbus_demo";

export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** A pair as Conekta makes it: RSA, 2048 bits, PEM. */
export function rsaKeyPair(): KeyPair {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}
