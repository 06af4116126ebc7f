/** What the specs use of it; the package has no types of its own. */
declare module "starkbank-ecdsa" {
  interface Key {
    toPem(): string;
  }
  export const PrivateKey: { fromPem(pem: string): Key };
  export const Ecdsa: { sign(message: string, key: Key): { toBase64(): string } };
}
