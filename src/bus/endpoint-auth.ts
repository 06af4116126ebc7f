import { ConfigurationError } from "../errors.ts";
import { refuseUnknown } from "../known-options.ts";

/** What the sender must present in `Authorization`, in addition to its signature. */
export type EndpointAuth =
  /** HTTP basic (RFC 7617). Without a `username`, any is taken. */
  | { readonly basic: { readonly username?: string; readonly password: string } }
  /** A bearer token (RFC 6750). */
  | { readonly bearer: string };

/** Throws `ConfigurationError` unless `auth` asks for something that cannot be guessed by sending nothing. */
export function assertEndpointAuth(auth: EndpointAuth): void {
  if (typeof auth === "object" && auth !== null && !("bearer" in auth && "basic" in auth)) {
    refuseUnknown("endpointAuth.", auth, "bearer" in auth ? { bearer: true } : { basic: true });
    if ("bearer" in auth) {
      // RFC 6750, section 2.1: the token is one run of these characters.
      if (typeof auth.bearer === "string" && /^[A-Za-z0-9\-._~+/]+=*$/.test(auth.bearer)) return;
      throw new ConfigurationError("`endpointAuth.bearer` must be a token without white space that is not empty");
    }
    if ("basic" in auth && typeof auth.basic === "object" && auth.basic !== null) {
      // Without a `username`, any would do.
      refuseUnknown("endpointAuth.basic.", auth.basic, { username: true, password: true });
      const { username, password } = auth.basic;
      if (typeof password !== "string" || password.trim() === "") {
        throw new ConfigurationError("`endpointAuth.basic.password` must be a string that is not empty");
      }
      if (!("username" in auth.basic)) return; // one that is there and undefined is a variable that is not set
      if (typeof username === "string" && username !== "" && !username.includes(":")) return;
      throw new ConfigurationError("`endpointAuth.basic.username` must be a string without a colon that is not empty");
    }
  }
  throw new ConfigurationError("`endpointAuth` must be { basic: { username?, password } } or { bearer }");
}
